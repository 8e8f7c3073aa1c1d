"""Is everything shown on a terminal that has no letter for it?"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loquet.main import COMMANDS

ROOT = Path(__file__).parents[2]
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""Files are ASCII, too, unless their encoding is named."""
ENCODINGS = {
    "ascii": ASCII,
    "latin-1": {**ASCII, "PYTHONIOENCODING": "latin-1"},
    "utf-8": {"PYTHONIOENCODING": "utf-8"},
}


def said(encoding: str, *words: str) -> str:
    """What the command prints, in a terminal of this encoding."""
    command = [sys.executable, "-m", "loquet", *words]
    environment = {**os.environ, **ENCODINGS[encoding]}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=60, check=False)
    printed = (ended.stdout + ended.stderr).decode(encoding)
    assert "Traceback" not in printed
    return printed


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle whose people have names."""
    scenario = json.loads((ROOT / "docs/examples/evening.json").read_text("utf-8"))
    text = json.dumps(scenario["bundle"], ensure_ascii=False)
    assert "Brigitte" in text
    file = tmp_path / "site.json"
    file.write_text(text.replace("Brigitte", "Brigitte Œuvrard-Łoś"), "utf-8")
    return file


@pytest.mark.parametrize(
    ("encoding", "name", "inside"),
    [
        ("utf-8", "Brigitte Œuvrard-Łoś", "À l’intérieur"),
        ("latin-1", "Brigitte OEuvrard-?os", "À l'intérieur"),
        ("ascii", "Brigitte OEuvrard-?os", "A l'interieur"),
    ],
)
def test_an_explanation_is_shown_as_far_as_the_letters_go(bundle: Path, encoding: str, name: str, inside: str) -> None:
    printed = said(
        encoding, "explain", str(bundle), "--tap", "front-in", "04B10000", "--at", "2026-11-24T20:30", "--lang", "fr"
    )
    assert name in printed
    assert inside in printed


def test_names_of_files_are_shown(tmp_path: Path) -> None:
    """One that is not UTF-8 cannot be printed anywhere else."""
    file = os.fsdecode(bytes(tmp_path) + b"/d\xe9mo.json")
    Path(file).write_text("{}")
    assert "d?mo.json: format is missing" in said("utf-8", "bundle", "check", file)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_speaks_through_it(command: str) -> None:
    assert f"usage: loquet {command}" in said("ascii", command, "--help")
