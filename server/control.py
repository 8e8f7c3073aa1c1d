"""How is the running server told to do something? By a socket on its machine, in JSON lines.

It lies beside the database, or where the configuration says. It is for the server's user and root alone (0600); who
they are the kernel says (unix(7), SO_PEERCRED). It is the one way to write while the server runs.
"""

import logging
import os
import pwd
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from server.errors import DatabaseError, OrderRefusedError, ServerError
from wire.messages import COMMAND_LASTS
from wire.row import Order

if TYPE_CHECKING:  # whoever only asks waits for no database
    from server.exchange import Exchange

log = logging.getLogger("loquet.server")

LARGEST = 4096
"""Bytes of a request."""
AT_ONCE = 8
"""Requests that are answered at one time; the next waits."""
AGAIN = 1.0
"""Seconds before the socket is asked again that could not take a request: no file left, no memory."""
PATIENCE = 5.0
"""Seconds for a request to come in, and for its answer to go out."""
ANSWER_WITHIN = COMMAND_LASTS / 1000 + 1
"""Seconds to wait for an edge: after that it must not carry the command out any more."""
ORDERS = {"open": Order.OPEN, "lock_out": Order.LOCK_OUT, "sound": Order.SOUND, "reread": Order.REREAD}

DONE, NOT_DONE, WRONG = 0, 1, 2
"""As exit statuses: it was done; it was not, or nobody answered; the request cannot be carried out as it is."""


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """do: what is wanted. place: the door, machine, reader or edge that it is about; none for a lockdown and a link."""

    do: Literal["open", "lock_out", "sound", "reread", "lockdown_on", "lockdown_off", "invite_admin"]
    place: str | None = None


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """status: DONE, NOT_DONE or WRONG. said: in English, for whoever asked."""

    status: int
    said: str


class Control:
    """Listens from `start` to `stop`. Raises ServerError when the socket cannot be made.

    invite: makes a link for an administrator in the name of the account that asks, and says what to do with it.
    """

    def __init__(self, path: Path, exchange: "Exchange", invite: Callable[[str], str]) -> None:
        self._path = path
        self._invite = invite
        self._exchange = exchange
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._listener: socket.socket | None = None
        self._stopped = threading.Event()
        self._made: tuple[int, int] | None = None

    def start(self) -> None:
        listener = None
        try:
            self._clear()
            listener = socket.socket(socket.AF_UNIX)
            at(self._path, listener.bind)
            self._path.chmod(0o600)
            listener.listen()  # before that nobody gets in, whatever its rights were
        except OSError as error:
            if listener is not None:
                listener.close()
            raise ServerError(
                f"{self._path}: no socket there ({error.strerror}); see to its folder, and the rights of it"
            ) from None
        self._listener, self._made = listener, _inode(self._path)
        threading.Thread(target=self._accept, args=(listener,), name="control", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            if _inode(self._path) == self._made:  # else it is another server's, which found none
                self._path.unlink(missing_ok=True)

    def _clear(self) -> None:
        """Take away what a server that was killed left. Raises ServerError for anything else; OSError."""
        if not os.path.lexists(self._path):
            return
        if not self._path.is_socket():
            raise ServerError(f"{self._path}: is there already, and is no socket: name another file for it")
        with socket.socket(socket.AF_UNIX) as other, suppress(ConnectionRefusedError):
            at(self._path, other.connect)
            raise ServerError(f"{self._path}: another server takes orders there: name another file for it")
        self._path.unlink()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopped.is_set():
            try:
                caller, _ = listener.accept()
            except OSError as error:
                if not self._stopped.wait(AGAIN):
                    log.error("control: takes no request (%s); tried again", error)
                continue
            self._slots.acquire()
            try:
                threading.Thread(target=self._serve, args=(caller,), name="control request", daemon=True).start()
            except RuntimeError:  # the machine has no room for one more: then they wait for each other
                self._serve(caller)

    def _serve(self, caller: socket.socket) -> None:
        try:
            with caller:
                caller.settimeout(PATIENCE)
                answer = self._answer(caller)
                caller.settimeout(PATIENCE)
                caller.sendall(msgspec.json.encode(answer) + b"\n")
        except OSError as error:
            log.warning("control: whoever asked is gone (%s)", error)
        finally:
            self._slots.release()

    def _answer(self, caller: socket.socket) -> Answer:
        line = _line(caller)
        try:
            request = msgspec.json.decode(line, type=Request)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Answer(WRONG, f"not a request ({error}): use `loquet server`, of the same version")
        try:
            return self.carry_out(request, _who(caller))
        except OrderRefusedError as error:
            return Answer(WRONG, str(error))
        except DatabaseError as error:
            return Answer(NOT_DONE, str(error))

    def carry_out(self, request: Request, by: str) -> Answer:
        """Do it, and say what became of it. by: the account that asks. Raises OrderRefusedError, DatabaseError."""
        if request.do in ORDERS:
            return self._order(ORDERS[request.do], request.place, by)
        if request.do == "invite_admin":
            return Answer(DONE, self._invite(by))
        on = request.do == "lockdown_on"
        offline = self._exchange.lock_down(on, by)
        said = "lockdown: only staff is let in, everybody is let out" if on else "the lockdown is lifted"
        if offline:
            said += f"; offline, hears of it when it connects: {', '.join(offline)}"
        return Answer(DONE, said)

    def _order(self, order: Order, place: str | None, by: str) -> Answer:
        if place is None:
            return Answer(WRONG, f"{order}: say of what")
        given = self._exchange.orders.give(order, place, by)
        reply = given.wait(ANSWER_WITHIN)
        if reply is None:
            return Answer(
                NOT_DONE,
                f"{place}: no answer from edge {given.edge!r} within {ANSWER_WITHIN:.0f} s; it did it and could not"
                " say so, or it will not do it any more: see its link on the page, and go there",
            )
        if reply.done:
            return Answer(DONE, f"{place}: done by edge {given.edge!r}")
        return Answer(NOT_DONE, f"{place}: not done by edge {given.edge!r}: {reply.why}")


def ask(path: Path, request: Request) -> Answer:
    """Ask the server that listens there. Raises OSError when none does, ValueError for an answer that is none."""
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(ANSWER_WITHIN + PATIENCE)
        at(path, server.connect)
        server.sendall(msgspec.json.encode(request) + b"\n")
        return msgspec.json.decode(_line(server), type=Answer)


def _inode(path: Path) -> tuple[int, int] | None:
    """Device and inode; None where there is no file."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def at(path: Path, act: Callable[[str], object]) -> None:
    """Bind or connect to a socket however long its path is: 108 bytes are all that unix(7) takes."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        act(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def _line(peer: socket.socket) -> bytes:
    """What it says up to the end of the line, or as much as is taken."""
    said = b""
    while b"\n" not in said and len(said) <= LARGEST:
        more = peer.recv(LARGEST)
        if not more:
            break
        said += more
    if len(said) > LARGEST:
        return b""
    return said.partition(b"\n")[0]


def _who(caller: socket.socket) -> str:
    _, uid, _ = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
