"""What is a tap, and what is a badge that trembles, cannot be read, or is read through the wall?

Seconds are monotonic.
"""

from collections.abc import Mapping
from math import inf
from typing import NamedTuple

from edge.events import CardBack, CardGone, CardSeen, ReaderEvent, ReaderFault, ReadThroughWall, Sighting
from policy.case import Decision
from wire.credential import is_random

AWAY = 0.85
"""Seconds that a badge must be away, since it was last known to lie there, for its next reading to be another tap.

Away for less than 0.8 s is the same tap; a reader may have looked last some 50 ms before the badge left.
"""
UNREAD = 1.0
"""Seconds for which a card answers and cannot be read before this is said."""
CLEAR = 0.5
"""Seconds without an answer after which the field counts as clear again."""
THROUGH_WALL = 2.0
"""Seconds after a card was at the reader outside for which it is no tap at the one inside. After one that could not be
read, or several, none is: it may be theirs."""


class Decided(NamedTuple):
    """The last tap that was decided at this reader, at which monotonic second, and what was said."""

    credential: str
    mono: float
    decision: Decision


class SameTap:
    """What one reader remembers of the badges that it read."""

    def __init__(self) -> None:
        self._there: dict[bytes, float] = {}
        self._lying: bytes | None = None

    def begins(self, uid: bytes, mono: float) -> bool:
        """A badge was read: whether that is a new tap."""
        self._there = {known: at for known, at in self._there.items() if mono - at < AWAY}
        new = uid not in self._there
        self._there[uid] = mono
        self._lying = uid
        return new

    def lies(self, uid: bytes, mono: float) -> None:
        """A badge was found to lie there. One that is left of several was not read, and is not remembered."""
        if uid == self._lying:
            self._there[uid] = mono

    def ends(self) -> None:
        """The field is empty, or holds several."""
        self._lying = None


class Unread:
    """Whether a card at one reader has answered for a second without being read."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._last = 0.0
        self._told = False

    def look(self, unread: bool, mono: float) -> bool:
        """unread: somebody answered just now and was not read. Whether to say so: once until the field is clear."""
        if unread:
            self._last = mono
            if self._since is None:
                self._since, self._told = mono, False
        elif self._since is not None and mono - self._last >= CLEAR:
            self._since = None
        if self._since is None or self._told or mono - self._since < UNREAD:
            return False
        self._told = True
        return True

    def read(self) -> None:
        """A badge was read after all."""
        self._since = None

    @property
    def lasts(self) -> bool:
        """Whether it was said, and the field is not clear yet."""
        return self._told and self._since is not None


class Walls:
    """Keeps a card that lies at a door's reader outside from counting at the one inside: a field reaches through walls.

    outside_of: the reader that leads in, by the one that leads out of the same door.
    """

    def __init__(self, outside_of: Mapping[str, str]) -> None:
        self._outside_of = outside_of
        self._near: dict[str, dict[bytes, float]] = {outside: {} for outside in outside_of.values()}
        self._obscured: dict[str, float] = {}
        """By reader outside: until when somebody is near whose number is not known."""

    def obscured(self, reader: str, mono: float) -> None:
        """Somebody is at a reader whose number is not known: called at each look for as long as it is so."""
        self._obscured[reader] = mono + THROUGH_WALL

    def judge(self, sighting: Sighting) -> ReaderEvent | None:
        """The event that the controller gets of a sighting; None for none."""
        if sighting.reader in self._near:
            self._remember(self._near[sighting.reader], sighting)
        if isinstance(sighting, CardBack):
            return None
        if isinstance(sighting, CardSeen) and sighting.reader in self._outside_of:
            outside = self._outside_of[sighting.reader]
            near_until = self._near[outside].get(_card(sighting.uid), -inf)
            if max(near_until, self._obscured.get(outside, -inf)) > sighting.mono:
                return ReadThroughWall(sighting.at, sighting.mono, sighting.reader)
        return sighting

    def _remember(self, near: dict[bytes, float], sighting: Sighting) -> None:
        """Until when each card counts as near: for ever while it lies there."""
        if isinstance(sighting, CardSeen | CardBack):
            near[_card(sighting.uid)] = inf
        elif isinstance(sighting, CardGone | ReaderFault):
            over = sighting.mono + THROUGH_WALL
            still = {card: min(until, over) for card, until in near.items() if until > sighting.mono}
            near.clear()
            near.update(still)


def _card(uid: bytes) -> bytes:
    """By what a card is known again; all whose number is random are one."""
    return uid[:1] if is_random(uid) else uid
