"""Which messages were refused, and why? Counted for each edge since the server started, for the page and the log."""

import logging
from dataclasses import dataclass
from threading import Lock

from policy.terms import Instant

log = logging.getLogger("loquet.server")

WHY_KEPT = 500
"""Characters of what is wrong: it may quote what somebody sent."""


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
