"""Is the bank of hours ever off by a minute? Nights of a site whose rows come late, on the server's own tables.

A round is a night. Gardiens hold evenings, about; rows come in days later, the desk corrects and corrects again, shifts
are changed and removed after they were held, credits come and go, the server is off for nights or dies while it books.
After each night on which it books, ledger and half-days are compared with a recount that shares no code with the bank.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

from msgspec import Raw
from sqlmodel import Session, col, select

from policy.bundle import AccessPoint, Bundle, Credit, Member, Readers, Role, Shift, Site, Tier, TimeBank
from policy.instants import text
from policy.presence import Move
from policy.reasons import Reason
from policy.ruleset import Ground
from policy.terms import DAY, HOUR, MINUTE, ClockState, Direction, Instant
from proofs.folders import passing_folder
from proofs.proof import BrokenError, Proof, Rounds, Task
from proofs.recount import PARIS, Moved, Recount, instant_at
from server.audit import Decided
from server.changes.bank import book
from server.changes.bundle import end, import_bundle, put
from server.changes.corrections import correct
from server.database.engine import Database
from server.database.schema import upgrade
from server.database.types import moment
from server.ingest.rows import number
from server.ingest.store import Batch, store_batches
from server.models import BankEntry
from server.queries.known_edges import KnownEdge
from server.queries.site_state import known
from wire.row import Kind, Row, encode

FIRST = date(2026, 1, 5)
GARDIENS = ("ana", "bob", "cleo", "dan")
UNIT, ROUND = 240, 15
KEPT = 90
"""Days for which rows are kept: none comes later than that here."""
EDGE = KnownEdge(
    "front", "00" * 32, frozenset({"front"}), frozenset({"front"}), {"in": Direction.IN, "out": Direction.OUT}
)
ROOM = 10**6


class Tap(NamedTuple):
    """Somebody's move, and when the server hears of it."""

    received: Instant
    who: str
    at: Instant
    inside: bool


class DeadError(Exception):
    """The server dies before it has committed."""


def run(task: Task) -> Rounds:
    with _site(task.random(0)) as site:
        for done in range(1, task.rounds + 1):
            if (wrong := site.night()) is not None:
                raise BrokenError(done - 1, wrong, since=0)
            yield done
        told = ", ".join(f"{count} {what}" for what, count in sorted(site.told.items()))
        return f"{task.rounds} nights, {site.entries} entries: 0 minutes off in {site.compared} recounts; {told}"


@contextmanager
def _site(luck: Random) -> Iterator["House"]:
    with passing_folder("bank") as folder:
        database = Database(f"sqlite:///{Path(folder)}/loquet.db")
        try:
            upgrade(database, lambda _: None)
            yield House(database, luck)
        finally:
            database.close()


class House:
    """told: how often what happened. compared: how often ledger and recount were."""

    def __init__(self, database: Database, luck: Random) -> None:
        self._database, self._luck, self._today = database, luck, FIRST
        self._coming: list[Tap] = []
        self._heard: list[Tap] = []
        self._shifts: dict[str, Shift] = {}
        self._credits: dict[str, Credit] = {}
        self.recount = Recount(GARDIENS, UNIT, ROUND)
        self._seq, self._before = 0, list[BankEntry]()
        self.told: dict[str, int] = {}
        self.compared = 0
        with database.transaction() as session:
            import_bundle(session, _bundle(), Decided("proof", instant_at(FIRST, 4)))

    @property
    def entries(self) -> int:
        return len(self._before)

    def night(self) -> str | None:
        """One day and the night after it; what is off, None where nothing is."""
        luck, today = self._luck, self._today
        self._plan()
        for act, chance in ((self._change, 0.25), (self._correct, 0.3), (self._credit, 0.15)):
            if luck.random() < chance:
                act()
        self._today += timedelta(1)
        ends = instant_at(self._today, 4)
        self._hear(ends)
        self._settle(ends)
        if luck.random() < 0.3:
            self._note("nights without the server")
            return None
        if luck.random() < 0.2:
            self._note("deaths while it booked")
            try:
                with self._database.transaction() as session:
                    book(session, ends + HOUR, KEPT)
                    raise DeadError
            except DeadError:
                pass
        with self._database.transaction() as session:
            book(session, ends + HOUR, KEPT)
        with self._database.reading() as session:
            wrong = self._compare(session)
        return None if wrong is None else f"the night after {today}: {wrong}"

    def _note(self, what: str) -> None:
        self.told[what] = self.told.get(what, 0) + 1

    # What happens

    def _plan(self) -> None:
        """An evening of somebody's, and how they are there for it; the rows come in at once or days later."""
        luck, today = self._luck, self._today
        who = luck.choice(GARDIENS)
        shift = Shift(f"s-{today}", who, f"{today}T18:00", f"{today}T{luck.choice((20, 21, 22))}:00")
        self._put(shift, instant_at(today, 9))
        at, late = instant_at(today, 17) + luck.randrange(100) * MINUTE, luck.choice((0, 0, 0, 1, 3, 9)) * DAY
        if late:
            self._note("evenings told late")
        for inside in (True, False) if luck.random() < 0.6 else (True, False, True, False):
            self._coming.append(Tap(at + late, who, at, inside))
            at += luck.randrange(1, 150) * MINUTE
            at = min(at, instant_at(today + timedelta(1), 3))

    def _put(self, part: Shift | Credit, at: Instant) -> None:
        with self._database.transaction() as session:
            put(session, [part], Decided("proof", at))
        if isinstance(part, Shift):
            self._shifts[part.id] = part

    def _change(self) -> None:
        """A shift that was held a while ago is another gardien's, is shorter, or was none."""
        held = sorted(self._shifts)[-12:]
        shift, luck = self._shifts[self._luck.choice(held)], self._luck
        self._note("shifts changed afterwards")
        if luck.random() < 0.3 and not shift.id.endswith(str(self._today)):
            with self._database.transaction() as session:
                end(session, "shifts", [(shift.id,)], Decided("proof", instant_at(self._today, 10)))
            del self._shifts[shift.id]
            return
        ends = f"{shift.start[:10]}T{luck.choice((20, 21, 22))}:30"
        self._put(Shift(shift.id, luck.choice(GARDIENS), shift.start, ends), instant_at(self._today, 10))

    def _correct(self) -> None:
        """The desk writes down when somebody came and went on one of the last days."""
        luck, now = self._luck, instant_at(self._today, 11)
        day = self._today - timedelta(luck.randrange(1, 6))
        if day < FIRST:
            return
        who, came = luck.choice(GARDIENS), instant_at(day, 18) + luck.randrange(-30, 60) * MINUTE
        moves = [Move(came, inside=True), Move(came + luck.randrange(10, 200) * MINUTE, inside=False)]
        with self._database.transaction() as session:
            correct(session, Decided("proof", now, "badge"), who, moves)
        self._heard += [Tap(now, who, move.at, move.inside) for move in moves]
        self._note("corrections of the desk")

    def _credit(self) -> None:
        """One is written down, with a second name or none, for a day that was or is to come; or one goes."""
        luck, now = self._luck, instant_at(self._today, 12)
        if self._credits and luck.random() < 0.4:
            gone = luck.choice(sorted(self._credits))
            with self._database.transaction() as session:
                end(session, "credits", [(gone,)], Decided("proof", now))
            del self._credits[gone]
        else:
            day, name = self._today + timedelta(luck.randrange(-3, 4)), f"k{self._today}"
            minutes, second = luck.choice((-90, 30, 250)), luck.choice(("zoe", "zoe", None))
            credit = Credit(name, luck.choice(GARDIENS), minutes, day, "travaux", "yves", second)
            self._put(credit, now)
            if second is not None:
                self._credits[name] = credit
        self._note("credits that came or went")
        self._pay(now)

    def _hear(self, until: Instant) -> None:
        """The rows that have come in since: a batch of each instant."""
        due = sorted(tap for tap in self._coming if tap.received < until)
        self._coming = [tap for tap in self._coming if tap.received >= until]
        with self._database.transaction() as session:
            site = known(session)
            for tap in due:
                self._seq += 1
                row = Raw(encode(_row(self._seq, tap)))
                batch = Batch(EDGE, "proof", self._seq - 1, number([row], "proof", b""))
                store_batches(session, [batch], moment(tap.received), site, lambda _: ROOM)
        self._heard += due

    def _settle(self, ends: Instant) -> None:
        self.recount.earned.clear()
        self.recount.settle(self._shifts.values(), [Moved(tap.who, tap.at, tap.inside) for tap in self._heard], ends)
        self._pay(ends)

    def _pay(self, now: Instant) -> None:
        self.recount.given = {
            name: (credit.member, credit.minutes)
            for name, credit in self._credits.items()
            if instant_at(credit.date, 4) <= now
        }
        self.recount.pay()

    def _compare(self, session: Session) -> str | None:
        rows = list(session.exec(select(BankEntry).order_by(col(BankEntry.id))))
        if [row.model_dump() for row in rows[: len(self._before)]] != [row.model_dump() for row in self._before]:
            return "an entry that was booked is another one now"
        self._before = rows
        self.compared += 1
        return self.recount.differs(session)


def _row(seq: int, tap: Tap) -> Row:
    return Row(
        seq=seq,
        at=text(tap.at),
        mono_ms=tap.at - instant_at(FIRST, 0),
        boot="proof",
        clock=ClockState.SYNCED,
        kind=Kind.TAP,
        access_point="front",
        reader="in" if tap.inside else "out",
        credential="00" * 16,
        member=tap.who,
        granted=True,
        reason=Reason.OWN_SHIFT if tap.inside else Reason.EGRESS,
        rules_version=1,
    )


def _bundle() -> Bundle:
    gardiens = tuple(Member(name, name, "carnet", (Role.GARDIEN,)) for name in GARDIENS)
    team = tuple(Member(name, name, "team", (Role.STAFF,)) for name in ("yves", "zoe"))
    return Bundle(
        format="loquet.bundle/1",
        site=Site(id="s", name="S", timezone=PARIS.key, time_bank=TimeBank(unit_minutes=UNIT, round=ROUND)),
        access_points=(AccessPoint("front", Readers("in", "out")),),
        tiers=(Tier("carnet", (Ground.HELD,), pass_="half_day"), Tier("team", (Ground.ALWAYS,))),  # noqa: S106
        members=(*gardiens, *team),
    )


PROOF = Proof("the bank of hours is never off by a minute", "nights", ci=60, release=3_650, run=run)
