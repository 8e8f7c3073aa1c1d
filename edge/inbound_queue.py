"""Where do messages wait while the storage worker waits for a slow disk? Here, and only so many: memory is small.

Each kind of the server's topics has room of its own, and so have the facts of each edge: a flood of one keeps out no
other. There the oldest make room: of what is retained only the newest counts, the rest comes again with the server's
state. What the server says is handed over first, and of each edge's facts so much at a time that nothing waits for
long behind them. The edge's own rows never wait here.
"""

import threading
from collections import deque
from collections.abc import Callable

from edge.work_items import MessagesWaiting, Received, WorkItem
from wire.envelope import MAX_BYTES

FACTS = "facts"
"""The last level of the topics on which edges tell each other."""
ROOM = 4 * MAX_BYTES
"""Bytes for the messages of one kind; the newest stays in any case."""
FACTS_ROOM = MAX_BYTES // 4
"""The same for the facts of one edge: what others must know is a few hundred bytes at a time."""
MOST_SENDERS = 64
"""Edges whose facts have room here."""
AT_A_TIME = 1
"""Messages of facts of each edge that are handed over together: each costs a write to the disk."""
OVERHEAD = 200
"""Bytes that a message takes beside what it says."""


class _Backlog:
    """The messages of one kind that wait. room: in bytes."""

    def __init__(self, room: int = ROOM) -> None:
        self.messages: deque[Received] = deque()
        self._room = room
        self._size = 0

    def put(self, item: Received) -> int:
        """Take a message; how many had to go for it."""
        before = len(self.messages) + 1
        self.messages.append(item)
        self._size += _size(item)
        while self._size > self._room and len(self.messages) > 1:
            self._next()
        return before - len(self.messages)

    def oldest(self, most: int) -> list[Received]:
        """The oldest of them, in order."""
        return [self._next() for _ in range(min(most, len(self.messages)))]

    def _next(self) -> Received:
        message = self.messages.popleft()
        self._size -= _size(message)
        return message


class InboundQueue:
    """Between the link's threads and the storage worker.

    pass_on: puts into the storage worker's queue; all but messages goes straight into it.
    """

    def __init__(self, pass_on: Callable[[WorkItem], None]) -> None:
        self._pass_on = pass_on
        self._lock = threading.Lock()
        self._backlogs: dict[str, _Backlog] = {}
        self._facts: dict[str, _Backlog] = {}
        self._announced = False
        """Whether the storage worker knows that something waits."""
        self._dropped = 0

    def put(self, item: WorkItem) -> None:
        """From any thread. Never waits for anybody who does."""
        if not isinstance(item, Received):
            self._pass_on(item)
            return
        if len(item.payload) > MAX_BYTES:  # refused all the same, at a bearable size
            item = Received(item.topic, item.payload[: MAX_BYTES + 1])
        kind = item.topic.rpartition("/")[2]
        with self._lock:
            if kind != FACTS:
                self._dropped += self._backlogs.setdefault(kind, _Backlog()).put(item)
            elif item.topic in self._facts or len(self._facts) < MOST_SENDERS:
                self._dropped += self._facts.setdefault(item.topic, _Backlog(FACTS_ROOM)).put(item)
            else:
                self._dropped += 1
            first, self._announced = not self._announced, True
        if first:
            self._pass_on(MessagesWaiting())

    def drain(self) -> tuple[list[Received], int]:
        """All that the server said, those of one kind as they came, and the next facts of each edge.

        And how many messages were dropped since the last call. The storage worker is called again for what is left.
        """
        with self._lock:
            messages = [message for backlog in self._backlogs.values() for message in backlog.messages]
            messages += [message for backlog in self._facts.values() for message in backlog.oldest(AT_A_TIME)]
            self._facts = {topic: backlog for topic, backlog in self._facts.items() if backlog.messages}
            again = self._announced = bool(self._facts)
            dropped, self._dropped = self._dropped, 0
            self._backlogs = {}
        if again:
            self._pass_on(MessagesWaiting())
        return messages, dropped


def _size(item: Received) -> int:
    return len(item.payload) + OVERHEAD
