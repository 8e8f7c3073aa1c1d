"""May a session go on, and until when? What its edge does with the order, held against an independent reading.

The server sends the order where its holder may be near the machine (proofs/storm/bookings.py); the edge works out
until when, as at a start.
"""

from typing import TYPE_CHECKING, NamedTuple

from policy.instants import text
from policy.terms import SECOND, ClockState, Instant
from proofs.storm.claims import Claims
from proofs.storm.reading import read_extension
from proofs.storm.record import WRONG_BY, Record
from proofs.storm.sittings import Sitting, Sittings

if TYPE_CHECKING:
    from proofs.storm.pi import Pi

SAME: Instant = SECOND
"""A session whose clock was set while it ran is off by some ms."""


class Asked(NamedTuple):
    """An order to go on has come. why: it is to change nothing. until: in true time. sure: whether that can be told."""

    sitting: Sitting
    was: Instant | None
    why: str | None = None
    until: Instant | None = None
    sure: bool = False


class Extensions:
    """Of the machine."""

    def __init__(self, record: Record, claims: Claims, sittings: Sittings) -> None:
        self._record, self._claims, self._sittings = record, claims, sittings
        self._asked: Asked | None = None

    def comes(self, pi: "Pi") -> None:
        """An order, in time and for the first time, just before the edge hears of it."""
        sitting = self._sittings.now
        self._asked = None if sitting is None else self._read(pi, sitting)

    def _read(self, pi: "Pi", sitting: Sitting) -> Asked:
        asked = Asked(sitting, sitting.over)
        held = pi.edge.control.controller.core.held if pi.edge else None
        if held is None or pi.clock.state() is ClockState.UNKNOWN or abs(pi.clock.offset) > WRONG_BY:
            return asked
        known, bundle = self._claims.knowledge(pi, ""), self._record.bundles[held.version]
        if not known.recording or known.turns.running(known.at) != sitting.member:
            return asked
        why = read_extension(bundle, sitting.member, known)
        ends = known.turns.until(bundle, sitting.member, known.at)
        later = (
            None if ends is None or sitting.over is None else max(ends + self._record.now() - known.at, sitting.over)
        )
        return asked._replace(why=why, until=sitting.over if why else later, sure=True)

    def heard_out(self, pi: "Pi") -> None:
        """It came to what it was to come to."""
        asked, self._asked = self._asked, None
        session = pi.session
        if asked is None or session is None or asked.sitting is not self._sittings.now:
            return
        self._sittings.goes_on(pi.clock.now(), session.until)
        until = asked.sitting.over
        if not asked.sure or pi.edge is None or pi.edge.control.controller.core.journal_fault is not None:
            return  # it may have learned from this very order that its disk is full: then it does nothing
        if (until is None) != (asked.until is None) or abs((until or 0) - (asked.until or 0)) > SAME:
            said, right = (None if end is None else text(end) for end in (until, asked.until))
            self._record.broken(
                pi,
                f"{asked.sitting.member} may go on until {said}, should until {right} ({asked.why or 'free'})",
            )
        came = "refused by its edge" if asked.why else "no later" if asked.until == asked.was else "later"
        self._record.counts[f"extensions: {came}"] += 1
