"""What do a machine's current and its key switch say? Neither ever gives power.

What was never read, and what is broken, is taken for the safe thing: current flows, so nothing ends for want of it;
the key is turned, so nothing starts. Current that flows while the relay is at rest is a fault: of the sensor or of the
contactor, and nobody starts the machine until it is mended.

In place of a sensor a plug may tell by its watts whether current flows: it speaks every ten seconds or so, and while it
is silent nobody knows: one that hangs behind the relay goes silent each time the power goes, which is no fault.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from edge.events import InputChanged
from policy.instants import text
from policy.terms import MINUTE, Instant
from wire.messages import Plug, PlugFault
from wire.messages import Sensed as Said
from wire.row import CURRENT_UNPOWERED, Kind

SETTLES = 10.0
"""Seconds after the power went, within which a motor that runs down may still draw current."""
PLUG_SETTLES = 60.0
"""The same of a plug, which may tell every ten seconds only, and whose word comes over a network."""
WARNED_FOR: Instant = 5 * MINUTE
NEVER_READ: Instant = -1


@dataclass(frozen=True, slots=True)
class SensedSetup:
    """Which of the two a machine has. idle_after: how long a session goes on without current, ms; None: as long as it
    likes. warns: the lamp says so for WARNED_FOR, then it ends; else it ends at once. watts: of a plug that is the
    sensor, from how many on current flows; None for one that is wired."""

    current: bool = False
    key: bool = False
    idle_after: Instant | None = None
    warns: bool = True
    watts: float | None = None


NOTHING = SensedSetup()


class Sensed:
    """At one machine. Its inputs are `<machine>.current` and `<machine>.service_input`."""

    def __init__(self, machine: str, setup: SensedSetup) -> None:
        self._setup, self._current = setup, f"{machine}.current"
        self._key = f"{machine}.service_input"
        wired = setup.current and setup.watts is None
        self.inputs = ({self._current} if wired else set()) | ({self._key} if setup.key else set())
        self.key_turned = setup.key
        self._key_since: Instant | None = NEVER_READ if setup.key else None
        self._said = Said()
        self._flows = setup.current
        self._settles = SETTLES if setup.watts is None else PLUG_SETTLES
        self._blind = setup.watts is not None
        """Whether a plug has not said what flows, or says nothing any more."""
        self._unpowered: float | None = None
        self._fault = False
        self._idle_since: Instant | None = None

    @property
    def keeps_off(self) -> bool:
        """Whether nobody may start the machine."""
        return self.key_turned or self._fault

    def changed(self, event: InputChanged) -> bool:
        """Whether it is one of these inputs."""
        if event.name == self._key:
            since = self._key_since if self.key_turned and self._key_since != NEVER_READ else event.at
            self.key_turned, self._key_since = event.active, since if event.active else None
        elif event.name == self._current:
            self._flows = event.active
        return event.name in self.inputs

    def plug_said(self, plug: Plug) -> None:
        """What flows by a plug's word, where that is the sensor."""
        if self._setup.watts is not None:
            self._blind = plug.watts is None or plug.fault is PlugFault.SILENT
            self._flows = plug.watts is None or self._blind or plug.watts >= self._setup.watts

    def look(self, mono: float, *, powered: bool) -> Iterator[tuple[Kind, str]]:
        """The rows of a fault that begins or ends at this monotonic second."""
        if powered or not self._flows or (self._blind and not self._fault):
            self._unpowered = None
        elif self._unpowered is None:
            self._unpowered = mono
        fault = self._unpowered is not None and mono >= self._unpowered + self._settles
        if fault != self._fault:
            self._fault = fault
            yield (Kind.INPUT_UNSTEADY if fault else Kind.INPUT_STEADY), CURRENT_UNPOWERED

    def news(self) -> Said | None:
        """What the status says of it, where that is another thing than before; what was never read says nothing."""
        if self._key_since == NEVER_READ:
            return None
        before, self._said = self._said, Said(None if self._key_since is None else text(self._key_since), self._fault)
        return self._said if self._said != before else None

    def deadline(self) -> float | None:
        """The monotonic second at which `look` finds a fault."""
        return None if self._fault or self._unpowered is None else self._unpowered + self._settles

    def watch(self, at: Instant, *, in_use: bool) -> None:
        """in_use: whether power is on that may end for want of current."""
        if not in_use or self._flows or self._setup.idle_after is None:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = at

    def shift(self, by: Instant) -> None:
        """The clock was set by so many ms."""
        if self._idle_since is not None:
            self._idle_since += by
        if self._key_since is not None and self._key_since != NEVER_READ:
            self._key_since += by

    def ends(self) -> Instant | None:
        """When the session ends if no current flows before."""
        asked = self.asked()
        return asked if asked is None or not self._setup.warns else asked + WARNED_FOR

    def asked(self) -> Instant | None:
        """Since when, or from when on, the lamp asks whether anybody still uses it."""
        after = self._setup.idle_after
        return None if self._idle_since is None or after is None else self._idle_since + after

    def moments(self) -> list[Instant]:
        """The instants at which something changes by itself."""
        return [one for one in (self.asked(), self.ends()) if one is not None]
