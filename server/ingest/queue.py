"""What have edges said that is not stored yet? A short queue for each, so that none waits for another's flood.

One message of each edge is handed out at a time: they are stored in one transaction.
"""

from collections import deque
from threading import Condition

from server.ingest.messages import Message

EACH = 16
"""Messages of an edge that may wait. An honest one has a message of rows under way, a status, and a few replies."""
MOST_BYTES = 64 * 1024 * 1024
"""That may wait in all: so much memory a flood can claim."""
AT_ONCE = 64
"""Messages handed out together, so that the first of them is acknowledged soon."""


class MessageQueue:
    """Filled by MQTT's thread, emptied by the one that stores."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Message]] = {}
        self._bytes = 0
        self._closed = False
        self._change = Condition()

    def put(self, edge: str, message: Message) -> str:
        """Let a message of an edge wait. Returns why it cannot, and nothing when it does."""
        with self._change:
            queue = self._waiting.get(edge, deque())
            if len(queue) == EACH:
                return f"{EACH} messages of this edge wait already"
            if self._bytes + len(message[1]) > MOST_BYTES:
                return f"{MOST_BYTES} bytes wait already"
            queue.append(message)
            self._waiting[edge] = queue
            self._bytes += len(message[1])
            self._change.notify()
            return ""

    def next_batch(self) -> list[Message]:
        """The oldest message of each edge, as soon as there is one; nothing once it is closed and empty."""
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._closed)
            taken = [self._next(edge) for edge in list(self._waiting)[:AT_ONCE]]
            self._bytes -= sum(len(payload) for _, payload in taken)
            return taken

    def close(self) -> None:
        """What waits is still handed out."""
        with self._change:
            self._closed = True
            self._change.notify()

    def _next(self, edge: str) -> Message:
        """An edge of which more waits comes behind the others."""
        queue = self._waiting.pop(edge)
        message = queue.popleft()
        if queue:
            self._waiting[edge] = queue
        return message
