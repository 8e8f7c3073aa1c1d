"""Has the machine power while a session runs, and then alone? And is each told once, as long as it was?

Kept by what happens at the machine, in true time: who started it, until when by the independent reading, who ended it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import Session as Reading
from sqlmodel import select

from policy.instants import of, text
from policy.terms import MINUTE, SECOND, Instant
from proofs.storm.casting import MACHINE
from proofs.storm.hours import day_start
from proofs.storm.record import Record
from proofs.storm.turns import Turns, Use
from server.models import MachineBusy, MachineSession

if TYPE_CHECKING:
    from proofs.storm.pi import Pi

ABOUT: Instant = 2 * SECOND
"""A machine is looked at when something is due there: no power lasts longer than it may by more."""
ALONE: Instant = 5 * MINUTE
"""An attended machine runs on so long without its holder."""


@dataclass(slots=True)
class Sitting:
    """A session in truth. start, until: by the edge's clock. over: when it must be, in true time. seq: its last row.

    cut: power went before all of it was on the disk. absent: since when its edge misses the holder.
    """

    member: str
    begun: Instant
    start: Instant
    until: Instant | None
    seq: int
    powered: bool = False
    ended: Instant | None = None
    cut: bool = False
    absent: Instant | None = None

    @property
    def over(self) -> Instant | None:
        return None if self.until is None else self.begun + self.until - self.start


class Sittings:
    """now: the session that runs. done: those that are over, and not found among the server's yet."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self.now: Sitting | None = None
        self.done: list[Sitting] = []
        self._closed = False
        self._told: set[tuple[str, Instant]] = set()

    # What happens

    def starts(self, member: str, start: Instant, until: Instant | None, seq: int) -> None:
        self._end(self._record.now(), seq)  # one that is over and was not looked at since
        self.now = Sitting(member, self._record.now(), start, until, seq)

    def ends_by_badge(self, seq: int) -> None:
        self._end(self._record.now(), seq)

    def goes_on(self, at: Instant, until: Instant | None) -> None:
        """Its end is another one. at: now, by the edge's clock."""
        if self.now is not None:
            ends = None if until is None else self._record.now() + until - at
            self.now.until = None if ends is None else self.now.start + ends - self.now.begun

    def output(self, name: str, active: bool) -> None:
        if name == f"{MACHINE}.interlock":
            self._closed = active

    def cut(self, on_disk: int) -> None:
        """The machine's edge has no power any more."""
        self._closed = False
        for one in self.done:
            one.cut |= one.seq > on_disk
        if self.now is not None:
            self.now.cut = True
            self._end(self._record.now(), self.now.seq)

    def look(self, pi: "Pi") -> None:
        """After each step of the machine's edge."""
        one, at = self.now, self._record.now()
        if one is None:
            if self._closed:
                self._record.broken(pi, "the machine has power, and nobody's session runs")
            return
        self._miss(pi, one)
        late = min((end for end in (one.over, one.absent and one.absent + ALONE) if end is not None), default=None)
        if self._closed:
            one.powered = True
            if late is not None and at > late + ABOUT:
                self._record.broken(pi, f"the machine has power, and the session of {one.member} was over {text(late)}")
        elif one.powered:
            stopped = self._is_stopped(pi)
            if not stopped and (late is None or at < late - ABOUT):
                self._record.broken(pi, f"the machine lost its power, and the session of {one.member} is not over")
            self._end(at, pi.edge.control.controller.core.seq if pi.edge else one.seq)

    def _is_stopped(self, pi: "Pi") -> bool:
        state = pi.edge.control.controller.core.state if pi.edge else None
        return state is None or MACHINE in state.stopped | state.pressed

    def _miss(self, pi: "Pi", one: Sitting) -> None:
        """By what the edge knows of its holder (proofs/storm/claims.py looks at that)."""
        if pi.edge is None:
            return
        move = pi.edge.control.controller.core.state.presence.moves.get(one.member)
        inside = move is not None and move.inside and move.at >= day_start(pi.clock.now())
        one.absent = None if inside else one.absent or self._record.now()

    def _end(self, at: Instant, seq: int) -> None:
        one, self.now = self.now, None
        if one is not None:
            one.ended, one.seq = at if one.over is None else min(at, one.over), max(one.seq, seq)
            self.done.append(one)

    # What is told of it

    def compare(self, session: Reading) -> None:
        """Each session that had power is among the server's once, as long as it was; and there are no others."""
        for use in sorted(turns_told(session).uses, key=lambda use: use.start):
            if use[:2] not in self._told and use.over not in (None, use.start) and self._is_over(use):
                self._told.add(use[:2])
                self._match(use)
        lost = [one for one in self.done if one.powered and not one.cut]
        if lost:
            self._record.broken("server", f"it knows no session of {lost[0].member} since {text(lost[0].begun)}")
        self.done.clear()

    def _is_over(self, use: Use) -> bool:
        """One that is to end by itself runs until then."""
        return self.now is None or use.member != self.now.member or (use.over or 0) <= self._record.now()

    def _match(self, use: Use) -> None:
        length = (use.over or 0) - use.start
        for one in self.done:
            true = (one.ended or 0) - one.begun
            if one.member == use.member and (abs(true - length) <= ABOUT or (one.cut and length <= true + ABOUT)):
                self.done.remove(one)
                self._record.counts["sessions"] += 1
                self._record.counts["seconds of sessions"] += length // SECOND
                return
        self._record.broken(
            "server", f"a session of {use.member} since {text(use.start)}, {length // SECOND} s long, is nobody's"
        )


def turns_told(session: Reading) -> Turns:
    """What the server has heard of the machine."""
    row, busy = MachineSession, MachineBusy
    rows = session.exec(select(row.member, row.started, row.until, row.ended).where(row.machine == MACHINE))
    uses = (
        Use(member, of(started), min((of(end) for end in (until, ended) if end is not None), default=None))
        for member, started, until, ended in rows
    )
    tried = session.exec(select(busy.member, busy.at).where(busy.machine == MACHINE))
    return Turns(tuple(uses), frozenset((who, of(at)) for who, at in tried))
