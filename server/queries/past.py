"""What is known of a stretch of time that is over? Reckoned once, and anew when a row of it comes late or changes.

A large site has three million moves in four weeks, and what they say of an evening three weeks ago stays the same. What
is kept is looked up and added under a lock; reckoned without it: nobody waits for what somebody else wants to know.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from threading import Lock
from typing import Any, NamedTuple, TypeVar

from sqlmodel import Session, col, func, select

from policy.instants import of
from policy.terms import Instant
from server.models import JournalRow

KEPT = "past"
FOLLOWED = 1_000
"""So often rows may come while something is reckoned that is to be kept."""
_lock = Lock()
Value = TypeVar("Value")


class Stretch(NamedTuple):
    """What follows from the moves of [start, end)."""

    start: Instant
    end: Instant
    value: Any

    def has(self, moves: Sequence[Instant]) -> bool:
        """moves: in their order."""
        return bisect_left(moves, self.start) < bisect_left(moves, self.end)


class Past:
    """What is kept between two questions, to be reached under the lock alone.

    rewritten: which state of the stored rows it was read from (server/database/engine.py). newest: the last row.
    """

    def __init__(self, rewritten: int = 0, newest: int = 0) -> None:
        self.rewritten = rewritten
        self.newest = newest
        self.known: dict[Hashable, Stretch] = {}
        self.made: dict[str, tuple[object, Any]] = {}
        self._came: deque[tuple[int, Sequence[Instant]]] = deque(maxlen=FOLLOWED)
        """Up to which row was followed, and the first and the last move of the rows since the time before."""
        self._bits: dict[str, int] = {}

    def place(self, one: str) -> int:
        return self._bits.setdefault(one, len(self._bits))

    def follow(self, session: Session, newest: int) -> None:
        """Forget of what there are rows that were stored since, up to the newest."""
        if newest == self.newest:
            return
        row = JournalRow  # both ends: else all that is old is looked through
        new = select(row.moved_at).where(col(row.id) > self.newest, col(row.id) <= newest)
        moves = sorted(of(at) for at in session.exec(new) if at is not None)
        if moves:
            self.known = {what: one for what, one in self.known.items() if not one.has(moves)}
            self._came.append((newest, (moves[0], moves[-1])))
        self.newest = newest

    def keep(self, what: Hashable, found: Stretch, newest: int) -> None:
        """newest: the last row that it was reckoned from. It is not kept where there may be others since."""
        forgotten = len(self._came) == FOLLOWED and self._came[0][0] > newest
        later = (between for number, between in self._came if number > newest)
        if not forgotten and not any(first < found.end and found.start <= last for first, last in later):
            self.known[what] = found


class Remembered:
    """The past as one session sees it; what it reckons for itself, others need not."""

    def __init__(self, past: Past, newest: int) -> None:
        self.past = past
        self._newest = newest
        self._known = dict(past.known)

    def follows(self, name: str, of: object, make: Callable[[], Value]) -> Value:
        """What was made the last time, where it was of the same."""
        with _lock:
            same, made = self.past.made.get(name, (None, None))
        if same != of or made is None:
            made = make()
            with _lock:
                self.past.made[name] = of, made
        found: Value = made
        return found

    def crowd(self, who: Iterable[str]) -> int:
        """These people as one number with a bit for each: ten thousand of them in a kilobyte, and `&` is who is of
        two crowds. It means nothing to another Past."""
        with _lock:
            places = [self.past.place(one) for one in who]
        bits = bytearray(max(places, default=0) // 8 + 1)
        for place in places:
            bits[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(bits, "little")

    def of(self, what: Hashable, start: Instant, end: Instant, reckon: Callable[[], Value]) -> Value:
        """What follows from the moves of [start, end) and from `what`, which names all else that it follows from."""
        if what not in self._known:
            self._known[what] = Stretch(start, end, reckon())
            with _lock:
                self.past.keep(what, self._known[what], self._newest)
        found: Value = self._known[what].value
        return found


def past(session: Session) -> Remembered:
    """As this session sees it: one that writes, or that began before what is kept was read, reckons for itself."""
    kept, rewritten = session.info.get("kept"), session.info.get("rewritten", 0)
    if kept is not None and KEPT not in session.info:
        session.info[KEPT] = _past(session, kept, rewritten)
    remembered: Remembered = session.info.get(KEPT) or Remembered(Past(), 0)
    return remembered


def _past(session: Session, kept: dict[str, Any], rewritten: int) -> Remembered:
    newest = session.exec(select(func.max(JournalRow.id))).one() or 0
    with _lock:
        held: Past | None = kept.get(KEPT)
        if held is not None and (held.rewritten > rewritten or held.newest > newest):
            return Remembered(Past(), newest)
        if held is None or held.rewritten < rewritten:
            held = kept[KEPT] = Past(rewritten, newest)
        held.follow(session, newest)
        return Remembered(held, newest)
