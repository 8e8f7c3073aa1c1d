"""Whoever is on the server's machine tells it what to do at once; everything else is refused in words."""

import errno
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from os import getuid
from pathlib import Path
from pwd import getpwuid
from typing import Any

import msgspec
import pytest

from server import control
from server.control import DONE, NOT_DONE, WRONG, Answer, Control, Request, ask
from server.errors import ServerError
from server.models import GivenOrder
from tests.support_exchange import Office
from wire.messages import Reply

pytestmark = pytest.mark.sqlite


def invited(by: str) -> str:
    """In place of a link for an administrator."""
    return f"a link, asked for by {by}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "loquet.db.control"


@pytest.fixture
def there(office: Office, path: Path) -> Iterator[Office]:
    """The server listens, and the front door's edge is online."""
    office.front_is_there()
    listening = Control(path, office.exchange, invited)
    listening.start()
    yield office
    listening.stop()


def asked(office: Office, path: Path, request: Request, reply: Callable[[str], Reply]) -> Answer:
    """What is said to whoever asks, when the edge answers the command once it has gone out."""
    sent = threading.Event()
    send = office.exchange.orders._send

    def noted(topic: str, payload: bytes) -> bool:
        done = send(topic, payload)
        sent.set()
        return done

    office.exchange.orders._send = noted
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, path, request)
        assert sent.wait(10)
        office.front_says("reply", reply(office.commands[-1].nonce))
        return answer.result()


def test_an_order_is_done_and_the_edge_s_word_comes_back(there: Office, path: Path) -> None:
    answer = asked(there, path, Request("open", "front"), lambda nonce: Reply(nonce, done=True))
    assert answer == Answer(DONE, "front: done by edge 'front'")
    with there.database.reading() as session:
        kept = session.get_one(GivenOrder, there.commands[-1].nonce)
    assert (kept.order, kept.place, kept.done, kept.by) == ("open", "front", True, getpwuid(getuid()).pw_name)


def test_what_the_edge_refuses_is_said(there: Office, path: Path) -> None:
    late = "the clock of this edge is not trusted"
    answer = asked(there, path, Request("open", "front"), lambda nonce: Reply(nonce, False, late))
    assert answer == Answer(NOT_DONE, f"front: not done by edge 'front': {late}")


def test_an_edge_that_says_nothing(there: Office, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "ANSWER_WITHIN", 0.05)
    answer = ask(path, Request("sound", "front-in"))
    assert answer.status == NOT_DONE
    assert "no answer from edge 'front'" in answer.said


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request("open", "cellar"), "door 'cellar': not known, or no edge looks after it; known are front, garage"),
        (Request("open", "garage"), "edge 'garage': offline and was never heard of"),
        (Request("lock_out"), "lock_out: say of what"),
    ],
)
def test_what_cannot_be_done_is_said(there: Office, path: Path, request_: Request, said: str) -> None:
    answer = ask(path, request_)
    assert answer.status == WRONG
    assert answer.said.startswith(said)


def test_a_lockdown_is_declared_and_lifted(there: Office, path: Path) -> None:
    answer = ask(path, Request("lockdown_on"))
    assert answer.status == DONE
    assert answer.said.endswith("offline, hears of it when it connects: garage")
    assert ask(path, Request("lockdown_off")).said.startswith("the lockdown is lifted")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"open front",
        b'{"do":"explode","place":"front"}',
        b'{"do":"open","place":"front","and":1}',
        b"[" * 3000,
        b'{"do":"open","place":"' + b"x" * 5000 + b'"}',
        b"\xff\x00",
    ],
)
def test_what_is_no_request_is_refused_in_words(there: Office, path: Path, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(10)
        control.at(path, server.connect)
        server.sendall(line + b"\n")
        answer = msgspec.json.decode(server.makefile("rb").readline(), type=Answer)
    assert answer.status == WRONG
    assert answer.said.startswith("not a request")
    assert there.commands == []


def test_who_hangs_up_harms_nobody(there: Office, path: Path) -> None:
    for _ in range(2 * control.AT_ONCE):
        with socket.socket(socket.AF_UNIX) as server:
            control.at(path, server.connect)
    assert ask(path, Request("lockdown_off")).status == DONE


class Scarce(socket.socket):
    """A listener of a machine that has no file left, once."""

    refused = 0

    def accept(self) -> tuple[socket.socket, Any]:
        if not self.refused:
            self.refused += 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


def test_a_moment_without_files_ends_no_control(office: Office, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "AGAIN", 0.01)
    monkeypatch.setattr(socket, "socket", Scarce)
    listening = Control(path, office.exchange, invited)
    listening.start()
    assert ask(path, Request("lockdown_off")).status == DONE
    listening.stop()


def test_a_moment_without_threads_ends_no_control(there: Office, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_room)
        for _ in range(2 * control.AT_ONCE):
            assert ask(path, Request("lockdown_off")).status == DONE
    assert ask(path, Request("lockdown_off")).status == DONE


def test_the_socket_is_its_owner_s_alone(there: Office, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_socket_that_a_killed_server_left_is_taken_over(office: Office, path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    control.at(path, left.bind)
    left.close()
    listening = Control(path, office.exchange, invited)
    listening.start()
    assert ask(path, Request("lockdown_off")).status == DONE
    listening.stop()
    assert not path.exists()
    with pytest.raises(OSError, match="No such file"):
        ask(path, Request("lockdown_off"))


def test_who_lost_the_socket_takes_no_other_server_s(office: Office, path: Path) -> None:
    first, second = Control(path, office.exchange, invited), Control(path, office.exchange, invited)
    first.start()
    path.unlink()
    second.start()
    first.stop()
    assert ask(path, Request("lockdown_off")).status == DONE
    second.stop()
    assert not path.exists()


def test_what_is_no_socket_is_left_alone(office: Office, path: Path) -> None:
    """A name in server.toml may be that of a key file, by mistake."""
    path.write_text("precious")
    with pytest.raises(ServerError, match="is there already, and is no socket: name another file"):
        Control(path, office.exchange, invited).start()
    assert path.read_text() == "precious"


def test_a_socket_of_another_server_is_left_to_it(there: Office, path: Path) -> None:
    other = Control(path, there.exchange, invited)
    with pytest.raises(ServerError, match="another server takes orders there"):
        other.start()
    other.stop()
    assert ask(path, Request("lockdown_off")).status == DONE


def test_a_link_for_an_administrator(there: Office, path: Path) -> None:
    assert ask(path, Request("invite_admin")) == Answer(DONE, f"a link, asked for by {getpwuid(getuid()).pw_name}")


def test_a_path_longer_than_a_socket_takes(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    listening = Control(folder / "loquet.db.control", office.exchange, invited)
    listening.start()
    assert ask(folder / "loquet.db.control", Request("lockdown_off")).status == DONE
    listening.stop()


def test_a_folder_that_is_not_there_is_named(office: Office, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"gone/loquet\.db\.control: no socket there"):
        Control(tmp_path / "gone" / "loquet.db.control", office.exchange, invited).start()
