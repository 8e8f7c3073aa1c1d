"""A server without web and broker for tests: what it retains and sends is kept, its clock and link are set."""

from dataclasses import dataclass, field
from itertools import count

from msgspec import Struct

from policy.ruleset import SPEAKS
from policy.terms import Instant
from server.database.engine import Database
from server.exchange import Exchange
from tests.support_pages import CREDENTIAL_KEY, SERVER_KEY
from tests.support_server import FRONT_KEY, TOPICS, Journal, events
from tests.support_site import at
from wire.envelope import seal, unseal
from wire.messages import Command, Message, Reply, Status, decode, encode

SEVEN = at(19)


@dataclass
class Office:
    """retained: by topic, all that was to be kept. sent: what went to whoever listened. changes: of pages."""

    database: Database
    now: Instant = SEVEN
    link_up: bool = True
    retained: dict[str, list[bytes]] = field(default_factory=dict)
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    changes: int = 0
    journal: Journal = field(default_factory=Journal)

    def __post_init__(self) -> None:
        numbers = count(1)
        self.exchange = Exchange(
            self.database,
            TOPICS,
            SERVER_KEY,
            CREDENTIAL_KEY,
            lambda: self.now,
            retain=lambda topic, payload: self.retained.setdefault(topic, []).append(payload),
            send=self._send,
            link_up=lambda: self.link_up,
            changed=self._changed,
            draw=lambda: f"nonce {next(numbers)}",
        )
        self.exchange.start()

    def _send(self, topic: str, payload: bytes) -> bool:
        if self.link_up:
            self.sent.append((topic, payload))
        return self.link_up

    def _changed(self) -> None:
        self.changes += 1

    def last(self, kind: type[Message], topic: str) -> Message:
        """The message retained last on the topic."""
        return decode(kind, unseal(SERVER_KEY.public_key(), "server", topic, self.retained[topic][-1]), topic)

    @property
    def commands(self) -> list[Command]:
        """Those sent to edge `front`."""
        topic = TOPICS.command("front")
        return [decode(Command, unseal(SERVER_KEY.public_key(), "server", t, p), t) for t, p in self.sent if t == topic]

    def front_says(self, leaf: str, message: Struct) -> None:
        """Edge `front` says something, signed."""
        topic = f"loquet/casaco/edge/front/{leaf}"
        self.exchange.take(topic, seal(FRONT_KEY, "front", topic, encode(message)))

    def front_is_there(self, **known: object) -> None:
        self.front_says("status", Status(**{"online": True, "speaks": SPEAKS, **known}))  # type: ignore[arg-type]

    def front_replies(self, nonce: str, *, done: bool = True, why: str = "") -> None:
        self.front_says("reply", Reply(nonce, done, why))

    def tell(self, journal: str = "j1") -> None:
        """The edge delivers its journal."""
        self.exchange.take(TOPICS.events("front"), events(self.journal.rows, journal))
