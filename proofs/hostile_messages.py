"""What if what comes over MQTT is hostile? Bytes of any sort, genuine messages spoilt, honest keys under rubbish."""

import zlib
from random import Random
from typing import Any

import msgspec
from msgspec.structs import replace

from proofs.attacked import KEYS, SERVER_KEY, Attacked
from proofs.forgeries import Letters
from wire.envelope import seal
from wire.packing import pack_json

TO_EDGE = ("rules", "fresh", "state", "ack", "command", "facts")
TO_SERVER = ("events", "status", "reply", "facts")
TEXTS = ("", "open", "front", "front-in", "2026-03-03T09:00:00.000Z", "9999-12-31T23:59:59Z", "x" * 500, "é\u0000")
LARGEST = 2**31
"""A site whose edge holds such a version is given up."""
KEYS_OF_MESSAGES = (
    "version", "issued", "not_after", "body", "hash", "journal", "rows", "seq", "nonce", "order", "place", "at",
    "mono_ms", "boot", "clock", "kind", "access_point", "reader", "member", "granted", "reason", "pending", "settles",
    "pays", "online",
)  # fmt: skip


class Messages:
    """A site under attack; each round is one payload for its edge and one for its server. Close it."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._site = Attacked()
        self._site.tap("alice")
        self._site.pass_time(6.0)
        self._good = [payload for _, payload in [*self._site.retained.items(), *self._site.sent]]

    def close(self) -> None:
        self._site.close()

    def to_edge(self, luck: Random) -> str | None:
        """One payload for the edge; what went wrong, None for nothing."""
        topics = self._site.topics
        leaf = luck.choice(TO_EDGE)
        by = "garage" if leaf == "facts" else "server"
        topic = {"rules": topics.rules, "fresh": topics.fresh, "state": topics.state}.get(leaf)
        topic = topic or getattr(topics, leaf)("garage" if leaf == "facts" else "front")
        packed = leaf in ("rules", "state") and luck.random() < 0.5
        payload = self._packed(luck, leaf, topic) if packed else self._payload(luck, topic, by)
        try:
            self._site.say(topic, payload)
            self._site.exchange()  # what it heard may have told a time: until it knows better, commands are late
        except Exception as error:
            return f"{topic}: the edge broke down: {type(error).__name__}: {error}: {payload[:400]!r}"
        if self._site.unlocked:
            return f"{topic}: the strike moved: {payload[:400]!r}"
        if max(self._held("rules"), self._held("state")) >= LARGEST:
            self.close()
            self._begin()  # no later version would be believed
        return None

    def to_server(self, luck: Random) -> str | None:
        """One payload for the server; what went wrong, None for nothing."""
        by = luck.choice(("front", "garage"))
        topic = getattr(self._site.topics, luck.choice(TO_SERVER))(by)
        payload = self._payload(luck, topic, by)
        try:
            self._site.tell(topic, payload)
        except Exception as error:
            return f"{topic}: ingest broke down: {type(error).__name__}: {error}: {payload[:400]!r}"
        return None

    def _packed(self, luck: Random, leaf: str, topic: str) -> bytes:
        """Rules or a state that the server signed, and whose packed body is spoilt, or unpacks to something else."""
        letters = Letters(self._site)
        version = luck.choice((1, self._held(leaf) + 1))
        message = letters.rules(version) if leaf == "rules" else letters.state(version)
        if luck.random() < 0.5:
            return letters.server(topic, replace(message, body=_spoilt(luck, message.body)))[1]
        body = msgspec.json.decode(zlib.decompress(message.body))
        _exchange(luck, body)
        return letters.server(topic, replace(message, body=pack_json(body)))[1]

    def _held(self, leaf: str) -> int:
        """The version that the edge holds."""
        core = self._site.edge.control.controller.core
        return core.knowledge.version if leaf == "state" else core.held.version if core.held else 0

    def _payload(self, luck: Random, topic: str, by: str) -> bytes:
        drawn = luck.random()
        if drawn < 0.2:
            return luck.randbytes(luck.randrange(300))
        if drawn < 0.4:
            return _spoilt(luck, luck.choice(self._good))
        key = SERVER_KEY if by == "server" else KEYS[by]
        body = self._near_body(luck) if drawn < 0.8 else msgspec.json.encode(_tree(luck, 3))
        return seal(key, by, topic, body)

    def _near_body(self, luck: Random) -> bytes:
        """A genuine body with values exchanged."""
        body = msgspec.json.decode(msgspec.json.decode(luck.choice(self._good), type=_Sealed).body)
        _exchange(luck, body)
        return msgspec.json.encode(body)


class _Sealed(msgspec.Struct):
    body: msgspec.Raw


def _exchange(luck: Random, node: Any) -> None:
    """Put something else into one place of a tree."""
    while isinstance(node, dict | list) and node:
        key = luck.choice(list(node)) if isinstance(node, dict) else luck.randrange(len(node))
        if luck.random() < 0.3 or not isinstance(node[key], dict | list):
            node[key] = _tree(luck, 1)
            return
        node = node[key]


def _spoilt(luck: Random, good: bytes) -> bytes:
    spoilt = bytearray(good)
    for _ in range(luck.randint(1, 5)):
        spoilt[luck.randrange(len(spoilt))] = luck.randrange(256)
    return bytes(spoilt[: luck.randrange(len(spoilt)) if luck.random() < 0.2 else len(spoilt)])


def _tree(luck: Random, depth: int) -> Any:
    """Any JSON value, with keys that messages have."""
    drawn = luck.random()
    if depth and drawn < 0.5:
        return {luck.choice(KEYS_OF_MESSAGES): _tree(luck, depth - 1) for _ in range(luck.randrange(6))}
    if depth and drawn < 0.65:
        return [_tree(luck, depth - 1) for _ in range(luck.randrange(4))]
    return luck.choice((None, True, False, 0, -1, 1, 2**53, 2**63, 1.5, luck.choice(TEXTS), luck.choice(TEXTS)))
