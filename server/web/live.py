"""How do pages learn that something changed? They wait here; a number grows with each change.

Each open stream holds a thread of the web server, so there is a cap: beyond it a page asks again by itself. Whoever is
not logged in takes no place of those who are. No address takes them all: of its share the newest streams stay, since
the server notices only seconds later that somebody has gone from one page to the next.
"""

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
FULL = "event: full\ndata: another page of this address took the place\n\n"
"""The last word to a stream that makes room: its page asks again by itself from then on."""
PAUSE = 1.0
"""Seconds between two events on a stream: many changes become one."""


class TooManyStreamsError(Exception):
    """No place is left for another stream."""


class _Place:
    """One open stream."""

    def __init__(self, address: str, *, logged_in: bool) -> None:
        self.address, self.logged_in = address, logged_in
        self.ended = False


class Live:
    """changed() from any thread; stream() in the thread of a request."""

    def __init__(self, caps: Caps = CAPS, keep_alive: float = KEEP_ALIVE, pause: float = PAUSE) -> None:
        self._condition = Condition()
        self._version = 0
        self._places: list[_Place] = []
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

    def wait(self, seen: int, seconds: float) -> None:
        """Until something is another than in the version that was seen, or so many seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._version != seen or self._closed, seconds)

    def close(self) -> None:
        """End all streams, for ever."""
        with self._condition:
            self._closed = True
            for place in self._places:
                place.ended = True
            self._condition.notify_all()

    def stream(self, address: str, *, logged_in: bool, seen: int | None = None) -> Iterator[str]:
        """Server-sent events (WHATWG HTML, 9.2): `changed` at every change, else `still` now and then, `full` to end.

        seen: the version before the page was drawn: what changed since, it hears of at once. address: whose share it is
        of. It holds its place until it is closed, even when nobody reads from it (as in the answer to HEAD). Raises
        TooManyStreamsError at once.
        """
        events = self._events(_Place(address, logged_in=logged_in), seen)
        next(events)  # takes the place: only a generator that has begun gives it back when it is closed
        return events

    def _events(self, place: _Place, seen: int | None) -> Iterator[str]:
        self._take(place)
        seen = self._version if seen is None else seen
        try:
            yield ""
            yield "retry: 5000\n\n"
            while not place.ended:
                if self._waited_for(seen, place):
                    seen = self._version
                    yield f"event: changed\ndata: {seen}\n\n"
                    self._rest(place)
                elif not place.ended:
                    yield STILL
            if not self._closed:
                yield FULL
        finally:
            with self._condition:
                if place in self._places:
                    self._places.remove(place)

    def _take(self, place: _Place) -> None:
        """A place for this stream; the oldest one of an address that has its share makes room."""
        with self._condition:
            alike = [other for other in self._places if other.logged_in is place.logged_in]
            same = [other for other in alike if other.address == place.address]
            if self._closed:
                raise TooManyStreamsError
            if len(same) >= self._caps.share:
                same[0].ended = True
                self._places.remove(same[0])
                self._condition.notify_all()
            elif len(alike) >= self._caps.places:
                raise TooManyStreamsError
            self._places.append(place)

    def _waited_for(self, seen: int, place: _Place) -> bool:
        """Whether something changed before it was time for a sign of life."""
        with self._condition:
            self._condition.wait_for(lambda: place.ended or self._version != seen, self._keep_alive)
            return self._version != seen

    def _rest(self, place: _Place) -> None:
        with self._condition:
            self._condition.wait_for(lambda: place.ended, self._pause)
