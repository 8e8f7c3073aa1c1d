"""Brokers for tests, each on a free port of loopback, with a log-in: the embedded one and, if installed, mosquitto."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from loquet.broker import HOST, Broker, free_port, quiet

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") or ""
MOSQUITTO_PASSWD = shutil.which("mosquitto_passwd") or ""
PATIENCE = 10.0
"""Seconds after which a test gives up waiting."""


@contextmanager
def embedded(users: Mapping[str, str], folder: Path, port: int = 0) -> Iterator[int]:
    """amqtt in a thread; its port."""
    quiet()
    broker = Broker(users, port)
    broker.start()
    try:
        yield broker.port
    finally:
        broker.stop()


@contextmanager
def mosquitto(users: Mapping[str, str], folder: Path, port: int = 0) -> Iterator[int]:
    """A real mosquitto as a child process, without persistence; its port."""
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
    child = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_port(port)
        yield port
    finally:
        child.terminate()
        child.wait(PATIENCE)


BROKERS = {"embedded": embedded} | ({"mosquitto": mosquitto} if MOSQUITTO and MOSQUITTO_PASSWD else {})
"""By name, for parametrised fixtures."""


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

    def __init__(self, port: int, name: str, password: str, *topics: str) -> None:
        self._arrived: SimpleQueue[MQTTMessage] = SimpleQueue()
        self._subscribed: SimpleQueue[bool] = SimpleQueue()
        self._client = Client(CallbackAPIVersion.VERSION2, f"peer-{name}", protocol=MQTTv311)
        self._client.username_pw_set(name, password)
        self._client.on_message = lambda _, __, message: self._arrived.put(message)
        self._client.on_connect = lambda client, *_: client.subscribe([(topic, 1) for topic in topics or ("none",)])
        self._client.on_subscribe = lambda *_: self._subscribed.put(True)
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

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
