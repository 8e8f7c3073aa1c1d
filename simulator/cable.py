"""The network cable between an edge and the broker: a small TCP forwarder that can be unplugged for real."""

import socket
import threading
from contextlib import suppress

CHUNK = 65536


class Cable:
    """Forwards 127.0.0.1:`port` to a port of this machine, while it is plugged in. For any thread.

    Unplugged, it closes its connections and refuses new ones. Raises OSError when the port cannot be had.
    """

    def __init__(self, to_port: int, port: int = 0) -> None:
        """port: 0 for any free one, kept from then on."""
        self._to = to_port
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self.port = port
        self.plug()

    @property
    def plugged(self) -> bool:
        return self._listener is not None

    def plug(self) -> None:
        """Let traffic through."""
        with self._lock:
            if self._listener is not None:
                return
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), name="cable", daemon=True).start()

    def unplug(self) -> None:
        """Close every connection and refuse new ones."""
        with self._lock:
            listener, self._listener = self._listener, None
            ends, self._open = self._open, set()
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for end in ends:
            _hang_up(end)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self._connect(near)

    def _connect(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            near.close()
            return
        with self._lock:
            if self._listener is None:
                near.close()
                far.close()
                return
            self._open |= {near, far}
        for source, sink in ((near, far), (far, near)):
            with suppress(OSError):  # unplugged in this very moment
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pump, args=(source, sink), name="cable", daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        """Carry bytes one way until either end hangs up."""
        with suppress(OSError):
            while data := source.recv(CHUNK):
                sink.sendall(data)
        for end in (source, sink):
            _hang_up(end)
        with self._lock:
            self._open -= {source, sink}


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
