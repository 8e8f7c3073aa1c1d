"""How long does a message take to an edge, and its answer back, through a broker without us? Real links, QoS 1 back."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from edge.config import BrokerConfig, Config
from edge.identity import Identity
from edge.link import Link
from edge.status import farewell
from edge.work_items import LinkUp, Received
from keys.keyring import Keyring
from keys.mosquitto import CA, CERTIFICATE, KEY
from server.config import BrokerConfig as ServerBroker
from server.identity import Identity as ServerIdentity
from server.link import Link as ServerLink
from simulator.loopback import HOST
from wire.topics import Topics

PATIENCE = 30.0
ANSWER = 64
"""Bytes of a message that come back."""
FIRST = b"first"
AGAIN = 0.2
"""Seconds until it is sent again."""


def edge_broker(folder: Path, port: int, name: str) -> BrokerConfig:
    """folder: where the edge's certificate and key lie."""
    return BrokerConfig(HOST, port, name, "", Identity(folder / CA, folder / CERTIFICATE, folder / KEY))


def server_broker(keyring: Keyring, port: int) -> ServerBroker:
    folder = keyring.server
    return ServerBroker(HOST, port, "server", "", ServerIdentity(folder / CA, folder / CERTIFICATE, folder / KEY))


def hops(keyring: Keyring, port: int, name: str, payloads: Iterable[bytes]) -> Iterator[float]:
    """Seconds from the server's word to edge `name` until its answer, for each payload; the next waits for it."""
    topics, back = Topics(keyring.site.site), SimpleQueue[bytes]()
    up, ready = threading.Event(), threading.Event()

    def heard(item: Any) -> None:
        if isinstance(item, LinkUp):
            ready.set()
        elif isinstance(item, Received):
            edge.publish(topics.reply(name), item.payload[:ANSWER])

    server = ServerLink(server_broker(keyring, port), topics, lambda _, payload: back.put(payload), up.set)
    edge = Link(
        edge_broker(keyring.edge(name), port, name),
        name,
        (topics.command(name),),
        lambda: (topics.status(name), b"gone"),
        heard,
    )
    server.start()
    edge.start()
    if not (up.wait(PATIENCE) and ready.wait(PATIENCE)):
        raise TimeoutError("the bench's links do not come up")
    _await_subscription(lambda: server.send(topics.command(name), FIRST), back)
    for payload in payloads:
        started = time.monotonic()
        server.send(topics.command(name), payload)
        while back.get(timeout=PATIENCE) != payload[:ANSWER]:
            pass
        yield time.monotonic() - started
    edge.stop()
    server.stop()


def _await_subscription(send: Callable[[], object], back: "SimpleQueue[bytes]") -> None:
    """Until the broker has the edge's subscription: what the server says before that goes nowhere."""
    for _ in range(round(PATIENCE / AGAIN)):
        send()
        try:
            back.get(timeout=AGAIN)
        except Empty:
            continue
        return
    raise TimeoutError("the bench's edge does not answer")


def await_rules(config: Config) -> None:
    """Until the broker serves this edge the server's rules: the server then hears what edges say.

    Raises TimeoutError.
    """
    served = threading.Event()

    def heard(item: Any) -> None:
        if isinstance(item, Received):
            served.set()

    def gone() -> tuple[str, bytes]:
        return farewell(config, time.time_ns() // 1_000_000)

    link = Link(config.broker, "looks for rules", (Topics(config.site).rules,), gone, heard)
    link.start()
    try:
        if not served.wait(PATIENCE):
            raise TimeoutError("the bench's server does not publish its rules")
    finally:
        link.stop(gone())
