"""Who lies in the field of one reader? Cards are asked by ISO 14443-3 frames; the answer is what changed.

An empty field is asked with REQA. Once a card is read it is halted, so that REQA goes on finding newcomers and nobody
else; now and then WUPA asks whether the known card still lies there. Whatever answers beside it is looked at closely.
"""

from collections.abc import Callable
from enum import Enum, auto

from edge.hardware.errors import CollisionError, RadioError, SilenceError
from edge.hardware.iso14443 import Badge, Radio, call_all, request, select

ATTEMPTS = 2
"""Readings tried within one look; a card that is still unread is tried again at the next look."""

CHECK_EVERY = 5
"""Looks from one presence check to the next."""

MISSES = 3
"""Checks in a row that must find a card gone, or alone, before it counts."""


class Crowd(Enum):
    """What a look finds, other than one badge."""

    NOBODY = auto()
    SEVERAL = auto()
    UNCLEAR = auto()
    """Somebody, but the reading failed: torn away, noise, or a badge that breaks the standard."""


class Field:
    """The field of one reader. Belongs to the thread that polls it. RadioErrors end here; a chip's own errors pass."""

    def __init__(self, radio: Radio) -> None:
        self._radio = radio
        self.there: Badge | None = None
        """The badge that the last look found to lie there; None where it did not look, or found none."""
        self.unread = False
        """Whether somebody answered at the last look and could not be read."""
        self.crowded = False
        """Whether there were several since the field was empty: of who is left of them nobody was told."""
        self._known: Badge | Crowd = Crowd.NOBODY
        self._wait = 0
        self._misses = 0
        self._alone = 0

    def look(self) -> Badge | Crowd | None:
        """What changed: a badge that came, SEVERAL when a second one did, NOBODY when the field became empty, or None.

        After SEVERAL no badge is read until the field was empty: which of two comes first would be chance.
        """
        self.there = None
        if self._known is Crowd.NOBODY:
            return self._watch_empty()
        if self._known is Crowd.SEVERAL:
            return self._watch_several()
        return self._watch_one()

    def _watch_empty(self) -> Badge | Crowd | None:
        found = self._identify(call_all if self.unread else request)
        self.unread = found is Crowd.UNCLEAR
        if found in (Crowd.NOBODY, Crowd.UNCLEAR):
            return None
        self._learn(found)
        return found

    def _watch_one(self) -> Crowd | None:
        if self._wait == 0:
            return self._check_presence()
        self._wait -= 1
        if not self._newcomer():
            return None
        self._wait = 0  # the close look leaves the card active; the next look halts it
        found = self._identify(call_all)
        if found is Crowd.SEVERAL:
            self._learn(found)
            return found
        if isinstance(found, Badge):
            if found != self._known:
                return self._empty(unread=True)
            self._lies()
        return None

    def _watch_several(self) -> Crowd | None:
        if self._wait > 0:
            self._wait -= 1
            return None
        found = self._identify(call_all)
        self._misses = self._misses + 1 if found is Crowd.NOBODY else 0
        self._alone = self._alone + 1 if isinstance(found, Badge) else 0
        self._wait = CHECK_EVERY - 1 if found is Crowd.SEVERAL else 0
        if self._alone == MISSES:
            self._learn(found)
        return self._empty() if self._misses == MISSES else None

    def _check_presence(self) -> Crowd | None:
        """Halt the known card and wake it: any answer will do, newcomers are found by REQA."""
        try:
            call_all(self._radio)
        except SilenceError:
            self._misses += 1
            return self._empty() if self._misses == MISSES else None
        except RadioError:
            pass
        self._misses = 0
        self._wait = CHECK_EVERY - 1
        self._lies()
        return None

    def _newcomer(self) -> bool:
        try:
            request(self._radio)
        except SilenceError:
            return False
        except RadioError:
            return True
        return True

    def _identify(self, call: Callable[[Radio], None]) -> Badge | Crowd:
        """Call, then read the one card. Two must collide twice in a row: noise can look like a second card once."""
        collided = False
        for _ in range(ATTEMPTS):
            found = self._read(call)
            if found is Crowd.SEVERAL and not collided:
                collided = True
            elif found is not Crowd.UNCLEAR:
                return Crowd.UNCLEAR if collided and isinstance(found, Badge) else found
            call = call_all
        return Crowd.UNCLEAR

    def _read(self, call: Callable[[Radio], None]) -> Badge | Crowd:
        try:
            try:
                call(self._radio)
            except SilenceError:
                return Crowd.NOBODY
            return select(self._radio)
        except CollisionError:
            return Crowd.SEVERAL
        except RadioError:
            return Crowd.UNCLEAR

    def _lies(self) -> None:
        self.there = self._known if isinstance(self._known, Badge) else None

    def _learn(self, found: Badge | Crowd) -> None:
        self._known = found
        self.crowded = found is Crowd.SEVERAL or (self.crowded and found is not Crowd.NOBODY)
        self._lies()
        self._wait = self._misses = self._alone = 0

    def _empty(self, unread: bool = False) -> Crowd:
        self._learn(Crowd.NOBODY)
        self.unread = unread
        return Crowd.NOBODY
