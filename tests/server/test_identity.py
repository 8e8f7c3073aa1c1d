"""The server's certificate and key, and its link over TLS: what is not its own is refused, and the log says why."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import Queue
from shutil import copytree
from threading import Event

import msgspec
import pytest
from paho.mqtt.client import Client

from keys import certificates, pem
from keys.keyring import Keyring, Site
from proofs.mosquitto import Mosquitto
from server.config import BrokerConfig, ServerConfig
from server.config_file import load
from server.errors import ConfigError, ServerError
from server.identity import Identity
from server.link import MUTE, TWIN, Link
from server.main import Server
from server.passwords import hash_token
from tests.support_broker import HOST, PATIENCE, TlsPeer
from tests.support_log import Log
from tests.support_pages import CHEAP_HASH, TOKEN
from tests.support_server import TOPICS, small_bundle

SAMPLE = Path(__file__).parents[2] / "server" / "sample.toml"

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
"""paho leaves the socket of a handshake that failed to the garbage collector."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.create(tmp_path_factory.mktemp("site") / "keys", Site("casaco", "broker.lan", ("front",)))


@pytest.fixture
def keys(made: Keyring, tmp_path: Path) -> Path:
    """What an installer carries to the server's machine, beside the sample with its blanks filled."""
    text = SAMPLE.read_text().replace('public_key = "put the key here"', f'public_key = "{made.public_hex("front")}"')
    text = text.replace('password_hash = "put the hash here"', f'password_hash = "{CHEAP_HASH}"')
    text = text.replace('token_hash = "put the hash here"', f'token_hash = "{hash_token(TOKEN)}"')
    (tmp_path / "server.toml").write_text(text)
    (tmp_path / "keys").mkdir(mode=0o700)
    for file in made.server.iterdir():
        copy(file, tmp_path / "keys" / file.name)
    return tmp_path / "keys"


def copy(file: Path, to: Path) -> None:
    to.write_bytes(file.read_bytes())
    to.chmod(0o600)


def test_the_sample_with_the_folder_that_an_installer_carries(keys: Path, made: Keyring) -> None:
    config = load(keys.parent / "server.toml")
    ours = Identity(keys / "ca.crt", keys / "tls.crt", keys / "tls.key")
    assert config.broker == BrokerConfig("broker.lan", 8883, "server", "", ours)
    assert config.credential_key == made.credential_key
    assert config.server_key.private_bytes_raw() == made.server_key.private_bytes_raw()


def test_the_port_of_tls_is_the_default(keys: Path) -> None:
    file = keys.parent / "server.toml"
    file.write_text(file.read_text().replace("port = 8883\n", ""))
    assert load(file).broker.port == 8883


def of_an_edge(keys: Path, made: Keyring) -> None:
    copy(made.edge("front") / "tls.crt", keys / "tls.crt")
    copy(made.edge("front") / "tls.key", keys / "tls.key")


def foreign(keys: Path, _: Keyring) -> None:
    key, own = certificates.new_key(), pem.tls_key(keys / "tls.key").public_key()
    issued = certificates.issue(key, certificates.authority(key, "casaco"), own, "server", ())
    (keys / "tls.crt").write_bytes(pem.of_certificate(issued))


WRONG: dict[str, tuple[Callable[[Path, Keyring], object], str]] = {
    "no authority": (lambda keys, made: (keys / "ca.crt").unlink(), "ca.crt: No such file"),
    "no certificate": (lambda keys, made: (keys / "tls.crt").unlink(), "tls.crt: No such file"),
    "no key": (lambda keys, made: (keys / "tls.key").unlink(), "tls.key: No such file"),
    "a key that others can read": (lambda keys, made: (keys / "tls.key").chmod(0o640), "0640 let others read a secret"),
    "another's key": (lambda keys, made: copy(made.edge("front") / "tls.key", keys / "tls.key"), "does not fit"),
    "an edge's": (of_an_edge, "is for 'front'; use the one for 'server'"),
    "another authority's": (foreign, "tls.crt: not a certificate of"),
    "a certificate that is none": (lambda keys, made: (keys / "tls.crt").write_text("?"), "no certificate in PEM"),
    "a key that is none": (lambda keys, made: (keys / "tls.key").write_text("?"), "no PEM private key"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_not_ours_is_refused_at_start(keys: Path, made: Keyring, case: str) -> None:
    spoil, words = WRONG[case]
    spoil(keys, made)
    with pytest.raises(ConfigError, match=r"server\.toml: ") as caught:
        load(keys.parent / "server.toml")
    assert words in str(caught.value)
    assert "PRIVATE" not in str(caught.value)


def test_a_config_made_by_hand_is_checked_too(keys: Path, made: Keyring) -> None:
    config = load(keys.parent / "server.toml")
    assert isinstance(config, ServerConfig)
    of_an_edge(keys, made)
    with pytest.raises(ConfigError, match="is for 'front'"):
        replace(config, http_port=0)


@pytest.fixture(scope="module")
def broker(made: Keyring) -> Iterator[Mosquitto]:
    with Mosquitto(made) as broker:
        yield broker


class Joined:
    """A server's link over TLS, with what it heard; stopped at the end."""

    def __init__(self, folder: Path, port: int) -> None:
        self.heard: Queue[tuple[str, bytes]] = Queue()
        self.connected = Event()
        config = BrokerConfig(
            HOST, port, "server", "", Identity(folder / "ca.crt", folder / "tls.crt", folder / "tls.key")
        )
        self.link = Link(config, TOPICS, lambda topic, payload: self.heard.put((topic, payload)), self.connected.set)

    def __enter__(self) -> "Joined":
        self.link.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.link.stop()


def test_it_speaks_and_hears_over_tls(made: Keyring, broker: Mosquitto) -> None:
    edge = TlsPeer(made.edge("front"), broker.port, TOPICS.rules)
    with Joined(made.server, broker.port) as joined:
        joined.link.retain(TOPICS.rules, b"rules")
        assert edge.next().payload == b"rules"
        edge.publish(TOPICS.events("front"), b"rows")
        assert joined.heard.get(timeout=PATIENCE) == (TOPICS.events("front"), b"rows")
    edge.close()


@pytest.fixture
def log() -> Iterator[Log]:
    with Log("loquet.server") as log:
        yield log


def test_a_broker_of_another_authority_is_refused_and_said(broker: Mosquitto, tmp_path: Path, log: Log) -> None:
    other = Keyring.create(tmp_path / "other", Site("casaco", "broker.lan", ("front",)))
    with Joined(other.server, broker.port) as joined:
        assert "its certificate is refused: " in log.next()
        assert not joined.connected.is_set()


def test_a_broker_that_refuses_our_certificate_is_said(made: Keyring, broker: Mosquitto, keys: Path, log: Log) -> None:
    key, own = certificates.new_key(), certificates.new_key()
    issued = certificates.issue(key, certificates.authority(key, "casaco"), own.public_key(), "server", ())
    (keys / "tls.crt").write_bytes(pem.of_certificate(issued))
    (keys / "tls.key").write_bytes(pem.of_key(own))
    with Joined(keys, broker.port) as joined:
        assert "see that broker.certificate is of its own authority" in log.next()
        assert not joined.connected.is_set()


def test_keys_of_another_site_than_the_bundle_are_refused(keys: Path, tmp_path: Path) -> None:
    """The broker would take what is said, and hand it to nobody."""
    config = replace(load(keys.parent / "server.toml"), database=f"sqlite:///{tmp_path}/loquet.db", http_port=0)
    Server(config, bundle=small_bundle()).stop()
    other = msgspec.structs.replace(small_bundle(), site=msgspec.structs.replace(small_bundle().site, id="treso"))
    with pytest.raises(
        ServerError, match=r"tls\.crt: is of site 'casaco', the bundle of site 'treso': correct site\.id"
    ):
        Server(config, bundle=other)


def test_two_servers_with_the_same_keys_suspect_each_other_and_slow_down(
    made: Keyring, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    pauses = Event()
    slower = Client.reconnect_delay_set

    def set_(client: Client, first: int, last: int) -> None:
        if first > 1:
            pauses.set()
        slower(client, min(first, 1), last)  # so long need no test wait

    monkeypatch.setattr(Client, "reconnect_delay_set", set_)
    with Joined(made.server, broker.port), Joined(made.server, broker.port):
        while TWIN not in log.next():
            pass
    assert pauses.is_set()


@pytest.mark.parametrize("halted", ["before", "while it is connected"])
def test_a_broker_that_says_nothing_is_told(
    made: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: Log, halted: str
) -> None:
    monkeypatch.setattr("server.link.ANSWER", 0.3)
    monkeypatch.setattr("server.link.KEEPALIVE", 1)
    copytree(made.folder, tmp_path / "copy")
    with Mosquitto(Keyring.open(tmp_path / "copy")) as broker:
        if halted == "before":
            broker.halt()
        with Joined(made.server, broker.port) as joined:
            if halted != "before":
                assert joined.connected.wait(PATIENCE)
                broker.halt()
                assert "lost (Keep alive timeout)" in log.next()
            assert MUTE in log.next()
