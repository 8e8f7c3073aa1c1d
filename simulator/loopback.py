"""Which TCP port of this machine may a broker, a cable or a test have for itself?"""

import socket

HOST = "127.0.0.1"


def free_port() -> int:
    """A port of loopback that nobody uses, and that nobody else is given as long as this process lives.

    Found and let go of, it would be the next one's: every connection on this machine takes some port for its own end.
    A socket that is bound and does not listen keeps Linux from giving it away, refuses whoever connects, and makes room
    for a server of our own, since servers set SO_REUSEADDR.
    """
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind((HOST, 0))
        port = int(kept.getsockname()[1])
        kept.detach()  # its number stays open until the process ends
    return port
