"""Which messages were refused, and why? Counted for each edge since the server started, for the page and the log."""

import logging
from dataclasses import dataclass
from threading import Lock

from policy.terms import Instant

log = logging.getLogger("loquet.server")


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
        """Messages on topics that belong to no edge that we know."""

    def note(self, edge: str | None, at: Instant, why: str) -> None:
        """Count one refused message. why: without a name or a UID, since it is logged."""
        with self._lock:
            if edge is None:
                self.elsewhere += 1
            else:
                known = self._of_edge.get(edge)
                self._of_edge[edge] = Trouble(known.count + 1 if known else 1, at, why)
        log.warning("refused: %s", why)

    def of_edge(self, edge: str) -> Trouble | None:
        return self._of_edge.get(edge)

    def count(self, edge: str) -> int:
        trouble = self._of_edge.get(edge)
        return trouble.count if trouble else 0
