"""Does a look at the broker tell what it should? With a server that speaks TLS, in this process."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import create_server

from console.finding import unreached
from edge.identity import Identity, context
from keys.keyring import Keyring, Site


def ring(folder: Path) -> Keyring:
    return Keyring.create(folder, Site("casaco", "localhost", ("front",)))


def of(folder: Path) -> Callable[[], ssl.SSLContext]:
    return lambda: context(Identity(folder / "ca.crt", folder / "tls.crt", folder / "tls.key"))


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """Takes one connection, of whoever has a certificate of its authority."""
    secure = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.crt")
    secure.verify_mode = ssl.CERT_REQUIRED
    secure.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    with create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError), listener.accept()[0] as plain, secure.wrap_socket(plain, server_side=True) as one:
                one.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_broker_of_the_site_answers(tmp_path: Path) -> None:
    site = ring(tmp_path / "keys")
    with broker(site.broker) as port:
        assert unreached("127.0.0.1", port, of(site.edge("front"))) is None


def test_a_broker_of_another_authority_is_told_by_either_side(tmp_path: Path) -> None:
    site, other = ring(tmp_path / "keys"), ring(tmp_path / "others")
    with broker(other.broker) as port:
        found = unreached("127.0.0.1", port, of(site.edge("front")))
    assert found is not None
    assert ("certificate" in found.why.lower(), found.tls) == (True, True)
    (other.edge("front") / "ca.crt").write_bytes((site.authority / "ca.crt").read_bytes())
    with broker(site.broker) as port:
        found = unreached("127.0.0.1", port, of(other.edge("front")))
    assert found is not None
    assert found.tls
