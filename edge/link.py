"""How does an edge reach the broker? paho, MQTT 3.1.1, a fresh session for each connection; nothing is remembered here.

Callbacks of paho only put what came into the storage worker's queue. Each connection has a new client: what an earlier
one had not delivered is the journal's business, and a status that is old by now must not arrive after the new one.
"""

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo, MQTTv311, topic_matches_sub
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from edge import identity
from edge.config import BrokerConfig, Config
from edge.devices.plugs import plugs_farewell
from edge.message_verifier import subscriptions
from edge.ports import Clock
from edge.status import farewell
from edge.work_items import LinkDown, LinkUp, Received, WorkItem
from wire.pauses import Pauses

log = logging.getLogger("loquet.edge")

KEEPALIVE = 15
"""Seconds: the broker publishes the will of an edge that was silent for 1.5 times as long. A silent broker is asked
after as many, and given up after as many again."""
ANSWER = 5.0
"""Seconds for the broker's part in TCP and TLS."""
FIRST_DELAY, LAST_DELAY = 1.0, 30.0
"""Seconds from one try to connect to the next, twice as long each time (wire/pauses.py)."""
GOODBYE = 1.0
"""Seconds for the last message to leave."""
DELIVERY = 10.0
"""Seconds after which a connection over which nothing came is suspect: mosquitto grants what it will never deliver."""

SILENT = 2 * 3600.0
"""Seconds over which nothing came, after which to connect anew: the server says each hour that the rules hold. A broker
can forget what an edge subscribed to and keep the connection."""

BROKE = "the connection broke"
HUNG_UP = "the broker hung up before it let us in: see that broker.certificate is of the broker's own authority"
TOOK = "somebody took the connection and says nothing"
MUTE = f"{TOOK}: see that mosquitto, and nothing else, listens there; restart it"
FELL_SILENT = "the broker fell silent: see the network, and that the broker is not stuck"
TWIN = (
    "the broker soon ends each connection: another machine seems to have this edge's keys, and the two throw each "
    "other out; stop the one that is not to be here, and give each a key folder of its own (docs/keys.md)"
)
FORGOTTEN = "connected, but nothing is delivered any more: the broker may have forgotten what this edge subscribed to"
UNSERVED = (
    "connected, but nothing is delivered: see that the server runs, and that this edge is on the broker's list "
    "(loquet.acl; mosquitto reads it when it starts)"
)


class _Client(Client):
    """Says when its thread ends. paho calls on_disconnect for most ends only: not for a mistake in a callback."""

    over: threading.Event

    def loop_forever(self, timeout: float = 1.0, retry_first_connection: bool = False) -> MQTTErrorCode:
        """What the thread of `loop_start` runs."""
        try:
            return super().loop_forever(timeout, retry_first_connection)
        finally:
            self.over.set()


class Link:
    """The connection of one edge. Implements edge/ports.py's `Connection`; may be started again after `stop`.

    topics: what to subscribe to. will: makes the signed message that the broker publishes when the edge is gone.
    put: takes LinkUp, LinkDown and Received, from paho's threads.
    """

    def __init__(
        self,
        broker: BrokerConfig,
        client_id: str,
        topics: Sequence[str],
        will: Callable[[], tuple[str, bytes]],
        put: Callable[[WorkItem], None],
        delays: tuple[float, float] = (FIRST_DELAY, LAST_DELAY),
        silent: float = SILENT,
    ) -> None:
        self._broker = broker
        self._client_id = client_id
        self._topics = topics
        self._will = will
        self._put = put
        self._pauses = Pauses(*delays)
        self._silent = silent
        self._delivered = False
        self._client: Client | None = None
        self._connected = False
        self._why = ""
        self._up_at = 0.0
        self._anew = ""
        self._last: MQTTMessageInfo | None = None
        self._over = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Connect, and connect again whenever the connection breaks, until `stop`."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._thread.start()

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """QoS 1. Dropped when there is no connection."""
        client = self._client
        if client is not None and self._connected:
            self._last = client.publish(topic, payload, qos=1, retain=retain)

    def reconnect(self, why: str) -> None:
        """Take leave of the broker once it has all that was sent, without a will, and come back. why: for the log."""
        if self._connected:
            self._anew = why
            self._over.set()

    def stop(self, farewell: tuple[str, bytes] | None = None) -> None:
        """End the connection. farewell: a last message, retained; without it the broker publishes the will."""
        self._stopping.set()
        client = self._client
        if client is not None and self._connected:
            if farewell is not None:
                _say_goodbye(client, *farewell)
                client.disconnect()
                self._over.wait(GOODBYE)
            else:
                _hang_up(client)
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = LAST_DELAY
            try:
                pause = self._once()
            except Exception:
                log.exception("link: a mistake of ours; tried again after %g s", pause)
            self._stopping.wait(pause)

    def _once(self) -> float:
        """One connection and what is said of its end; the seconds to wait until the next."""
        stood = self._tried()
        pause = self._pauses.after(stood, ended=self._why == BROKE)
        why = TWIN if self._pauses.twin else self._why
        self._put(LinkDown(f"{self._broker.host}:{self._broker.port}: {why}"))
        return pause

    def _tried(self) -> float | None:
        """A session that may fail in any way: without a link the door still opens."""
        try:
            return self._session()
        except Exception as error:
            self._why = f"{type(error).__name__}: {error}"
            return None

    def _session(self) -> float | None:
        """One connection from beginning to end; for how long the broker had taken it, None when it did not."""
        self._over.clear()
        self._anew, self._last = "", None
        if self._stopping.is_set():
            return None
        self._why = BROKE if self._broker.identity is None else HUNG_UP
        self._delivered = False
        client = self._new_client()
        try:
            client.connect(self._broker.host, self._broker.port, KEEPALIVE)
        except OSError as error:
            self._why = _remedy(error, self._broker.identity is not None)
            return None
        self._client = client
        client.loop_start()
        if not self._over.wait(min(DELIVERY, self._silent)) and self._connected and not self._delivered:
            log.warning("link: %s", UNSERVED)
        while not self._over.wait(self._silent):
            if not self._delivered:
                self.reconnect(FORGOTTEN)
            self._delivered = False
        if self._anew and not self._stopping.is_set():
            self._take_leave(client)
        stood = monotonic() - self._up_at if self._connected else None
        self._connected, self._client = False, None
        _hang_up(client)
        client.loop_stop()
        return stood

    def _take_leave(self, client: Client) -> None:
        """What is not acknowledged yet would break the connection as it closes, and the broker publish the will."""
        self._over.clear()
        self._why = self._anew
        if self._last is not None:
            _wait_for(self._last)
        client.disconnect()
        self._over.wait(GOODBYE)

    def _new_client(self) -> Client:
        client = _Client(
            CallbackAPIVersion.VERSION2,
            self._client_id,
            clean_session=True,
            protocol=MQTTv311,
            reconnect_on_failure=False,
        )
        client.over = self._over
        client.connect_timeout = ANSWER
        if self._broker.identity is None:
            client.username_pw_set(self._broker.username, self._broker.password)
        else:
            client.tls_set_context(identity.context(self._broker.identity))
        topic, payload = self._will()
        client.will_set(topic, payload, qos=1, retain=True)
        client.on_socket_open = _no_delay
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _on_connect(self, client: Client, _: Any, __: Any, reason: Any, ___: Any) -> None:
        if reason.is_failure:
            remedy = "see its user name and password" if self._broker.identity is None else "see loquet.acl there"
            self._why = f"the broker refuses {self._broker.username!r} ({reason}): {remedy}"
            return
        client.subscribe([(topic, 1) for topic in self._topics])
        self._why, self._up_at = BROKE, monotonic()
        self._connected = True
        self._put(LinkUp())

    def _on_disconnect(self, _: Client, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        if reason == "Keep alive timeout":
            self._why = FELL_SILENT if self._connected else MUTE
        self._over.set()

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        # amqtt gives a new client what is retained for others, too
        if any(topic_matches_sub(topic, message.topic) for topic in self._topics):
            self._delivered = True
            self._put(Received(message.topic, bytes(message.payload)))


def _no_delay(_: Client, __: Any, opened: Any) -> None:
    """Send small messages at once: with Nagle's algorithm an answer takes 44 ms."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _say_goodbye(client: Client, topic: str, payload: bytes) -> None:
    _wait_for(client.publish(topic, payload, qos=1, retain=True))


def _wait_for(sent: MQTTMessageInfo) -> None:
    """Until the broker has it, for a moment at most."""
    if sent.rc is MQTTErrorCode.MQTT_ERR_SUCCESS:
        sent.wait_for_publish(GOODBYE)


def _hang_up(client: Client) -> None:
    """Break the connection as a pulled cable would: without DISCONNECT the broker publishes the will."""
    opened = client.socket()
    if isinstance(opened, socket.socket):
        with suppress(OSError):  # broken already
            socket.socket.shutdown(opened, socket.SHUT_RDWR)  # TLS would take its session from under the reader


def _remedy(error: OSError, tls: bool) -> str:
    """Why there is no connection, and what would help."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message.rstrip(".")
        return f"the broker's certificate is refused ({said}): see broker.host, broker.ca and this machine's clock"
    hangs = isinstance(error, TimeoutError) and "handshake" in str(error)
    speaks = " and speaks TLS (loquet.conf)" if tls else ""
    return f"{TOOK if hangs else error.strerror or error}: see that the broker runs there{speaks}"


def connect(config: Config, clock: Clock) -> Callable[[Callable[[WorkItem], None]], Link]:
    """What edge/runtime.py needs to make the link of this edge."""
    client_id = f"loquet-{config.site}-{config.edge}"
    return lambda put: Link(config.broker, client_id, subscriptions(config), lambda: farewell(config, clock.now()), put)


def connect_plugs(config: Config) -> Callable[[Callable[[WorkItem], None]], Link] | None:
    """The same for the plugs' broker; None where there is none. Its will says that nobody tells the plugs anything."""
    broker = config.plug_broker
    if broker is None or not config.plugs:
        return None
    topics = [topic for plug in config.plugs for topic in plug.topics(config.edge)]
    return lambda put: Link(broker, f"loquet-plugs-{config.edge}", topics, lambda: plugs_farewell(config.edge), put)
