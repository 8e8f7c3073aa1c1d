"""What flaps? The link of a door's edge to a real mosquitto, through a cable that is late, holds back and breaks.

The edge's runtime, both paho clients and the server are the real ones, in this process and in real time; the edge is
driven by hand, so that its outputs can be looked at after each of its turns.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from itertools import cycle, zip_longest
from pathlib import Path
from typing import Any

from edge.config import BrokerConfig, Config
from edge.door import DoorSetup
from edge.identity import Identity
from edge.keys import Keys
from edge.link import Link
from edge.message_verifier import subscriptions
from edge.observer import Nobody
from edge.ports import Clock
from edge.runtime import Edge
from edge.status import farewell
from edge.work_items import LinkUp, WorkItem
from keys.keyring import Keyring
from keys.mosquitto import CA, CERTIFICATE, KEY
from proofs import ledger
from proofs.attacked import bundle, crowd, crowded
from proofs.mosquitto import Mosquitto
from proofs.proof import LossError
from server import config as server_config
from server.identity import Identity as ServerIdentity
from server.main import Server
from server.passwords import hash_password, hash_token, new_password, new_token
from simulator.cable import Cable
from simulator.loopback import HOST
from simulator.pace import Pace, PacedClock
from simulator.pins import SimulatedPins
from simulator.reader import SimulatedReader
from simulator.world import config_of
from wire.row import Row

EDGE = "front"
STRIKE_SECONDS = 0.03
"""So short that most cuts find the door locked."""
ROUNDED = 0.002
"""Seconds by which a row's monotonic time is not exact."""
DELAYS = (0.0005, 0.002)
"""Seconds between two tries to connect: an edge in the field takes 1 to 30."""
ROUND = 0.001
"""Seconds from one turn of the edge to the next while it waits."""
PATIENCE = 60.0
"""Seconds for a link to come back and for all rows to arrive."""
STORED = "SELECT max(seq) FROM journal_row"
"""Of the one journal that there is."""
STAFF = tuple(uid for uid, who in crowd("front-in").items() if who == "alice")
STRANGERS = tuple(f"CA{number:06X}" for number in range(2 * len(STAFF)))
TAPS = (
    (cycle(STAFF), "front-in", True),
    (cycle(STRANGERS[::2]), "front-in", False),
    (cycle(STRANGERS[1::2]), "front-out", True),
)
"""Badges, reader, and what the rules say whatever the link does: staff at any hour, a stranger never, out always."""


class Flapping:
    """One site, alive from here to `close`. Raises CommandError where there is no mosquitto."""

    def __init__(self, folder: Path) -> None:
        self.ups = self.taps = self.pulses = 0
        self.decided: list[Row] = []
        self._granted_at = float("-inf")
        self._compared = 0
        self._parts = ExitStack()
        with ExitStack() as parts:
            keyring = Keyring.ensure(folder / "keys", bundle().site.id, EDGE)
            broker = parts.enter_context(Mosquitto(keyring))
            self.cable, self.server_cable = Cable(broker.port), Cable(broker.port)
            parts.callback(self.server_cable.unplug)
            parts.callback(self.cable.unplug)
            self.server = Server(_server_config(keyring, folder, self.server_cable.port), bundle=crowded())
            parts.callback(self.server.stop)
            self.server.start()
            self._start_edge(keyring, folder)
            parts.callback(self.edge.stop)
            self._parts = parts.pop_all()

    def close(self) -> None:
        self._parts.close()

    def set_up(self) -> None:
        """Until the edge has rules. Raises LossError."""
        self._turn_until(lambda: self.edge.storage.rule_updates.held is not None, "a fresh edge has no rules")

    def turn(self) -> None:
        """One round of the edge. Raises LossError for a relay that moved without a reason."""
        known = len(self.decided)
        self.edge.turn()
        granted = [row.mono_ms / 1000 for row in self.decided[known:] if row.granted]
        moves = [move for move in self.pins.moves if move.output == "strike"]
        self.pins.moves.clear()
        for move in moves:
            if not move.active and move.mono < self._granted_at + STRIKE_SECONDS - ROUNDED:
                raise LossError(f"the strike fell back {move.mono - self._granted_at:.3f} s after a grant")
            if move.active and not granted:
                raise LossError("the strike was released, and nobody was granted anything")
            if move.active:
                self.pulses, self._granted_at = self.pulses + 1, max(granted)
        self._granted_at = max([self._granted_at, *granted])

    def tap(self, choice: int) -> None:
        """Somebody lays a badge and takes it away. Raises LossError for anything but the one right answer."""
        badges, reader, granted = TAPS[choice]
        uid = next(badges)
        known = len(self.decided)
        self.readers[reader].lay(bytes.fromhex(uid))
        self.turn()
        self.readers[reader].take(bytes.fromhex(uid))
        self.turn()
        self.taps += 1
        answers = [(row.granted, str(row.reason)) for row in self.decided[known:]]
        if [answer for answer, _ in answers] != [granted]:
            raise LossError(f"badge {uid} at {reader} was answered {answers}, not once, granted {granted}")

    def rest(self, turns: int, until: Callable[[], bool]) -> bool:
        """Go on for so many turns; whether it came true meanwhile."""
        for _ in range(turns):
            if until():
                return True
            self.turn()
            self.cable.await_cut(self.cable.cuts + 1, ROUND)
        return until()

    def await_cut(self, cuts: int) -> None:
        """Until so many connections were cut. Raises LossError when the edge does not come back for it."""
        self._turn_until(lambda: self.cable.cuts >= cuts, "the edge does not connect again")

    def check_acknowledged(self) -> None:
        """What the edge takes for acknowledged is on the server's disk. Raises LossError."""
        journal = self.edge.storage.writer.journal
        acknowledged = journal.acknowledged if journal else 0
        with self.server.database.reading() as session:
            stored = session.connection().exec_driver_sql(STORED).scalar() or 0
        if stored < acknowledged:
            raise LossError(f"the edge takes row {acknowledged} for acknowledged, the server has {stored}")

    def settle(self) -> None:
        """The cable is well: all rows arrive, in order, once. Raises LossError."""
        self.cable.delay = 0.0
        self.cable.hold(False)
        self.tap(0)
        self._turn_until(self._all_acknowledged, "rows do not reach the server")
        self._compare()

    def _turn_until(self, done: Callable[[], bool], why: str) -> None:
        end = time.monotonic() + PATIENCE
        while not self.rest(10, done):
            if time.monotonic() > end:
                raise LossError(f"{why} within {PATIENCE:g} s")

    def _all_acknowledged(self) -> bool:
        journal = self.edge.storage.writer.journal
        return (
            journal is not None and journal.last_seq >= len(self.decided) and journal.acknowledged == journal.last_seq
        )

    def _compare(self) -> None:
        journal = self.edge.storage.writer.journal
        rows = [(row.seq, *ledger.of_row(row)) for row in journal.rows(self._compared + 1)] if journal else []
        with self.server.database.reading() as session:
            found: list[Any] = list(session.connection().exec_driver_sql(ledger.HISTORY, (self._compared,)))
        history = [(seq, *ledger.of_history(rest)) for _, _, _, seq, *rest in found]
        for row, stored in zip_longest(rows, history):
            if row != stored:
                raise LossError(f"the journal has {row}, the history {stored}")
        self._compared += len(rows)

    def _start_edge(self, keyring: Keyring, folder: Path) -> None:
        door = bundle().access_points[0]
        made = config_of(EDGE, door, bundle(), folder, keyring.edge_key(EDGE), keyring.server_key)
        own = keyring.edge(EDGE)
        identity = Identity(own / CA, own / CERTIFICATE, own / KEY)
        setup = DoorSetup(EDGE, door.readers.in_, door.readers.out, STRIKE_SECONDS, has_contact=False)
        config = replace(
            made,
            keys=Keys(keyring.edge_key(EDGE), keyring.server_key.public_key(), keyring.credential_key),
            broker=BrokerConfig(HOST, self.cable.port, EDGE, "", identity),
            places=(setup,),
        )
        clock = PacedClock(Pace.starting(time.time_ns() // 1_000_000))
        self.readers = {name: SimulatedReader(name, clock) for name in config.readers}
        self.pins = SimulatedPins(config.outputs, config.inputs, clock)
        self.edge = Edge(
            config,
            clock=clock,
            readers=list(self.readers.values()),
            pins=self.pins,
            observer=_Seen(self.decided),
            link=lambda put: self._link(config, put, clock),
        )
        self.edge.begin()
        self.edge.link.start()  # type: ignore[union-attr]

    def _link(self, config: Config, put: Callable[[WorkItem], None], clock: Clock) -> Link:
        def count(item: WorkItem) -> None:
            self.ups += isinstance(item, LinkUp)
            put(item)

        topics, gone = subscriptions(config), lambda: farewell(config, clock.now())
        return Link(config.broker, EDGE, topics, gone, count, delays=DELAYS)


class _Seen(Nobody):
    """Notes what was decided."""

    def __init__(self, decided: list[Row]) -> None:
        self._decided = decided

    def decided(self, row: Row, *_: float) -> None:
        """As in edge/observer.py."""
        self._decided.append(row)


def _server_config(keyring: Keyring, folder: Path, port: int) -> server_config.ServerConfig:
    own = keyring.server
    return server_config.ServerConfig(
        database=f"sqlite:///{folder.resolve() / 'server.db'}",
        server_key=keyring.server_key,
        credential_key=keyring.credential_key,
        broker=server_config.BrokerConfig(
            HOST, port, "server", "", ServerIdentity(own / CA, own / CERTIFICATE, own / KEY)
        ),
        edges=(server_config.EdgeConfig(EDGE, keyring.public_hex(EDGE), (EDGE,)),),
        staff_name="equipe",
        staff_password_hash=hash_password(new_password()),
        api_token_hash=hash_token(new_token()),
        http_port=0,
    )
