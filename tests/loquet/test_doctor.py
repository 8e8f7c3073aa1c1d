"""`loquet doctor`: what it prints, and how it ends."""

import json
from pathlib import Path

import pytest

from loquet import doctor
from loquet.main import main
from tests.support_edge import make_folder


def test_a_program_reads_the_findings_and_the_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = make_folder(tmp_path / "site").config
    assert main(["doctor", "--edge", str(config), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)
    assert {tuple(each) for each in findings} == {("about", "level", "said", "remedy")}
    assert {"rules", "broker"} <= {each["about"] for each in findings if each["level"] == "wrong"}
    assert main(["doctor", "--edge", str(config)]) == 1
    lines = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "wrong"
    assert lines[-1] == "well"
    assert lines[lines.index("wrong") + 1] == "->"


def test_a_machine_that_is_neither_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "EDGE", tmp_path / "edge.toml")
    monkeypatch.setattr(doctor, "SERVER", tmp_path / "server.toml")
    assert main(["doctor"]) == 2
    assert "name one with --edge or --server" in capsys.readouterr().err
