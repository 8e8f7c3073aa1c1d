"""A copy is made beside a server that writes, sealed, carried, and in time removed; and it is the whole database."""

import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyrage import x25519
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlmodel import select

from console import age
from server.backups import archive
from server.backups.ages import name_of
from server.backups.copies import TABLES, copy_database
from server.backups.make import back_up, due
from server.backups.restore import PEOPLE, restore
from server.backups.settings import BackupConfig, check
from server.backups.state import state
from server.database.engine import Database
from server.errors import BackupError, ConfigError, DatabaseError
from server.models import Credential, JournalRow, Member
from tests.support_bookings import furnish
from tests.support_postgres import Kept
from tests.support_sftp import SftpServer, sftp_server

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
IDENTITY = x25519.Identity.generate()
RECIPIENT = str(IDENTITY.to_public())
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OURS, ANOTHERS = KEY.public_key(), Ed25519PrivateKey.generate().public_key()


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A server.toml with its keys, and folders for copies."""
    for name in ("etc/keys", "copies", "stick"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "etc/keys/server.pem").write_bytes(b"the key that signs")
    (tmp_path / "etc/server.toml").write_bytes(b"what it is told")
    (tmp_path / "identity.txt").write_text(f"# age\n{IDENTITY}\n")
    return tmp_path / "etc/server.toml"


@pytest.fixture
def config(tmp_path: Path) -> BackupConfig:
    return BackupConfig(RECIPIENT, tmp_path / "copies")


@pytest.fixture(scope="module")
def nas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    with sftp_server(tmp_path_factory.mktemp("ssh")) as server:
        yield server


def rows(file: Path) -> list[str]:
    """Every row of an SQLite file, whatever the order of tables and columns in its schema."""
    with closing(sqlite3.connect(file)) as connection:
        return sorted(line for line in connection.iterdump() if line.startswith("INSERT"))


def make(database: Database, config: BackupConfig, told: Path, at: datetime = NOW) -> list[str]:
    return back_up(database.url.render_as_string(hide_password=False), config, told, KEY, lambda: at)


def test_a_copy_of_a_server_that_writes_comes_back_row_by_row(
    database: Database, config: BackupConfig, told: Path, tmp_path: Path
) -> None:
    """The drill: made, sealed, opened, put back, and compared, on both databases."""
    furnish(database)
    url = database.url.render_as_string(hide_password=False)
    with database.transaction() as session:
        for member in session.exec(select(Member)):
            member.name = "not yet"  # what is not committed is in no copy, and keeps none waiting
        session.flush()
        (said,) = make(database, config, told)
        session.rollback()
    copy = config.folder / name_of(NOW)
    assert said.startswith(f"{copy}: made in ")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(config.folder)) == [copy.name, "state.json"]
    assert not any(word in copy.read_bytes() for word in (b"SQLite", b"Gr\xc3\xa9goire", b"the key that signs"))
    with archive.opened(copy, tmp_path / "identity.txt", tmp_path, OURS) as held:
        about = archive.about(held, copy)
        assert (about.site, about.made) == ("casaco", "2026-11-24T09:00:00+00:00")
        assert (held / "config/keys/server.pem").read_bytes() == b"the key that signs"
        assert (held / "config/server.toml").read_bytes() == b"what it is told"
        first = rows(held / "loquet.db")
    assert len(first) > 50
    with database.transaction() as session:
        for member in session.exec(select(Member)):
            member.name = "somebody else"
    database.close()
    identity = tmp_path / "identity.txt"
    assert restore(url, copy, agreed=False, now=NOW, identity=identity, key=OURS)[0] == f"{copy}: is the database now"
    copy_database(url, tmp_path / "again.db")
    assert rows(tmp_path / "again.db") == first
    again = Database(url)
    with again.transaction() as session:
        session.add(Credential(uid="04AA", position=99, member="alice", status="active", valid_until=None))
    # its number follows that of the last one, and the ledger is guarded as it was
    if again.file is None:
        with pytest.raises(DatabaseError, match="never changed or deleted"), again.transaction() as session:
            session.connection().execute(text("TRUNCATE bank_entry CASCADE"))
    again.close()


def test_who_is_blocked_today_is_found_without_a_copy_of_all_that_happened(kept: Kept, tmp_path: Path) -> None:
    """A million rows of it would be copied from PostgreSQL for nothing, while people wait for the restore."""
    kept.restore()
    with closing(Database(kept.url)) as database, database.transaction() as session:
        told = JournalRow(edge="front", journal="j", seq=1, at=NOW, received=NOW, mono_ms=0, boot="b", clock="synced")
        told.kind, told.pending = "tap", False
        session.add(told)
    for tables, held in ((TABLES, True), (PEOPLE, False)):
        copy_database(kept.url, tmp_path / f"{held}.db", tables)
        with closing(sqlite3.connect(tmp_path / f"{held}.db")) as copied:
            (badges,) = copied.execute("SELECT count(*) FROM credential").fetchone()
            (rows,) = copied.execute("SELECT count(*) FROM journal_row").fetchone()
        assert (rows > 0, badges > 0) == (held, True)


@pytest.mark.parametrize(
    ("revision", "words"),
    [
        ("0001", r"is of version 0001, the program of \d+: start the server once"),
        ("9999", r"is of a newer version of Loquet \(9999\): install that one first, or name a new, empty database"),
    ],
)
def test_tables_of_another_version_are_refused_by_name_before_a_copy_takes_their_place(
    kept: Kept, config: BackupConfig, told: Path, tmp_path: Path, revision: str, words: str
) -> None:
    kept.restore()
    database = Database(kept.url)
    make(database, config, told)
    with database.transaction() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = :now"), {"now": revision})
    database.close()
    with pytest.raises(DatabaseError, match=words):
        restore(
            kept.url,
            config.folder / name_of(NOW),
            agreed=True,
            now=NOW,
            identity=tmp_path / "identity.txt",
            key=OURS,
        )
    kept.restore()


def test_a_program_that_was_not_started_yet_says_so_without_the_password(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What keeps a copy from being made stands in state.json, in the log, and on *Santé*."""
    monkeypatch.setattr("server.backups.copies.newest", lambda: "9999")
    url = make_url(kept.url).set(password="word-that-nobody-reads")
    with pytest.raises(DatabaseError, match="the program of 9999: start the server once") as raised:
        copy_database(url.render_as_string(hide_password=False), tmp_path / "copy.db")
    assert "word-that-nobody-reads" not in str(raised.value)


@pytest.mark.sqlite
def test_it_opens_with_its_identity_alone(database: Database, config: BackupConfig, told: Path, tmp_path: Path) -> None:
    make(database, config, told)
    copy = config.folder / name_of(NOW)
    (tmp_path / "other.txt").write_text(str(x25519.Identity.generate()))
    (tmp_path / "both.txt").write_text(f"{x25519.Identity.generate()}\n{IDENTITY}\n")
    (tmp_path / "none.txt").write_text(RECIPIENT)
    (tmp_path / "short.age").write_bytes(copy.read_bytes()[:-100])
    for file, identity, words in (
        (copy, "other.txt", r"other\.txt does not open it .*take the identity that was made with this site"),
        (copy, "none.txt", r"none\.txt: is no identity of age"),
        (copy, "missing.txt", r"missing\.txt: No such file"),
        (tmp_path / "short.age", "identity.txt", "cannot be unpacked|does not open it"),
    ):
        with pytest.raises(BackupError, match=words), archive.opened(file, tmp_path / identity, tmp_path, OURS):
            pytest.fail("it was opened")
    reads, writes = os.pipe()  # as docs/operations.md gives it: the identity never lies on the server
    os.write(writes, (tmp_path / "both.txt").read_bytes())
    os.close(writes)
    with archive.opened(copy, Path(f"/dev/fd/{reads}"), tmp_path, OURS) as held:
        assert (held / "loquet.db").exists()
    os.close(reads)
    assert not list(tmp_path.glob(".loquet-restore-*"))


@pytest.mark.sqlite
def test_what_this_server_did_not_sign_does_not_come_back(
    database: Database, config: BackupConfig, told: Path, tmp_path: Path
) -> None:
    """Whoever can write into the folder knows the recipient, and can seal to it what they like; they cannot sign."""
    make(database, config, told)
    copy, identity, url = config.folder / name_of(NOW), tmp_path / "identity.txt", str(database.url)
    with archive.opened(copy, identity, tmp_path, OURS) as held:
        shutil.copytree(held, tmp_path / "held")
    with sqlite3.connect(tmp_path / "held/loquet.db") as connection:
        connection.execute("UPDATE credential SET status = 'active'")
    database.close()
    connection.close()
    changed, unsigned = tmp_path / "changed.age", tmp_path / "unsigned.age"
    _packed(tmp_path / "held", changed)
    (tmp_path / "held/signed.json").unlink()
    _packed(tmp_path / "held", unsigned)
    renamed = tmp_path / name_of(NOW + timedelta(days=1))
    renamed.write_bytes(copy.read_bytes())
    for file, key, words in (
        (changed, OURS, "what is in it is not what was signed"),
        (unsigned, OURS, "nobody signed it: .*open it by hand"),
        (copy, ANOTHERS, "this server's key did not sign it: .*--signed-by"),
        (renamed, OURS, "was made at 2026-11-24 09:00 UTC: somebody gave it another copy's name"),
        (copy, None, "is sealed"),
    ):
        with pytest.raises(BackupError, match=words):
            restore(url, file, agreed=True, now=NOW, identity=identity, key=key)
    assert "is the database now" in restore(url, copy, agreed=True, now=NOW, identity=identity, key=OURS)[0]


def _packed(folder: Path, to: Path) -> None:
    """As somebody would who has tar and age."""
    packed = to.with_suffix(".tgz")
    with tarfile.open(packed, "w:gz") as tar:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                tar.add(file, str(file.relative_to(folder)))
    age.seal(packed, to, RECIPIENT)


@pytest.mark.sqlite
def test_copies_are_carried_to_a_stick_and_by_sftp_and_removed_there_in_time(
    database: Database, config: BackupConfig, told: Path, tmp_path: Path, nas: SftpServer
) -> None:
    places = (str(tmp_path / "stick"), nas.address)
    config = replace(config, copies=places, ssh_key=nas.key, known_hosts=nas.known_hosts)
    times = [NOW, NOW + timedelta(minutes=5), NOW + timedelta(hours=3), NOW + timedelta(days=31)]
    for at in times[:3]:
        said = make(database, config, told, at)
    assert said[1:] == [f"{place}: has it, too" for place in places]
    kept = {name_of(NOW), name_of(times[2])}
    folders = (config.folder, tmp_path / "stick", nas.root / "copies")
    assert [{name for name in os.listdir(folder) if name != "state.json"} for folder in folders] == [kept] * 3
    made = name_of(times[2])
    assert (nas.root / "copies" / made).read_bytes() == (config.folder / made).read_bytes()
    for older in ("before-upgrade.db", "tried-20261124T090000Z.sql"):
        (config.folder / older).touch()
        os.utime(config.folder / older, (NOW.timestamp(),) * 2)
    make(database, config, told, times[3])
    assert [{name for name in os.listdir(folder) if name != "state.json"} for folder in folders] == [
        {name_of(times[3])}
    ] * 3


@pytest.mark.sqlite
def test_a_place_that_is_away_keeps_nobody_from_the_others_and_is_told(
    database: Database, config: BackupConfig, told: Path, tmp_path: Path, nas: SftpServer
) -> None:
    (tmp_path / "nobody").write_text("")
    places = (str(tmp_path / "stick"), str(tmp_path / "gone"), nas.address)
    config = replace(config, copies=places, ssh_key=nas.key, known_hosts=tmp_path / "nobody")
    with pytest.raises(BackupError, match="Host key verification failed") as raised:
        make(database, config, told)
    assert f"{tmp_path / 'gone'}: No such file or directory" in str(raised.value)
    assert (tmp_path / "stick" / name_of(NOW)).exists()
    assert not (tmp_path / "gone").exists()
    known = state(config.folder)
    assert known is not None
    assert [known.places[place].at for place in places] == [NOW.isoformat(), None, None]
    assert known.places[nas.address].why.startswith(f"{nas.address}: ")
    (tmp_path / "gone").mkdir()
    with pytest.raises(BackupError):
        make(database, config, told, NOW + timedelta(minutes=5))
    known = state(config.folder)
    assert known is not None
    assert known.places[places[1]].why == ""


@pytest.mark.sqlite
def test_a_copy_that_was_cut_off_leaves_nothing_and_two_are_not_made_at_once(
    database: Database, config: BackupConfig, told: Path
) -> None:
    assert due(config, NOW)
    (config.folder / ".making-x").mkdir()
    (config.folder / ".making-x/loquet.db").write_bytes(b"names")
    make(database, config, told)
    assert not (config.folder / ".making-x").exists()
    assert not due(config, NOW + timedelta(minutes=4))
    assert due(config, NOW + timedelta(minutes=5))
    with pytest.raises(DatabaseError, match=r"/nowhere/loquet\.db: cannot be copied"):
        back_up("sqlite:////nowhere/loquet.db", config, told, KEY, lambda: NOW + timedelta(minutes=5))
    known = state(config.folder)
    assert known is not None
    assert "/nowhere/loquet.db" in known.why
    assert sorted(os.listdir(config.folder)) == [name_of(NOW), "state.json"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"recipient": str(IDENTITY)}, "is the identity, which opens the copies and stays off the server"),
        ({"recipient": "age1abc"}, "recipient 'age1abc': .*give the age1"),
        ({"folder": Path("copies")}, "folder 'copies': give its whole path"),
        ({"minutes": 90}, "minutes 90: from one copy to the next give 5 to 60"),
        ({"days": 91}, "days 91: .* kept for 90 days .*give 1 to 90"),
        ({"copies": ("nas.lan:/copies",)}, "copies 'nas.lan:/copies': write it as"),
        ({"copies": ("sftp://nas.lan/copies",)}, "write it as"),
        ({"copies": ("sftp://-oProxyCommand=x@nas.lan/copies",)}, "write it as"),
        ({"copies": ("sftp://loquet@nas.lan/copies",)}, "name its ssh_key, too"),
    ],
)
def test_what_cannot_be_is_refused_by_name(config: BackupConfig, changed: dict[str, object], words: str) -> None:
    check(config, 90)
    with pytest.raises(ConfigError, match=words) as raised:
        check(replace(config, **changed), 90)  # type: ignore[arg-type]
    assert str(IDENTITY) not in str(raised.value)
