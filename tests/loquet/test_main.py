"""Is what cannot be used said at once, before libraries are loaded that only work needs? Does help say everything?"""

import argparse
import importlib
import json
import os
import pwd
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loquet import doctor, server
from loquet.main import COMMANDS, main

ROOT = Path(__file__).parents[2]
SLOW = {"sqlmodel", "sqlalchemy", "pydantic", "holidays", "flask", "paho"}
"""Each takes a good part of a second to load."""
TAP = ("--tap", "front-in", "04B10000", "--at", "2026-11-24T18:30")


def unexplained(parser: argparse.ArgumentParser, path: str) -> Iterator[str]:
    """The arguments and actions below it of which --help says nothing."""
    if not parser.description:
        yield path
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from unexplained(below, f"{path} {name}")
        elif not action.help:
            yield f"{path} {action.metavar or action.dest}"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_everything_is(command: str) -> None:
    parser = argparse.ArgumentParser(description=COMMANDS[command])
    importlib.import_module(f"loquet.{command}").add_arguments(parser)
    assert not [*unexplained(parser, command)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("bundle", "check", "FILE"), "format is missing"),
        (("explain", "FILE", *TAP), "format is missing"),
        (("replay", "FILE"), "format is missing"),
        (("replay", "--history", "FILE", "--bundle", "FILE"), "format is missing"),
        (("server", "--config", "FILE"), "not TOML"),
        (("server", "--config", "FILE", "--bundle", "FILE"), "format is missing"),
        (("server", "lockdown", "on", "--socket", "FILE"), "no server answers there"),
    ],
)
def test_an_error_waits_for_nothing(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    file = tmp_path / "wrong"
    file.write_text("{}")
    given = [str(file) if word == "FILE" else word for word in arguments]
    code = (
        "import json, sys\n"
        "from loquet.main import main\n"
        f"status = main({given!r})\n"
        "print(json.dumps([status, sorted({name.partition('.')[0] for name in sys.modules})]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    status, modules = json.loads(ended.stdout)
    assert status == 2
    assert words in ended.stderr
    assert "msgspec" in modules
    assert not SLOW & set(modules)


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert (ended.value.code, capsys.readouterr().out) == (0, f"loquet {packaged}\n")


def test_an_order_for_the_server_on_a_machine_that_is_an_edge() -> None:
    code = "import sys; sys.modules['sqlalchemy'] = None; from loquet.main import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "server", "audit", "--verify"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        "loquet server: sqlalchemy is not installed: this is no server's machine: give it on"
    )


@contextmanager
def somebody() -> Iterator[None]:
    """Not root, who may read everything."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(own)


@pytest.mark.parametrize("words", [["doctor"], ["server", "sound", "front-in"], ["server", "backup"]])
def test_whoever_forgets_sudo_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    (shut := tmp_path / "server").mkdir()
    importlib.import_module("loquet.server_copies")
    monkeypatch.setattr(server, "CONFIG", shut / "server.toml")
    monkeypatch.setattr(doctor, "EDGE", shut / "edge.toml")
    shut.chmod(0)
    with somebody():
        assert main(words) == 2
    shut.chmod(0o700)
    assert re.search(r"\.toml: only root may read it: give the command again with sudo", capsys.readouterr().err)
