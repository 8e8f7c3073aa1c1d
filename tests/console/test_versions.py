"""Of the versions in a machine's own folder, the newest is told, and nothing that is older or runs already."""

import os
from pathlib import Path

import pytest

from console.finding import Level
from console.versions import look, newer

ONE, TWO = "0123456789ab", "ba9876543210"


def put(folder: Path, name: str, at: float) -> None:
    (folder / name).write_bytes(b"")
    os.utime(folder / name, (at, at))


def installed(folder: Path, name: str, at: float = 1000.0) -> Path:
    made = folder / name
    made.mkdir()
    os.utime(made, (at, at))
    return made


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ([], None),
        ([(f"loquet-0.1.0-{ONE}", 2000)], None),  # it runs
        ([(f"loquet-0.1.0-{TWO}", 2000)], TWO),
        ([(f"loquet-0.1.0-{TWO}", 500)], None),  # of an older copy
        ([(f"loquet-0.2.0-{TWO}", 500)], TWO),
        ([(f"loquet-0.0.9-{TWO}", 2000)], None),
        ([(f"loquet-0.10.0-{TWO}", 500), (f"loquet-0.9.0-{ONE}", 900)], TWO),
        ([("loquet-0.2.0-notanid", 2000), ("loquet-1-0-0.tar", 2000)], None),
    ],
)
def test_the_newest_is_told(tmp_path: Path, there: list[tuple[str, float]], told: str | None) -> None:
    runs = installed(tmp_path, f"loquet-0.1.0-{ONE}")
    versions = tmp_path / "versions"
    versions.mkdir()
    for name, at in there:
        put(versions, f"{name}.tar.gz", at)
    found = newer("0.1.0", runs, versions)
    assert (found.id if found else None) == told
    finding = look("0.1.0", runs, versions)
    assert finding.level is (Level.LOOK if told else Level.WELL)
    assert (finding.remedy == "sudo loquet update") is bool(told)


def test_a_machine_without_that_folder_says_what_runs(tmp_path: Path) -> None:
    assert look("0.1.0", tmp_path / "none", tmp_path / "none").said == "0.1.0"
