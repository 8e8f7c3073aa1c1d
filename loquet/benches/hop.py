"""How long does a message take to an edge, and its answer back, through a broker without us? Real links, QoS 1 back."""

import threading
import time
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from typing import Any

from edge.config import BrokerConfig
from edge.identity import Identity
from edge.link import Link
from edge.post import LinkUp, Received
from loquet.broker import HOST
from loquet.keyring import Keyring
from loquet.mosquitto import CA, CERTIFICATE, KEY
from server.config import BrokerConfig as ServerBroker
from server.identity import Identity as ServerIdentity
from server.link import Link as ServerLink
from wire.topics import Topics

PATIENCE = 30.0
ANSWER = 64
"""Bytes of a message that come back."""


def edge_broker(keyring: Keyring, port: int, name: str) -> BrokerConfig:
    folder = keyring.edge(name)
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
        edge_broker(keyring, port, name), name, (topics.command(name),), lambda: (topics.status(name), b"gone"), heard
    )
    server.start()
    edge.start()
    if not (up.wait(PATIENCE) and ready.wait(PATIENCE)):
        raise TimeoutError("the bench's links do not come up")
    for payload in payloads:
        started = time.monotonic()
        server.send(topics.command(name), payload)
        while back.get(timeout=PATIENCE) != payload[:ANSWER]:
            pass
        yield time.monotonic() - started
    edge.stop()
    server.stop()
