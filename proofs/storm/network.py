"""Broker and cables: messages are late, come twice, overtake each other, and get lost with a connection.

Within one topic the order of a connection is kept, as MQTT keeps it. The broker remembers nothing over a restart.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from proofs.storm.agenda import Agenda

MS = 1_000_000
QUICK, SLOW = (1 * MS, 30 * MS), (200 * MS, 5_000 * MS)
"""ns from an end to the broker, and from there to the other."""
TWICE = 0.03
"""The share of messages that come a second time."""
REMEMBERED = 20
"""Commands that whoever has the broker may say again."""
AFTER = 50 * MS
"""ns from a cable that is whole again to the connection."""

Deliver = Callable[[str, bytes], None]


@dataclass(eq=False)
class Client:
    """One end. hears: whether it has subscribed to a topic. risen, fallen: its connection came up, or broke.

    risen_ns: when it came up last.
    """

    name: str
    hears: Callable[[str], bool]
    deliver: Deliver
    risen: Callable[[], None]
    fallen: Callable[[], None]
    will: Callable[[], tuple[str, bytes] | None]
    cable: bool = True
    powered: bool = False
    slow: bool = False
    up: bool = False
    connection: int = 0
    risen_ns: int = 0
    _last_words: tuple[str, bytes] | None = None
    _latest: defaultdict[tuple[str, bool], int] = field(default_factory=lambda: defaultdict(int))


class Network:
    """All clients and the broker.

    commands: the newest that came to the broker. withholds: somebody has it, and passes no command on.
    """

    def __init__(self, agenda: Agenda, luck: Random) -> None:
        self.clients: dict[str, Client] = {}
        self.broker = True
        self.flaps = 0
        self.commands: deque[tuple[str, bytes]] = deque(maxlen=REMEMBERED)
        self.withholds = False
        self._agenda = agenda
        self._luck = luck
        self._retained: dict[str, bytes] = {}

    def add(self, client: Client) -> None:
        self.clients[client.name] = client

    def power(self, name: str, on: bool) -> None:
        """Whether the machine at this end runs at all."""
        self.clients[name].powered = on
        self._look(self.clients[name])

    def cable(self, name: str, whole: bool) -> None:
        """Cut a cable, or mend it."""
        self.clients[name].cable = whole
        self._look(self.clients[name])

    def restart_broker(self, running: bool) -> None:
        """The broker ends, and forgets; or runs again."""
        self.broker = running
        if not running:
            self._retained.clear()
        for client in self.clients.values():
            self._look(client)

    def publish(self, name: str, topic: str, payload: bytes, retain: bool = False) -> bool:
        """Send; whether there was a connection to send it on."""
        client = self.clients[name]
        if not client.up:
            return False
        connection = client.connection

        def arrive() -> None:
            if client.up and client.connection == connection:
                self._take(topic, payload, retain)

        self._agenda.at(self._when(client, topic, inward=True), arrive)
        return True

    @property
    def quiet(self) -> bool:
        """Whether every end is connected that could be."""
        return self.broker and all(client.up for client in self.clients.values())

    def _look(self, client: Client) -> None:
        """Make the connection what cable, power and broker allow."""
        possible = client.cable and client.powered and self.broker
        if client.up and not possible:
            self._fall(client)
        elif possible and not client.up:
            connection = client.connection

            def rise() -> None:
                whole = client.cable and client.powered and self.broker
                if whole and not client.up and client.connection == connection:
                    self._rise(client)

            self._agenda.at(self._agenda.clock.ns + AFTER, rise)

    def _rise(self, client: Client) -> None:
        client.up, client.connection, client.risen_ns = True, client.connection + 1, self._agenda.clock.ns
        client._last_words = client.will()
        client._latest.clear()
        self.flaps += 1
        for topic, payload in list(self._retained.items()):
            self._hand_over(client, topic, payload)
        client.risen()

    def _fall(self, client: Client) -> None:
        client.up, client.connection = False, client.connection + 1
        client.fallen()
        if client._last_words is not None and self.broker:
            self._spread(*client._last_words, retain=True)

    def _take(self, topic: str, payload: bytes, retain: bool) -> None:
        if topic.endswith("/command"):
            self.commands.append((topic, payload))
            if self.withholds:
                return
        self._spread(topic, payload, retain)

    def say_again(self, topic: str, payload: bytes) -> None:
        """Whoever has the broker says what came to it."""
        self._spread(topic, payload, retain=False)

    def _spread(self, topic: str, payload: bytes, retain: bool) -> None:
        if not self.broker:
            return
        if retain:
            self._retained[topic] = payload
        for client in self.clients.values():
            if client.up:
                self._hand_over(client, topic, payload)

    def _hand_over(self, client: Client, topic: str, payload: bytes) -> None:
        if not client.hears(topic):
            return
        connection = client.connection

        def deliver() -> None:
            if client.up and client.connection == connection:
                client.deliver(topic, payload)

        for _ in range(1 + (self._luck.random() < TWICE)):
            self._agenda.at(self._when(client, topic, inward=False), deliver)

    def _when(self, client: Client, topic: str, inward: bool) -> int:
        """Never before what went the same way on the same topic."""
        wait = self._luck.randint(*(SLOW if client.slow else QUICK))
        key = topic, inward
        client._latest[key] = max(client._latest[key] + 1, self._agenda.clock.ns + wait)
        return client._latest[key]
