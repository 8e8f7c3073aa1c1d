"""Which input flutters? One that changes again and again is reported once, and once more when it is still.

Meanwhile it counts as active: open, pressed, alarm.
"""

from collections import deque
from collections.abc import Iterator

from edge.events import Event, InputChanged, InputSteady, InputUnsteady
from policy.terms import Instant

MANY = 8
"""So many changes are no hand and no door leaf,"""
WITHIN = 8.0
"""in so many seconds."""
STILL = 8.0
"""Seconds without a change after which an input is steady again."""


class Steadiness:
    """One input. Its stable changes go in, events for the controller come out."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._last: deque[float] = deque(maxlen=MANY)
        self._active: bool | None = None
        self._count = 0
        """Changes since it is unsteady; 0 while it is steady."""

    def changed(self, event: InputChanged) -> Iterator[Event]:
        """It has another stable level, or its first."""
        first, self._active = self._active is None, event.active
        if first:
            yield event
            return
        self._last.append(event.mono)
        if self._count:
            self._count += 1
        elif len(self._last) == MANY and event.mono - self._last[0] <= WITHIN:
            self._count = MANY
            yield InputUnsteady(event.at, event.mono, self._name)
            yield InputChanged(event.at, event.mono, self._name, active=True)
        else:
            yield event

    def passed(self, at: Instant, mono: float) -> Iterator[Event]:
        """Time has passed."""
        if self._count and mono - self._last[-1] >= STILL:
            yield InputSteady(at, mono, self._name, self._count)
            self._count = 0
            self._last.clear()
            yield InputChanged(at, mono, self._name, bool(self._active))
