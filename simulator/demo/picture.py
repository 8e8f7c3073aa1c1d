"""What is there to see at the demo's door and machines? One picture, as the bench shows it."""

from dataclasses import dataclass

from edge.patterns import Levels
from policy.terms import Instant
from simulator import remote
from wire.messages import PrinterState


@dataclass(frozen=True, slots=True)
class ReaderView:
    """A reader as one sees it. badges: UIDs that lie on it, hex. signal: its name (simulator/demo/lamp.py)."""

    name: str
    lamp: Levels
    signal: str | None
    plugged: bool
    badges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MachineView:
    """A machine as one sees it, or the garage's door. runs: it has power; the strike is released. pressed: its
    emergency stop is down, None where it has none. prints: what its printer does, None where none stands."""

    machine: str
    reader: ReaderView
    runs: bool
    pressed: bool | None
    prints: PrinterState | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """All that the bench page shows. now: ms since 1970 UTC. taps: latest first.

    starting: the door's edge has power and does not read yet. stuck: a push was in vain just now.
    """

    number: int
    now: Instant
    speed: int
    powered: bool
    starting: bool
    linked: bool
    released: bool
    open: bool
    held: bool
    forced: bool
    wedged: bool
    stuck: bool
    fire: bool
    readers: tuple[ReaderView, ...]
    machines: tuple[MachineView, ...]
    taps: tuple[remote.Stages, ...]
