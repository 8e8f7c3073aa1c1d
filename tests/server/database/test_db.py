"""One writer, aware datetimes, and errors that say what to do."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta, timezone
from errno import ENOSPC
from pathlib import Path
from threading import Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, select

from proofs.postgres import PEER, Postgres
from server.database import engine as db
from server.database.engine import Database
from server.database.reserve import RESERVE, SHARE
from server.database.schema import MIGRATIONS, upgrade
from server.errors import DatabaseError, FullError, MistakeError
from server.models import Edge, Presence
from tests.support_postgres import Kept

ROOT = Path(__file__).parents[3]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def fresh(folder: Path) -> Database:
    database = Database(f"sqlite:///{folder}/new.db")
    upgrade(database, lambda line: None)
    return database


def test_datetimes_come_back_aware_and_in_utc(database: Database) -> None:
    paris = NOON.astimezone(timezone(timedelta(hours=1)))
    with database.transaction() as session:
        session.add(Presence(member="alice", at=paris, inside=True))
    with database.reading() as session:
        stored = session.exec(select(Presence)).one().at
    assert stored == NOON
    assert stored.utcoffset() == timedelta(0)


def test_a_backup_is_made_while_the_server_writes(tmp_path: Path) -> None:
    """As docs/operations.md says, with a connection that only reads."""
    known = iter(("alice", "basile", "chloe"))

    def arrive(*_progress: int) -> None:
        if member := next(known, None):
            with database.transaction() as session:
                session.add(Presence(member=member, at=NOON, inside=True))

    with closing(fresh(tmp_path)) as database:
        with (
            closing(sqlite3.connect(f"file:{tmp_path}/new.db?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(tmp_path / "backup.db")) as copy,
        ):
            source.backup(copy, pages=5, progress=arrive)
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        arrive()
    with closing(Database(f"sqlite:///{tmp_path}/backup.db")) as restored, restored.reading() as session:
        assert set(session.exec(select(Presence.member))) == {"alice", "basile", "chloe"}


def test_a_naive_datetime_is_refused(database: Database) -> None:
    with (
        pytest.raises(Exception, match="has no time zone"),
        database.transaction() as session,
    ):
        session.add(Presence(member="alice", at=NOON.replace(tzinfo=None), inside=True))


def test_a_block_that_fails_stores_nothing(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as session:
            session.add(Presence(member="alice", at=NOON, inside=True))
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with database.reading() as session:
        assert session.exec(select(Presence)).all() == []


def test_a_reading_session_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseError, match="must be allowed to write"), database.reading() as session:
        session.connection().execute(text("DELETE FROM presence"))


def test_write_ahead_log_synced_in_full_with_foreign_keys(tmp_path: Path) -> None:
    database = fresh(tmp_path)
    with database.transaction() as session:
        pragmas = {p: session.connection().exec_driver_sql(f"PRAGMA {p}").scalar() for p in PRAGMAS}
    database.close()
    assert pragmas == PRAGMAS


PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_writers_queue_instead_of_meeting(database: Database) -> None:
    def add(member: int) -> None:
        for turn in range(10):
            with database.transaction() as session:
                session.add(Presence(member=f"{member}-{turn}", at=NOON, inside=True))

    threads = [Thread(target=add, args=(member,)) for member in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert len(session.exec(select(Presence)).all()) == 40


def test_what_names_people_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        database = fresh(tmp_path)
        with database.transaction() as session:
            session.add(Presence(member="alice", at=NOON, inside=True))
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
        database.close()
    finally:
        os.umask(before)
    assert {"new.db", "new.db-wal", "new.db.lock"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_a_second_process_is_kept_out(database: Database) -> None:
    with pytest.raises(DatabaseError, match="another Loquet process has this database open; stop it first"):
        Database(database.url.render_as_string())


OTHER_PROCESS = """
import sys
from server.database.engine import Database
from server.errors import DatabaseError
try:
    Database(sys.argv[1])
except DatabaseError as error:
    print(error)
"""


def test_another_process_is_kept_out(database: Database) -> None:
    url = database.url.render_as_string()
    said = subprocess.run([sys.executable, "-c", OTHER_PROCESS, url], capture_output=True, text=True, check=True).stdout
    assert "another Loquet process has this database open" in said


@pytest.mark.sqlite
def test_there_is_one_write_connection_and_readers_never_checkpoint(database: Database) -> None:
    """SQLite before 3.51.3 may corrupt a WAL database that two connections write or checkpoint at one instant."""
    assert database._writer.pool.size() == 1  # type: ignore[attr-defined]
    assert database._writer.pool._max_overflow == 0  # type: ignore[attr-defined]
    with database.reading() as session:
        ask = session.connection().exec_driver_sql
        assert (ask("PRAGMA query_only").scalar(), ask("PRAGMA wal_autocheckpoint").scalar()) == (1, 0)


def test_a_setting_that_sqlite_does_not_take_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a network file system, where there is no WAL."""
    connection = sqlite3.connect(tmp_path / "other.db")
    with pytest.raises(DatabaseError, match="journal_mode is 'delete' and not 'wal': no database is safe here"):
        db._hold_to(connection, journal_mode="wal")
    connection.close()


@pytest.mark.sqlite
def test_a_start_on_debian_12_frightens_nobody(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its SQLite has a defect that two writers meet; the second one is kept out (docs/decisions/0005)."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    with caplog.at_level("INFO"):
        Database(f"sqlite:///{tmp_path}/bookworm.db").close()
    assert "SQLite" not in caplog.text


def test_databases_are_opened_in_known_places_only() -> None:
    """Whoever opens one elsewhere has a second writer before they know."""
    packages = [path for name in ("policy", "wire", "edge", "server") for path in (ROOT / name).rglob("*.py")]
    opening = {
        str(path.relative_to(ROOT))
        for path in packages
        if re.search(r"\b(sqlite3\.connect|create_engine)\(", path.read_text("utf-8"))
    }
    reads_only, holds_the_claim = "server/queries/what_if.py", "server/backups/restore.py"
    writes_copies = "server/backups/copies.py"
    assert opening == {
        "edge/journal.py", "edge/salvage.py", "server/database/engine.py", reads_only, holds_the_claim, writes_copies
    }  # fmt: skip
    for file in (reads_only, writes_copies):
        assert "?mode=ro" in (ROOT / file).read_text("utf-8")
    assert "claim_file(parsed)" in (ROOT / holds_the_claim).read_text("utf-8")


@pytest.mark.sqlite
@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_a_file_that_is_gone_takes_nothing_more(database: Database, replaced: bool) -> None:
    """What SQLite writes to it would be lost, and was acknowledged before (sqlite.org, howtocorrupt 2.4)."""
    file, away = Path(str(database.url.database)), Path(f"{database.url.database}.away")
    file.rename(away)
    if replaced:
        shutil.copyfile(away, file)
    with pytest.raises(DatabaseError, match="was deleted or replaced under the running server"), database.transaction():
        pass
    with pytest.raises(DatabaseError, match="put the right file in its place"), database.reading():
        pass
    away.replace(file)
    with database.transaction():
        pass
    with database.reading():
        pass


def test_a_database_that_does_not_keep_every_name_is_refused(postgres: Postgres) -> None:
    with postgres.shell("postgres") as shell:
        shell.execute("CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0")
    with pytest.raises(DatabaseError, match=r"ascii: its encoding is SQL_ASCII.*ENCODING 'UTF8'"):
        Database(postgres.url("ascii"))


def test_after_closing_the_database_may_be_opened_again(tmp_path: Path) -> None:
    fresh(tmp_path).close()
    fresh(tmp_path).close()
    assert not (tmp_path / "new.db-wal").exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_only_is_refused(url: str) -> None:
    with pytest.raises(DatabaseError, match="a file is needed"):
        Database(url)


def test_a_url_that_is_none_is_named() -> None:
    with pytest.raises(DatabaseError, match=r"'loquet\.db': write it as sqlite:///"):
        Database("loquet.db")


@pytest.mark.parametrize(
    "url", ["mysql+mysqldb://loquet:opensesame@localhost/loquet", "loquetdb://loquet:opensesame@h"]
)
def test_a_database_without_a_driver_is_named_and_its_password_is_not(url: str) -> None:
    with pytest.raises(DatabaseError, match=r"install that driver, or write it as sqlite:///") as raised:
        Database(url)
    assert "opensesame" not in str(raised.value)


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=f"{tmp_path}/none/loquet.db.lock: No such file"):
        Database(f"sqlite:///{tmp_path}/none/loquet.db")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "new.db").write_bytes(b"holiday pictures" * 100)
    with pytest.raises(DatabaseError, match="correct the database url"):
        fresh(tmp_path)


def test_a_database_that_another_program_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.database.engine.BUSY_SECONDS", 0.05)
    fresh(tmp_path).close()
    shell = sqlite3.connect(tmp_path / "new.db", isolation_level=None)
    shell.execute("BEGIN EXCLUSIVE")
    database = Database(f"sqlite:///{tmp_path}/new.db")
    with pytest.raises(DatabaseError, match=r"new\.db: database is locked; another program holds it"):
        upgrade(database, lambda line: None)
    shell.close()
    database.close()


def test_a_database_that_may_not_be_written(tmp_path: Path) -> None:
    fresh(tmp_path).close()
    database = Database(f"sqlite:///file:{tmp_path}/new.db?mode=ro&uri=true")
    with pytest.raises(DatabaseError, match="must be allowed to write the file"):
        upgrade(database, lambda line: None)
    database.close()


@pytest.mark.sqlite
def test_a_full_disk(database: Database) -> None:
    fill(database)
    with pytest.raises(FullError, match="is full; free space on the disk"), database.transaction() as session:
        come(session, "alice")
    assert who_came(database) == set()


@pytest.mark.sqlite
def test_what_is_urgent_finds_room_on_a_full_disk(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve = Path(f"{database.url.database}.reserve")
    assert reserve.stat().st_blocks * 512 >= RESERVE, "room that is taken, not only said to be"
    fill(database)
    with monkeypatch.context() as full:
        gives_room(database, full)
        full.setattr("os.posix_fallocate", refuses)
        for who in ("alice", "remy"):
            database.urgently(lambda session, who=who: come(session, who))  # type: ignore[misc]
            fill(database)
    assert reserve.stat().st_size == RESERVE - 2 * SHARE, "whoever else writes takes no more than a share"
    with monkeypatch.context() as full:
        full.setattr("os.posix_fallocate", refuses)
        os.truncate(reserve, 0)
        with pytest.raises(FullError, match="is full; free space on the disk"):
            database.urgently(lambda session: come(session, "lea"))
    database.urgently(lambda session: come(session, "zoe", count=1))
    assert reserve.stat().st_blocks * 512 >= RESERVE, "made anew once there is room"
    assert who_came(database) == {"alice", "remy", "zoe"}


@pytest.mark.parametrize("url", ["sqlite:///{}/new.db", "sqlite:///file:{}/new.db?uri=true"])
def test_room_whose_making_was_cut_short_is_made_whole(tmp_path: Path, url: str) -> None:
    reserve = tmp_path / "new.db.reserve"
    reserve.touch()
    Database(url.format(tmp_path)).close()
    assert reserve.stat().st_blocks * 512 >= RESERVE


@pytest.mark.sqlite
def test_nobody_else_gets_the_room_that_is_given_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Edges try again all the time: one waits for its turn just then."""
    fill(database)
    gives_room(database, monkeypatch)
    monkeypatch.setattr("os.posix_fallocate", refuses)
    told: list[str] = []

    def other() -> None:
        with suppress(FullError), database.transaction() as session:
            told.append("other")
            come(session, "remy")

    reserve = database._reserve
    give, waiting = reserve.give_up_share, Thread(target=other)

    def given() -> bool:
        done = give()
        waiting.start()
        waiting.join(0.2)
        return done

    monkeypatch.setattr(reserve, "give_up_share", given)
    database.urgently(lambda session: (told.append("urgent"), come(session, "alice")))
    waiting.join()
    assert told[-2:] == ["urgent", "other"]
    assert "alice" in who_came(database)


def fill(database: Database) -> None:
    """SQLite says that the disk is full from here on."""
    with database.transaction() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count={pages}")


def come(session: Session, name: str, count: int = 50) -> None:
    """So many members that the file has to grow."""
    session.add_all([Presence(member=f"{name}-{n:0500}", at=NOON, inside=True) for n in range(count)])


def who_came(database: Database) -> set[str]:
    with database.reading() as session:
        return {member.partition("-")[0] for member in session.exec(select(Presence.member))}


def gives_room(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file takes is free once it is cut."""
    truncate = os.truncate

    def cut(path: Path, size: int) -> None:
        truncate(path, size)
        with closing(database._writer.raw_connection()) as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[attr-defined]
            connection.execute(f"PRAGMA max_page_count={pages + SHARE // 4096}")  # type: ignore[attr-defined]

    monkeypatch.setattr("os.truncate", cut)


def refuses(*_: object) -> None:
    raise OSError(ENOSPC, "No space left on device")


def test_models_and_migrations_agree(database: Database) -> None:
    with database.transaction() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrations_tell_their_progress_once(new: str) -> None:
    told: list[str] = []
    database = Database(new)
    upgrade(database, told.append)
    upgrade(database, told.append)
    database.close()
    steps = [file.read_text().splitlines()[0].strip('"') for file in sorted((MIGRATIONS / "versions").glob("0*.py"))]
    assert told == [f"database: step {at} of {len(steps)}: {title}" for at, title in enumerate(steps, start=1)]


def test_whatever_else_the_driver_says_has_a_remedy_too(database: Database) -> None:
    with pytest.raises(DatabaseError, match=r"ghosts.*; .*log") as raised, database.reading() as session:
        session.connection().execute(text("SELECT * FROM ghosts"))
    assert isinstance(raised.value.__cause__, DBAPIError)


def test_what_would_be_refused_again_is_a_mistake_that_names_nobody(database: Database) -> None:
    add_alice(database)
    with pytest.raises(MistakeError, match=r"(?i)unique constraint.*; this is a mistake in Loquet: report") as raised:
        add_alice(database)
    assert "alice" not in str(raised.value)


def add_alice(database: Database) -> None:
    with database.transaction() as session:
        session.add(Presence(member="alice", at=NOON, inside=True))


def test_a_reading_session_sees_one_moment(database: Database) -> None:
    with database.reading() as session:
        before = session.exec(select(Presence)).all()
        add_alice(database)
        assert session.exec(select(Presence)).all() == before == []


# On PostgreSQL


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    url = f"postgresql://loquet:opensesame@/loquet?host={tmp_path}"
    with pytest.raises(DatabaseError, match="see that PostgreSQL runs there") as raised:
        Database(url)
    assert "opensesame" not in str(raised.value)


def test_one_that_lets_in_its_own_user_alone(postgres: Postgres) -> None:
    with pytest.raises(DatabaseError, match=r"Peer authentication failed .*; it lets in .*: .* sudo -u loquet loquet"):
        Database(postgres.url(PEER))


def test_a_connection_that_was_cut_is_made_anew(kept: Kept) -> None:
    kept.restore()
    with closing(Database(kept.url)) as database:
        with database.reading() as session:
            before = len(session.exec(select(Edge)).all())
        kept.cut()
        add_alice(database)
        with database.reading() as session:
            assert len(session.exec(select(Edge)).all()) == before
        with pytest.raises(DatabaseError, match="another Loquet process"):
            Database(kept.url)


def test_what_is_cut_in_the_middle_is_said_and_not_stored(kept: Kept) -> None:
    kept.restore()
    with closing(Database(kept.url)) as database:
        with pytest.raises(DatabaseError, match="wait until it runs"):
            add_alice_and_cut(database, kept)
        with database.reading() as session:
            assert session.exec(select(Presence)).all() == []


def add_alice_and_cut(database: Database, kept: Kept) -> None:
    with database.transaction() as session:
        session.add(Presence(member="alice", at=NOON, inside=True))
        session.flush()
        kept.cut()


def test_a_user_who_may_not_is_named_a_remedy(kept: Kept) -> None:
    kept.restore()
    with (
        closing(Database(kept.url)) as database,
        pytest.raises(DatabaseError, match="make that user the owner"),
        database.transaction() as session,
    ):
        session.connection().execute(text("CREATE ROLE nobody; SET LOCAL ROLE nobody; SELECT * FROM presence"))
