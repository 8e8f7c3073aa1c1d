"""The link to the broker: what is retained comes again, what is said to edges only is signed elsewhere."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from queue import Queue
from threading import Event
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from server.config import BrokerConfig
from server.link import Link, retained
from simulator.loopback import free_port
from tests.support_broker import BROKERS
from tests.support_server import TOPICS

PATIENCE = 10.0
BROKER = BROKERS.get("mosquitto", BROKERS["embedded"])
USERS = {"server": "server-password", "front": "front-password"}


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a broker."""
    with BROKER(USERS, tmp_path_factory.mktemp("broker")) as port:
        yield port


class Held:
    """A link with what it heard, stopped at the end."""

    def __init__(self, port: int, password: str = USERS["server"]) -> None:
        self.heard: Queue[tuple[str, bytes]] = Queue()
        self.connected = Event()
        config = BrokerConfig("127.0.0.1", port, "server", password)
        self.link = Link(config, TOPICS, lambda topic, payload: self.heard.put((topic, payload)), self.connected.set)

    def __enter__(self) -> "Held":
        self.link.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.link.stop()

    def is_served(self) -> None:
        """Until the broker delivers what the link subscribed to, later than it is connected: its own word comes."""
        assert self.connected.wait(PATIENCE)
        self.link.send(TOPICS.events("front"), b"do I hear?")
        assert self.heard.get(timeout=PATIENCE) == (TOPICS.events("front"), b"do I hear?")


class Listener:
    """Somebody at the broker who hears everything, and may speak as an edge."""

    def __init__(self, port: int) -> None:
        self.heard: Queue[tuple[str, bytes, bool]] = Queue()
        self.ready = Event()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="listener", protocol=MQTTv311)
        self.client.username_pw_set("front", "front-password")
        self.client.on_connect = lambda client, *_rest: client.subscribe("loquet/#", 1)
        self.client.on_subscribe = lambda *_rest: self.ready.set()
        self.client.on_message = self._hear
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.ready.wait(PATIENCE)

    def _hear(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self.heard.put((message.topic, bytes(message.payload), message.retain))

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_error: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_what_was_retained_before_the_connect_is_published_at_it(broker: int) -> None:
    with Listener(broker) as listener:
        held = Held(broker)
        held.link.retain(TOPICS.rules, b"old")
        held.link.retain(TOPICS.rules, b"new")
        held.link.retain(TOPICS.ack("front"), b"ack")
        with held:
            heard = {listener.heard.get(timeout=PATIENCE)[:2] for _ in range(2)}
    assert heard == {(TOPICS.rules, b"new"), (TOPICS.ack("front"), b"ack")}


def test_who_comes_later_finds_it_retained(broker: int) -> None:
    with Held(broker) as held:
        assert held.connected.wait(PATIENCE)
        held.link.retain(TOPICS.rules, b"rules")
        with Listener(broker) as first:
            first.heard.get(timeout=PATIENCE)
            with Listener(broker) as later:
                assert later.heard.get(timeout=PATIENCE) == (TOPICS.rules, b"rules", True)


def test_events_and_status_of_every_edge_are_heard_and_nothing_else(broker: int) -> None:
    with Held(broker) as held:
        held.is_served()
        with Listener(broker) as edge:
            for topic in (TOPICS.rules, TOPICS.ack("front"), "loquet/treso/edge/front/events"):
                edge.client.publish(topic, b"not for us", 1)
            edge.client.publish(TOPICS.status("garage"), b"status", 1)
            edge.client.publish(TOPICS.events("front"), b"events", 1)
            heard = [held.heard.get(timeout=PATIENCE) for _ in range(2)]
    assert heard == [(TOPICS.status("garage"), b"status"), (TOPICS.events("front"), b"events")]
    assert held.heard.empty()


def test_a_broker_that_forgot_everything_gets_it_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    with ExitStack() as stack:
        with BROKER(USERS, tmp_path_factory.mktemp("before")) as port:
            held = stack.enter_context(Held(port))
            assert held.connected.wait(PATIENCE)
            held.link.retain(TOPICS.rules, b"rules")
            held.connected.clear()
        stack.enter_context(BROKER(USERS, tmp_path_factory.mktemp("after"), port))
        assert held.connected.wait(PATIENCE)
        with Listener(port) as listener:
            assert listener.heard.get(timeout=PATIENCE)[:2] == (TOPICS.rules, b"rules")
        held.link.stop()


def afterwards(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], object]) -> None:
    """Let a callback of the link's do this, too."""
    usual = getattr(Link, name)
    monkeypatch.setattr(Link, name, lambda *arguments: (usual(*arguments), act()))


def test_a_wrong_password_is_told_and_the_link_stays_down(
    broker: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refused = Event()
    afterwards(monkeypatch, "_on_connect", refused.set)
    with Held(broker, "wrong-password") as held:
        assert refused.wait(PATIENCE)
        assert not held.link.up
    assert f"broker 127.0.0.1:{broker}: refuses us" in caplog.text
    assert "wrong-password" not in caplog.text
    assert "certificate" not in caplog.text


def test_a_broker_that_does_not_answer_is_told_once_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: Queue[None] = Queue()
    afterwards(monkeypatch, "_on_connect_fail", lambda: tries.put(None))
    monkeypatch.setattr("server.link.RETRY_LAST", 1)
    port = free_port()
    with Held(port):
        for _ in range(2):
            tries.get(timeout=PATIENCE)
    assert (
        caplog.text.count(f"broker 127.0.0.1:{port}: cannot be reached (Connection refused; see that it runs there)")
        == 1
    )


def test_small_packets_are_not_held_back(broker: int) -> None:
    with Held(broker) as held:
        assert held.connected.wait(PATIENCE)
        client = held.link._client
        opened = client and client.socket()
        assert opened is not None
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_after_stopping_the_link_is_down(broker: int) -> None:
    with Held(broker) as held:
        assert held.connected.wait(PATIENCE)
        assert held.link.up
    assert not held.link.up


def test_a_mistake_while_it_hands_on_is_logged_and_costs_one_message(
    broker: int, caplog: pytest.LogCaptureFixture
) -> None:
    with Held(broker) as held:
        held.is_served()
        hear = held.link._received

        def stumble(topic: str, payload: bytes) -> None:
            if payload == b"trip":
                raise ZeroDivisionError("a mistake of ours")
            hear(topic, payload)

        held.link._received = stumble
        for payload in (b"trip", b"walk on"):
            held.link.send(TOPICS.events("front"), payload)
        assert held.heard.get(timeout=PATIENCE) == (TOPICS.events("front"), b"walk on")
    assert "a mistake of ours" in caplog.text


@pytest.mark.parametrize(("whose", "broken"), [(Link, "_on_connect"), (Client, "_packet_read")])
def test_a_mistake_anywhere_else_costs_one_connection(
    broker: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, whose: type, broken: str
) -> None:
    """The thread of the MQTT library would end with it, and the server be deaf until its next start."""
    stumbled = Event()
    well = getattr(whose, broken)

    def stumble(*said: Any) -> Any:
        if not stumbled.is_set():
            stumbled.set()
            raise ZeroDivisionError("a mistake of ours")
        return well(*said)

    monkeypatch.setattr(whose, broken, stumble)
    with Held(broker) as held:
        assert held.connected.wait(PATIENCE)
        held.link.send(TOPICS.events("front"), b"heard")
        assert held.heard.get(timeout=PATIENCE) == (TOPICS.events("front"), b"heard")
    assert stumbled.is_set()
    assert "a mistake of ours" in caplog.text


def test_what_the_broker_keeps_is_read_by_a_server_that_does_not_run(broker: int) -> None:
    config = BrokerConfig("127.0.0.1", broker, "server", USERS["server"])
    with Held(broker) as held:
        held.is_served()
        held.link.retain(TOPICS.rules, b"the rules")
        held.is_served()  # it is there, once what was said after it is
    assert retained(config, TOPICS.site, TOPICS.rules) == b"the rules"
    assert retained(config, TOPICS.site, TOPICS.state, within=0.2) is None
    assert retained(BrokerConfig("127.0.0.1", free_port(), "server", "x"), TOPICS.site, TOPICS.rules, 0.2) is None
