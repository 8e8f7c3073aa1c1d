"""The stormy site: people who come and go, faults that come and go, and a watch over all of it. One seed, one story."""

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, time, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge import sender
from policy.terms import DAY, HOUR, MINUTE, SECOND, ClockState, Instant
from proofs.folders import passing_folder
from proofs.storm import faults
from proofs.storm.agenda import Agenda
from proofs.storm.bank import Bank
from proofs.storm.bookings import Bookings
from proofs.storm.casting import MACHINE, doors, opening
from proofs.storm.desk import Desk
from proofs.storm.gardiens import hold_evenings
from proofs.storm.hours import PARIS, day_start
from proofs.storm.network import Network
from proofs.storm.office import KEY, Office
from proofs.storm.pi import Ground, Pi, config_of
from proofs.storm.quiet import Quiet
from proofs.storm.record import BrokenWorldError
from proofs.storm.watch import Watch
from proofs.storm.workshop import Workshop
from server.publish import rules as publisher
from simulator.clock import VirtualClock
from simulator.disk import Disk
from simulator.vfs import installed

FIRST_DAY = datetime(2026, 1, 5, 4, tzinfo=PARIS)
"""A Monday, when a site day begins."""
TAPS = (4, 12)
"""Of a day, outside of crowds."""
PATIENCE = 900
"""Seconds until everything must have been told once everything is mended."""
FLAPPING = 5_000_000_000
"""Nanoseconds after a connection came up in which it counts as unsteady."""
HURRY = 1_000_000
"""Nanoseconds at least between two turns of an edge that says that something is due."""


class Site:
    """Everything, at one virtual instant. doors: by name. busy_until: until then nobody expects quiet."""

    def __init__(self, seed: int, folder: Path, stack: ExitStack, door_count: int) -> None:
        self.doors = doors(door_count)
        self.luck = Random(f"storm {seed}")
        self.clock = VirtualClock(round(FIRST_DAY.timestamp() * 1000), wake_ns=0)
        self.agenda = Agenda(self.clock)
        self.network = Network(self.agenda, self.luck)
        self.disk = Disk()
        self.busy_until: Instant = 0
        self.digest = sha256()
        self.faults: Counter[str] = Counter()
        self.watch = Watch(self.clock.now, self._hampered)
        self.watch.diary = self.digest.update
        stack.enter_context(_seeded(self.luck))
        stack.enter_context(_seldom())
        mount = stack.enter_context(installed(self.disk, Random(0)))  # SQLite asks for its seed once in a process
        self._ground = Ground(self.clock, self.disk, mount, self.network, folder)
        bundle = opening(self.luck, self.doors)
        self.uids = [(badge.uid, badge.member) for badge in bundle.credentials] + [("DEADBEEF", "")]
        names = (*self.doors, MACHINE)
        keys = {name: Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n, name in enumerate(names, 1)}
        self.office = Office(
            self._ground, self.agenda, bundle, keys, self.luck, self.watch.published, self.watch.broken
        )
        self.pis = [
            Pi(self._ground, config_of(name, bundle, folder, keys[name], KEY.public_key()), self.watch)
            for name in names
        ]
        self.machine = self.pis[-1]
        self.quiet = Quiet(self.office, self.pis, self.watch)
        self.desk = Desk(self.office, self.watch)
        self.bank = Bank(self.office, self.watch, self.desk)
        self.workshop = Workshop(self.office, self.watch)
        self.bookings = Bookings(self.office, self.watch)
        self.watch.done_at_machine = partial(self.bookings.done, self)
        self._pages = Random(f"pages {seed}")
        stack.callback(self._close)
        self.office.start()
        for pi in self.pis:
            pi.switch_on(ClockState.SYNCED, 0)
        faults.new_rota(self, self.luck, FIRST_DAY.date())
        self.pass_until(self.clock.now() + 5 * SECOND)

    def live_a_day(self) -> None:
        """From one cutoff to the next. Raises BrokenWorldError."""
        begins = self.clock.now()
        today = datetime.fromtimestamp(begins / 1000, PARIS).date()
        if today.weekday() == 0:
            faults.new_rota(self, self.luck, today)
        for at, fault in faults.drawn(self.luck, begins):
            self.agenda.at_instant(at, lambda fault=fault: self._strike(fault))  # type: ignore[misc]
        self.agenda.at_instant(begins + 10 * MINUTE, self.bank.night)
        self.agenda.at_instant(begins + 11 * MINUTE, self.workshop.night)
        self.agenda.at_instant(begins + 11 * MINUTE, self.bookings.night)
        hold_evenings(self, self.luck, today)
        self.desk.open(self, self._pages, today)
        self.bank.credits.open(self, self._pages, today)
        self.workshop.open(self, self._pages, today)
        self.bookings.open(self, self._pages, today)
        for _ in range(self.luck.randint(*TAPS)):
            self.agenda.at_instant(begins + 2 * HOUR + self.luck.randrange(18 * 3600) * SECOND, self._somebody)
        noon = datetime.combine(today, time(14), PARIS)
        self.pass_until(round(noon.timestamp() * 1000))
        self._expect_quiet()
        ends = datetime.combine(today + timedelta(days=1), time(4), PARIS)
        self.pass_until(round(ends.timestamp() * 1000) - 20 * MINUTE)
        self._mend()
        self._expect_quiet()
        self.pass_until(round(ends.timestamp() * 1000))
        self.watch.forget_before(self.clock.now() - 3 * DAY)

    def _strike(self, fault: faults.Fault) -> None:
        self.faults[faults.NAMES.get(fault, "other faults")] += 1
        fault(self, self.luck)

    def crowd(self, taps: int, seconds: float) -> None:
        """Many people within a while."""
        for _ in range(taps):
            self.agenda.after(self.luck.uniform(0, seconds), self._somebody)

    def lift(self) -> None:
        """End a lockdown, as soon as the server is there to end it."""
        if not self.lock_down(False):
            self.agenda.after(60, self.lift)

    def lock_down(self, on: bool) -> bool:
        """Whether it was done."""
        done = self.office.lock_down(on)
        if done:
            self.watch.locked_down = on
        return done

    def _somebody(self) -> None:
        """Somebody lays a badge on a reader: often the one that fits where they are, at times another."""
        uid, who = self.luck.choice(self.uids)
        inside = self.is_inside(who)
        if who and inside and self.luck.random() < 0.2:
            self.tap(self.machine, f"{MACHINE}-in", uid)
            return
        way = "out" if inside == (self.luck.random() < 0.9) else "in"
        pi = self.pis[self.luck.randrange(len(self.doors))]
        self.tap(pi, f"{pi.name}-{way}", uid)

    def is_inside(self, who: str) -> bool:
        """In truth."""
        moves = self.watch.moves[who]
        return bool(moves) and moves[-1].inside and moves[-1].at >= day_start(self.clock.now())

    def tap(self, pi: Pi, reader: str, uid: str) -> None:
        """Somebody lays a badge on a reader and takes it away."""
        if pi.edge is None or pi.silent == reader:
            return
        pi.turn()
        self.watch.presented(pi, reader, uid)
        pi.tap(reader, bytes.fromhex(uid))

    def _mend(self) -> None:
        """Whatever is still broken, unless it is to last: the night is for repairs."""
        self.office.start()
        self.disk.full.clear()
        if not self.network.broker:
            self.network.restart_broker(running=True)
        for client in self.network.clients.values():
            client.slow = False
            if self.clock.now() >= self.busy_until:
                self.network.cable(client.name, True)
        for pi in self.pis:
            pi.silence(None)
            if pi.edge is None:
                pi.switch_on(ClockState.RTC, 0)
            elif pi.clock.offset:
                faults.network_time(pi)

    def _expect_quiet(self) -> None:
        """When nothing is broken any more, everything is told within minutes, and then all copies are equal."""
        if not self._whole():
            return
        until = self.clock.now() + PATIENCE * SECOND
        while not self.quiet.settled:
            if self.clock.now() >= until or not self._whole():
                if self._whole():
                    raise BrokenWorldError(f"{PATIENCE} s after everything was mended something is still not told")
                return
            self.pass_until(self.clock.now() + 10 * SECOND)
        self.quiet.compare(self.clock.now())

    def _whole(self) -> bool:
        clocks = all(pi.edge is not None and pi.clock.state() is not ClockState.UNKNOWN for pi in self.pis)
        return self.network.quiet and self.office.exchange is not None and not self.disk.full and clocks

    def _hampered(self, name: str) -> bool:
        """Whether server, broker or network are away, slow or unsteady for this edge."""
        ends = self.network.clients[name], self.network.clients["server"]
        return any(not end.up or end.slow or self.clock.ns - end.risen_ns < FLAPPING for end in ends)

    def pass_until(self, at: Instant) -> None:
        """Jump from deadline to deadline."""
        end = self.clock.ns + (at - self.clock.now()) * 1_000_000
        while True:
            due = [(pi_at, place) for place, pi in enumerate(self.pis) if (pi_at := pi.due) is not None]
            edge_at, place = min(due, default=(end, -1))
            edge_at = max(edge_at, self.clock.ns + HURRY)
            act_at = self.agenda.due
            if min(edge_at, end if act_at is None else act_at) >= end:
                self.clock.advance_to(end)
                return
            if act_at is not None and act_at <= edge_at:
                self.agenda.act()
            else:
                self.clock.advance_to(edge_at)
                self.pis[place].turn()

    def _close(self) -> None:
        self.disk.cut_after = None
        self.office.database.close()
        for pi in self.pis:
            pi.close()


@contextmanager
def storm(seed: int, doors: int = 2) -> Iterator[Site]:
    """A site, from its first day on, with so many doors and a machine: an edge for each."""
    with passing_folder("storm") as folder, ExitStack() as stack:
        yield Site(seed, Path(folder), stack, doors)


@contextmanager
def _seldom() -> Iterator[None]:
    """What edges and server say over and over they say every few hours here: it would take most of the time."""
    usual = sender.EVERY, publisher.FRESH_EVERY  # type: ignore[attr-defined]
    sender.EVERY, publisher.FRESH_EVERY = 6 * 3600.0, 6 * HOUR  # type: ignore[attr-defined]
    try:
        yield
    finally:
        sender.EVERY, publisher.FRESH_EVERY = usual  # type: ignore[attr-defined]


@contextmanager
def _seeded(luck: Random) -> Iterator[None]:
    """What is drawn at random for the sake of secrecy (ids, questions) hangs on the seed here."""
    drawn = secrets.token_hex
    secrets.token_hex = lambda count=None: luck.randbytes(count or 32).hex()  # type: ignore[assignment]
    try:
        yield
    finally:
        secrets.token_hex = drawn
