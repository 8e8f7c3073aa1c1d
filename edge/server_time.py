"""What time is it by the server's signed word? Asked for while the edge's own clock is in doubt, and never before it.

A genuine message was signed before it came: so it cannot be earlier than its `issued` and what has passed since. The
edge's own clock counts likewise while it is trusted. When that clock says an earlier time than this, one of the two is
wrong, and the edge asks as if it had no clock.
"""

import secrets

from edge.ports import Clock
from policy.instants import instant
from policy.terms import SECOND, ClockState, Instant
from wire.errors import WireError

ANSWER_WITHIN = 10.0
"""Seconds from a question to its answer; an answer says a time that is at most so old."""
DOUBT: Instant = 2 * SECOND
"""So much may a trusted clock be behind the server's."""


class ServerTime:
    """For the storage worker's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._floor: tuple[Instant, float] = (0, 0.0)
        self._lead: Instant = 0
        self._asked: dict[str, float] = {}

    def load(self, last_at: Instant) -> None:
        """The newest trusted instant that the edge's disk knows of."""
        self._not_before(last_at)

    def heard(self, issued: str) -> None:
        """A genuine message says when it was signed. Raises WireError when that is no instant."""
        try:
            self._not_before(instant(issued))
        except (ValueError, OverflowError) as error:
            raise WireError(f"issued {issued!r} is no instant ({error})") from None

    def look(self) -> None:
        """Remember what the edge's own clock says while it is trusted."""
        if self._clock.state() is not ClockState.UNKNOWN:
            self._not_before(self._clock.now())

    @property
    def earliest(self) -> Instant:
        """It is not earlier than this."""
        at, mono = self._floor
        return at + round((self._clock.monotonic() - mono) * 1000)

    @property
    def in_doubt(self) -> bool:
        """Whether the edge's own clock cannot be believed, and the server has not been asked about that."""
        return not self._can_be_true(self._lead)

    @property
    def dates(self) -> bool:
        """Whether the edge's own clock may say when something was heard."""
        return self._can_be_true(0)

    def _can_be_true(self, lead: Instant) -> bool:
        """lead: so much is the own clock known to be behind, ms."""
        behind = self.earliest - self._clock.now()
        return self._clock.state() is not ClockState.UNKNOWN and behind <= lead + DOUBT

    def question(self) -> str | None:
        """What the next status asks, drawn anew each time; None without doubt."""
        if not self.in_doubt:
            return None
        now = self._clock.monotonic()
        self._asked = {question: mono for question, mono in self._asked.items() if now - mono <= ANSWER_WITHIN}
        question = secrets.token_hex(8)
        self._asked[question] = now
        return question

    def answered(self, question: str | None, at: Instant) -> str | None:
        """Take the answer: it is `at` now. Why not, in English, when it is none."""
        asked = self._asked.pop(question or "", None)
        now = self._clock.monotonic()
        if asked is None:
            return "this edge did not ask that, or has its answer"
        if now - asked > ANSWER_WITHIN:
            return f"answered after {now - asked:.0f} s; at most {ANSWER_WITHIN:.0f} s are believed"
        self._floor = (at, now)
        self._asked.clear()
        if self._clock.state() is ClockState.UNKNOWN:
            self._clock.adopt(at)
        self._lead = max(0, at - self._clock.now())
        return None

    def _not_before(self, at: Instant) -> None:
        if at > self.earliest:
            self._floor = (at, self._clock.monotonic())
