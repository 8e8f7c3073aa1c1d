"""Does the cable carry bytes both ways, and is it really cut when it is unplugged?"""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from simulator.cable import Cable
from simulator.loopback import free_port


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
    cable = Cable(free_port())
    with socket.create_connection(("127.0.0.1", cable.port), timeout=5) as end:
        assert end.recv(10) == b""
    cable.unplug()


def test_it_breaks_in_the_middle_of_what_passes(cable: Cable) -> None:
    with socket.create_connection(("127.0.0.1", cable.port), timeout=5) as end:
        assert said(cable.port, b"before") == b"before"
        cable.cut_after(4)
        end.sendall(b"cut off")
        assert cable.await_cut(1, 5)
        with suppress(ConnectionError):
            assert end.recv(10) == b""
    assert said(cable.port, b"after") == b"after"
    assert cable.cuts == 1


def test_cut_it_lets_the_next_one_through(cable: Cable) -> None:
    with socket.create_connection(("127.0.0.1", cable.port), timeout=5) as end:
        end.sendall(b"un")
        assert end.recv(10) == b"un"
        cable.cut()
        assert end.recv(10) == b""
    assert said(cable.port, b"deux") == b"deux"
    assert cable.cuts == 1


def test_a_cable_that_nobody_uses_is_not_cut(cable: Cable) -> None:
    cable.cut()
    assert not cable.await_cut(1, 0.0)


def test_what_is_held_back_arrives_in_the_end(cable: Cable) -> None:
    with socket.create_connection(("127.0.0.1", cable.port), timeout=5) as end:
        cable.hold(True)
        end.sendall(b"patience")
        end.setblocking(False)
        with pytest.raises(BlockingIOError):
            end.recv(10)
        end.settimeout(5)
        cable.hold(False)
        assert end.recv(10) == b"patience"


def test_what_is_held_back_when_it_is_cut_is_gone(cable: Cable) -> None:
    with socket.create_connection(("127.0.0.1", cable.port), timeout=5) as end:
        end.sendall(b"un")
        assert end.recv(10) == b"un"
        cable.hold(True)
        end.sendall(b"deux")
        cable.cut()
        with suppress(ConnectionError):
            assert end.recv(10) == b""


def test_a_late_cable_carries_all_the_same(cable: Cable) -> None:
    cable.delay = 0.001
    assert said(cable.port, b"plus tard") == b"plus tard"


def test_who_is_late_to_cut_spares_the_next_one(cable: Cable) -> None:
    """A thread that saw the last byte of its connection pass, and was then held up, while others cut it."""
    left, right = socket.socketpair()

    class Slow:
        """Takes its time, once it was given something."""

        given, go_on = threading.Event(), threading.Event()

        def sendall(self, _: bytes) -> None:
            self.given.set()
            assert self.go_on.wait(10)

    with closing(left), closing(right):
        cable._open.add(left)
        cable.cut_after(0)
        late = threading.Thread(target=cable._carry, args=(left, Slow(), b"x"))
        late.start()
        assert Slow.given.wait(10)
        cable.cut()
        cable.cut_after(0)
        Slow.go_on.set()
        late.join(10)
    with socket.create_connection(("127.0.0.1", cable.port), timeout=5) as end, suppress(OSError):
        end.sendall(b"hello")
        assert end.recv(100) == b""
    assert cable.cuts == 2
