"""What is read as a bundle or a scenario: a regular file, or what the shell opened; nothing that never ends."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loquet.main import main
from policy.errors import BundleError
from server.files import read

SCENARIO = Path(__file__).parents[1] / "scenarios" / "evening-with-a-gardien.json"
BUNDLE = json.dumps(json.loads(SCENARIO.read_text())["bundle"]).encode()


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as heard:
        heard.bind(os.path.relpath(path))  # a socket's path may have 107 bytes


MADE: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "is a pipe, not a file: give the path of a bundle"),
    "folder": (os.mkdir, "is a folder, not a file: give the path of a bundle"),
    "socket": (listening, "is a socket, not a file: give the path of a bundle"),
    "nothing": (lambda path: None, "cannot be read (No such file or directory): give the path of a bundle"),
}


@pytest.mark.parametrize("kind", MADE)
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    make, told = MADE[kind]
    make(path := tmp_path / kind)
    with pytest.raises(BundleError) as refused:
        read(path, "a bundle")
    assert str(refused.value) == f"{path}: {told}"


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused(name: str) -> None:
    with pytest.raises(BundleError, match=f"{name}: is a device, not a file: give the path of a scenario"):
        read(Path(name), "a scenario")


def test_a_path_that_no_file_can_have() -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        read(Path("a\0b"), "a bundle")


@pytest.mark.parametrize(
    "command",
    [
        "bundle check {}",
        "explain {} --tap front-in 04B10000 --at 2026-11-24T18:30",
        "replay {}",
        "replay --history nowhere.db --bundle {}",
        "server --config nowhere.toml --bundle {}",
    ],
)
def test_no_command_waits_for_a_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    assert main(command.format(pipe).split()) == 2
    assert f"{pipe}: is a pipe, not a file: give the path of a " in capsys.readouterr().err


def test_the_bundle_of_a_scenario_is_a_file_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    file = tmp_path / "story.json"
    file.write_text(json.dumps(json.loads(SCENARIO.read_text()) | {"bundle": "pipe"}))
    assert main(["replay", str(file)]) == 2
    assert f"{file}: bundle {tmp_path / 'pipe'}: is a pipe, not a file: give the path of a" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_what_the_shell_hands_over_is_read(path: str) -> None:
    check = [sys.executable, "-m", "loquet", "bundle", "check", path]
    told = subprocess.run(check, input=BUNDLE, capture_output=True, check=True, timeout=60)
    assert told.stdout.startswith(f"{path}: Casaco: ".encode())
