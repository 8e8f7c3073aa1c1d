"""Does the demo start, go on where it stopped, and end without leaving anything behind?"""

import socket
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from keys.pem import signing_key
from server.backups.archive import about, opened
from tests.support_demo import ROOT, Demo, local, running_demo, set_time


def get(demo: Demo, path: str, token: str | None = None) -> str:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(demo.address + path, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return str(answer.read().decode())


def reached(demo: Demo) -> int:
    now = demo.state["now"]
    assert isinstance(now, int)
    return now


def children(demo: Demo) -> list[psutil.Process]:
    return list(psutil.Process(demo.process.pid).children(recursive=True))


def test_it_starts_and_ends_goes_on_where_it_stopped_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with running_demo(folder) as demo:
        assert "The hardware is simulated" in demo.printed
        assert "server open front --socket" in demo.printed
        assert "at 1 x, 10 x or in a pause" in demo.printed, "when orders come in time stands beside them"
        assert "Casaco" in get(demo, "/")
        told = get(demo, "/api/v1/now", demo.said("API token"))
        assert '{"id":"front"' in told
        assert '{"id":"fablab"' in told
        edges = children(demo)
        assert len(edges) == 2
        assert "Traceback" not in demo.end()
        assert demo.process.returncode == 0
        identity = folder / "keys/backup/identity.txt"
        copy, *_ = [file for file in (folder / "copies").iterdir() if file.suffix == ".age"]
        with opened(copy, identity, tmp_path, signing_key(folder / "keys/server/server.pem").public_key()) as held:
            assert about(held, copy).site == "casaco"
        assert not any(edge.is_running() for edge in edges)
    for log in ("demo.log", "edge.log", "fablab.log"):
        assert "Traceback" not in (folder / log).read_text()
    stopped = reached(demo)
    with running_demo(folder) as again:
        assert again.said("Password") == demo.said("Password")
        assert "with 155 members" not in again.printed, "the site is there already"
        edges = children(again)
        again.process.kill()
        psutil.wait_procs(edges, timeout=20)
        assert not any(edge.is_running() for edge in edges)
    assert reached(again) > stopped


def test_reset_starts_afresh_and_a_broken_edge_ends_it(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    set_time(folder, local(22, 0))
    with running_demo(folder, "--reset") as demo:
        assert "07:55 at Casaco" in demo.printed
        children(demo)[0].kill()
        rest, _ = demo.process.communicate(timeout=60)
        assert demo.process.returncode == 1
        assert "An edge has ended by itself: see" in rest


def test_a_port_in_use_names_the_remedy_and_starts_nothing(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "loquet", "demo", "--dir", str(tmp_path / "demo"), "--port", str(port)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert f"port {port} on 127.0.0.1: Address already in use" in ended.stderr
    assert "make demo PORT=8001" in ended.stderr
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    command = [sys.executable, "-m", "loquet", "demo", "--dir", str(tmp_path / "demo"), f"--port={port}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, f"--port {port}: use 1 to 65535" in ended.stderr) == (2, True)
