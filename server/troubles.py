"""What is wrong with what edges say? Since the server started, for the page and the log.

Messages that were refused, counted for each edge; and two machines that speak as one.
"""

import logging
from collections import deque
from dataclasses import dataclass
from threading import Lock

from policy.terms import MINUTE, Instant

log = logging.getLogger("loquet.server")

WHY_KEPT = 500
"""Characters of what is wrong: it may quote what somebody sent."""
STARTS_KEPT = 8
"""The newest of each edge."""
TWINS_TOLD = 10 * MINUTE
"""For so long after they were heard in turn: between two turns lies a minute at most (wire/pauses.py)."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """count: refused since the start. at, why: the last one; why names the topic and what is wrong."""

    count: int
    at: Instant
    why: str


class Troubles:
    """Kept in memory: a flood of forged messages must not fill the disk."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._of_edge: dict[str, Trouble] = {}
        self._starts: dict[str, deque[str]] = {}
        self._twins: dict[str, Instant] = {}
        self.elsewhere = 0
        """Messages of no edge that we know, and those that were not looked at."""

    def note(self, edge: str | None, at: Instant, why: str) -> None:
        """Count one refused message; the log gets the first and each that doubles the count.

        why: without a name or a UID, since it is logged.
        """
        why = why[:WHY_KEPT]
        with self._lock:
            if edge is None:
                self.elsewhere += 1
                count = self.elsewhere
            else:
                count = self.count(edge) + 1
                self._of_edge[edge] = Trouble(count, at, why)
        if count & (count - 1) == 0:
            log.warning("refused: %s (%d so far)", why, count)

    def of_edge(self, edge: str) -> Trouble | None:
        return self._of_edge.get(edge)

    def count(self, edge: str) -> int:
        trouble = self._of_edge.get(edge)
        return trouble.count if trouble else 0

    def heard(self, edge: str, start: str, at: Instant) -> None:
        """An edge said of which of its starts it is. One that was over speaks again: two machines are it."""
        with self._lock:
            starts = self._starts.setdefault(edge, deque(maxlen=STARTS_KEPT))
            if starts and starts[-1] == start:
                return
            again = start in starts
            if again:
                starts.remove(start)
            other = starts[-1] if starts else ""
            starts.append(start)
            if not again:
                return
            new = not self._are_twins(edge, at)
            self._twins[edge] = at
        if new:
            log.warning(
                "edge %r: two machines speak as it in turn (starts %s and %s) and throw each other out: both have its"
                " keys; stop the one that is not to be here, and give each a key folder of its own (docs/keys.md)",
                edge,
                other,
                start,
            )

    def twins(self, edge: str, now: Instant) -> bool:
        """Whether two machines speak as this edge."""
        with self._lock:
            return self._are_twins(edge, now)

    def _are_twins(self, edge: str, now: Instant) -> bool:
        heard = self._twins.get(edge)
        return heard is not None and abs(now - heard) < TWINS_TOLD
