"""Where do messages wait while the keeper is busy with a slow disk? Here, and only so many: an edge has little memory.

Each kind of topic has room of its own, so that a flood of one keeps out no other. There the oldest make room: of what
is retained only the newest counts, the rest comes again with the server's state. The edge's own rows never wait here.
"""

import threading
from collections import deque
from collections.abc import Callable

from edge.post import Item, Mail, Received
from wire.envelope import MAX_BYTES

ROOM = 4 * MAX_BYTES
"""Bytes for the messages of one kind; the newest stays in any case."""
OVERHEAD = 200
"""Bytes that a message takes beside what it says."""


class Shelf:
    """The messages of one kind that wait."""

    def __init__(self) -> None:
        self.letters: deque[Received] = deque()
        self._size = 0

    def put(self, item: Received) -> int:
        """Take a message; how many had to go for it."""
        before = len(self.letters) + 1
        self.letters.append(item)
        self._size += _size(item)
        while self._size > ROOM and len(self.letters) > 1:
            self._size -= _size(self.letters.popleft())
        return before - len(self.letters)


class Letterbox:
    """Between the link's threads and the keeper's. put: the keeper's queue; all but messages goes straight into it."""

    def __init__(self, put: Callable[[Item], None]) -> None:
        self._put = put
        self._lock = threading.Lock()
        self._shelves: dict[str, Shelf] = {}
        self._dropped = 0

    def post(self, item: Item) -> None:
        """From any thread. Never waits for anybody who does."""
        if not isinstance(item, Received):
            self._put(item)
            return
        if len(item.payload) > MAX_BYTES:  # refused all the same, at a bearable size
            item = Received(item.topic, item.payload[: MAX_BYTES + 1])
        kind = item.topic.rpartition("/")[2]
        with self._lock:
            first = not self._shelves
            self._dropped += self._shelves.setdefault(kind, Shelf()).put(item)
        if first:
            self._put(Mail(self.taken))

    def taken(self) -> tuple[list[Received], int]:
        """All that waits, those of one kind as they came, and how many were dropped since the last call."""
        with self._lock:
            shelves, dropped = self._shelves, self._dropped
            self._shelves, self._dropped = {}, 0
        return [letter for shelf in shelves.values() for letter in shelf.letters], dropped


def _size(item: Received) -> int:
    return len(item.payload) + OVERHEAD
