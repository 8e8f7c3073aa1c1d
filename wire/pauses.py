"""When to try the broker again, and what it means that no connection lasts. Pure; all in seconds.

A broker lets in the newer of two clients with one name and ends the older one's connection (MQTT 3.1.1, 3.1.4-2). So
two machines with the keys of one end each other's for ever, and each of them only sees that it was ended.
"""

SUSPECT = 3
"""Connections in a row that came up and were soon ended, from which on another machine is suspected."""


class Pauses:
    """first, last: the shortest pause, and the longest; twice as long each time.

    A connection counts as lasting when it stood for twice the longest pause: a twin would have been back before.
    """

    def __init__(self, first: float, last: float) -> None:
        self._first, self._last = first, last
        self._next = first
        self._ended = 0

    @property
    def twin(self) -> bool:
        """Whether somebody else seems to connect under our name."""
        return self._ended >= SUSPECT

    def after(self, stood: float | None, *, ended: bool) -> float:
        """How long to wait now. stood: for how long there was a connection, None for none. ended: by the other side."""
        if stood is not None and (stood >= 2 * self._last or not ended):
            self._next, self._ended = self._first, 0
        elif stood is not None:
            self._ended += 1
        else:
            self._ended = 0
        pause, self._next = self._next, min(2 * self._next, self._last)
        return pause
