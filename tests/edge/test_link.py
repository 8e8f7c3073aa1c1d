"""The link, over the embedded broker and a real mosquitto: what reaches the broker, and what reaches the edge."""

import secrets
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from edge.config import BrokerConfig, Config, load
from edge.devices.plugs import PlugSetup, plugs_farewell
from edge.link import SILENT, Link, connect_plugs
from edge.work_items import LinkDown, LinkUp, Received, WorkItem
from policy.terms import SECOND
from server.publish.rules import FRESH_EVERY
from simulator.loopback import free_port
from tests.support_broker import BROKERS, HOST, PATIENCE, Peer
from tests.support_edge import make_folder

USERS = {"front": "a password for the edge", "server": "a password for the server"}
QUICK = (0.05, 0.1)
STATUS, RULES, EVENTS = "edge/front/status", "rules", "edge/front/events"


@pytest.fixture(scope="module", params=BROKERS)
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with BROKERS[request.param](USERS, tmp_path_factory.mktemp(request.param)) as port:
        yield port


class Receiver:
    """Takes what the link hands over; signs wills by counting them."""

    def __init__(self) -> None:
        self.site = secrets.token_hex(4)
        self.items: SimpleQueue[WorkItem] = SimpleQueue()
        self.wills = 0

    def topic(self, rest: str) -> str:
        """A topic of this test alone: brokers retain what earlier ones said."""
        return f"loquet/{self.site}/{rest}"

    def will(self) -> tuple[str, bytes]:
        self.wills += 1
        return self.topic(STATUS), b"will %d" % self.wills

    def next(self, kind: type[WorkItem] | None = None) -> WorkItem:
        """The next item; with a kind, the next of it."""
        while True:
            try:
                item = self.items.get(timeout=PATIENCE)
            except Empty:
                raise TimeoutError("nothing came over the link") from None
            if kind is None or isinstance(item, kind):
                return item


def link_to(port: int, receiver: Receiver, password: str = USERS["front"], silent: float = SILENT) -> Link:
    config, client = BrokerConfig(HOST, port, "front", password), f"loquet-{receiver.site}-front"
    return Link(config, client, [receiver.topic(RULES)], receiver.will, receiver.items.put, QUICK, silent)


def peer(port: int, receiver: Receiver, *topics: str) -> Peer:
    return Peer(port, "server", USERS["server"], *(receiver.topic(topic) for topic in topics or ("#",)))


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def linked(port: int, receiver: Receiver) -> Iterator[Link]:
    link = link_to(port, receiver)
    link.start()
    assert receiver.next() == LinkUp()
    yield link
    link.stop()


@pytest.fixture
def server(port: int, receiver: Receiver) -> Iterator[Peer]:
    server = peer(port, receiver)
    yield server
    server.close()


def test_messages_go_both_ways(server: Peer, linked: Link, receiver: Receiver) -> None:
    linked.publish(receiver.topic(EVENTS), b"rows")
    assert server.next().payload == b"rows"
    server.publish(receiver.topic(RULES), b"\x00rules")
    assert receiver.next() == Received(receiver.topic(RULES), b"\x00rules")


def test_what_is_retained_is_delivered_at_connect(server: Peer, port: int, receiver: Receiver) -> None:
    server.publish(receiver.topic(RULES), b"retained", retain=True)
    link = link_to(port, receiver)
    link.start()
    assert receiver.next() == LinkUp()
    assert receiver.next() == Received(receiver.topic(RULES), b"retained")
    link.stop()


def test_a_status_is_retained(linked: Link, port: int, receiver: Receiver) -> None:
    linked.publish(receiver.topic(STATUS), b"here", retain=True)
    seen = peer(port, receiver, STATUS)
    assert seen.next().payload == b"here"
    seen.close()


def test_a_farewell_arrives_and_nothing_after_it(server: Peer, linked: Link, receiver: Receiver) -> None:
    linked.stop((receiver.topic(STATUS), b"goodbye"))
    assert server.next(lambda message: message.payload == b"goodbye")
    linked.publish(receiver.topic(STATUS), b"dropped")
    server.publish(receiver.topic(EVENTS), b"end")
    assert server.next(lambda message: message.payload in (b"dropped", b"end")).payload == b"end"


@pytest.mark.parametrize("name", [name for name in BROKERS if name == "mosquitto"])
def test_after_a_farewell_the_will_is_not_published(name: str, tmp_path: Path, receiver: Receiver) -> None:
    """amqtt may publish it all the same; it says the same."""
    with BROKERS[name](USERS, tmp_path) as port:
        server, link = peer(port, receiver), link_to(port, receiver)
        link.start()
        receiver.next(LinkUp)
        link.stop((receiver.topic(STATUS), b"goodbye"))
        server.publish(receiver.topic(EVENTS), b"end")
        assert [server.next().payload for _ in range(2)] == [b"goodbye", b"end"]
        server.close()


def test_without_a_farewell_the_broker_publishes_the_will(server: Peer, linked: Link) -> None:
    linked.stop()
    assert server.next().payload == b"will 1"


@pytest.mark.parametrize("name", BROKERS)
def test_it_connects_anew_when_told_and_sends_what_waits_first(name: str, tmp_path: Path, receiver: Receiver) -> None:
    with BROKERS[name](USERS, tmp_path) as port:
        server, link = peer(port, receiver), link_to(port, receiver)
        link.start()
        receiver.next(LinkUp)
        link.publish(receiver.topic(STATUS), b"an answer")
        link.reconnect("as the server ordered")
        down = receiver.next(LinkDown)
        assert isinstance(down, LinkDown)
        assert "as the server ordered" in down.why
        receiver.next(LinkUp)
        link.publish(receiver.topic(STATUS), b"back")
        assert [server.next().payload for _ in range(2)] == [b"an answer", b"back"], "and no will between"
        link.stop((receiver.topic(STATUS), b"goodbye"))
        server.close()


def test_each_connection_has_a_will_of_its_own(server: Peer, linked: Link, receiver: Receiver) -> None:
    linked.stop()
    assert server.next().payload == b"will 1"
    linked.start()
    assert receiver.next(LinkUp)
    linked.stop()
    assert server.next(lambda message: message.payload != b"will 1").payload == b"will 2"


def test_small_messages_leave_at_once(linked: Link) -> None:
    client = linked._client
    assert client is not None
    opened = client.socket()
    assert isinstance(opened, socket.socket)
    assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_wrong_password_is_said_with_its_remedy(port: int, receiver: Receiver) -> None:
    link = link_to(port, receiver, password="another password")
    link.start()
    down = receiver.next(LinkDown)
    assert isinstance(down, LinkDown)
    assert "refuses 'front'" in down.why
    assert "password" in down.why
    assert "another password" not in down.why
    link.stop()


def test_without_a_broker_it_keeps_trying_and_says_where(receiver: Receiver) -> None:
    port = free_port()
    link = link_to(port, receiver)
    link.start()
    for down in (receiver.next(), receiver.next()):
        assert isinstance(down, LinkDown)
        assert f"{HOST}:{port}: Connection refused: see that the broker runs there" in down.why
    link.publish(receiver.topic(STATUS), b"dropped")
    link.stop()


@pytest.mark.parametrize("name", BROKERS)
def test_a_broker_that_comes_back_empty_is_found_again(name: str, tmp_path: Path, receiver: Receiver) -> None:
    port = free_port()
    link = link_to(port, receiver)
    with BROKERS[name](USERS, tmp_path, port):
        link.start()
        assert receiver.next(LinkUp)
    assert isinstance(receiver.next(), LinkDown)
    with BROKERS[name](USERS, tmp_path, port):
        receiver.next(LinkUp)
        seen = peer(port, receiver)
        link.publish(receiver.topic(STATUS), b"again")
        assert seen.next().payload == b"again"
        seen.close()
        link.stop()


@pytest.mark.parametrize("name", [name for name in BROKERS if name == "mosquitto"])
def test_a_broker_that_forgot_what_an_idle_edge_subscribed_to_is_asked_again(
    name: str, tmp_path: Path, receiver: Receiver
) -> None:
    """The connection stands, no row waits for an answer: nothing but silence says so."""
    with BROKERS[name](USERS, tmp_path) as port:
        link = link_to(port, receiver, silent=1.0)
        link.start()
        assert receiver.next() == LinkUp()
        client = link._client
        assert client is not None
        client.unsubscribe(receiver.topic(RULES))
        server = peer(port, receiver)
        server.publish(receiver.topic(RULES), b"news", retain=True)
        down = receiver.next(LinkDown)
        assert "nothing is delivered any more" in down.why  # type: ignore[union-attr]
        assert receiver.next(Received) == Received(receiver.topic(RULES), b"news")
        server.close()
        link.stop()


def test_an_edge_waits_longer_than_the_server_is_ever_silent() -> None:
    assert SILENT * SECOND > FRESH_EVERY


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_mistake_while_it_hands_on_costs_one_connection(port: int, server: Peer, receiver: Receiver) -> None:
    """The thread of the MQTT library ends with it, and tells nobody."""

    def stumble_once(item: WorkItem) -> None:
        if item == Received(receiver.topic(RULES), b"trip"):
            server.publish(receiver.topic(RULES), b"walk on", retain=True)
            raise ZeroDivisionError("a mistake of ours")
        receiver.items.put(item)

    config = BrokerConfig(HOST, port, "front", USERS["front"])
    link = Link(config, f"loquet-{receiver.site}-front", [receiver.topic(RULES)], receiver.will, stumble_once, QUICK)
    link.start()
    assert receiver.next() == LinkUp()
    server.publish(receiver.topic(RULES), b"trip", retain=True)
    assert isinstance(receiver.next(), LinkDown)
    assert receiver.next(LinkUp) == LinkUp()
    assert receiver.next() == Received(receiver.topic(RULES), b"walk on")
    link.stop()


def test_a_mistake_in_what_is_said_of_an_end_ends_no_link(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = threading.Semaphore(0)

    def stumble(_: WorkItem) -> None:
        tried.release()
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr("edge.link.LAST_DELAY", 0.01)
    broker = BrokerConfig(HOST, free_port(), "front", USERS["front"])
    link = Link(broker, "loquet-front", [], receiver.will, stumble, QUICK)
    link.start()
    assert all(tried.acquire(timeout=PATIENCE) for _ in range(3))
    link.stop()


def test_many_threads_may_publish(server: Peer, linked: Link, receiver: Receiver) -> None:
    def publish(number: int) -> None:
        for count in range(25):
            linked.publish(receiver.topic(EVENTS), b"%d %d" % (number, count))

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    arrived = {server.next().payload for _ in range(100)}
    for thread in threads:
        thread.join()
    assert arrived == {b"%d %d" % (number, count) for number in range(4) for count in range(25)}


def test_stopping_twice_and_before_the_start_is_harmless(receiver: Receiver) -> None:
    link = link_to(free_port(), receiver)
    link.stop()
    link.start()
    link.stop((receiver.topic(STATUS), b"goodbye"))
    link.stop()


# The plugs' own connection

PLUGS = (PlugSetup("plotter", "tasmota", "prise-3", switches=True),)


@pytest.fixture
def plugged(tmp_path: Path, port: int) -> Config:
    """An edge with a plug, whose broker is this one."""
    config = load(make_folder(tmp_path / "site").config)
    return replace(config, plugs=PLUGS, plug_broker=BrokerConfig(HOST, port, "front", USERS["front"]))


def test_a_plug_is_heard_and_told_and_an_edge_that_ends_says_so(plugged: Config, port: int, receiver: Receiver) -> None:
    assert connect_plugs(replace(plugged, plugs=())) is None
    assert connect_plugs(replace(plugged, plug_broker=None)) is None
    makes = connect_plugs(plugged)
    assert makes is not None
    link, ends = makes(receiver.items.put), plugs_farewell(plugged.edge)
    plug = Peer(port, "server", USERS["server"], "cmnd/prise-3/#", ends[0])
    plug.publish("tele/prise-3/LWT", b"Online", retain=True)
    try:
        link.start()
        assert receiver.next(Received) == Received("tele/prise-3/LWT", b"Online")
        link.publish("cmnd/prise-3/POWER", b"OFF")
        told = plug.next()
        assert (told.topic, told.payload, told.retain) == ("cmnd/prise-3/POWER", b"OFF", False)
        link.stop(ends)
        told = plug.next(lambda message: message.topic == ends[0])
        assert (told.topic, told.payload) == ends
    finally:
        link.stop()
        plug.close()
