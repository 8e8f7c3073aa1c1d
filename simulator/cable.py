"""The network cable between an edge and the broker: a small TCP forwarder that can be unplugged for real."""

import socket
import threading
from contextlib import suppress

from simulator.loopback import HOST, free_port

CHUNK = 65536


class Cable:
    """Forwards 127.0.0.1:`port` to a port of this machine, while it is plugged in. For any thread.

    Unplugged, it closes its connections and refuses new ones. A bad one holds up what passes, or breaks under it; where
    bytes are lost, TCP sends them again, so loss looks like delay. Raises OSError when the port cannot be had.

    delay: seconds by which each piece is late. cuts: how often connections were cut since the start.
    """

    def __init__(self, to_port: int, port: int = 0) -> None:
        """port: 0 for any free one, kept from then on."""
        self._to = to_port
        self._changed = threading.Condition()
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._left: int | None = None
        self._held = False
        self.delay = 0.0
        self.cuts = 0
        self.port = port or free_port()
        self.plug()

    @property
    def plugged(self) -> bool:
        return self._listener is not None

    def plug(self) -> None:
        """Let traffic through."""
        with self._changed:
            if self._listener is not None:
                return
            self._listener = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, args=(self._listener,), name="cable", daemon=True).start()

    def unplug(self) -> None:
        """Close every connection and refuse new ones."""
        with self._changed:
            listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection there is; the next one is let through."""
        with self._changed:
            self.cuts += bool(self._open)
            for end in self._open:
                _hang_up(end)
            self._open = set()
            self._left = None
            self._changed.notify_all()

    def cut_after(self, count: int) -> None:
        """Cut, once, when so many more bytes have passed, whichever way."""
        with self._changed:
            self._left = count

    def await_cut(self, cuts: int, patience: float) -> bool:
        """Whether `cuts` gets this high within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.cuts >= cuts, patience)

    def hold(self, held: bool) -> None:
        """Nothing passes, and nobody is told, until this is over."""
        with self._changed:
            self._held = held
            self._changed.notify_all()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self._connect(near)

    def _connect(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection((HOST, self._to))
        except OSError:
            near.close()
            return
        with self._changed:
            if self._listener is None:
                near.close()
                far.close()
                return
            self._open |= {near, far}
        threading.Thread(target=self._connection, args=(near, far), name="cable", daemon=True).start()

    def _connection(self, near: socket.socket, far: socket.socket) -> None:
        """Both ways of one connection. Here alone its ends are closed, once nobody uses them any more.

        A number of a closed socket is given to the next one that opens, and whoever still held it would break that.
        """
        for end in (near, far):
            with suppress(OSError):  # unplugged in this very moment
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=self._pump, args=(far, near), name="cable", daemon=True)
        back.start()
        self._pump(near, far)
        back.join()
        with self._changed:
            self._open -= {near, far}
        near.close()
        far.close()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        """Carry bytes one way until either end hangs up."""
        with suppress(OSError):
            while data := source.recv(CHUNK):
                self._carry(source, sink, data)
        for end in (source, sink):
            _hang_up(end)

    def _carry(self, source: socket.socket, sink: socket.socket, data: bytes) -> None:
        """Hand a piece on, late, in part or not at all as the cable is."""
        with self._changed:
            if self.delay:
                self._changed.wait_for(lambda: source not in self._open, self.delay)
            self._changed.wait_for(lambda: not self._held or source not in self._open)
            if source not in self._open:
                return
            passes = data if self._left is None else data[: self._left]
            if self._left is not None:
                self._left -= len(passes)
            breaks = self._left is not None and len(passes) < len(data)
        sink.sendall(passes)
        if breaks:
            with self._changed:  # whoever comes late must not spare the next connection its cut
                if source in self._open:
                    self.cut()


def _hang_up(end: socket.socket) -> None:
    """Both sides see the end; the socket stays open."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
