"""Does the demo's folder keep what it must, and let nobody else in?"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from console.errors import CommandError
from edge.config import load
from edge.machine import MachineSetup
from simulator.demo import casaco
from simulator.demo.folder import LEASE, Folder
from simulator.demo.site import DemoSite

TODAY = date(2026, 11, 26)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with closing(open_folder(tmp_path / "demo")) as folder:
        yield folder


def open_folder(path: Path, *, reset: bool = False) -> Folder:
    return Folder(path, reset=reset, today=TODAY)


def test_a_fresh_demo_begins_on_a_working_tuesday_morning(folder: Folder) -> None:
    state = folder.state
    assert state.start == date(2026, 11, 24)
    assert casaco.works(state.start)
    assert state.now == 1795503300000, "2026-11-24 07:55 in Paris"


def test_the_edge_can_read_what_is_written_for_it(folder: Folder) -> None:
    config = load(folder.write_edge_toml("front", 18830))
    assert (config.site, config.edge, config.broker.port) == ("casaco", "front", 18830)
    assert {spec.name for spec in config.inputs} == {"contact", "rex", "fire"}
    assert {spec.name for spec in config.outputs} == {
        "strike",
        *(f"{reader}.{part}" for reader in ("front-in", "front-out") for part in ("green", "red", "buzzer")),
    }


def test_the_machines_edge_can_read_what_is_written_for_it(folder: Folder) -> None:
    config = load(folder.write_edge_toml("fablab", 18831))
    assert (config.edge, config.broker.port, config.journal.name) == ("fablab", 18831, "fablab.db")
    assert {(place.machine, place.reader) for place in config.places if isinstance(place, MachineSetup)} == {
        (machine.id, machine.reader) for machine in casaco.MACHINES
    }
    assert [spec.name for spec in config.inputs] == ["cnc.estop"]


def test_only_the_user_can_read_it(folder: Folder) -> None:
    folder.save(folder.state.now, 1, running=True)
    assert folder.path.stat().st_mode & 0o777 == 0o700
    for file in (folder.path / "state.json", folder.path / "login.json"):
        assert file.stat().st_mode & 0o777 == 0o600


def test_it_goes_on_where_it_stopped_with_the_same_login(folder: Folder) -> None:
    folder.save(folder.state.now + 1234, 10, running=False)
    login, state, password = folder.login, folder.state, folder.password("front")
    folder.close()
    with closing(open_folder(folder.path)) as again:
        assert (again.login, again.state, again.password("front")) == (login, state, password)
        assert again.state.speed == 10


def test_a_demo_that_was_killed_goes_on_later_than_it_can_have_been(folder: Folder) -> None:
    now = folder.state.now
    folder.save(now, 60, running=True)
    assert folder.state.now == now + LEASE * 60_000


def test_reset_forgets_everything(folder: Folder) -> None:
    folder.save(folder.state.now + 1234, 10, running=False)
    (folder.path / "server.db").write_text("rows")
    login, key = folder.login, folder.keys.server_key.private_bytes_raw()
    folder.close()
    with closing(open_folder(folder.path, reset=True)) as again:
        assert again.fresh
        assert again.login.password != login.password
        assert again.keys.server_key.private_bytes_raw() != key
        assert again.state.speed == 60


def test_two_demos_do_not_share_a_folder(folder: Folder) -> None:
    other = (
        "from datetime import date; from pathlib import Path; from simulator.demo.folder import Folder;"
        f"Folder(Path({str(folder.path)!r}), reset=True, today=date(2026, 11, 26))"
    )
    ended = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=False)
    assert "another demo runs in this folder: end it, or give --dir another" in ended.stderr
    assert (folder.path / "login.json").exists()


def test_a_disk_that_takes_no_more_ends_no_demo_and_is_said_once(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    site = DemoSite(folder, 8000)
    shutil.rmtree(folder.path)
    for _ in range(3):
        site._save(running=True)
    assert capsys.readouterr().out.count("cannot be written (No such file or directory): make room") == 1


@pytest.mark.parametrize("reset", [False, True])
def test_a_folder_of_somebody_else_stays_as_it_is(tmp_path: Path, reset: bool) -> None:
    (tmp_path / "thesis.odt").write_text("three years")
    with pytest.raises(CommandError, match=r"holds thesis\.odt and no demo: give --dir an empty folder"):
        Folder(tmp_path, reset=reset, today=date(2026, 11, 24))
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.odt"]


def test_a_folder_that_cannot_be_made_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match=r"file/demo cannot hold the demo \(.*Not a directory\): .* or give --dir"):
        Folder(tmp_path / "file" / "demo", reset=False, today=date(2026, 11, 24))


def test_a_state_that_cannot_be_read_names_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "demo"
    path.mkdir()
    (path / "state.json").write_text('{"start":"yesterday"}')
    with pytest.raises(CommandError, match=r"state\.json: .*: start afresh with --reset"):
        open_folder(path)
