"""What is known of a stretch of time that is over? Reckoned once, and anew when a row of it comes late or changes.

A large site has three million moves in four weeks, and what they say of an evening three weeks ago stays the same.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeVar

from sqlmodel import Session, col, func, select

from policy.instants import of
from policy.terms import Instant
from server.database.types import moment
from server.models import JournalRow

KEPT = "past"
_lock = Lock()
Value = TypeVar("Value")


class Past:
    """rewritten: which state of the stored rows it was read from (server/database/engine.py). newest: the last row."""

    def __init__(self, rewritten: int = 0, newest: int = 0) -> None:
        self.rewritten = rewritten
        self.newest = newest
        self._known: dict[Hashable, tuple[Instant, Instant, Any]] = {}
        self._bits: dict[str, int] = {}

    def crowd(self, who: Iterable[str]) -> int:
        """These people as one number with a bit for each: ten thousand of them in a kilobyte, and `&` is who is of
        two crowds. It means nothing to another Past."""
        places = [self._bits.setdefault(one, len(self._bits)) for one in who]
        bits = bytearray(len(self._bits) // 8 + 1)
        for place in places:
            bits[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(bits, "little")

    def of(self, what: Hashable, start: Instant, end: Instant, reckon: Callable[[], Value]) -> Value:
        """What follows from the moves of [start, end) and from `what`, which names all else that it follows from."""
        if what not in self._known:
            self._known[what] = start, end, reckon()
        found: Value = self._known[what][2]
        return found

    def follow(self, session: Session, newest: int) -> None:
        """Forget of what there are rows that were stored since, up to the newest."""
        if newest == self.newest or not self._known:
            self.newest = newest
            return
        row, last = JournalRow, max(end for _, end, _ in self._known.values())
        late = select(row.moved_at).where(col(row.moved_at) < moment(last))
        new = (col(row.id) > self.newest, col(row.id) <= newest)  # both ends: else all that is old is looked through
        for at in [of(found) for found in session.exec(late.where(*new)) if found is not None]:
            self._known = {what: one for what, one in self._known.items() if not one[0] <= at < one[1]}
        self.newest = newest


@contextmanager
def past(session: Session) -> Iterator[Past]:
    """As this session sees it: one that writes, or that began before what is kept was read, reckons for itself."""
    kept, rewritten = session.info.get("kept"), session.info.get("rewritten", 0)
    newest = session.exec(select(func.max(JournalRow.id))).one() or 0
    if kept is None:
        yield Past()
        return
    with _lock:
        known: Past | None = kept.get(KEPT)
        if known is not None and (known.rewritten > rewritten or known.newest > newest):
            known = Past()
        elif known is None or known.rewritten < rewritten:
            known = kept[KEPT] = Past(rewritten, newest)
        known.follow(session, newest)
        yield known
