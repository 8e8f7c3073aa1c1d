"""`loquet edge` as an installer calls it: probe, serve, end; and what it says when something is not as it should be."""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

import pytest

from console.errors import CommandError
from edge.config import load
from edge.hardware import lgpio_folder
from edge.journal import Journal
from loquet.edge import _boot_id, add_arguments, run
from simulator.load import ENVIRONMENT, FAKES
from simulator.loopback import free_port
from tests.support_broker import BROKERS, PATIENCE, Peer
from tests.support_edge import TOPICS, Folder, make_folder
from wire.envelope import unseal
from wire.messages import Status, decode
from wire.row import Kind

ROOT = Path(__file__).parents[2]
INSTALL = "on a Raspberry Pi install it (firmware_config/install edge), elsewhere use --simulated"
OLD = "This module does not understand old-style revision codes"  # the words of rpi-lgpio


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = make_folder(tmp_path / "site")
    made.replace("port = 1883", f"port = {free_port()}")
    return made


def command(folder: Folder, *options: str) -> list[str]:
    return [sys.executable, "-m", "loquet", "edge", "--config", str(folder.config), *options]


def told(folder: Folder, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the command says and how it ends; what an emulated Pi left in this process's environment is not its own."""
    surroundings = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT} | environment
    return subprocess.run(
        command(folder, *options), cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=60, check=False
    )


@contextmanager
def serving(folder: Folder) -> Iterator[subprocess.Popen[str]]:
    """The command serving a door of the emulated Pi."""
    child = subprocess.Popen(
        command(folder, "--simulated"), cwd=ROOT, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait(PATIENCE)
        stream(child).close()


def stream(child: subprocess.Popen[str]) -> IO[str]:
    assert child.stderr is not None
    return child.stderr


def read_until(child: subprocess.Popen[str], word: str) -> str:
    """What the child says, up to the line with the word in it."""
    said = ""
    for line in stream(child):
        said += line
        if word in line:
            return said
    raise AssertionError(f"{word!r} was never said: {said}")


def test_probe_shows_chip_and_badges(folder: Folder) -> None:
    ended = told(folder, "--probe", "--simulated")
    assert ended.returncode == 0
    assert "simulated" in ended.stderr
    for reader in ("front-in", "front-out"):
        assert f"{reader}: MFRC522 version 2.0" in ended.stdout
        assert f"{reader}: UID 04 A1 B2 C3 D4 E5 F6 (7 bytes), SAK 20, " in ended.stdout
        assert f"{reader}: two badges or more at once" in ended.stdout
    assert " transfers, " in ended.stdout
    assert " ms" in ended.stdout


@pytest.mark.parametrize("options", [(), ("--probe",)])
@pytest.mark.parametrize(
    ("hardware", "said"),
    [
        (
            {},
            f"No module named 'lgpio': {INSTALL}",
        ),
        ({"PYTHONPATH": str(FAKES)}, "this is no Raspberry Pi: run it on one, or with --simulated"),
        (
            {"PYTHONPATH": str(FAKES), "RPI_LGPIO_REVISION": "2"},
            f"this Raspberry Pi is too old ({OLD}): take a Pi 2 or later",
        ),
    ],
)
def test_what_is_no_raspberry_pi_is_told_one_thing(
    folder: Folder, options: tuple[str, ...], hardware: dict[str, str], said: str
) -> None:
    """hardware: the libraries for it are not installed off a Pi; in their place the simulator's, without a board."""
    ended = told(folder, *options, **hardware)
    assert (ended.returncode, ended.stderr, ended.stdout) == (2, f"loquet edge: {said}\n", "")


LGPIO = f"""\
import os
os.chdir(os.environ.get("LG_WD", "."))
os.mkfifo(".lgd-nfy0")
print(os.getcwd())
exec(open({str(FAKES / "lgpio.py")!r}).read())
"""
"""What the real one does when it is imported, and where; then the simulator's."""


def test_where_it_is_started_nothing_is_written(folder: Folder, tmp_path: Path) -> None:
    """lgpio's pipe. The configuration is named from there, and RPi.GPIO finds that this is no Raspberry Pi."""
    (tmp_path / "lgpio.py").write_text(LGPIO)
    start, before = folder.config.parent, sorted(folder.config.parent.iterdir())
    code = (
        "import os, sys\n"
        "from loquet.main import main\n"
        "status = main(['edge', '--probe', '--config', 'edge.toml'])\n"
        "print(status, os.getcwd(), 'LG_WD' in os.environ, sep='\\n')"
    )
    surroundings = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    surroundings["PYTHONPATH"] = f"{tmp_path}:{FAKES}:{ROOT}"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=start, env=surroundings, capture_output=True, text=True, timeout=60
    )
    assert ended.stderr == "loquet edge: this is no Raspberry Pi: run it on one, or with --simulated\n"
    pipe, *told = ended.stdout.splitlines()
    assert told == ["2", str(start), "False"]
    assert sorted(start.iterdir()) == before
    assert not Path(pipe).exists()


def test_no_place_for_the_pipe_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lgpio_folder, "MEMORY", tmp_path / "nowhere")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(CommandError, match=r"pipe has no place \(.*nowhere.*\): see that everybody may write there"):
        run(parser.parse_args(["--probe"]))


def test_a_mistake_in_the_config_ends_it_by_name(folder: Folder) -> None:
    folder.replace("line = 17", "line = 25")
    ended = told(folder, "--simulated")
    assert ended.returncode == 2
    assert ended.stderr == (
        f"loquet edge: {folder.config}: strike: line = 25: the readers' reset has it; use a free line\n"
    )


def test_a_journal_that_cannot_be_ends_it_by_name(folder: Folder) -> None:
    folder.replace("journal.db", "nowhere/journal.db")
    ended = told(folder, "--simulated")
    assert ended.returncode == 2
    assert "nowhere: make it, owned by the user that runs the edge" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(folder: Folder, sent: signal.Signals) -> None:
    with serving(folder) as child:
        said = read_until(child, "link: ")
        assert "Connection refused: see that the broker runs there" in said
        child.send_signal(sent)
        assert child.wait(PATIENCE) == 0
        assert "Traceback" not in stream(child).read()
    with closing(Journal(folder.config.parent / "journal.db")) as journal:
        assert [row.kind for row in journal.rows()] == [Kind.STARTED]


@pytest.mark.parametrize("name", BROKERS)
def test_a_killed_edge_is_said_to_be_offline(name: str, folder: Folder, tmp_path: Path) -> None:
    with BROKERS[name]({"front": folder.password, "server": "a password of its own"}, tmp_path) as port:
        folder.replace(f"port = {folder_port(folder)}", f"port = {port}")
        server = Peer(port, "server", "a password of its own", TOPICS.status("front"))
        with serving(folder) as child:
            assert online(server, folder)
            child.kill()
            assert not online(server, folder)
        server.close()


def folder_port(folder: Folder) -> int:
    return load(folder.config).broker.port


def online(server: Peer, folder: Folder) -> bool:
    message = server.next()
    body = unseal(folder.own.public_key(), "front", message.topic, bytes(message.payload))
    return decode(Status, body, message.topic).online


def test_an_edge_never_loads_what_only_the_server_needs(folder: Folder) -> None:
    code = (
        "import json, sys\n"
        "from loquet.main import main\n"
        f"status = main(['edge', '--config', {str(folder.config)!r}, '--probe', '--simulated'])\n"
        "import edge.runtime, edge.link\n"
        "print(json.dumps([status, sorted(name.partition('.')[0] for name in sys.modules)]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    status, modules = json.loads(ended.stdout.splitlines()[-1])
    assert status == 0
    assert {"edge", "paho", "mfrc522", "gpiozero", "msgspec"} <= set(modules)
    assert not {"flask", "sqlmodel", "sqlalchemy", "pydantic", "server", "holidays", "amqtt"} & set(modules)


def test_the_config_must_be_named() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(CommandError, match="--config FILE is needed"):
        run(parser.parse_args([]))


def test_an_installer_can_probe_before_there_are_keys(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert run(parser.parse_args(["--probe", "--simulated"])) == 0
    said = capfd.readouterr().out
    assert "reader-0: MFRC522 version 2.0" in said
    assert "reader-1: UID 04 A1 B2 C3 D4 E5 F6 (7 bytes), SAK 20, " in said
    file = tmp_path / "edge.toml"
    file.write_text("[readers.garage-in]\ndevice = 1\n")
    assert run(parser.parse_args(["--config", str(file), "--probe", "--simulated"])) == 0
    assert "garage-in: MFRC522 version 2.0" in capfd.readouterr().out


def test_a_config_that_is_not_there(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(CommandError, match=r"nothing\.toml: cannot be read"):
        run(parser.parse_args(["--config", str(tmp_path / "nothing.toml")]))


def test_the_boot_is_named_by_the_kernel() -> None:
    boot = _boot_id()
    assert boot is not None
    assert len(boot) == 16
    assert boot == _boot_id()
    assert int(boot, 16) >= 0
