"""Brokers for tests, each on a free port of loopback, with a log-in: the embedded one and, if installed, mosquitto.

Both are child processes, so that they can be killed as they stand. Run as a program, this is the embedded one:
`python -m tests.support_broker PORT`, with user names and passwords as JSON on its standard input.
"""

import json
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv311, topic_matches_sub
from paho.mqtt.enums import CallbackAPIVersion

from simulator.broker import Broker
from simulator.loopback import HOST, free_port

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") or ""
MOSQUITTO_PASSWD = shutil.which("mosquitto_passwd") or ""
PATIENCE = 10.0
"""Seconds after which a test gives up waiting."""


@contextmanager
def embedded(users: Mapping[str, str], folder: Path, port: int = 0) -> Iterator[int]:
    """amqtt; its port."""
    port = port or free_port()
    command = [sys.executable, "-m", "tests.support_broker", str(port)]
    with listening(command, port, json.dumps(users).encode()):
        yield port


@contextmanager
def mosquitto(users: Mapping[str, str], folder: Path, port: int = 0) -> Iterator[int]:
    """A real mosquitto, without persistence; its port."""
    port = port or free_port()
    passwords = folder / "passwords"
    passwords.write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
    passwords.chmod(0o600)
    subprocess.run([MOSQUITTO_PASSWD, "-U", str(passwords)], check=True)
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} {HOST}\nallow_anonymous false\npassword_file {passwords}\n"
        "persistence false\nset_tcp_nodelay true\nuser root\n"
    )
    with listening([MOSQUITTO, "-c", str(config)], port):
        yield port


@contextmanager
def listening(command: list[str], port: int, told: bytes = b"") -> Iterator[None]:
    """A child process that listens on the port, until it is killed."""
    root = Path(__file__).parent.parent
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)
    try:
        assert child.stdin is not None
        child.stdin.write(told)
        child.stdin.close()
        await_port(port)
        yield
    finally:
        child.kill()
        child.wait(PATIENCE)


BROKERS = {"embedded": embedded, "mosquitto": mosquitto}
"""By name, for parametrised fixtures. `make test` sees that mosquitto is installed."""


def await_port(port: int) -> None:
    """Until somebody listens there."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            socket.create_connection((HOST, port), 0.2).close()
            return
        except OSError:
            continue
    raise TimeoutError(f"nobody listens on port {port}")


class Peer:
    """Another client of the broker: it publishes what a test wants and shows what arrives."""

    def __init__(self, port: int, name: str, password: str, *topics: str, tls: ssl.SSLContext | None = None) -> None:
        self._arrived: SimpleQueue[MQTTMessage] = SimpleQueue()
        self._subscribed: SimpleQueue[bool] = SimpleQueue()
        self._client = Client(CallbackAPIVersion.VERSION2, f"{name}-{secrets.token_hex(4)}", protocol=MQTTv311)
        if tls is None:
            self._client.username_pw_set(name, password)
        else:
            self._client.tls_set_context(tls)
        self._client.on_message = self._take
        self._client.on_connect = lambda client, *_: client.subscribe([(topic, 1) for topic in topics or ("none",)])
        self._client.on_subscribe = lambda *_: self._subscribed.put(True)
        self._topics = topics
        self._client.connect(HOST, port)
        self._client.loop_start()
        self._subscribed.get(timeout=PATIENCE)

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE)

    def next(self, matches: Callable[[MQTTMessage], Any] = lambda _: True) -> MQTTMessage:
        """The next message that matches; those that do not are dropped. Raises TimeoutError."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                message = self._arrived.get(timeout=max(0.0, end - time.monotonic()))
            except Empty:
                raise TimeoutError("no such message arrived") from None
            if matches(message):
                return message

    def _take(self, _: Client, __: object, message: MQTTMessage) -> None:
        """amqtt gives a new client what is retained for others, too."""
        if any(topic_matches_sub(topic, message.topic) for topic in self._topics):
            self._arrived.put(message)

    def close(self) -> None:
        """paho closes its own sockets when the client goes: no ring of callbacks may keep it."""
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_connect = self._client.on_subscribe = self._client.on_message = None


class TlsPeer(Peer):
    """A client with the certificate of a machine's folder (keys/keyring.py), at a proofs/mosquitto.py."""

    def __init__(self, folder: Path, port: int, *topics: str) -> None:
        tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        tls.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        super().__init__(port, folder.name, "", *topics, tls=tls)


if __name__ == "__main__":
    Broker(json.load(sys.stdin), int(sys.argv[1])).start()
    threading.Event().wait()
