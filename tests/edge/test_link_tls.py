"""The link over TLS to a real mosquitto: who is let in, and what the link says when nobody is, or nothing comes."""

import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event

import pytest

from edge.config import BrokerConfig
from edge.identity import Identity
from edge.link import DELIVERY, FELL_SILENT, MUTE, TOOK, TWIN, UNSERVED, Link
from edge.work_items import LinkDown, LinkUp, Received, WorkItem
from keys import certificates, pem
from keys.keyring import Keyring, Site
from proofs.mosquitto import Mosquitto
from tests.support_broker import BROKERS, HOST, PATIENCE, TlsPeer
from tests.support_log import Log
from wire.pauses import SUSPECT
from wire.topics import Topics

TOPICS = Topics("casaco")
QUICK = (0.05, 0.1)

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
"""paho leaves the socket of a handshake that failed to the garbage collector."""


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.create(tmp_path_factory.mktemp("site") / "keys", Site("casaco", "broker.lan", ("front", "garage")))


@pytest.fixture(scope="module")
def broker(ring: Keyring) -> Iterator[Mosquitto]:
    with Mosquitto(ring) as broker:
        yield broker


class Over(Event):
    """A link's sign that its connection is over. Its look at what was delivered comes when the test wants it.

    due: set to have it look. looked: it did.
    """

    def __init__(self) -> None:
        super().__init__()
        self.due, self.looked = Event(), Event()

    def wait(self, timeout: float | None = None) -> bool:
        if timeout == DELIVERY:
            assert self.due.wait(PATIENCE)
            return self.is_set()
        self.looked.set()
        return super().wait(timeout)


class Heard:
    """A link of the edge `front`, and what it hands over."""

    def __init__(
        self,
        folder: Path,
        port: int,
        host: str = HOST,
        delays: tuple[float, float] = QUICK,
    ) -> None:
        self.items: SimpleQueue[WorkItem] = SimpleQueue()
        ours = Identity(folder / "ca.crt", folder / "tls.crt", folder / "tls.key")
        topics = (TOPICS.fresh, TOPICS.ack("front"))
        self.link = Link(
            BrokerConfig(host, port, "front", "", ours),
            "any id",
            topics,
            lambda: (TOPICS.status("front"), b"will"),
            self.items.put,
            delays,
        )

    def next(self) -> WorkItem:
        try:
            return self.items.get(timeout=PATIENCE)
        except Empty:
            raise TimeoutError("nothing came over the link") from None


@contextmanager
def started(heard: Heard) -> Iterator[Heard]:
    heard.link.start()
    try:
        yield heard
    finally:
        heard.link.stop()


def why(folder: Path, port: int, host: str = HOST) -> str:
    """What a link says that cannot connect."""
    with started(Heard(folder, port, host)) as heard:
        down = heard.next()
        assert isinstance(down, LinkDown)
        return down.why


def test_it_speaks_and_hears(ring: Keyring, broker: Mosquitto) -> None:
    server = TlsPeer(ring.server, broker.port, TOPICS.status("front"))
    with started(Heard(ring.edge("front"), broker.port)) as heard:
        assert heard.next() == LinkUp()
        heard.link.publish(TOPICS.status("front"), b"here")
        assert server.next().payload == b"here"
        server.publish(TOPICS.ack("front"), b"7")
        assert heard.next() == Received(TOPICS.ack("front"), b"7")
    assert server.next().payload == b"will"
    server.close()


def test_small_messages_leave_at_once(ring: Keyring, broker: Mosquitto) -> None:
    with started(Heard(ring.edge("front"), broker.port)) as heard:
        assert heard.next() == LinkUp()
        assert heard.link._client is not None
        opened = heard.link._client.socket()
        assert isinstance(opened, socket.socket)
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_broker_of_another_authority_is_refused(ring: Keyring, broker: Mosquitto, tmp_path: Path) -> None:
    other = Keyring.create(tmp_path / "other", Site("casaco", "broker.lan", ("front",)))
    said = why(other.edge("front"), broker.port)
    assert "the broker's certificate is refused" in said
    assert "see broker.host, broker.ca and this machine's clock" in said


def test_a_broker_of_another_name_is_refused(ring: Keyring, broker: Mosquitto) -> None:
    said = why(ring.edge("front"), broker.port, "127.1")
    assert "the broker's certificate is refused (IP address mismatch" in said or "Hostname mismatch" in said


@contextmanager
def broker_with(ring: Keyring, tmp_path: Path, certificate: bytes, key: bytes | None = None) -> Iterator[Mosquitto]:
    """A broker of this site with another certificate."""
    shutil.copytree(ring.folder, tmp_path / "copy")
    copy = Keyring.open(tmp_path / "copy")
    (copy.broker / "tls.crt").write_bytes(certificate)
    if key is not None:
        (copy.broker / "tls.key").write_bytes(key)
    with Mosquitto(copy) as broker:
        yield broker


@pytest.mark.parametrize(("first", "last", "said"), [(2000, 2001, "expired"), (2990, 2999, "not yet valid")])
def test_a_certificate_out_of_date_is_said(
    ring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int, last: int, said: str
) -> None:
    monkeypatch.setattr(certificates, "FIRST", certificates.FIRST.replace(year=first))
    monkeypatch.setattr(certificates, "LAST", certificates.LAST.replace(year=last))
    key, own = pem.tls_key(ring.authority / "ca.key"), pem.tls_key(ring.broker / "tls.key").public_key()
    issued = certificates.issue(key, pem.certificate(ring.authority / "ca.crt"), own, "broker", (HOST,))
    with broker_with(ring, tmp_path, pem.of_certificate(issued)) as broker:
        assert said in why(ring.edge("front"), broker.port)


def test_a_stolen_edge_does_not_pass_for_the_broker(ring: Keyring, tmp_path: Path) -> None:
    stolen = ring.edge("garage")
    with broker_with(ring, tmp_path, (stolen / "tls.crt").read_bytes(), (stolen / "tls.key").read_bytes()) as broker:
        assert "the broker's certificate is refused" in why(ring.edge("front"), broker.port)


def test_an_edge_whose_certificate_the_broker_refuses_is_told(ring: Keyring, broker: Mosquitto, tmp_path: Path) -> None:
    """It trusts the broker, but the broker does not trust it."""
    key, own = certificates.new_key(), certificates.new_key()
    issued = certificates.issue(key, certificates.authority(key, "casaco"), own.public_key(), "front", ())
    (tmp_path / "ca.crt").write_bytes((ring.authority / "ca.crt").read_bytes())
    (tmp_path / "tls.crt").write_bytes(pem.of_certificate(issued))
    (tmp_path / "tls.key").write_bytes(pem.of_key(own))
    assert "broker.certificate is of the broker's own authority" in why(tmp_path, broker.port)


@pytest.mark.parametrize("name", sorted(BROKERS))
def test_a_broker_without_tls_is_said(ring: Keyring, tmp_path: Path, name: str) -> None:
    with BROKERS[name]({"front": "a password"}, tmp_path) as port:
        said = why(ring.edge("front"), port)
    assert said.startswith(f"{HOST}:{port}: ")
    assert said.endswith(": see that the broker runs there and speaks TLS (loquet.conf)")


@pytest.fixture
def log() -> Iterator[Log]:
    with Log("loquet.edge") as log:
        yield log


def test_an_edge_that_the_list_does_not_serve_finds_out(ring: Keyring, tmp_path: Path, log: Log) -> None:
    """mosquitto grants its subscriptions all the same."""
    shutil.copytree(ring.folder, tmp_path / "copy")
    copy = Keyring.open(tmp_path / "copy")
    server_only = (copy.broker / "loquet.acl").read_text().split("\nuser front")[0]
    (copy.broker / "loquet.acl").write_text(server_only + "\nuser front\ntopic write loquet/casaco/edge/front/status\n")
    with Mosquitto(copy) as broker:
        server = TlsPeer(copy.server, broker.port)
        server.publish(TOPICS.fresh, b"fresh", retain=True)
        heard = Heard(copy.edge("front"), broker.port)
        heard.link._over = over = Over()
        with started(heard):
            assert heard.next() == LinkUp()
            over.due.set()
            assert log.next() == f"link: {UNSERVED}"
        server.close()


def test_an_edge_that_is_served_complains_of_nothing(ring: Keyring, broker: Mosquitto, log: Log) -> None:
    server = TlsPeer(ring.server, broker.port)
    server.publish(TOPICS.fresh, b"fresh", retain=True)
    heard = Heard(ring.edge("front"), broker.port)
    heard.link._over = over = Over()
    with started(heard):
        assert [heard.next(), heard.next()] == [LinkUp(), Received(TOPICS.fresh, b"fresh")]
        over.due.set()
        assert over.looked.wait(PATIENCE)
    assert log.lines.empty()
    server.publish(TOPICS.fresh, b"", retain=True)
    server.close()


def test_two_machines_with_the_keys_of_one_edge_suspect_each_other_and_slow_down(
    ring: Keyring, broker: Mosquitto
) -> None:
    """The pauses grow, so that each of them is there for longer and longer."""
    one, two = (Heard(ring.edge("front"), broker.port, delays=(0.05, PATIENCE)) for _ in range(2))
    with started(one), started(two):
        for heard in (one, two):
            while TWIN not in down(heard):
                pass
        assert min(heard.link._pauses._next for heard in (one, two)) >= 0.4


def down(heard: Heard) -> str:
    """Why the link was lost next."""
    while not isinstance(item := heard.next(), LinkDown):
        pass
    return item.why


def test_a_broker_that_restarts_again_and_again_is_no_twin(ring: Keyring, tmp_path: Path) -> None:
    shutil.copytree(ring.folder, tmp_path / "copy")
    with Mosquitto(Keyring.open(tmp_path / "copy")) as broker, started(Heard(ring.edge("front"), broker.port)) as heard:
        for _ in range(SUSPECT + 1):
            while heard.next() != LinkUp():
                pass
            broker.kill()
            said = [down(heard), down(heard)]
            broker.start()
            assert TWIN not in "".join(said)
            assert "Connection refused" in said[1]


@pytest.mark.parametrize(
    ("stage", "said"), [("TLS", f"{TOOK}: see that the broker runs there and speaks TLS (loquet.conf)"), ("MQTT", MUTE)]
)
def test_a_broker_that_takes_connections_and_says_nothing_is_told(
    ring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, said: str
) -> None:
    monkeypatch.setattr("edge.link.ANSWER", 0.3)
    monkeypatch.setattr("edge.link.KEEPALIVE", 1)
    with silent(ring, tmp_path, stage) as port:
        assert why(ring.edge("front"), port) == f"{HOST}:{port}: {said}"


@contextmanager
def silent(ring: Keyring, tmp_path: Path, stage: str) -> Iterator[int]:
    """A real mosquitto that hangs; or somebody who has the broker's certificate, and no more to say."""
    if stage == "TLS":
        shutil.copytree(ring.folder, tmp_path / "copy")
        with Mosquitto(Keyring.open(tmp_path / "copy")) as broker:
            broker.halt()
            yield broker.port
        return
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(ring.broker / "tls.crt", ring.broker / "tls.key")
    with socket.create_server((HOST, 0)) as listening, ExitStack() as stack:
        taking = threading.Thread(target=lambda: _take(listening, tls, stack))
        taking.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        taking.join()


def _take(listening: socket.socket, tls: ssl.SSLContext, stack: ExitStack) -> None:
    """Each connection, up to the end of its handshake."""
    with suppress(OSError):
        while True:
            stack.enter_context(tls.wrap_socket(listening.accept()[0], server_side=True))


def test_a_broker_that_falls_silent_is_told(ring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.link.KEEPALIVE", 1)
    shutil.copytree(ring.folder, tmp_path / "copy")
    with Mosquitto(Keyring.open(tmp_path / "copy")) as broker, started(Heard(ring.edge("front"), broker.port)) as heard:
        assert heard.next() == LinkUp()
        broker.halt()
        assert down(heard) == f"{HOST}:{broker.port}: {FELL_SILENT}"
