"""What gives a machine its power? The real edge and the real gpiozero on emulated lines, its disk, and systemd.

Its files are those that `loquet edge init` makes, beside the unit of this source tree.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from enum import Enum
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from msgspec.structs import replace as replace_parts

from console.errors import CommandError
from edge.config import Config, load
from edge.events import Event, Ordered, RulesSwapped, StateHeard
from edge.held import HeldRules
from edge.runtime import Edge
from edge.setup.answers import answers
from edge.setup.render import files
from edge.start import claim_pins
from keys.keyring import Keyring, Site
from policy import bundle as site
from policy.compile import EdgeKey, compile_rules
from policy.facts import Moved
from policy.ruleset import Booking, Ground, RuleSet
from policy.terms import DAY, SECOND
from simulator.board import Board
from simulator.clock import WORKING_TUESDAY, VirtualClock
from simulator.disk import Disk
from simulator.lines import Change
from simulator.load import load as load_hardware
from simulator.load import load_again
from simulator.reader import SimulatedReader
from simulator.systemd import Service
from simulator.vfs import Mount
from wire.credential import pseudonym
from wire.row import Order
from wire.snapshot import Snapshot

UNIT = Path(__file__).parents[1] / "firmware_config" / "loquet-edge.service"
MACHINE, READER = "cnc", "cnc"
INTERLOCK, STOP = f"{MACHINE}.interlock", f"{MACHINE}.estop"
BADGE, NOBODYS = bytes.fromhex("04A1B2C3D4E5F6"), bytes.fromhex("CAFEF00D")
ROUND_NS = 10_000_000
"""From one look of the poller to the next."""
MONOSTABLE_NS = 500_000_000
"""For so long it holds the relay after a rise (docs/wiring.md)."""


class Part(Enum):
    """A thread of the edge, which may hang."""

    POLLER = "poller"
    CONTROL = "control loop"
    DISK = "disk"


class Files:
    """What lies on the Pi, with and without the monostable, and the rules of a fablab with one machine."""

    def __init__(self, folder: Path) -> None:
        """Raises CommandError where there is no source tree."""
        if not UNIT.exists():
            raise CommandError(f"power-off: {UNIT} is not there: run it in a clone of Loquet")
        load_hardware(Board())
        Keyring.create(folder / "ring", Site("casaco", "broker.lan", ("cnc",))).edge("cnc").rename(folder / "keys")
        self._made = {pulse: self._make(folder, pulse) for pulse in (False, True)}
        self._rules = _rules(self._made[False][0])

    def config(self, pulse: bool) -> Config:
        return self._made[pulse][0]

    def service(self, pulse: bool) -> str:
        """The unit and what `loquet edge init` adds to it."""
        return self._made[pulse][1]

    def rules(self, until: int) -> RuleSet:
        """Somebody else has booked the machine from this instant on."""
        booked = {MACHINE: (Booking("remy", until, until + DAY),)}
        return replace_parts(self._rules, bookings=booked)

    def _make(self, folder: Path, pulse: bool) -> tuple[Config, str]:
        told = {"site": "casaco", "edge": "cnc", "broker": "broker.lan", "machine": {MACHINE: {"pulse": pulse}}}
        made = files(answers(folder / "answers.toml", told))
        (folder / "edge.toml").write_text(made["edge.toml"], "utf-8")
        config = replace(load(folder / "edge.toml"), journal=folder / "journal.db")
        return config, UNIT.read_text("utf-8") + made["outputs.conf"]


@contextmanager
def quick_collections() -> Iterator[None]:
    """What is there already is no garbage: looking for some costs little meanwhile."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _rules(config: Config) -> RuleSet:
    bundle = site.Bundle(
        format="loquet.bundle/1",
        site=site.Site(id="casaco", name="Casaco", timezone="Europe/Paris", holidays="FR"),
        tiers=(site.Tier(id="fab", grounds=(Ground.ALWAYS,)),),
        members=tuple(site.Member(id=who, name=who, tier="fab") for who in ("brigitte", "remy")),
        credentials=(site.Credential(uid=BADGE.hex(), member="brigitte"),),
        machines=(site.Machine(id=MACHINE, kind="cnc", reader=READER, on_end="cut"),),
        certifications=(site.Certification(member="brigitte", kind="cnc"),),
    )
    return compile_rules(
        bundle,
        zone=ZoneInfo("Europe/Paris"),
        holidays=lambda year: frozenset(),
        pseudonym=lambda uid: pseudonym(config.keys.credential, uid),
        edges={"cnc": EdgeKey(config.keys.own.public_key().public_bytes_raw().hex(), (MACHINE,))},
        at=WORKING_TUESDAY,
    )


class Powered:
    """One machine with its edge, from power-on. strict: the kernel lets go of a dead process's outputs."""

    def __init__(self, made: Files, disk: Disk, mount: Mount, *, pulse: bool, strict: bool) -> None:
        self.clock = VirtualClock(WORKING_TUESDAY, wake_ns=0)
        self.disk = disk
        self.reader = SimulatedReader(READER, self.clock)
        self.hung: set[Part] = set()
        self._mount = mount
        self._pulse = pulse
        self._config, self._made = made.config(pulse), made
        self._prefix = str(self._config.journal)
        self._board = Board(self.clock, strict)
        self._relay = next(spec.line for spec in self._config.outputs if spec.name == INTERLOCK)
        self._stop = next(spec.line for spec in self._config.inputs if spec.name == STOP)
        self._board.resistor(self._relay, 0)
        self.press(False)
        self._service = Service(made.service(pulse), self._board, self._killed)
        self._until = WORKING_TUESDAY + DAY
        self.edge: Edge | None = None
        self._dead: list[Edge] = []
        """Kept: were one cleared away while the next claims its lines, gpiozero would wait for its own lock."""

    def close(self) -> None:
        """Kill what runs, and forget all of it now."""
        self.kill()
        self._dead.clear()
        gc.collect()
        for beside in self._config.journal.parent.glob("journal*"):  # the second copy of what is kept: no database
            beside.unlink()

    def start(self) -> None:
        """A new process; it has its rules within 50 ms."""
        load_again(self._board)
        self.edge = Edge(
            self._config,
            clock=self.clock,
            readers=[self.reader],
            pins=claim_pins(self._config),
            feed=lambda: self._service.feed(self.clock.monotonic()),
        )
        self.hung.clear()
        self.live(0.05)
        inside = Snapshot(False, (Moved("brigitte", WORKING_TUESDAY - SECOND, inside=True),), {})
        held = HeldRules(7, "", WORKING_TUESDAY + 14 * DAY, self._made.rules(self._until))
        self.tell(RulesSwapped(*self._stamp, held=held), StateHeard(*self._stamp, 1, inside, None))

    def tell(self, *events: Event) -> None:
        """The edge hears something."""
        if self.edge is not None:
            self.edge.control.handle(events)

    def book(self, ahead: float) -> None:
        """Somebody else has the machine so many seconds from now: for the next start of the edge."""
        self._until = self.clock.now() + round(ahead * 1000)

    def lock_out(self) -> None:
        """The order comes from the server."""
        self.tell(Ordered(*self._stamp, "n", Order.LOCK_OUT, MACHINE, "alice", self.clock.monotonic() + 5))

    def fill_disk(self) -> None:
        """There is no more room; a row shows that."""
        self.disk.full.add(self._prefix)
        self.tap(NOBODYS)

    def press(self, pressed: bool) -> None:
        """The emergency stop's second contact opens, as it does when its wire breaks."""
        self._board.drive(self._stop, int(pressed))

    def tap(self, badge: bytes = BADGE) -> None:
        self.reader.lay(badge)
        self.live(0.05)
        self.reader.take(badge)

    def live(self, seconds: float, dies_after: Part | None = None) -> None:
        """Let time pass. dies_after: the process is killed in the last round, when this part has had its turn."""
        end = self.clock.ns + round(seconds * 1e9)
        while self.clock.ns < end:
            self.clock.advance(ROUND_NS)
            for part in Part:
                if self.edge is not None and part not in self.hung:
                    TURNS[part](self.edge)
                if part is dies_after and self.clock.ns >= end:
                    self.kill()
            self._service.pass_time(self.clock.monotonic())

    def kill(self) -> None:
        """SIGKILL, from wherever."""
        self._killed()
        self._service.died(self.clock.monotonic())

    def _killed(self) -> None:
        edge, self.edge = self.edge, None
        if edge is None:
            return
        self._dead.append(edge)
        self._board.kill()
        self.disk.tear(self._prefix, Random(0))  # of a killed process all that it wrote stays
        self._mount.forget(self._prefix)
        journal = edge.storage.writer.journal
        if journal is not None:
            with suppress(Exception):  # its file is gone under it
                journal._db.close()

    @property
    def _stamp(self) -> tuple[int, float]:
        return self.clock.now(), self.clock.monotonic()

    @property
    def has_power(self) -> bool:
        spans = self.spans()
        return bool(spans) and spans[-1][1] >= self.clock.ns

    def spans(self) -> list[tuple[int, int]]:
        """When the machine had power, ns: by the trace of its line, and what hangs there makes of it."""
        return relay(self._board.history(self._relay), self.clock.ns, pulse=self._pulse)


def relay(trace: Sequence[Change], end: int, *, pulse: bool) -> list[tuple[int, int]]:
    """From when to when the relay pulled, until `end` at most: while the line is high, or for MONOSTABLE_NS after each
    rise."""
    found: list[tuple[int, int]] = []
    level = 0
    for change, after in zip(trace, [*(change.at for change in trace[1:]), end], strict=True):
        rises = change.level and not level
        level = change.level
        until = min(change.at + MONOSTABLE_NS, end) if pulse else after
        if rises or (level and not pulse):
            since = found.pop()[0] if found and found[-1][1] >= change.at else change.at
            found.append((since, until))
    return found


TURNS = {Part.POLLER: Edge.look, Part.CONTROL: Edge.serve, Part.DISK: Edge.keep}
