"""Does the embedded broker carry messages for those with a password, and for nobody else?"""

import socket
from collections.abc import Iterator
from queue import Queue

import paho.mqtt.client as mqtt
import pytest

from simulator.broker import Broker, BrokerError
from simulator.loopback import free_port

USERS = {"server": "a-long-password", "front": "another-password"}
WAIT = 5.0


@pytest.fixture
def broker() -> Iterator[Broker]:
    broker = Broker(USERS)
    broker.start()
    yield broker
    broker.stop()


class Client:
    """A paho client that says what happens to it."""

    def __init__(self, port: int, user: str | None, password: str | None, name: str) -> None:
        self.connected: Queue[bool] = Queue()
        self.messages: Queue[tuple[str, bytes, bool]] = Queue()
        self.subscribed: Queue[None] = Queue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name)
        if user:
            self.client.username_pw_set(user, password)
        self.client.on_connect = lambda *args: self.connected.put(not args[3].is_failure)
        self.client.on_message = lambda *args: self.messages.put((args[2].topic, args[2].payload, args[2].retain))
        self.client.on_subscribe = lambda *args: self.subscribed.put(None)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_it_carries_messages_and_keeps_the_retained_ones(broker: Broker) -> None:
    server = Client(broker.port, "server", USERS["server"], "server")
    assert server.connected.get(timeout=WAIT)
    server.client.publish("loquet/casaco/rules", b"kept", qos=1, retain=True).wait_for_publish(WAIT)
    edge = Client(broker.port, "front", USERS["front"], "front")
    assert edge.connected.get(timeout=WAIT)
    edge.client.subscribe("loquet/casaco/#", qos=1)
    edge.subscribed.get(timeout=WAIT)
    assert edge.messages.get(timeout=WAIT) == ("loquet/casaco/rules", b"kept", True)
    server.client.publish("loquet/casaco/rules/fresh", b"live", qos=1)
    assert edge.messages.get(timeout=WAIT) == ("loquet/casaco/rules/fresh", b"live", False)
    for client in (server, edge):
        client.close()


@pytest.mark.parametrize(
    ("user", "password"),
    [(None, None), ("server", "wrong"), ("server", None), ("nobody", "a-long-password"), ("", "")],
)
def test_without_the_password_nobody_gets_in(broker: Broker, user: str | None, password: str | None) -> None:
    client = Client(broker.port, user, password, "stranger")
    assert client.connected.get(timeout=WAIT) is False
    client.close()


def test_a_second_client_of_the_same_name_ends_the_connection_of_the_first(broker: Broker) -> None:
    """Else the first would stay connected and hear nothing any more."""
    server = Client(broker.port, "server", USERS["server"], "server")
    first = Client(broker.port, "front", USERS["front"], "one-name")
    ended: Queue[None] = Queue()
    first.client.on_disconnect = lambda *_: ended.put(None)
    first.client.subscribe("loquet/#", qos=1)
    first.subscribed.get(timeout=WAIT)
    first.client.reconnect_delay_set(100, 100)
    second = Client(broker.port, "front", USERS["front"], "one-name")
    assert second.connected.get(timeout=WAIT)
    ended.get(timeout=WAIT)
    second.client.subscribe("loquet/#", qos=1)
    second.subscribed.get(timeout=WAIT)
    server.client.publish("loquet/casaco/rules", b"for one of them", qos=1).wait_for_publish(WAIT)
    assert second.messages.get(timeout=WAIT)[1] == b"for one of them"
    assert first.messages.empty()
    for client in (server, first, second):
        client.close()


def test_who_has_only_the_name_of_a_client_takes_nothing_from_it(broker: Broker) -> None:
    server = Client(broker.port, "server", USERS["server"], "server")
    edge = Client(broker.port, "front", USERS["front"], "one-name")
    edge.client.subscribe("loquet/#", qos=1)
    edge.subscribed.get(timeout=WAIT)
    for _ in range(2):
        stranger = Client(broker.port, "front", "wrong", "one-name")
        assert stranger.connected.get(timeout=WAIT) is False
        stranger.close()
        server.client.publish("loquet/casaco/rules", b"still heard", qos=1).wait_for_publish(WAIT)
        assert edge.messages.get(timeout=WAIT)[1] == b"still heard"
    for client in (server, edge):
        client.close()


def test_it_listens_on_loopback_only(broker: Broker) -> None:
    other = socket.gethostbyname(socket.gethostname())
    address = "127.0.0.2" if other.startswith("127.") else other
    with socket.socket() as end:
        assert end.connect_ex((address, broker.port)) != 0


def test_a_port_in_use_is_a_clear_error(broker: Broker) -> None:
    with pytest.raises(BrokerError, match=rf"127.0.0.1:{broker.port}: the broker cannot listen .* choose another"):
        Broker(USERS, broker.port).start()


def test_stopped_it_lets_go_of_the_port() -> None:
    port = free_port()
    for _ in range(2):
        broker = Broker(USERS, port)
        broker.start()
        client = Client(port, "server", USERS["server"], "server")
        assert client.connected.get(timeout=WAIT)
        broker.stop()
        client.close()
