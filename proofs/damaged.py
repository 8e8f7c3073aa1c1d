"""Whose files are damaged? Those of an edge that lived for an evening, as a kill or an orderly end left them."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from msgspec import Raw

from edge.config import Config
from edge.journal_writer import COPIED
from edge.runtime import Edge
from edge.storage_worker import ALIVE
from edge.work_items import LinkUp, Received, WorkItem
from policy.instants import text
from policy.reasons import Reason
from policy.terms import HOUR, SECOND, ClockState
from proofs.attacked import KEYS, SERVER_KEY, UIDS, Attacked, bundle
from proofs.proof import LossError
from simulator.clock import WORKING_TUESDAY, VirtualClock
from simulator.pins import SimulatedPins
from simulator.reader import SimulatedReader
from simulator.world import config_of
from wire.envelope import seal, unseal
from wire.errors import WireError
from wire.messages import Ack, Command, Events, Facts, decode, encode
from wire.row import Kind, Order, Row
from wire.row import decode as decode_row
from wire.row import encode as encode_row
from wire.topics import Topics

TOPICS = Topics("casaco")


class Believing:
    """The server as an edge sees it: rows in order and once, each answered with what is stored.

    stored: by journal, the rows as they came. silent: it takes rows and answers none.
    """

    def __init__(self, stored: Mapping[str, list[bytes]] | None = None) -> None:
        self.stored = {journal: list(rows) for journal, rows in (stored or {}).items()}
        self.silent = False

    def take(self, topic: str, payload: bytes) -> Ack | None:
        """The answer to a message, None for one without rows."""
        if topic != TOPICS.events("front"):
            return None
        events = decode(Events, unseal(KEYS["front"].public_key(), "front", topic, payload), topic)
        rows = self.stored.setdefault(events.journal, [])
        for raw in events.rows:
            if _seq(raw) == len(rows) + 1:
                rows.append(bytes(raw))
        return None if self.silent else Ack(events.journal, len(rows))


class Life:
    """An edge on the files of a folder, from its start on. Raises whatever keeps it from starting."""

    def __init__(self, folder: Path, clock: VirtualClock, server: Believing, boot: str) -> None:
        self.clock = clock
        self.server = server
        people = bundle()
        self.config: Config = config_of("front", people.access_points[0], people, folder, KEYS["front"], SERVER_KEY)
        self.readers = {name: SimulatedReader(name, clock) for name in self.config.readers}
        self.pins = SimulatedPins(self.config.outputs, self.config.inputs, clock)
        self._put: Callable[[WorkItem], None] = lambda item: None
        self._answers: list[Ack] = []
        self.edge = Edge(
            self.config, clock=clock, readers=list(self.readers.values()), pins=self.pins, link=self._link, boot=boot
        )
        self.pass_time(0.02)

    def say(self, topic: str, payload: bytes) -> None:
        """A message reaches the edge."""
        self._put(Received(topic, payload))
        self.pass_time(0.02)

    def tap(self, who: str) -> bool:
        """Whether the strike is released when somebody lays a badge on."""
        self.readers["front-in"].lay(bytes.fromhex(UIDS[who]))
        self.pass_time(0.03)
        released = self.pins.is_active("strike")
        self.readers["front-in"].take(bytes.fromhex(UIDS[who]))
        self.pass_time(0.03)
        return released

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds * 100)):
            self.clock.advance(10_000_000)
            self.edge.turn()

    def connect(self) -> None:
        self._put(LinkUp())

    def tell_all(self, tries: int = 60) -> bool:
        """Whether all rows reach the server in so many messages."""
        self.connect()
        for _ in range(tries):
            self.pass_time(0.02)
            answers, self._answers = self._answers, []
            for ack in answers:
                self.say(TOPICS.ack("front"), seal(SERVER_KEY, "server", TOPICS.ack("front"), encode(ack)))
            journal = self.edge.storage.writer.journal
            if not answers and journal is not None and journal.unacknowledged == 0:
                return True
        return False

    def _link(self, put: Callable[[WorkItem], None]) -> "Life":
        self._put = put
        return self

    # The Connection of edge/runtime.py

    def start(self) -> None: ...

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:  # noqa: ARG002
        answer = self.server.take(topic, payload)
        if answer is not None:
            self._answers.append(answer)

    def reconnect(self, why: str) -> None: ...

    def stop(self, farewell: tuple[str, bytes] | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Left:
    """What an evening left. files: by name. rows: the journal's, from 1 on. stored: what the server has of it.

    command: an order that was carried out, as it came. at: the instant of the end. rules, state: their versions.
    """

    files: Mapping[str, bytes]
    journal: str
    rows: list[bytes]
    stored: dict[str, list[bytes]]
    command: bytes
    at: int
    rules: int
    state: int


def evening(folder: Path, luck: Random, orderly: bool) -> Left:
    """Live for some hours; end orderly, or with a kill."""
    clock, server = VirtualClock(WORKING_TUESDAY, wake_ns=0), Believing()
    life = Life(folder, clock, server, "evening")
    attacked = Attacked()
    retained = dict(attacked.retained)
    attacked.close()
    for topic, payload in retained.items():
        life.say(topic, payload)
    for _ in range(luck.randint(2, 40)):
        life.tap(luck.choice(list(UIDS)))
    life.tell_all()
    for seq in range(1, luck.randint(2, 6)):
        life.say(TOPICS.facts("garage"), _facts(clock, seq))
    server.silent = luck.random() < 0.5
    for _ in range(luck.randint(1, 30)):
        life.tap(luck.choice(list(UIDS)))
    life.edge.storage.writer.keep({ALIVE: b"%d" % clock.now()})
    life.pass_time(COPIED + 1)
    command = _command(clock.now())
    life.say(TOPICS.command("front"), command)
    for _ in range(luck.randint(1, 4)):
        life.tap(luck.choice(list(UIDS)))
    return _ended(life, folder, command, orderly)


def _ended(life: Life, folder: Path, command: bytes, orderly: bool) -> Left:
    journal = life.edge.storage.writer.journal
    held, knowledge = life.edge.control.controller.core.held, life.edge.control.controller.core.knowledge
    if journal is None or held is None:
        raise LossError("an evening without damage ends without a journal or rules")
    name, rows = journal.id, [row for _, row in journal.after(0, 10**6)]
    if orderly:
        life.edge.stop()
        rows = rows[: journal.last_seq]
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    life.edge.storage.writer.close()
    shutil.rmtree(folder)
    return Left(files, name, rows, life.server.stored, command, life.clock.now(), held.version, knowledge.version)


def _command(now: int) -> bytes:
    topic = TOPICS.command("front")
    order = Command("n" * 16, text(now), text(now + 10 * SECOND), by="alice", order=Order.OPEN, place="front")
    return seal(SERVER_KEY, "server", topic, encode(order))


def _facts(clock: VirtualClock, seq: int) -> bytes:
    """Rémy goes in at the garage."""
    topic = TOPICS.facts("garage")
    at = text(clock.now() - HOUR)
    row = Row(
        seq, at, seq, "g", ClockState.SYNCED, Kind.TAP, "garage", "garage-in", member="remy", granted=True,
        reason=Reason.STAFFED_HOURS,
    )  # fmt: skip
    return seal(KEYS["garage"], "garage", topic, encode(Facts("g", (Raw(encode_row(row)),))))


def _seq(raw: Raw) -> int:
    """Of a row that cannot be believed its number counts too."""
    try:
        return decode_row(raw, "").seq
    except WireError:
        return int(bytes(raw).removeprefix(b'{"seq":').split(b",")[0])
