"""Is what cannot be used said at once, before libraries are loaded that only work needs? Does help say everything?"""

import argparse
import importlib
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

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
