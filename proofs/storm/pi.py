"""One Raspberry Pi of the stormy site: the real edge on simulated readers, pins, clock, disk and cable."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.config import Config, ReaderConfig
from edge.core import Now
from edge.door import DoorSetup
from edge.hardware.lines import InputSpec, OutputSpec
from edge.keys import Keys
from edge.machine import MachineController, MachineSetup
from edge.observer import Nobody
from edge.runtime import Edge
from edge.status import farewell
from edge.work_items import LinkDown, LinkUp, Received, WorkItem
from policy.bundle import Bundle
from policy.sessions import Session
from policy.terms import ClockState, Instant
from proofs.storm.casting import MACHINE
from proofs.storm.clock import OwnClock
from proofs.storm.network import Client, Network
from simulator.clock import VirtualClock
from simulator.disk import Disk
from simulator.pins import SimulatedPins
from simulator.reader import SimulatedReader
from simulator.vfs import Mount
from simulator.world import BROKER, CREDENTIAL_KEY
from wire.row import Row

if TYPE_CHECKING:
    from proofs.storm.watch import Watch

NOTES = 60.0
"""Seconds from one look at a running session to the next."""
LIGHTS = ("green", "red", "buzzer")


@dataclass(frozen=True, slots=True)
class Ground:
    """What every Pi stands on."""

    clock: VirtualClock
    disk: Disk
    mount: Mount
    network: Network
    folder: Path


class Pi(Nobody):
    """Power on, power off, badges, buttons. edge: None without power."""

    def __init__(self, ground: Ground, config: Config, watch: "Watch") -> None:
        self.name = config.edge
        self.config = config
        self.clock = OwnClock(ground.clock)
        self.edge: Edge | None = None
        self.silent: str | None = None
        self.boots = 0
        self._due: int | None = None
        self._turned = False
        """Whether it has turned since it was asked when it has something to do."""
        self._ground = ground
        self._watch = watch
        self._put: Callable[[WorkItem], None] = lambda item: None
        self._settings_seen = 0
        self._readers: dict[str, SimulatedReader] = {}
        self._pins: SimulatedPins | None = None
        ground.network.add(
            Client(self.name, self._hears, self._deliver, self._risen, self._fallen, self._farewell),
        )

    @property
    def prefix(self) -> str:
        """Where its files begin."""
        return str(self.config.journal)

    @property
    def session(self) -> Session | None:
        """What runs, as the machine's own controller has it."""
        places = self.edge.control.controller.places if self.edge else []
        return next((place.session for place in places if isinstance(place, MachineController)), None)

    def switch_on(self, state: ClockState, offset: Instant) -> None:
        """Power returns."""
        self.boots += 1
        self.clock.start(state, offset)
        config = self.config
        self._readers = {name: SimulatedReader(name, self.clock) for name in config.readers}
        self._pins = SimulatedPins(config.outputs, config.inputs, self.clock)
        self.edge = Edge(
            config,
            clock=self.clock,
            readers=list(self._readers.values()),
            pins=self._pins,
            observer=self,
            link=self._link,
            boot=f"{self.name}-{self.boots}",
        )
        self._watch.started(self)
        self.turn()
        self._watch.relays.still(self, [move.output for move in self._pins.moves if move.active], "its power returned")
        self._ground.network.power(self.name, True)

    def switch_off(self, luck: Random) -> None:
        """Power is gone, in the middle of whatever it was."""
        edge, self.edge = self.edge, None
        if edge is None:
            return
        self._ground.network.power(self.name, False)
        self._ground.disk.tear(self.prefix, luck)
        self._ground.mount.forget(self.prefix)
        journal = edge.storage.writer.journal
        if journal is not None:
            with suppress(Exception):  # its file is gone under it
                journal._db.close()
        self._watch.cut(self)

    def close(self) -> None:
        """The world ends: let go of the journal."""
        if self.edge is not None:
            self.edge.storage.writer.close()

    def turn(self) -> None:
        """Let it look at readers and inputs, do what is due, and what follows from that."""
        if self.edge is not None:
            self.edge.begin()
            self.edge.look()
            self._serve()

    def _serve(self) -> None:
        """What came, what is due, and what follows; nobody has touched a reader or an input meanwhile."""
        edge, self._turned = self.edge, True
        while edge is not None:
            self._watch.relays.before(self)
            edge.serve()
            edge.keep()
            if self.clock.settings != self._settings_seen:  # the real one looks once a second, come what may
                self._settings_seen = self.clock.settings
                edge.control.handle(())
            self._watch.relays.after(self)
            if self.name == MACHINE:
                self._watch.sittings.look(self)
            if edge._events.empty() and edge._items.empty():
                return

    @property
    def due(self) -> int | None:
        """The world's nanosecond at which it has something to do; None without power."""
        if self.edge is None:
            return None
        if self._turned:
            self._due, self._turned = self._next(self.edge), False
        return self._due

    def _next(self, edge: Edge) -> int:
        """When it has something to do. Nobody looks at its lamps here, and a minute's notes of its power are enough."""
        controller, mono = edge.control.controller, self.clock.monotonic()
        moments = [controller.due(Now(self.clock.now(), mono, self.clock.state())), edge.storage.deadline()]
        if controller.runs_session:
            moments.append(mono + NOTES)
        return self.clock.ns_at(min(moment for moment in moments if moment is not None))

    def tap(self, reader: str, uid: bytes) -> None:
        """A badge is laid on and taken away."""
        if self.edge is not None and reader != self.silent:
            self._readers[reader].lay(uid)
            self.turn()
            self._readers[reader].take(uid)
            self.turn()

    def press(self, name: str, on: bool) -> None:
        """Somebody moves an input; the poller believes it after some rounds."""
        if self._pins is not None and self.edge is not None:
            self._pins.put(name, on)
            for _ in range(4):
                self.turn()

    def silence(self, reader: str | None) -> None:
        """A reader falls silent; None: all answer again."""
        self.silent = reader
        for name, simulated in self._readers.items():
            if name == reader:
                simulated.fault("silent")
            else:
                simulated.recover()
        self.turn()

    # As observer of the edge

    def decided(
        self, row: Row, chip_seconds: float, chip_transfers: int, decision_seconds: float, actuator_seconds: float
    ) -> None:
        self._watch.decided(self, row)

    def journalled(self, seq: int, seconds: float) -> None:
        self._watch.journalled(self, seq)

    def output(self, name: str, active: bool) -> None:
        self._watch.relays.output(self, name, active)
        self._watch.sittings.output(name, active)

    # As an end of the network

    def _hears(self, topic: str) -> bool:
        return self.edge is not None and self.edge.storage.verifier.reads(topic)

    def _deliver(self, topic: str, payload: bytes) -> None:
        self._watch.delivered(self, topic, payload)
        self._put(Received(topic, payload))
        self._serve()
        self._watch.heard_out(self)
        self._watch.claims.heeded(self, topic, payload)

    def _risen(self) -> None:
        self._link_is(LinkUp(), "its link came up")

    def _fallen(self) -> None:
        self._link_is(LinkDown("the cable"), "its link broke")

    def _link_is(self, item: WorkItem, when: str) -> None:
        """What is due at this moment is done before, so that what moves then moves because of the link."""
        self.turn()
        if self._pins is not None:
            before = len(self._pins.moves)
            self._put(item)
            self._serve()
            self._watch.relays.still(self, [move.output for move in self._pins.moves[before:]], when)

    def _farewell(self) -> tuple[str, bytes] | None:
        return None if self.edge is None else farewell(self.config, self.clock.now())

    # As the Connection of edge/runtime.py

    def _link(self, put: Callable[[WorkItem], None]) -> "Pi":
        self._put = put
        return self

    def start(self) -> None: ...

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self._ground.network.publish(self.name, topic, payload, retain)

    def reconnect(self, why: str) -> None:
        network = self._ground.network
        network.cable(self.name, False)
        network.cable(self.name, True)

    def stop(self, farewell: tuple[str, bytes] | None = None) -> None: ...


def config_of(name: str, bundle: Bundle, folder: Path, own: Ed25519PrivateKey, server: Ed25519PublicKey) -> Config:
    """The edge.toml of a door without a contact, or of the machine."""
    if name == MACHINE:
        places: tuple[DoorSetup | MachineSetup, ...] = (MachineSetup(name, f"{name}-in"),)
        readers: tuple[str, ...] = (f"{name}-in",)
        moved, sensed = f"{name}.interlock", [f"{name}.estop"]
    else:
        point = next(point for point in bundle.access_points if point.id == name)
        places = (DoorSetup(name, point.readers.in_, point.readers.out, has_contact=False),)
        readers = point.readers.in_, f"{point.readers.out}"
        moved, sensed = "strike", ["rex", "fire"]
    lamps = [f"{reader}.{light}" for reader in readers for light in LIGHTS]
    return Config(
        file=folder / f"{name}.toml",
        site=bundle.site.id,
        edge=name,
        keys=Keys(own, server, CREDENTIAL_KEY),
        broker=BROKER,
        journal=folder / f"{name}.db",
        readers={reader: ReaderConfig(0, device) for device, reader in enumerate(readers)},
        spi_hz=10_000_000,
        places=places,
        outputs=tuple(OutputSpec(output, line) for line, output in enumerate([moved, *lamps], 12)),
        inputs=tuple(InputSpec(sensor, line) for line, sensor in enumerate(sensed, 4)),
    )
