"""Which messages must nobody believe? Genuine ones that were tampered with, and honest signatures under lies."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Raw, Struct
from msgspec.structs import replace

from policy.facts import Moved
from policy.instants import text
from policy.reasons import Reason
from policy.terms import DAY, HOUR, SECOND, ClockState, Instant
from proofs.attacked import KEYS, SERVER_KEY, STRANGER, Attacked
from wire import row as wire_row
from wire import snapshot
from wire.envelope import seal
from wire.messages import Ack, Command, Events, Facts, Fresh, Reply, Rules, State, Status, encode
from wire.row import Kind, Order, Row
from wire.ruleset import pack
from wire.snapshot import Snapshot

Message = tuple[str, bytes]
"""Topic and payload."""
SERVER = "server"
BASE64 = ascii_uppercase + ascii_lowercase + digits + "+/"
OTHERS: tuple[Any, ...] = (1, "x", None, [], 9, True, {})
LATER = 9
"""A version that the edge does not hold yet."""


class _Sealed(Struct):
    by: str
    sig: str
    body: Raw


@dataclass(frozen=True, slots=True)
class Letters:
    """Writes the genuine messages of a site, each of which would change something if it were believed."""

    site: Attacked

    def to_edge(self) -> dict[str, Message]:
        """By name, what the front door's edge would believe, each one also after those before it."""
        topics, now = self.site.topics, self.site.clock.now()
        return {
            "ack": self.server(topics.ack("front"), self.ack()),
            "command": self.server(topics.command("front"), self.command("c0")),
            "facts": self.edge("garage", topics.facts("garage"), Facts("g", (Raw(self.entry("garage")),))),
            "state": self.server(topics.state, self.state(LATER)),
            "fresh": self.server(topics.fresh, self.fresh(now + 30 * DAY)),
            "rules": self.server(topics.rules, self.rules(LATER)),
        }

    def to_server(self) -> dict[str, Message]:
        """By name, what the server would believe of the front door's edge."""
        topics, now = self.site.topics, text(self.site.clock.now())
        rows = (Raw(self.entry("front")),)
        return {
            "events": self.edge("front", topics.events("front"), Events("j", rows)),
            "status": self.edge("front", topics.status("front"), Status(online=True, at=now, software="forged")),
            "reply": self.edge("front", topics.reply("front"), Reply(PENDING, done=True)),
        }

    def server(self, topic: str, message: Struct) -> Message:
        return topic, seal(SERVER_KEY, SERVER, topic, encode(message))

    def edge(self, name: str, topic: str, message: Struct) -> Message:
        return topic, seal(KEYS[name], name, topic, encode(message))

    def rules(self, version: int, **changes: Any) -> Rules:
        now, held = self.site.clock.now(), self.site.publisher.current.rules
        return Rules(version, text(now), text(now + 30 * DAY), pack(replace(held, **changes)))

    def fresh(self, not_after: Instant, digest: str | None = None) -> Fresh:
        current, now = self.site.publisher.current, text(self.site.clock.now())
        held = Rules(current.version, now, now, current.body)
        return Fresh(current.version, digest or held.hash, now, text(not_after))

    def state(self, version: int) -> State:
        now = self.site.clock.now()
        known = Snapshot(lockdown=True, facts=(Moved("zoe", now, inside=True),), positions={})
        return State(version, text(now), snapshot.pack(known))

    def ack(self, journal: str | None = None) -> Ack:
        held = self.site.edge.storage.writer.journal
        return Ack(journal or (held.id if held else ""), held.last_seq if held else 0)

    def command(self, nonce: str, after: Instant = 0, lasts: Instant = 10 * SECOND, **fields: Any) -> Command:
        issued = self.site.clock.now() + after
        fields = {"order": Order.OPEN, "place": "front"} | fields
        return Command(nonce, text(issued), text(issued + lasts), by="forge", **fields)

    def entry(self, door: str, seq: int = 1) -> bytes:
        """A row by which Rémy came in at a door."""
        at = text(self.site.clock.now())
        whom = {"access_point": door, "reader": f"{door}-in", "member": "remy"}
        granted = {"granted": True, "reason": Reason.STAFFED_HOURS, "credential": "00" * 16}
        row = Row(seq, at, seq, "boot", ClockState.SYNCED, Kind.TAP, **whom, **granted)  # type: ignore[arg-type]
        return wire_row.encode(row)


# Tampering: a genuine message, and what somebody without the key makes of it


def flipped(luck: Random, message: Message) -> Message:
    topic, payload = message
    spoilt = bytearray(payload)
    spoilt[luck.randrange(len(spoilt))] ^= 1 << luck.randrange(8)
    return topic, bytes(spoilt)


def cut(luck: Random, message: Message) -> Message:
    return message[0], message[1][: luck.randrange(len(message[1]))]


def lengthened(luck: Random, message: Message) -> Message:
    return message[0], message[1] + luck.choice((b"}", b" {}", b"\0", luck.randbytes(4)))


def rewritten(luck: Random, message: Message) -> Message:
    """One value of the body is another, under the old signature."""
    sealed = msgspec.json.decode(message[1], type=_Sealed)
    body = msgspec.json.decode(sealed.body)
    key = luck.choice(list(body))
    others: list[Any] = [value for value in OTHERS if value != body[key]]
    body[key] = luck.choice(others)
    return message[0], _written(sealed.by, sealed.sig, msgspec.json.encode(body))


def resigned(luck: Random, message: Message) -> Message:
    """Signed anew with a key that may not: a stranger's, or that of an edge, in anybody's name."""
    sealed = msgspec.json.decode(message[1], type=_Sealed)
    keys: dict[str, Ed25519PrivateKey] = {"stranger": STRANGER, **KEYS}
    signer = luck.choice([name for name in keys if name != sealed.by])
    by = luck.choice((sealed.by, signer, ""))
    return message[0], seal(keys[signer], by, message[0], bytes(sealed.body))


def borrowed(luck: Random, message: Message) -> Message:
    """Another signature: of other bytes, random, empty, or with bits to spare."""
    sealed = msgspec.json.decode(message[1], type=_Sealed)
    genuine = b64decode(sealed.sig)
    last = BASE64[BASE64.index(sealed.sig[-3]) ^ luck.randint(1, 15)]
    spare = sealed.sig[:-3] + last + "=="
    other = SERVER_KEY.sign(luck.randbytes(20))
    sig = luck.choice((b64encode(other).decode(), b64encode(luck.randbytes(64)).decode(), "", sealed.sig[:-2], spare))
    sig = sig if sig != sealed.sig else b64encode(genuine[::-1]).decode()
    return message[0], _written(sealed.by, sig, bytes(sealed.body))


TAMPERINGS: tuple[Callable[[Random, Message], Message], ...] = (flipped, cut, lengthened, rewritten, resigned, borrowed)


def moved(luck: Random, letters: dict[str, Message]) -> Message:
    """A genuine payload on the topic of another."""
    name = luck.choice(list(letters))
    topic = luck.choice([topic for topic, _ in letters.values() if topic != letters[name][0]])
    return topic, letters[name][1]


def _written(by: str, sig: str, body: bytes) -> bytes:
    return msgspec.json.encode(_Sealed(by, sig, Raw(body)))


# Honest signatures under what may not be believed


def dishonest_to_edge(letters: Letters) -> dict[str, Message]:
    """By name: signed as it should be, and still to be refused."""
    topics, now = letters.site.topics, letters.site.clock.now()
    held = letters.site.publisher.current
    expired = replace(letters.rules(LATER), not_after=text(now - 1))
    readers = held.rules.readers
    swapped = {"front-in": readers["garage-in"], **{name: readers[name] for name in readers if name != "front-in"}}
    return {
        "older rules": letters.server(topics.rules, letters.rules(held.version - 1)),
        "expired rules": letters.server(topics.rules, expired),
        "another site's rules": letters.server(topics.rules, letters.rules(LATER, site="elsewhere")),
        "rules with foreign readers": letters.server(topics.rules, letters.rules(LATER, readers=swapped)),
        "other rules of one version": letters.server(topics.rules, letters.rules(held.version, credentials={})),
        "a confirmation of others": letters.server(topics.fresh, letters.fresh(now + 30 * DAY, "0" * 64)),
        "an older confirmation": letters.server(topics.fresh, letters.fresh(now + HOUR)),
        "an older state": letters.server(topics.state, letters.state(0)),
        "another journal's ack": letters.server(topics.ack("front"), letters.ack("elsewhere")),
        "a command to another edge": (
            topics.command("front"),
            letters.server(topics.command("garage"), letters.command("misled"))[1],
        ),
        "facts about a foreign reader": letters.edge(
            "garage", topics.facts("garage"), Facts("g", (Raw(letters.entry("front")),))
        ),
        "facts in the edge's own name": letters.edge(
            "front", topics.facts("front"), Facts("g", (Raw(letters.entry("front")),))
        ),
        "facts of nobody's edge": letters.edge(
            "garage", topics.facts("cellar"), Facts("g", (Raw(letters.entry("garage")),))
        ),
    }


def refused_commands(letters: Letters, mark: str) -> dict[str, Message]:
    """By name: signed commands that the edge must not carry out.

    mark: never used before, so that what is wrong decides, and not that one like it was refused already.
    """
    command = letters.site.topics.command("front")
    return {
        name: letters.server(command, order)
        for name, order in {
            "a late command": letters.command(f"late {mark}", after=-11 * SECOND),
            "a command from the future": letters.command(f"early {mark}", after=HOUR),
            "a command that lasts too long": letters.command(f"long {mark}", lasts=DAY),
            "a command seen before": letters.command(SEEN),
            "a command for another door": letters.command(f"foreign {mark}", place="garage"),
            "a machine's order for a door": letters.command(f"odd {mark}", order=Order.LOCK_OUT, place="front"),
        }.items()
    }


SEEN, PENDING = "seen", "pending"
"""Nonces: of a command that was carried out before the attack began, and of one to the front door, not yet answered."""


def dishonest_to_server(letters: Letters, mark: str) -> dict[str, Message]:
    """By name: signed by an edge that was stolen, and still to change nothing. mark: as of refused_commands."""
    topics = letters.site.topics
    foreign = Events(f"stolen {mark}", (Raw(letters.entry("front")),))
    yesterday = text(letters.site.clock.now() - DAY)
    old = Status(online=True, at=yesterday, clock=ClockState.SYNCED, software="of yesterday")
    return {
        "rows behind a gap": letters.edge(
            "garage", topics.events("garage"), Events(f"gap {mark}", (Raw(letters.entry("garage", seq=9)),))
        ),
        "rows about a foreign reader": letters.edge("garage", topics.events("garage"), foreign),
        "an old status": letters.edge("front", topics.status("front"), old),
        "a reply for another edge": letters.edge("garage", topics.reply("garage"), Reply(PENDING, done=True)),
        "facts": letters.edge("garage", topics.facts("garage"), Facts("g", (Raw(letters.entry("garage")),))),
    }
