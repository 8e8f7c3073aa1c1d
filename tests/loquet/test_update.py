"""An update that is cut off anywhere and given again, or goes back; on a machine of words, and on files of this one."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from loquet.main import main
from loquet.versions.databases import SqliteDatabase
from loquet.versions.machine import Service, serves
from loquet.versions.switch import TriedError, update

OLD, NEW, NEWER = "/opt/loquet-old", "/opt/loquet-new", "/opt/loquet-newer"


class CutError(Exception):
    """The machine loses its power."""


class Words:
    """form: of the database, as the version that last opened it made it.

    broken: versions that never answer. left: changes until the power goes. fails: the copy always, a stop once, and a
    start of the version before once, which comes up by itself then.
    """

    def __init__(self, keeps_a_database: bool, broken: tuple[str, ...] = ()) -> None:
        self.keeps_a_database, self.broken = keeps_a_database, broken
        self.links = {"now": OLD}
        self.runs: str | None = OLD
        self.form, self.copied = OLD, ""
        self.fails: list[str] = []
        self.left = 1000

    def change(self) -> None:
        if self.left == 0:
            raise CutError
        self.left -= 1

    def now(self) -> str:
        return self.links["now"]

    def before(self) -> str | None:
        return self.links.get("before")

    def remember(self, version: str) -> None:
        self.change()
        self.links["before"] = version

    def forget(self) -> None:
        self.change()
        self.links.pop("before", None)

    def count(self, version: str) -> None:
        self.change()
        self.links["now"] = version

    def stop(self) -> None:
        self.change()
        if "stop" in self.fails:
            self.fails.remove("stop")
            raise TriedError("it cannot be stopped")
        self.runs = None

    def start(self) -> None:
        self.change()
        self.runs = self.form = self.links["now"]
        if self.fails == ["start"] and self.runs == OLD:
            self.fails.clear()
            raise TriedError("it came up at the second try")

    def answers(self) -> bool:
        self.change()
        return self.runs is not None and self.runs not in self.broken

    def copy(self) -> None:
        assert self.runs is None, "the server still writes into it"
        self.change()
        if "copy" in self.fails:
            raise TriedError("no room")
        self.copied = self.form

    def put_back(self) -> None:
        self.change()
        if "put back" in self.fails:
            self.fails.remove("put back")
            raise TriedError("no room")
        self.form = self.copied


def cut_anywhere(keeps_a_database: bool, broken: tuple[str, ...] = ()) -> list[Words]:
    """Machines on which an update to NEW was cut off: before its first change, after it, and so on to its end."""
    found: list[Words] = []
    while True:
        machine = Words(keeps_a_database, broken)
        machine.left = len(found)
        try:
            update(machine, NEW)
        except CutError:
            machine.left = 1000
            found.append(machine)
        except TriedError:
            return found
        else:
            return found


def is_on(machine: Words, version: str) -> bool:
    """It runs this version, on a database of its form, and nothing is left to do."""
    form = version if machine.keeps_a_database else machine.form
    return (machine.links, machine.runs, machine.form) == ({"now": version}, version, form)


@pytest.mark.parametrize("database", [True, False])
def test_one_that_was_cut_off_anywhere_is_made_good_by_the_next_run(database: bool) -> None:
    cut = cut_anywhere(database)
    assert len(cut) >= 5
    for machine in cut:
        update(machine, NEW)
        assert is_on(machine, NEW)


@pytest.mark.parametrize("database", [True, False])
def test_one_that_was_cut_off_goes_back_all_the_same(database: bool) -> None:
    cut = cut_anywhere(database, broken=(NEW,))
    assert len(cut) >= 8
    for machine in cut:
        with pytest.raises(TriedError, match=f"{OLD} runs again"):
            update(machine, NEW)
        assert is_on(machine, OLD)


@pytest.mark.parametrize("database", [True, False])
def test_after_one_that_was_cut_off_a_newer_one_can_be_given(database: bool) -> None:
    """At the second try at the latest: the first says that the version that was cut off did not answer."""
    for machine in cut_anywhere(database, broken=(NEW,)):
        try:
            update(machine, NEWER)
        except TriedError:
            assert is_on(machine, OLD)
            update(machine, NEWER)
        assert is_on(machine, NEWER)


def test_what_the_server_stored_since_a_newer_version_answered_stays() -> None:
    """One that went well is not gone back behind, whatever becomes of the next."""
    machine = Words(True, broken=(NEWER,))
    update(machine, NEW)
    with pytest.raises(TriedError):
        update(machine, NEWER)
    assert is_on(machine, NEW)


@pytest.mark.parametrize("fails", [(), ("stop",), ("copy",)])
def test_only_the_copy_that_this_update_made_comes_back(fails: tuple[str, ...]) -> None:
    """A full disk, or a server that cannot be stopped: what lies there is the copy of an older update."""
    machine = Words(True, broken=(NEWER,))
    update(machine, NEW)
    machine.fails, machine.copied = [*fails], "an older update's"
    with pytest.raises(TriedError):
        update(machine, NEWER)
    assert is_on(machine, NEW)


def test_the_version_before_may_need_a_second_start() -> None:
    machine = Words(False, broken=(NEW,))
    machine.fails = ["start"]
    with pytest.raises(TriedError, match=f"{OLD} runs again, and answers"):
        update(machine, NEW)
    assert is_on(machine, OLD)


def test_where_neither_answers_it_is_said_and_the_next_run_begins_there() -> None:
    machine = Words(True, broken=(OLD, NEW))
    with pytest.raises(TriedError, match=f"{OLD} counts again, and does not answer either"):
        update(machine, NEW)
    assert machine.links == {"now": OLD, "before": OLD}
    machine.broken = ()
    assert update(machine, NEWER)
    assert is_on(machine, NEWER)


def test_a_database_that_cannot_be_put_back_is_said_and_put_back_by_the_next_run() -> None:
    """The version before would not know its form, and might harm it."""
    machine = Words(True, broken=(NEW,))
    machine.fails = ["put back"]
    with pytest.raises(TriedError, match=f"could not be put back for {OLD} .no room.: the server stands still"):
        update(machine, NEW)
    assert (machine.runs, machine.form) == (None, NEW)
    with pytest.raises(TriedError, match=f"{OLD} runs again"):
        update(machine, NEW)
    assert is_on(machine, OLD)


def test_what_runs_already_is_left_alone() -> None:
    machine = Words(True)
    machine.left = 0
    assert not update(machine, OLD)


def service(folder: Path, database: Path | None = None, *, broken: str = "") -> Service:
    """Of this machine's disk, where a version may never answer; its systemctl is one that does nothing."""
    current, before = folder / "loquet", folder / "loquet.before"
    kept = database and SqliteDatabase(database, folder / "backups")
    return Service("loquet-server", kept, lambda: current.readlink().name != broken, 0.0, current, before)


def rows(file: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(file)) as db:
        return db.execute("SELECT what FROM stored").fetchall()


def test_the_database_comes_back_as_it_was_with_the_newest_row_of_its_log(tmp_path: Path, systemctl: Path) -> None:
    database = tmp_path / "loquet.db"
    (tmp_path / "loquet").symlink_to(tmp_path / "old")
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE stored (what TEXT)")
        db.execute("INSERT INTO stored VALUES ('before')")
        db.commit()
        machine = service(tmp_path, database, broken="new")
        with pytest.raises(TriedError, match="did not answer in time"):
            update(machine, str(tmp_path / "new"))
    assert rows(database) == [("before",)]
    assert rows(tmp_path / "backups" / "before-upgrade.db") == [("before",)]
    assert (tmp_path / "backups" / "before-upgrade.db").stat().st_mode & 0o077 == 0
    assert (tmp_path / "loquet").readlink() == tmp_path / "old"
    assert not (tmp_path / "loquet.before").is_symlink()
    assert systemctl.read_text().split("\n")[:2] == ["stop loquet-server", "restart loquet-server"]


def test_what_was_stored_while_a_newer_version_was_tried_is_kept_aside(
    tmp_path: Path, systemctl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The power went while it was tried, and nobody gave the command again for a week."""
    database = tmp_path / "loquet.db"
    (tmp_path / "loquet").symlink_to(tmp_path / "old")
    with closing(sqlite3.connect(database)) as db:
        db.execute("CREATE TABLE stored (what TEXT)")
        db.commit()
        machine = service(tmp_path, database, broken="new")
        machine.copy()
        machine.remember(str(tmp_path / "old"))
        machine.count(str(tmp_path / "new"))
        db.execute("INSERT INTO stored VALUES ('a badge was blocked')")
        db.commit()
    with pytest.raises(TriedError, match="did not answer in time"):
        update(machine, str(tmp_path / "new"))
    assert rows(database) == []
    (tried,) = (tmp_path / "backups").glob("tried-*.db")
    assert rows(tried) == [("a badge was blocked",)]
    assert tried.stat().st_mode & 0o077 == 0
    assert f"lies in {tried}" in capsys.readouterr().out


def test_a_version_that_was_installed_by_hand_gets_a_name_to_go_back_to(tmp_path: Path, systemctl: Path) -> None:
    (tmp_path / "loquet").mkdir()
    assert update(service(tmp_path), str(tmp_path / "new"))
    assert (tmp_path / "loquet").readlink() == tmp_path / "new"
    assert (tmp_path / "loquet-first").is_dir()
    assert systemctl.exists()


def test_a_full_disk_changes_nothing(tmp_path: Path, systemctl: Path) -> None:
    """The copy cannot be made where its folder is a file: what runs is started again."""
    database = tmp_path / "loquet.db"
    with closing(sqlite3.connect(database)) as db:
        db.execute("CREATE TABLE stored (what TEXT)")
    (tmp_path / "loquet").symlink_to(tmp_path / "old")
    (tmp_path / "backups").write_text("")
    with pytest.raises(TriedError, match="could not be copied"):
        update(service(tmp_path, database), str(tmp_path / "new"))
    assert (tmp_path / "loquet").readlink() == tmp_path / "old"
    assert systemctl.read_text().split("\n")[-2] == "restart loquet-server"


def test_only_root_updates(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert main(["update"]) == 2
    assert "sudo loquet update" in capsys.readouterr().err


def on_a_machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An edge's machine, with an archive of a newer version, which is no archive."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("loquet.update.OPT", folder)
    monkeypatch.setattr("loquet.update.SERVER", folder / "server.toml")
    monkeypatch.setattr("loquet.update.EDGE", folder / "edge.toml")
    (folder / "edge.toml").write_text("")
    archive = folder / "loquet-0.2.0-0123456789ab.tar.gz"
    archive.write_bytes(b"cut short while it was copied")
    return archive


def test_a_full_card_is_said_before_anything_is_unpacked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = on_a_machine(tmp_path, monkeypatch)
    monkeypatch.setattr("loquet.update.ROOM", 10**18)
    assert main(["update", str(archive)]) == 2
    assert "are wanted: make room" in capsys.readouterr().err
    assert not [*tmp_path.glob("*.source")]


def test_a_file_that_is_damaged_or_none_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = on_a_machine(tmp_path, monkeypatch)
    assert main(["update", str(archive)]) == 2
    assert "copy it here once more" in capsys.readouterr().err
    assert main(["update", str(tmp_path / "edge.toml")]) == 2
    assert "ansible/pack makes one" in capsys.readouterr().err
    assert main(["update", "--to", str(tmp_path)]) == 2
    assert "no version is installed there" in capsys.readouterr().err


def test_a_machine_that_is_none_of_ours_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_machine(tmp_path, monkeypatch)
    (tmp_path / "server.toml").write_text("")
    assert main(["update"]) == 2
    assert "one server, or one edge" in capsys.readouterr().err


@pytest.mark.parametrize(("runs", "status"), [("on 'cnc' a session runs", 1), ("", 0)])
def test_a_running_session_is_not_cut(
    tmp_path: Path,
    systemctl: Path,
    runs: str,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    on_a_machine(tmp_path, monkeypatch)
    version = tmp_path / "loquet-new"
    (version / "bin").mkdir(parents=True)
    (version / "bin/loquet").write_text(f'#!/bin/sh\necho "{runs}"; [ -z "{runs}" ]\n')
    (version / "bin/loquet").chmod(0o755)
    (tmp_path / "loquet").symlink_to(tmp_path / "loquet-old")
    ours = service(tmp_path)
    monkeypatch.setattr("loquet.update._service", lambda _part, _within: ours)
    assert main(["update", "--to", str(version)]) == status
    assert (tmp_path / "loquet").readlink() == (tmp_path / "loquet-old" if runs else version)
    assert ("nothing is changed meanwhile" in capsys.readouterr().out) is bool(runs)
    assert "is-active" in systemctl.read_text()


def test_where_nobody_can_say_whether_a_session_runs_nothing_is_cut(
    tmp_path: Path, systemctl: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_a_machine(tmp_path, monkeypatch)
    version = tmp_path / "loquet-new"
    (version / "bin").mkdir(parents=True)
    (version / "bin/loquet").write_text("#!/bin/sh\necho 'journal.db: cannot be read' >&2; exit 2\n")
    (version / "bin/loquet").chmod(0o755)
    (tmp_path / "loquet").symlink_to(tmp_path / "loquet-old")
    assert main(["update", "--to", str(version)]) == 1
    assert "journal.db: cannot be read: whether a session runs cannot be told" in capsys.readouterr().out
    assert (tmp_path / "loquet").readlink() == tmp_path / "loquet-old"
    assert "restart" not in systemctl.read_text()


def test_a_server_that_has_no_database_yet_gets_none_of_an_older_update(tmp_path: Path, systemctl: Path) -> None:
    (tmp_path / "loquet").symlink_to(tmp_path / "old")
    older, database = tmp_path / "older.db", tmp_path / "loquet.db"
    with closing(sqlite3.connect(older)) as db:
        db.execute("CREATE TABLE stored (what TEXT)")
    service(tmp_path, older).copy()
    with pytest.raises(TriedError, match="did not answer in time"):
        update(service(tmp_path, database, broken="new"), str(tmp_path / "new"))
    assert not database.exists()
    assert systemctl.exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_a_server_is_asked_where_it_listens(host: str) -> None:
    """One that listens elsewhere on this machine would be taken for one that does not answer, and be replaced."""

    class Well(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_said: object) -> None:
            pass

    with HTTPServer((host, 0), Well) as pages:
        port = pages.server_address[1]
        answers = Thread(target=pages.handle_request)
        answers.start()
        assert serves(host, port)
        answers.join()
    assert not serves(host, port)


def test_versions_that_nobody_goes_back_to_do_not_fill_the_card(
    tmp_path: Path, systemctl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_machine(tmp_path, monkeypatch)
    names = ["loquet-older", "loquet-older.source", "loquet-old", "loquet-new", "loquet-new.source", "else"]
    for name in names:
        (tmp_path / name / "bin").mkdir(parents=True)
    (tmp_path / "loquet-new/bin/loquet").write_text("#!/bin/sh\n")
    (tmp_path / "loquet-new/bin/loquet").chmod(0o755)
    (tmp_path / "loquet").symlink_to(tmp_path / "loquet-old")
    ours = service(tmp_path)
    monkeypatch.setattr("loquet.update._service", lambda _part, _within: ours)
    assert main(["update", "--to", str(tmp_path / "loquet-new")]) == 0
    assert [name for name in names if (tmp_path / name).exists()] == ["loquet-old", "loquet-new", "else"]
    assert systemctl.exists()


def test_an_edge_updates_itself_by_what_it_has_and_not_by_what_only_the_server_needs() -> None:
    code = (
        "import json, sys\n"
        "from loquet.update import _service\n"
        "keeps = _service('edge', 1.0).keeps_a_database\n"
        "print(json.dumps([keeps, sorted(name.partition('.')[0] for name in sys.modules)]))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    keeps, modules = json.loads(ended.stdout)
    assert not keeps
    assert not {"flask", "sqlmodel", "sqlalchemy", "psycopg", "server"} & set(modules)
