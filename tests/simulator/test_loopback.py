"""Is a free port nobody else's, as long as the process lives?"""

import socket

import pytest

from simulator.loopback import HOST, free_port


def test_nobody_else_can_have_it() -> None:
    """What Linux gives to whoever does not care, it looks for in the same way."""
    port = free_port()
    with socket.socket() as other, pytest.raises(OSError, match="Address already in use"):
        other.bind((HOST, port))


def test_a_server_may_listen_on_it_more_than_once_and_nobody_answers_before() -> None:
    port = free_port()
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, port))
        with socket.create_server((HOST, port)), socket.create_connection((HOST, port)):
            pass
