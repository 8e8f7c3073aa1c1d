"""Does the cable carry bytes both ways, and is it really cut when it is unplugged?"""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from simulator.cable import Cable


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                end, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=repeat, args=(end,), daemon=True).start()

    def repeat(end: socket.socket) -> None:
        with closing(end):
            while data := end.recv(4096):
                end.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def cable(echo: int) -> Iterator[Cable]:
    cable = Cable(echo)
    yield cable
    cable.unplug()


def said(port: int, words: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as end:
        end.sendall(words)
        return end.recv(4096)


def test_it_carries_bytes_both_ways(cable: Cable) -> None:
    assert said(cable.port, b"bonjour") == b"bonjour"


def test_unplugged_it_hangs_up_and_refuses(cable: Cable) -> None:
    with socket.create_connection(("127.0.0.1", cable.port), timeout=5) as end:
        end.sendall(b"un")
        assert end.recv(10) == b"un"
        cable.unplug()
        assert not cable.plugged
        assert end.recv(10) == b""
    with pytest.raises(ConnectionError):
        said(cable.port, b"deux")


def test_plugged_in_again_it_has_the_same_port(cable: Cable) -> None:
    port = cable.port
    cable.unplug()
    cable.unplug()
    cable.plug()
    cable.plug()
    assert cable.port == port
    assert said(port, b"encore") == b"encore"


def test_nobody_at_the_other_end_is_a_connection_that_closes() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        free = taken.getsockname()[1]
    cable = Cable(free)
    with socket.create_connection(("127.0.0.1", cable.port), timeout=5) as end:
        assert end.recv(10) == b""
    cable.unplug()
