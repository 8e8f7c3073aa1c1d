"""How do plugs hear of the power that machines are to have? As outputs among the others, over their own connection.

The `Pins` port over another: `set` switches a plug where one stands for a relay, and `beat`, which the control loop
calls when it has gone round, tells each what is due. Nobody else does: a loop that hangs tells a plug nothing, and it
lets go.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from edge.devices.plug import Plug
from edge.devices.plug_words import DIALECTS
from edge.events import PlugSaid
from edge.ports import Clock, Connection
from edge.pulse import Pulses
from edge.work_items import LinkUp, Received, WorkItem
from policy.instants import text
from policy.terms import Instant
from wire import messages
from wire.messages import PlugFault

LOOK_EVERY = 1.0
"""Seconds from one look at the plugs to the next, while nothing comes."""


@dataclass(frozen=True, slots=True)
class PlugSetup:
    """The plug at a machine. name: its topic, or Zigbee2MQTT's name of it. switches: it stands for the interlock.

    current_above: from how many watts on it tells that current flows; None where another sensor tells that, or none.
    """

    machine: str
    kind: str
    name: str
    switches: bool
    current_above: float | None = None

    def topics(self, edge: str) -> tuple[str, ...]:
        """What to subscribe to."""
        return DIALECTS[self.kind](self.name, edge).topics


def plugs_farewell(edge: str) -> tuple[str, bytes]:
    """What the plugs' broker is told, retained, of an edge that is gone: its topic and its bytes."""
    return f"loquet/plugs/{edge}", b"gone"


class _At:
    """A plug, its machine, and what was last said of it."""

    def __init__(self, setup: PlugSetup, edge: str) -> None:
        self.setup = setup
        self.plug = Plug(DIALECTS[setup.kind](setup.name, edge), switches=setup.switches)
        self.fault: PlugFault | str | None = "not said yet"
        self.since: Instant = 0
        self.told: messages.Plug | None = None
        self.audits, self.audited = 0, ""


class Plugs:
    """All plugs of an edge. put, from any thread: what came over the connection. said: takes each change."""

    def __init__(
        self, pins: Pulses, setups: Iterable[PlugSetup], edge: str, clock: Clock, said: Callable[[PlugSaid], None]
    ) -> None:
        self._pins = pins
        self._plugs = [_At(setup, edge) for setup in setups]
        self._switched = {f"{at.setup.machine}.interlock": at.plug for at in self._plugs if at.setup.switches}
        self._clock = clock
        self._said = said
        self._came: SimpleQueue[WorkItem] = SimpleQueue()
        self._look_at = 0.0
        self.link: Connection | None = None
        self.put = self._came.put

    @property
    def switched(self) -> tuple[str, ...]:
        """The outputs that are plugs."""
        return tuple(self._switched)

    @property
    def deadline(self) -> float | None:
        """When to `beat` next if nothing else happens, monotonic seconds."""
        look = self._look_at if self._plugs else None
        return min((moment for moment in (self._pins.deadline, look) if moment is not None), default=None)

    def set(self, output: str, active: bool) -> None:
        """As in edge/ports.py."""
        plug = self._switched.get(output)
        if plug is None:
            self._pins.set(output, active)
        else:
            plug.want(active, self._clock.monotonic())
            self._tell(plug)

    def beat(self) -> None:
        """Everything that has a say went round: hear, judge, and tell what is due."""
        self._pins.beat()
        mono = self._clock.monotonic()
        if self._came.empty() and mono < self._look_at:
            return
        self._look_at = mono + LOOK_EVERY
        self._hear(mono)
        for at in self._plugs:
            self._judge(at, mono)
            self._tell(at.plug)

    def sample(self) -> Mapping[str, bool]:
        return self._pins.sample()

    def close(self) -> None:
        """Every plug off, as far as it is reached; then the pins."""
        mono = self._clock.monotonic()
        for plug in self._switched.values():
            plug.want(False, mono)
            self._tell(plug)
        self._pins.close()

    def _hear(self, mono: float) -> None:
        while True:
            try:
                item = self._came.get_nowait()
            except Empty:
                return
            for at in self._plugs:
                if isinstance(item, LinkUp):
                    at.plug.connected()
                elif isinstance(item, Received) and item.topic in at.plug.dialect.topics:
                    word = at.plug.dialect.heard(item.topic, item.payload)
                    if word is not None:
                        at.plug.hear(word, mono)

    def _tell(self, plug: Plug) -> None:
        for message in plug.due(self._clock.monotonic()):
            if self.link is not None:
                self.link.publish(message.topic, message.payload, message.retain)

    def _judge(self, at: _At, mono: float) -> None:
        plug, fault, now = at.plug, at.plug.fault(mono), self._clock.now()
        if fault != at.fault:
            at.fault, at.since = fault, now
        if plug.audits != at.audits:
            at.audits, at.audited = plug.audits, text(now)
        wrong = ", ".join(f"{name} = {value}" for name, value in sorted(plug.wrong.items()))
        watts = None if plug.watts is None else round(plug.watts, 1)
        took = None if plug.off_seconds is None else round(plug.off_seconds, 1)
        since, audited = text(at.since), at.audited or None
        told = messages.Plug(at.setup.kind, at.setup.switches, since, fault, watts, wrong[:200], took, audited)
        if told != at.told:
            at.told = told
            self._said(PlugSaid(now, mono, f"{at.setup.machine}.plug", told))
