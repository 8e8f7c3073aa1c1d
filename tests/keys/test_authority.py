"""Every certificate against every topic, on a real mosquitto with the configuration that `loquet keys` makes.

mosquitto acknowledges what it drops and grants what it will not deliver. So its list has two users more: `ear`, who
hears all that was let through, and `mouth`, who may say everything.
"""

import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from keys import certificates, mosquitto, pem
from keys.keyring import Keyring, Site
from proofs.mosquitto import Mosquitto, program
from simulator.loopback import free_port
from tests.support_broker import HOST, PATIENCE, await_port
from wire.envelope import MAX_BYTES
from wire.topics import LEAVES, Topics

TOPICS = Topics("casaco")
EDGES = ("front", "garage", "stolen")
NAMES = ("server", *EDGES)
OF_SITE = (TOPICS.rules, TOPICS.fresh, TOPICS.state)
OF_EDGES = tuple(f"loquet/casaco/edge/{edge}/{leaf}" for edge in (*EDGES, "nobody") for leaf in LEAVES)
ELSEWHERE = ("loquet/treso/rules", "loquet/treso/edge/front/facts", "loquet/casaco/edge/front/x", "loquet", "rules")
EVERYTHING = (*OF_SITE, *OF_EDGES, *ELSEWHERE)
FROM_SERVER, FROM_EDGES = ("ack", "command"), ("facts", "events", "status", "reply")
CONNECT, ACCEPTED = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x0a\x00\x02me", b"\x20\x02\x00\x00"

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""paho leaves the socket of a handshake that failed to the garbage collector."""


def may_write(name: str) -> set[str]:
    """The contract's table, told anew. The edge `stolen` was revoked."""
    if name == "server":
        return {*OF_SITE, *(topic for topic in OF_EDGES if topic.endswith(FROM_SERVER))}
    return set() if name == "stolen" else {f"loquet/casaco/edge/{name}/{leaf}" for leaf in FROM_EDGES}


def may_read(name: str) -> set[str]:
    if name == "server":
        own = "loquet/casaco/rules"  # after a restore: what doors still hold
        return {own, *(topic for topic in OF_EDGES if topic.endswith(FROM_EDGES))}
    own = {f"loquet/casaco/edge/{name}/{leaf}" for leaf in FROM_SERVER}
    return set() if name == "stolen" else {*OF_SITE, *own, *(topic for topic in OF_EDGES if topic.endswith("/facts"))}


class Tried:
    """A client with a machine's certificate, which says of itself what it likes. live, kept: topics that it heard."""

    def __init__(self, folder: Path, port: int, client_id: str = "", user: str = "", will: str = "") -> None:
        self.live: set[str] = set()
        self.kept: set[str] = set()
        self._answers: SimpleQueue[object] = SimpleQueue()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTv311, reconnect_on_failure=False)
        self._client.tls_set_context(context(folder))
        if user:
            self._client.username_pw_set(user, "a password")
        if will:
            self._client.will_set(will, b"will", qos=1, retain=True)
        self._client.on_connect = lambda *_: self._answers.put("connected")
        self._client.on_subscribe = lambda *_: self._answers.put("subscribed")
        self._client.on_disconnect = lambda *_: self._answers.put("cut off")
        self._client.on_message = self._hear
        self._client.connect(HOST, port)
        self._client.loop_start()
        self._answers.get(timeout=PATIENCE)

    def listen(self, *topics: str) -> None:
        self._client.subscribe([(topic, 0) for topic in topics])
        self._answers.get(timeout=PATIENCE)

    def settle(self) -> None:
        """Until all that the broker had for us has arrived: its answer to a subscription comes behind."""
        for _ in range(2):
            self.listen("nothing/here")

    def say(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self._client.publish(topic, payload, 1, retain).wait_for_publish(PATIENCE)

    def is_cut_off(self, topic: str, payload: bytes) -> bool:
        """Whether the broker hangs up for saying this."""
        self._client.publish(topic, payload, 1)
        return self._answers.get(timeout=PATIENCE) == "cut off"

    def break_off(self) -> None:
        """As a pulled cable."""
        opened = self._client.socket()
        assert isinstance(opened, socket.socket)
        socket.socket.shutdown(opened, socket.SHUT_RDWR)
        self.close()

    def close(self) -> None:
        """paho closes its own sockets when the client goes: no ring of callbacks may keep it."""
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_connect = self._client.on_subscribe = self._client.on_message = None
        self._client.on_disconnect = None

    def _hear(self, _: Client, __: object, message: MQTTMessage) -> None:
        (self.kept if message.retain else self.live).add(message.topic)


def context(folder: Path) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    made.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return made


class Place:
    """A site at its broker. folders: what each holds, the thief the folder of the edge that was revoked."""

    def __init__(self, folder: Path) -> None:
        self.ring = Keyring.create(folder / "keys", Site("casaco", "broker.lan", (*EDGES, "ear", "mouth")))
        self.folders = {name: folder / name for name in (*NAMES, "ear", "mouth")}
        for name, at in self.folders.items():
            shutil.copytree(self.ring.machines()[name], at)
        for name in ("ear", "mouth"):
            self.ring.revoke(name)
        self.broker = Mosquitto(self.ring)

    def write_list(self) -> None:
        """The list as it was made, and two users more."""
        file = self.ring.broker / mosquitto.ACL
        if "ear" not in file.read_text():
            file.write_text(file.read_text() + "\nuser ear\ntopic read #\n\nuser mouth\ntopic readwrite #\n")

    def start(self) -> None:
        self.write_list()
        self.broker.restart()

    @contextmanager
    def tried(self, name: str, **said: str) -> Iterator[Tried]:
        client = Tried(self.folders[name], self.broker.port, **said)
        try:
            yield client
        finally:
            client.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("site"))
    place.ring.revoke("stolen")
    place.start()
    yield place
    place.broker.kill()


def let_through(place: Place, act: Callable[[], object]) -> set[str]:
    """The topics of what the broker let through meanwhile."""
    with place.tried("ear") as ear, place.tried("mouth") as mouth:
        ear.listen("#")
        act()
        mouth.say("end", b"")
        ear.settle()
        return ear.live - {"end"}


@pytest.mark.parametrize("name", NAMES)
def test_what_each_may_say(place: Place, name: str) -> None:
    with place.tried(name) as client:
        heard = let_through(place, lambda: [client.say(topic, b"said") for topic in EVERYTHING])
    assert heard == may_write(name)


@pytest.mark.parametrize("name", NAMES)
def test_what_each_may_hear(place: Place, name: str) -> None:
    with place.tried(name) as client, place.tried("mouth") as mouth:
        client.listen("#", "loquet/#", "loquet/casaco/edge/+/+", "loquet/casaco/edge/#", *EVERYTHING)
        for topic in EVERYTHING:
            mouth.say(topic, b"live")
        client.settle()
        assert client.live == may_read(name)


@pytest.mark.parametrize("name", NAMES)
def test_what_each_may_hear_of_what_was_retained(place: Place, name: str) -> None:
    with place.tried("mouth") as mouth:
        for topic in EVERYTHING:
            mouth.say(topic, b"kept", retain=True)
        with place.tried(name) as client:
            client.listen("#", *EVERYTHING)
            client.settle()
            assert client.kept == may_read(name)
        for topic in EVERYTHING:
            mouth.say(topic, b"", retain=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_will_says_no_more_than_its_owner_may(place: Place, name: str) -> None:
    for topic in (TOPICS.rules, TOPICS.status("front"), TOPICS.ack("front")):
        client = Tried(place.folders[name], place.broker.port, will=topic)
        assert let_through(place, client.break_off) == may_write(name) & {topic}


def test_what_one_calls_oneself_changes_nothing(place: Place) -> None:
    with place.tried("garage", user="server", client_id="loquet-server-casaco") as client:
        assert let_through(place, lambda: [client.say(topic, b"said") for topic in EVERYTHING]) == may_write("garage")


def test_nobody_takes_anothers_place(place: Place) -> None:
    """The id that a client gives itself would end the connection of whoever has it."""
    with place.tried("front", client_id="loquet-casaco-front") as front, ExitStack() as others:
        for name in ("garage", "stolen"):
            others.enter_context(place.tried(name, client_id="loquet-casaco-front"))
        assert let_through(place, lambda: front.say(TOPICS.facts("front"), b"said")) == {TOPICS.facts("front")}


def test_the_largest_message_passes_and_nothing_larger(place: Place) -> None:
    with place.tried("server") as server, place.tried("garage") as garage:
        assert let_through(place, lambda: server.say(TOPICS.rules, bytes(MAX_BYTES))) == {TOPICS.rules}
        assert garage.is_cut_off(TOPICS.facts("garage"), bytes(MAX_BYTES + 4096))


def answer(port: int, tls: ssl.SSLContext | None) -> bytes:
    """What the broker says to a CONNECT; nothing when it hangs up."""
    try:
        with socket.create_connection((HOST, port), PATIENCE) as plain, ExitStack() as stack:
            opened = stack.enter_context(tls.wrap_socket(plain)) if tls else plain
            opened.sendall(CONNECT)
            return opened.recv(4)
    except OSError:
        return b""


def trusting(folder: Path | None) -> ssl.SSLContext:
    """A context that takes any broker, with a certificate or without."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if folder is not None:
        made.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return made


def test_who_has_a_certificate_of_the_site_is_let_in(place: Place) -> None:
    assert answer(place.broker.port, trusting(place.folders["front"])) == ACCEPTED


def test_who_has_none_is_not(place: Place) -> None:
    assert answer(place.broker.port, trusting(None)) == b""


def test_plain_text_is_not_understood(place: Place) -> None:
    assert answer(place.broker.port, None) == b""


@pytest.mark.parametrize("name", ["server", "front"])
def test_a_certificate_of_another_authority_is_not_let_in(place: Place, tmp_path: Path, name: str) -> None:
    other = Keyring.create(tmp_path / "keys", Site("casaco", "broker.lan", ("front",)))
    assert answer(place.broker.port, trusting(other.machines()[name])) == b""


def test_a_certificate_that_an_edge_made_is_not_let_in(place: Place, tmp_path: Path) -> None:
    """A stolen edge has a key and a certificate, but is no authority."""
    by, own = pem.certificate(place.folders["stolen"] / "tls.crt"), certificates.new_key()
    made = certificates.issue(pem.tls_key(place.folders["stolen"] / "tls.key"), by, own.public_key(), "server", ())
    (tmp_path / "tls.crt").write_bytes(pem.of_certificate(made) + pem.of_certificate(by))
    (tmp_path / "tls.key").write_bytes(pem.of_key(own))
    assert answer(place.broker.port, trusting(tmp_path)) == b""


def test_after_the_authority_was_renewed_old_certificates_are_not_let_in(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.ring.rotate("authority")
    with Mosquitto(place.ring) as broker:
        assert answer(broker.port, trusting(place.folders["front"])) == b""
        assert answer(broker.port, trusting(place.ring.edge("front"))) == ACCEPTED


def test_a_revoked_edge_is_out_once_the_broker_was_restarted(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.start()
    try:
        with place.tried("stolen") as thief:
            own = TOPICS.facts("stolen")
            assert let_through(place, lambda: thief.say(own, b"before")) == {own}
            place.ring.revoke("stolen")
            place.start()
        with place.tried("stolen") as thief:
            assert let_through(place, lambda: [thief.say(topic, b"after") for topic in EVERYTHING]) == set()
    finally:
        place.broker.kill()


def test_beside_debians_own_configuration_nothing_is_kept_and_nobody_else_listens(tmp_path: Path) -> None:
    place, port = Place(tmp_path), free_port()
    (tmp_path / "conf.d").mkdir()
    lines = mosquitto.conf(len(EDGES), place.ring.broker, f"{port} {HOST}")
    (tmp_path / "conf.d" / mosquitto.CONF).write_text(lines)
    (tmp_path / "mosquitto.conf").write_text(
        f"persistence true\npersistence_location {tmp_path}/\nlog_dest file {tmp_path}/log\nuser root\n"
        f"include_dir {tmp_path}/conf.d\n"
    )
    child = subprocess.Popen([program(), "-c", str(tmp_path / "mosquitto.conf")])
    try:
        await_port(port)
        assert answer(port, trusting(place.folders["front"])) == ACCEPTED
        child.send_signal(signal.SIGTERM)
        child.wait(PATIENCE)
    finally:
        child.kill()
        child.wait(PATIENCE)
    assert (tmp_path / "log").read_text().count("listen socket on port") == 1
    assert not (tmp_path / "mosquitto.db").exists()
