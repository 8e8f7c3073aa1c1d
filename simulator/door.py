"""What does the door itself do? A leaf with a closer, a lock that the strike releases, a handle inside, a contact.

It is there with or without power at the edge: it keeps its state and tells every change to whoever listens.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from policy.terms import Instant

REX_MS = 500
"""For so long does the handle press the REX switch."""


@dataclass(slots=True)
class Door:
    """One leaf. tell: called with the name of an input of the edge (contact, rex, fire) and its new level.

    Instants are ms of any one clock; they are handed in, and `due` says when `tick` is wanted next.
    """

    tell: Callable[[str, bool], object]
    released: bool = False
    fire: bool = False
    held: bool = False
    levels: dict[str, bool] = field(default_factory=lambda: {"contact": False, "rex": False, "fire": False})
    _closes_at: Instant | None = None
    _rex_until: Instant | None = None

    @property
    def open(self) -> bool:
        return self.levels["contact"]

    @property
    def unlocked(self) -> bool:
        """Whether it yields to a push from outside: strike, REX (which switches the lock's supply) or fire panel."""
        return self.released or self.levels["rex"] or self.fire

    def push(self, at: Instant, open_for: float) -> bool:
        """Somebody pushes from outside and lets it fall shut after so many seconds. Whether it yields."""
        if self.open or self.unlocked:
            self._swing(at, open_for)
            return True
        return False

    def force(self, at: Instant, open_for: float) -> None:
        """Somebody opens it with a crowbar, or with the key."""
        self._swing(at, open_for)

    def press(self, at: Instant) -> None:
        """The button inside, or the handle's switch. It works by wire, whatever the edge does."""
        self._rex_until = at + REX_MS
        self._level("rex", True)

    def leave(self, at: Instant, open_for: float) -> None:
        """Somebody goes out by the handle, which is mechanical and presses the switch on its way."""
        self.press(at)
        self._swing(at, open_for)

    def hold(self, on: bool, at: Instant) -> None:
        """Put a wedge under the open door, or take it away: then it falls shut after two seconds."""
        self.held = on
        if not on and self.open:
            self._closes_at = at + 2000

    def alarm(self, on: bool) -> None:
        """The fire panel's contact."""
        self.fire = on
        self._level("fire", on)

    def due(self) -> Instant | None:
        """When something happens by itself next."""
        closes = None if self.held else self._closes_at
        return min((moment for moment in (closes, self._rex_until) if moment is not None), default=None)

    def tick(self, at: Instant) -> None:
        """Let happen what is due."""
        if self._rex_until is not None and at >= self._rex_until:
            self._rex_until = None
            self._level("rex", False)
        if self._closes_at is not None and at >= self._closes_at and not self.held:
            self._closes_at = None
            self._level("contact", False)

    def _swing(self, at: Instant, open_for: float) -> None:
        self._closes_at = max(self._closes_at or 0, at + round(open_for * 1000))
        self._level("contact", True)

    def _level(self, name: str, active: bool) -> None:
        if self.levels[name] != active:
            self.levels[name] = active
            self.tell(name, active)
