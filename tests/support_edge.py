"""An edge under test: its folder with the sample edge.toml and fresh keys, and a bench that runs it in virtual time."""

import os
import re
import secrets
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from msgspec.structs import replace

from edge.config import Config, load
from edge.core import Core
from edge.events import Event
from edge.journal import Journal
from edge.observer import Observer
from edge.runtime import Edge, MakeLink
from edge.taps import AWAY
from edge.work_items import LinkDown, LinkUp, Received, WorkItem
from policy.instants import text
from policy.ruleset import Credential, RuleSet
from policy.terms import DAY
from simulator.clock import VirtualClock
from simulator.pins import SimulatedPins
from simulator.reader import SimulatedReader
from tests.support_site import ALICE, BRIGITTE, GREGOIRE, REMY, at, small_rules
from wire.credential import pseudonym
from wire.envelope import seal, unseal
from wire.messages import (
    COMMAND_LASTS,
    Ack,
    Command,
    Events,
    Facts,
    Fresh,
    Reply,
    Rules,
    State,
    Status,
    decode,
    encode,
)
from wire.row import Kind, Order, Row
from wire.row import decode as decode_row
from wire.ruleset import pack
from wire.topics import Topics

TOPICS = Topics("casaco")
SAMPLE = Path(__file__).parent.parent / "firmware_config" / "edge-door.toml"
TLS = re.compile(r"^host = .*?^key = .*?$", re.MULTILINE | re.DOTALL)
LOOPBACK = 'host = "127.0.0.1"\nport = 1883\nusername = "front"\npassword_file = "keys/broker.pass"'
"""In place of the sample's TLS: a broker on this machine."""


@dataclass(frozen=True)
class Folder:
    """config: the edge.toml in it. server: signs as the server. own: the edge's key."""

    config: Path
    server: Ed25519PrivateKey
    own: Ed25519PrivateKey
    password: str

    def replace(self, old: str, new: str) -> Path:
        """Change one piece of the edge.toml, which must be there."""
        text = self.config.read_text()
        assert text.count(old) >= 1, f"{old!r} is not in the sample"
        self.config.write_text(text.replace(old, new, 1))
        return self.config

    def key(self, name: str) -> Path:
        return self.config.parent / "keys" / name

    def set(self, rules: RuleSet | None = None) -> RuleSet:
        """The small site's rules or others of its people, with badges as this folder's credential key hides them."""
        key = bytes.fromhex(self.key("credential.hex").read_text())
        owners = {ALICE: "alice", BRIGITTE: "brigitte", GREGOIRE: "gregoire", REMY: "remy"}
        credentials = {pseudonym(key, uid): Credential(member) for uid, member in owners.items()}
        return replace(rules or small_rules(), credentials=credentials)

    def rules(self, version: int, rules: RuleSet | None = None, not_after: int = at(10) + 14 * DAY) -> Rules:
        return Rules(version, text(at(9)), text(not_after), pack(rules or self.set()))

    def sealed(self, topic: str, message: Rules | Fresh | State | Ack | Command) -> bytes:
        """The message as the server signs it."""
        return seal(self.server, "server", topic, encode(message))


def private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def write_secret(path: Path, content: bytes, mode: int = 0o600) -> None:
    path.write_bytes(content)
    os.chmod(path, mode)


def make_folder(folder: Path, sample: Path = SAMPLE) -> Folder:
    """The sample, its keys and its password in a folder; the journal lies there too."""
    own, server, password = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate(), secrets.token_hex(16)
    (folder / "keys").mkdir(parents=True)
    write_secret(folder / "keys" / "edge.pem", private_pem(own))
    write_secret(folder / "keys" / "server.pub.pem", public_pem(server), 0o644)
    write_secret(folder / "keys" / "credential.hex", secrets.token_hex(32).encode() + b"\n")
    write_secret(folder / "keys" / "broker.pass", password.encode() + b"\n")
    made = Folder(folder / "edge.toml", server, own, password)
    made.config.write_text(sample.read_text())
    made.config.write_text(TLS.sub(LOOPBACK, made.config.read_text()))
    made.replace("/var/lib/loquet/journal.db", "journal.db")
    return made


Kinds: TypeAlias = Events | Facts | Status | Reply
KINDS: dict[str, type[Kinds]] = {"events": Events, "facts": Facts, "status": Status, "reply": Reply}


@dataclass(frozen=True)
class Sent:
    """A message that left, opened: it was signed by this edge for this topic."""

    leaf: str
    message: Kinds
    retain: bool


class Wire:
    """The link of an edge under test: opens what it says, and lets the test speak as the server."""

    def __init__(self, folder: Folder, put: Callable[[WorkItem], None]) -> None:
        self.sent: list[Sent] = []
        self.state = "new"
        self.anew: list[str] = []
        self.farewell: tuple[str, bytes] | None = None
        self._folder = folder
        self._put = put

    def start(self) -> None:
        self.state = "started"

    def stop(self, farewell: tuple[str, bytes] | None = None) -> None:
        self.state, self.farewell = "stopped", farewell

    def reconnect(self, why: str) -> None:
        self.state = "reconnected"
        self.anew.append(why)

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        edge, leaf = TOPICS.edge_of(topic)
        body = unseal(self._folder.own.public_key(), edge, topic, payload)
        self.sent.append(Sent(leaf, decode(KINDS[leaf], body, topic), retain))

    def taken(self, leaf: str) -> list[Any]:
        """The messages of one kind since the last call."""
        found = [sent.message for sent in self.sent if sent.leaf == leaf]
        self.sent = [sent for sent in self.sent if sent.leaf != leaf]
        return found

    def told(self) -> list[Row]:
        """The rows that the other edges were told since the last call."""
        return [decode_row(bytes(raw), "facts") for facts in self.taken("facts") for raw in facts.rows]

    def up(self) -> None:
        self._put(LinkUp())

    def down(self) -> None:
        self._put(LinkDown("the test pulled the cable"))

    def deliver(self, topic: str, payload: bytes) -> None:
        self._put(Received(topic, payload))

    def say(self, topic: str, message: Rules | Fresh | State | Ack | Command) -> None:
        """Speak as the server."""
        self.deliver(topic, self._folder.sealed(topic, message))


def command_at(issued: int, order: Order, place: str | None = None, **fields: Any) -> Command:
    """A command that the server signs at the instant."""
    told = {"nonce": secrets.token_hex(8), "by": "alice"} | fields
    return Command(issued=text(issued), not_after=text(issued + COMMAND_LASTS), order=order, place=place, **told)


class Bench:
    """One edge in one thread and virtual time: the real journal, the simulated reader and pins."""

    def __init__(
        self,
        folder: Folder,
        clock: VirtualClock | None = None,
        observer: Observer | None = None,
        config: Config | None = None,
        boot: str | None = None,
        plug_link: MakeLink | None = None,
    ) -> None:
        self.folder = folder
        self.config = config or load(folder.config)
        self.clock = clock or VirtualClock(start=at(10))
        self.readers = [SimulatedReader(name, self.clock) for name in self.config.readers]
        self.pins = SimulatedPins(self.config.outputs, self.config.inputs, self.clock)
        self.events: list[Event] = []
        self.edge = Edge(
            self.config,
            clock=self.clock,
            readers=self.readers,
            pins=self.pins,
            observer=observer,
            link=lambda put: Wire(folder, put),
            plug_link=plug_link,
            boot=boot,
            software="9.9",
        )
        assert isinstance(self.edge.link, Wire)
        self.wire = self.edge.link
        self._last_tap: tuple[bytes, int, float] | None = None
        weakref.finalize(self, self.edge.storage.writer.close)  # a bench has no end of its own

    @property
    def core(self) -> Core:
        return self.edge.control.controller.core

    @property
    def journal(self) -> Journal:
        found = self.edge.storage.writer.journal
        assert found is not None
        return found

    def rows(self, *kinds: Kind) -> list[Row]:
        """The rows on the disk, of these kinds if any are named."""
        return [row for row in self.journal.rows() if not kinds or row.kind in kinds]

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.edge.turn()

    def wait(self, seconds: float) -> None:
        """Let time pass, a round each 10 ms."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            self.turn()
            self.clock.advance(10_000_000)
        self.turn()

    def settle(self) -> None:
        """Until what one part has for another has arrived."""
        self.turn(3)

    def tap(self, uid: bytes, reader: int = 0) -> Row:
        """Lay a badge on a reader and take it away; the row of the tap. The same badge comes back after a while."""
        if self._last_tap == (uid, reader, self.clock.monotonic()):
            self.wait(AWAY)
        self.readers[reader].lay(uid)
        self.settle()
        self.readers[reader].take(uid)
        self.settle()
        self._last_tap = (uid, reader, self.clock.monotonic())
        return self.rows(Kind.TAP)[-1]

    def give_rules(self, message: Rules | None = None) -> None:
        """Deliver rules as the server would."""
        self.wire.say(TOPICS.rules, message or self.folder.rules(7))
        self.settle()

    def order(self, order: Order, place: str | None = None, *, after: float = 0.0, **fields: Any) -> Command:
        """Give an order as the server would, which has the edge's time. after: so many seconds from now."""
        command = command_at(self.clock.now() + round(after * 1000), order, place, **fields)
        self.wire.say(TOPICS.command("front"), command)
        self.settle()
        return command

    def connect(self) -> None:
        self.wire.up()
        self.settle()

    def acknowledge(self, seq: int, journal: str | None = None) -> None:
        self.wire.say(TOPICS.ack("front"), Ack(journal or self.journal.id, seq))
        self.settle()
