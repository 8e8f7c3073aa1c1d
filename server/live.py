"""How do pages learn that something changed? They wait here; a number grows with each change.

Each open stream holds a thread of the web server, so there is a cap: beyond it a page asks again by itself.
"""

from collections.abc import Iterator
from threading import Condition

MAX_STREAMS = 16
KEEP_ALIVE = 15.0
"""Seconds of quiet after which a stream says that it is still there: so a reader that has gone is noticed."""
PAUSE = 1.0
"""Seconds between two events on a stream: many changes become one."""


class TooManyStreamsError(Exception):
    """No thread is left for another stream."""


class Live:
    """changed() from any thread; stream() in the thread of a request."""

    def __init__(self, max_streams: int = MAX_STREAMS, keep_alive: float = KEEP_ALIVE, pause: float = PAUSE) -> None:
        self._condition = Condition()
        self._version = 0
        self._streams = 0
        self._closed = False
        self._max_streams, self._keep_alive, self._pause = max_streams, keep_alive, pause

    @property
    def version(self) -> int:
        return self._version

    def changed(self) -> None:
        """Something that a page shows is another."""
        with self._condition:
            self._version += 1
            self._condition.notify_all()

    def close(self) -> None:
        """End all streams, for ever."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def stream(self) -> Iterator[str]:
        """Server-sent events (WHATWG HTML, 9.2): `changed` at every change. Raises TooManyStreamsError at once.

        It holds its place until it is closed, even when nobody reads from it (as in the answer to HEAD).
        """
        events = self._events()
        next(events)  # takes the place: only a generator that has begun gives it back when it is closed
        return events

    def _events(self) -> Iterator[str]:
        with self._condition:
            if self._closed or self._streams >= self._max_streams:
                raise TooManyStreamsError
            self._streams += 1
        seen = self._version
        try:
            yield ""
            yield "retry: 5000\n\n"
            while not self._closed:
                if self._waited_for(seen):
                    seen = self._version
                    yield f"event: changed\ndata: {seen}\n\n"
                    self._rest()
                else:
                    yield ": still here\n\n"
        finally:
            with self._condition:
                self._streams -= 1

    def _waited_for(self, seen: int) -> bool:
        """Whether something changed before it was time for a sign of life."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._version != seen, self._keep_alive)
            return self._version != seen

    def _rest(self) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._closed, self._pause)
