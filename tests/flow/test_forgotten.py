"""A broker that forgets what an edge subscribed to, the connection whole: does the edge hear the server again?"""

from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from edge.config import load
from edge.journal import Journal
from edge.link import Link
from edge.message_verifier import subscriptions
from edge.outbox import FIRST_PATIENCE
from edge.runtime import Edge
from edge.status import farewell
from edge.work_items import WorkItem
from simulator.clock import VirtualClock
from simulator.pins import SimulatedPins
from simulator.reader import SimulatedReader
from tests.support_broker import BROKERS, PATIENCE, Peer
from tests.support_edge import TOPICS, Folder, make_folder
from tests.support_site import ALICE, at
from wire.messages import Ack

SERVER = "a password for the server"
QUICK = (0.05, 0.1)


class Door:
    """An edge in virtual time, over the real link. came: what the link handed over."""

    def __init__(self, folder: Folder, port: int) -> None:
        self._folder = folder
        config = load(folder.replace("port = 1883", f"port = {port}"))
        self.clock = VirtualClock(start=at(10))
        self.topics = subscriptions(config)
        self.came: SimpleQueue[WorkItem] = SimpleQueue()
        self.readers = [SimulatedReader(name, self.clock) for name in config.readers]
        self.edge = Edge(
            config,
            clock=self.clock,
            readers=self.readers,
            pins=SimulatedPins(config.outputs, config.inputs, self.clock),
            link=lambda put: Link(
                config.broker,
                "an-edge",
                self.topics,
                lambda: farewell(config, self.clock.now()),
                self._both(put),
                QUICK,
            ),
        )
        assert isinstance(self.edge.link, Link)
        self.link = self.edge.link

    def answer(self) -> bytes:
        """The server's acknowledgement of all that there is."""
        return self._folder.sealed(TOPICS.ack("front"), Ack(self.journal.id, self.journal.last_seq))

    def _both(self, put: Callable[[WorkItem], None]) -> Callable[[WorkItem], None]:
        def take(item: WorkItem) -> None:
            put(item)
            self.came.put(item)

        return take

    def until(self, done: Callable[[], bool]) -> None:
        """Take what comes over the link until it is so. amqtt delivers what it retains twice."""
        while not done():
            self.came.get(timeout=PATIENCE)
            self.turn()

    def turn(self) -> None:
        for _ in range(3):
            self.edge.turn()

    def forgotten(self) -> None:
        """The broker delivers nothing any more, and the connection stands."""
        done: SimpleQueue[None] = SimpleQueue()
        client = self.link._client
        assert client is not None
        client.on_unsubscribe = lambda *_: done.put(None)
        client.unsubscribe(list(self.topics))
        done.get(timeout=PATIENCE)

    @property
    def journal(self) -> Journal:
        found = self.edge.storage.writer.journal
        assert found is not None
        return found

    @property
    def owes(self) -> int:
        return self.journal.last_seq - self.journal.acknowledged


@pytest.mark.parametrize("name", BROKERS)
def test_an_edge_that_was_forgotten_hears_its_acknowledgements_again(name: str, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "site")
    with BROKERS[name]({"front": folder.password, "server": SERVER}, tmp_path) as port:
        server = Peer(port, "server", SERVER, TOPICS.events("front"))
        door = Door(folder, port)
        door.turn()
        door.link.start()
        door.until(lambda: door.edge.storage.sender.connected)
        server.next()
        door.forgotten()

        server.publish(TOPICS.ack("front"), door.answer(), retain=True)
        door.turn()
        assert door.owes > 0, "an answer that it cannot hear"
        for _ in range(4):
            door.clock.advance(round(FIRST_PATIENCE / 3 * 1e9))
            door.turn()
        door.until(lambda: door.owes == 0)
        door.readers[0].lay(ALICE)
        door.turn()
        assert door.owes > 0
        server.publish(TOPICS.ack("front"), door.answer(), retain=True)
        door.until(lambda: door.owes == 0)
        server.close()
        door.edge.stop()
