"""Does a bench leave nothing behind, and does it leave alone what is another's?"""

import subprocess
import sys
from pathlib import Path

import pytest

from benches.disk import bench_folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_of_ones_own_on_the_disk_of_the_working_directory(here: Path) -> None:
    with bench_folder() as folder:
        assert folder.parent == here
        (folder / "journal.db").write_text("rows")
    assert not folder.exists()


def test_what_a_killed_run_left_is_removed_by_the_next(here: Path) -> None:
    code = (
        "import os, signal\n"
        "from benches.disk import bench_folder\n"
        "with bench_folder() as folder:\n"
        "    (folder / 'journal.db').write_text('rows')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode < 0
    (left,) = here.iterdir()
    assert (left / "journal.db").exists()
    with bench_folder() as folder:
        assert list(here.iterdir()) == [folder]


def test_a_run_that_lives_keeps_its_folder(here: Path) -> None:
    (here / "loquet-bench-results").mkdir()
    with bench_folder() as first, bench_folder() as second:
        assert {path.name for path in here.iterdir()} == {first.name, second.name, "loquet-bench-results"}
    assert [path.name for path in here.iterdir()] == ["loquet-bench-results"]
