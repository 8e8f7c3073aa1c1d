"""What the edge needs from the world: a clock, readers, pins, a connection.

Real ones stand in edge/hardware, simulated ones in simulator/.
"""

from collections.abc import Mapping
from typing import Protocol

from edge.events import Sighting
from policy.terms import ClockState, Instant


class Clock(Protocol):
    """The edge's two clocks. Durations come from `monotonic`, records carry `now`."""

    def now(self) -> Instant:
        """Wall clock, milliseconds since 1970 UTC."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Give the processor away for about so long."""

    def state(self) -> ClockState:
        """Whether `now` can be believed."""

    def adopt(self, now: Instant) -> None:
        """It is `now`, says somebody whom we trust: believe it (`synced`) until network time comes.

        A clock that can be believed already stays as it is.
        """


class Reader(Protocol):
    """One badge reader. Polled at a steady rate by the thread that owns its bus."""

    name: str

    def poll(self) -> Sighting | None:
        """Look once at the field: what changed since the last look, None when nothing did.

        Never raises for a broken reader: that is a `ReaderFault`.
        """

    @property
    def unidentified(self) -> bool:
        """Whether the last look found somebody whose number it did not read: several, who is left of them, or a card
        that has been told as unreadable."""

    def close(self) -> None:
        """Switch the field off. A reset line shared with another reader stays as it is."""


class Pins(Protocol):
    """Outputs by name, inputs by name; polarity, pull and debouncing are the adapter's business."""

    def set(self, output: str, active: bool) -> None:
        """Drive an output. Its safe value is inactive (relay de-energised)."""

    def sample(self) -> Mapping[str, bool]:
        """Read every input once; call it each 10 ms.

        Gives the names whose *stable* level changed since the last call, with the new level; all at the first call.
        In the order in which the inputs were configured.
        """

    def close(self) -> None:
        """Put every output to its safe value and let go of the lines."""


class Connection(Protocol):
    """The way to the broker. What comes over it goes into the function with which it was made."""

    def start(self) -> None:
        """Connect, and connect again whenever the connection breaks, until `stop`. Never waits."""

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Send, at least once if the connection holds. Never waits, never fails: without a connection it is dropped."""

    def reconnect(self, why: str) -> None:
        """Send what waits, then connect anew and hear again all that is retained. Never waits, never fails.

        why: for the log.
        """

    def stop(self, farewell: tuple[str, bytes] | None = None) -> None:
        """End the connection. farewell: a last message, retained; without it the broker publishes the will."""
