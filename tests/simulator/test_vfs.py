"""The real SQLite on the simulated disk behaves as on a real one, for one connection and for several."""

import sqlite3
from contextlib import AbstractContextManager, closing
from pathlib import Path
from random import Random

import pytest

from simulator.disk import Disk
from simulator.vfs import LIBRARY, StaticSqliteError, installed


def connected(path: Path | str) -> AbstractContextManager[sqlite3.Connection]:
    """Closed at the end; it waits for nobody, and begins no transaction by itself."""
    return closing(sqlite3.connect(path, isolation_level=None, timeout=0))


def test_a_database_is_written_and_read_again() -> None:
    disk = Disk()
    with installed(disk, Random(1)):
        for value in range(3):
            with connected("/there.db") as db:
                db.execute("CREATE TABLE IF NOT EXISTS t (v)")
                db.execute("INSERT INTO t VALUES (?)", (value,))
        with connected("/there.db") as db:
            found = db.execute("SELECT v FROM t").fetchall()
    assert found == [(0,), (1,), (2,)]
    assert disk.size("/there.db") > 0
    assert not Path("/there.db").exists()


def test_outside_of_it_databases_lie_where_they_did(tmp_path: Path) -> None:
    with installed(Disk(), Random(1)):
        pass
    with connected(tmp_path / "real.db") as db:
        db.execute("CREATE TABLE t (v)")
    assert (tmp_path / "real.db").exists()


def test_a_reader_sees_one_moment_while_another_connection_writes() -> None:
    with installed(Disk(), Random(1)), connected("/shared.db") as writer, connected("/shared.db") as reader:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE t (v)")
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (0,)
        writer.execute("INSERT INTO t VALUES (1)")
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (0,)
        reader.execute("COMMIT")
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (1,)


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_two_never_write_at_once(mode: str) -> None:
    with installed(Disk(), Random(1)), connected("/two.db") as first, connected("/two.db") as second:
        first.execute(f"PRAGMA journal_mode={mode}")
        first.execute("CREATE TABLE t (v)")
        first.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            second.execute("BEGIN IMMEDIATE")
        first.execute("COMMIT")
        second.execute("BEGIN IMMEDIATE")
        second.execute("INSERT INTO t VALUES (1)")
        second.execute("COMMIT")
        assert first.execute("SELECT v FROM t").fetchall() == [(1,)]


def test_who_has_the_file_for_himself_keeps_others_out() -> None:
    """As edge/journal.py has it."""
    with installed(Disk(), Random(1)), connected("/mine.db") as first, connected("/mine.db") as second:
        first.execute("PRAGMA locking_mode=EXCLUSIVE")
        first.execute("PRAGMA journal_mode=WAL")
        first.execute("CREATE TABLE t (v)")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            second.execute("SELECT * FROM t")


def test_without_power_sqlite_says_that_the_disk_fails() -> None:
    disk = Disk()
    with installed(disk, Random(1)), connected("/dark.db") as db:
        db.execute("CREATE TABLE t (v)")
        disk.cut_after = disk.works
        with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
            db.execute("INSERT INTO t VALUES (1)")


def test_another_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python with an SQLite of its own would never ask this disk: nothing would be shown."""

    def ours_is_unknown(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("no such vfs: loquet-disk")

    monkeypatch.setattr(sqlite3, "connect", ours_is_unknown)
    with pytest.raises(StaticSqliteError, match=LIBRARY), installed(Disk(), Random(1)):
        pass
