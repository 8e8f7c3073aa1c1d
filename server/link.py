"""How does the server reach the broker? The one file of the server that knows MQTT.

The broker needs no memory: at every connect all that it should retain is published again.
"""

import logging
import socket
import ssl
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from server import identity
from server.config import BrokerConfig
from wire.pauses import Pauses
from wire.topics import Topics

log = logging.getLogger("loquet.server")

HEARD_QOS, SAID_QOS = 1, 0
"""What the server says is not repeated by MQTT: after a reconnect paho would send old messages behind newer ones."""
HEARD = ("events", "status", "reply")
"""Of what edges say: their facts come as events too."""
KEEPALIVE = 15
"""Seconds of silence after which the broker is asked whether it is there, and as many until it is given up."""
ANSWER = 5.0
"""Seconds for the broker's part in TCP and TLS."""
RETRY_FIRST, RETRY_LAST = 1, 30
"""Seconds between attempts to reach the broker (wire/pauses.py)."""
HUNG_UP = "hung up before it let us in; see that broker.certificate is of its own authority"
MUTE = "takes the connection and says nothing; see that mosquitto listens there, like loquet.conf; restart it"
TWIN = (
    "soon ends each connection: another machine seems to have the server's keys, and the two throw each other out; "
    "stop the one that is not to be here (docs/keys.md)"
)


class _Client(Client):
    """Comes back after a mistake, of ours or paho's own: its thread would end, and the server hear nothing more."""

    def loop_forever(self, timeout: float = 1.0, retry_first_connection: bool = False) -> MQTTErrorCode:
        """What the thread of `loop_start` runs."""
        while True:
            try:
                return super().loop_forever(timeout, retry_first_connection)
            except Exception:
                log.exception("broker: the link broke down; it connects anew")
                time.sleep(RETRY_FIRST)
                with suppress(OSError):  # then it is tried again
                    self.reconnect()


def retained(broker: BrokerConfig, site: str, topic: str, within: float = ANSWER) -> bytes | None:
    """What the broker keeps on a topic; None where there is none, or no answer. For a server that does not run."""
    kept, arrived = list[bytes](), Event()

    def take(_client: Client, _data: Any, message: MQTTMessage) -> None:
        kept.append(bytes(message.payload))
        arrived.set()

    link = Link(broker, Topics(site), lambda _topic, _payload: None, lambda: None)
    client = link._new_client()
    client.on_connect = lambda joined, *_: joined.subscribe(topic, HEARD_QOS)
    client.on_message = take
    with suppress(OSError):
        client.connect(broker.host, broker.port, KEEPALIVE)
        client.loop_start()
        arrived.wait(within)
    client.disconnect()
    client.loop_stop()
    return kept[0] if kept else None


class Link:
    """received(topic, payload) and connected() are called in MQTT's own thread: they must only hand on."""

    def __init__(
        self,
        broker: BrokerConfig,
        topics: Topics,
        received: Callable[[str, bytes], None],
        connected: Callable[[], None],
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._received = received
        self._connected = connected
        self._lock = Lock()
        self._retained: dict[str, bytes] = {}
        self.up = False
        self._up_at = 0.0
        self._pauses = Pauses(RETRY_FIRST, RETRY_LAST)
        self._why = ""
        self._tls = None if broker.identity is None else identity.context(broker.identity)
        self._client: Client | None = None
        """From `start` to `stop`: paho closes its sockets with the last reference to it."""

    def start(self) -> None:
        """Connect in the background, and again whenever the link is lost."""
        client = self._client = self._new_client()
        client.connect_async(self._broker.host, self._broker.port, KEEPALIVE)
        client.loop_start()

    def stop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
        self.up = False

    def _new_client(self) -> Client:
        name = f"loquet-server-{self._topics.site}"
        client = _Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv311)
        if self._tls is None:
            client.username_pw_set(self._broker.username, self._broker.password)
        else:
            client.tls_set_context(self._tls)
        client.reconnect_delay_set(RETRY_FIRST, RETRY_LAST)
        client.connect_timeout = ANSWER
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_open = _without_delay
        return client

    def retain(self, topic: str, payload: bytes) -> None:
        """Publish, and publish again at every connect, until something else is retained on the topic."""
        with self._lock:  # to the end: an older message must not overtake a newer one
            self._retained[topic] = payload
            self._publish(topic, payload, retain=True)

    def send(self, topic: str, payload: bytes) -> bool:
        """Publish once, to whoever listens now; False, and nothing is sent, while there is no broker."""
        return self._publish(topic, payload, retain=False)

    def _publish(self, topic: str, payload: bytes, *, retain: bool) -> bool:
        client = self._client
        if client is None or not self.up:
            return False
        client.publish(topic, payload, SAID_QOS, retain)
        return True

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._down(f"refuses us ({reason}); check user name and password")
            return
        client.subscribe([(f"loquet/{self._topics.site}/edge/+/{leaf}", HEARD_QOS) for leaf in HEARD])
        with self._lock:
            self.up, self._up_at, self._why = True, time.monotonic(), ""
            for topic, payload in self._retained.items():
                client.publish(topic, payload, SAID_QOS, retain=True)
        log.info("broker %s:%d: connected", *self._address)
        self._connected()

    def _on_connect_fail(self, _client: Client, _data: Any) -> None:
        """Nobody answers there, or not as our broker would: paho is handling what happened."""
        self._pauses.after(None, ended=False)
        self._down(_remedy(sys.exception()))

    def _on_disconnect(
        self, client: Client, _data: Any, _flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        silent = reason == "Keep alive timeout"
        if reason.is_failure and self.up:
            pause = self._pauses.after(time.monotonic() - self._up_at, ended=not silent)
            client.reconnect_delay_set(int(pause), RETRY_LAST)  # with which paho begins after each that came up
            self._down(TWIN if self._pauses.twin else f"lost ({reason})")
        elif silent:
            self._down(MUTE)
        elif reason.is_failure and self._broker.identity is not None:
            self._down(HUNG_UP)
        self.up = False

    def _down(self, why: str) -> None:
        """Said once for each reason, however often it is tried."""
        if why != self._why:
            log.warning("broker %s:%d: %s; trying again", *self._address, why)
        self._why = why

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        try:
            self._received(message.topic, bytes(message.payload))
        except Exception:  # paho's thread would end with it, and the server hear nothing any more
            log.exception("%s: not taken in", message.topic)

    @property
    def _address(self) -> tuple[str, int]:
        return self._broker.host, self._broker.port


def _remedy(error: BaseException | None) -> str:
    """Why nobody was reached, and what would help."""
    if isinstance(error, TimeoutError) and "handshake" in str(error):
        return MUTE
    why = f"{getattr(error, 'strerror', None) or error}; see that it runs there"
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message.rstrip(".")
        why = f"its certificate is refused: {said}; see broker.host, broker.ca and this machine's clock"
    return f"cannot be reached ({why})"


def _without_delay(_client: Client, _data: Any, opened: Any) -> None:
    """Nagle's algorithm would hold a small packet back for 40 ms."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
