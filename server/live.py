"""How do pages learn that something changed? They wait here; a number grows with each change.

Each open stream holds a thread of the web server, so there is a cap: beyond it a page asks again by itself. Whoever is
not logged in takes no place of those who are, and no address takes them all.
"""

from collections import Counter
from collections.abc import Iterator
from threading import Condition
from typing import NamedTuple


class Caps(NamedTuple):
    """Streams at once, for those who are logged in and as many for the public. share: of them, for one address."""

    places: int = 16
    share: int = 4


CAPS = Caps()
MAX_STREAMS = 2 * CAPS.places
"""All in all."""
KEEP_ALIVE = 3.0
"""Seconds of quiet after which a stream says that it is still there: a page that hears nothing for 10 s says that its
connection is lost (static/alive.js), and a reader that has gone is noticed."""
STILL = "event: still\ndata: here\n\n"
"""The sign of life; an event, since scripts do not see a comment."""
PAUSE = 1.0
"""Seconds between two events on a stream: many changes become one."""


class TooManyStreamsError(Exception):
    """No place is left for another stream."""


class Live:
    """changed() from any thread; stream() in the thread of a request."""

    def __init__(self, caps: Caps = CAPS, keep_alive: float = KEEP_ALIVE, pause: float = PAUSE) -> None:
        self._condition = Condition()
        self._version = 0
        self._streams: Counter[tuple[bool, str]] = Counter()
        self._closed = False
        self._caps, self._keep_alive, self._pause = caps, keep_alive, pause

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

    def stream(self, address: str, *, logged_in: bool) -> Iterator[str]:
        """Server-sent events (WHATWG HTML, 9.2): `changed` at every change, else `still` now and then.

        Raises TooManyStreamsError at once. address: whose share it is of. It holds its place until it is closed, even
        when nobody reads from it (as in the answer to HEAD).
        """
        events = self._events(logged_in, address)
        next(events)  # takes the place: only a generator that has begun gives it back when it is closed
        return events

    def _events(self, logged_in: bool, address: str) -> Iterator[str]:
        seat = logged_in, address
        with self._condition:
            taken = sum(count for (known, _), count in self._streams.items() if known is logged_in)
            if self._closed or taken >= self._caps.places or self._streams[seat] >= self._caps.share:
                raise TooManyStreamsError
            self._streams[seat] += 1
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
                    yield STILL
        finally:
            with self._condition:
                self._streams -= Counter((seat,))

    def _waited_for(self, seen: int) -> bool:
        """Whether something changed before it was time for a sign of life."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._version != seen, self._keep_alive)
            return self._version != seen

    def _rest(self) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._closed, self._pause)
