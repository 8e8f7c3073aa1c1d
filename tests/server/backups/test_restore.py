"""A copy of the database comes back by one command: whole, its own site's, and making nothing good again unasked."""

import gzip
import re
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from sqlmodel import select

from policy.compile import compile_rules
from server.audit import verify
from server.backups import restore as restoring
from server.backups.restore import Doors
from server.database.engine import Database
from server.database.types import moment
from server.errors import BackupError, DatabaseError
from server.models import Account, ApiToken, AuditRow, Credential, Member, Passkey
from tests.support_bookings import furnish
from tests.support_server import site_database, small_bundle
from tests.support_site import at
from wire.credential import pseudonym

pytestmark = pytest.mark.sqlite


NAMED = partial(pseudonym, bytes(range(32)))
NOW = moment(at(19, 12))
restore = partial(restoring.restore, now=NOW)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    database, began = site_database(folder), moment(at(9))
    furnish(database)
    with database.transaction() as session:
        account = Account(login="equipe", admin=True, made=began)
        session.add(account)
        session.add(ApiToken(token_hash="t", name="wiki", scopes=[], by="equipe", made=began))
        session.flush()
        session.add(Passkey(id="k", account=account.id or 0, name="phone", public_key=b"", sign_count=0, made=began))
    database.close()
    return folder / "loquet.db"


@pytest.fixture
def url(built: Path, tmp_path: Path) -> str:
    """A server's database, and `copy.db.gz`, made of it earlier."""
    shutil.copy(built, tmp_path / "loquet.db")
    (tmp_path / "copy.db.gz").write_bytes(gzip.compress(built.read_bytes(), compresslevel=1))
    return f"sqlite:///{tmp_path}/loquet.db"


def every_row(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def change(url: str, sql: str, *values: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute(sql, values)
        connection.commit()


def test_a_copy_comes_back_row_by_row_and_what_was_there_is_kept(url: str, built: Path, tmp_path: Path) -> None:
    change(url, "UPDATE member SET name = 'somebody else'")
    before = every_row(tmp_path / "loquet.db")
    said = restore(url, tmp_path / "copy.db.gz", agreed=False)
    assert every_row(tmp_path / "loquet.db") == every_row(built)
    assert every_row(tmp_path / "loquet.db.before-restore") == before
    assert "loquet.db.before-restore: is what it was" in said[1]
    assert (tmp_path / "loquet.db").stat().st_mode & 0o777 == 0o600
    database = Database(url)
    with database.reading() as session:
        assert len(session.exec(select(Member)).all()) == len(small_bundle().members)
    database.close()


def test_nothing_is_needed_of_a_database_that_is_gone(url: str, built: Path, tmp_path: Path) -> None:
    (tmp_path / "loquet.db").unlink()
    assert len(restore(url, built, agreed=False)) == 2
    assert every_row(tmp_path / "loquet.db") == every_row(built)


def test_a_write_ahead_log_of_the_one_before_is_not_taken_for_its_own(url: str, built: Path, tmp_path: Path) -> None:
    database = Database(url)
    with database.transaction() as session:
        for member in session.exec(select(Member)):
            member.name = "newer"
    shutil.copy(tmp_path / "loquet.db-wal", tmp_path / "left")
    database.close()
    shutil.copy(tmp_path / "left", tmp_path / "loquet.db-wal")
    restore(url, tmp_path / "copy.db.gz", agreed=False)
    assert every_row(tmp_path / "loquet.db") == every_row(built)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE credential SET status = 'stolen'", "active in the copy, stolen today"),
        ("UPDATE credential SET ended = '2026-11-24 09:00:00.000'", "active in the copy, ended today"),
        ("UPDATE member SET status = 'suspended'", "active in the copy, suspended today"),
        ("UPDATE member SET roles = '[]'", "role gardien of .*: active in the copy, ended today"),
        (
            "UPDATE certification SET ended = '2026-11-24 09:00:00.000'",
            r"training cnc of R.* \(remy\): active in the copy, ended",
        ),
        ("UPDATE machine SET locked_out = '{}'", r"machine .*\(cnc\): active in the copy, locked out today"),
        (
            "INSERT INTO lockdown VALUES (1, 1, '2026-11-24 09:00:00', 'x')",
            "entry: active in the copy, locked down today",
        ),
        ("UPDATE account SET ended = '2026-11-24 09:00:00.000'", "account equipe: active in the copy, ended today"),
        ("UPDATE account SET admin = 0", "administrator equipe: active in the copy, ended today"),
        ("DELETE FROM passkey", "passkey phone of equipe k: active in the copy, ended today"),
        ("UPDATE api_token SET ended = '2026-11-24 09:00:00.000'", "token wiki 1: active in the copy, ended today"),
    ],
)
def test_what_would_be_good_again_is_said_and_asked(url: str, tmp_path: Path, sql: str, said: str) -> None:
    change(url, sql)
    before = every_row(tmp_path / "loquet.db")
    with pytest.raises(DatabaseError, match=said) as refused:
        restore(url, tmp_path / "copy.db.gz", agreed=False)
    assert every_row(tmp_path / "loquet.db") == before
    uids = [badge.uid.upper() for badge in small_bundle().credentials]
    assert not any(uid in str(refused.value) for uid in uids)
    restore(url, tmp_path / "copy.db.gz", agreed=True)
    assert every_row(tmp_path / "loquet.db") != before


@pytest.mark.parametrize("sql", ["SET status = 'stolen'", "SET ended = '2026-11-24 09:00:00.000'"])
def test_no_badge_is_good_again_even_when_it_is_agreed(url: str, tmp_path: Path, sql: str) -> None:
    change(url, f"UPDATE credential {sql}")
    said = restore(url, tmp_path / "copy.db.gz", agreed=True)
    assert any(line.startswith("badge …") and ": stays " in line for line in said)
    assert good_badges(url) == []
    database = Database(url)
    with database.reading() as session:
        assert verify(session).broken is None
        written = session.exec(select(AuditRow).where(AuditRow.account == "restore")).all()
        assert {row.noun for row in written} == {"credential"}
    database.close()


def test_where_the_database_is_gone_the_rules_that_doors_hold_say_what_was_blocked(url: str, tmp_path: Path) -> None:
    bundle = small_bundle()
    lost, _ended, *others = (badge for badge in bundle.credentials if badge.status == "active")
    held = replace(bundle, credentials=(replace(lost, status="stolen"), *others), certifications=())
    rules = compile_rules(
        held,
        zone=ZoneInfo("Europe/Paris"),
        holidays=lambda _year: frozenset(),
        pseudonym=NAMED,
        edges={},
        at=at(19),
        speaks=2,
    )
    (tmp_path / "loquet.db").unlink()
    asked = []

    def ask(site: str) -> Doors:
        asked.append(site)
        return Doors(rules, NAMED)

    with pytest.raises(DatabaseError, match="by the rules that doors hold: the database of today") as said:
        restore(url, tmp_path / "copy.db.gz", agreed=False, ask=ask)
    assert re.search(r"…0001 of Gr.* \(gregoire\): active in the copy, ended today", str(said.value))
    assert re.search(r" of A.* \(alice\): active in the copy, blocked today", str(said.value))
    assert not any(word in str(said.value) for word in ("account", "token", "machine", "training"))
    restore(url, tmp_path / "copy.db.gz", agreed=True, ask=ask)
    assert asked == ["casaco", "casaco"]
    assert good_badges(url) == sorted(badge.uid.upper() for badge in others)


def test_of_two_badges_whose_numbers_end_alike_the_stolen_one_is_told_with_what_is_written_on_it(
    url: str, built: Path, tmp_path: Path
) -> None:
    """Each is known by its whole number; whoever restores reads its last digits, its label and whose it is."""
    uid = next(badge.uid.upper() for badge in small_bundle().credentials if badge.status == "active")
    twin, copy = f"FF{uid[2:]}", tmp_path / "twins.db"
    shutil.copy(built, copy)
    for file in (url, f"sqlite:///{copy}"):
        change(file, "INSERT INTO day_badge (number, uid) VALUES (7, ?)", twin)
        change(
            file,
            "INSERT INTO credential (uid, position, member, status)"
            " SELECT ?, 99, member, 'active' FROM credential WHERE uid = ? AND ended IS NULL",
            twin,
            uid,
        )
    becomes = "UPDATE credential SET status = ? WHERE uid = ?"
    change(url, becomes, "stolen", uid)
    with pytest.raises(DatabaseError) as refused:
        restore(url, copy, agreed=False)
    assert str(refused.value).count("active in the copy") == 1
    change(url, becomes, "active", uid)
    change(url, becomes, "stolen", twin)
    told = rf"badge …{uid[-4:]} \(day badge 7\) of .* \(.*\): active in the copy, stolen"
    with pytest.raises(DatabaseError, match=told):
        restore(url, copy, agreed=False)
    assert any("(day badge 7)" in line and "stays stolen" in line for line in restore(url, copy, agreed=True))
    assert twin not in good_badges(url)
    assert uid in good_badges(url)


def test_where_nobody_knows_what_was_blocked_somebody_must_agree(url: str, tmp_path: Path) -> None:
    (tmp_path / "loquet.db").unlink()
    with pytest.raises(BackupError, match="nobody knows which badges were blocked"):
        restore(url, tmp_path / "copy.db.gz", agreed=False, ask=lambda _site: None)
    restore(url, tmp_path / "copy.db.gz", agreed=True, ask=lambda _site: None)


def good_badges(url: str) -> list[str]:
    database = Database(url)
    with database.reading() as session:
        found = session.exec(select(Credential)).all()
    database.close()
    return sorted(row.uid for row in found if row.ended is None and row.status == "active")


def test_a_copy_of_before_there_were_tokens_comes_back(url: str, built: Path, tmp_path: Path) -> None:
    shutil.copy(built, tmp_path / "old.db")
    change(f"sqlite:///{tmp_path}/old.db", "DROP TABLE api_token")
    assert "is the database now" in restore(url, tmp_path / "old.db", agreed=False)[0]


def test_what_cannot_be_put_back_is_told_and_changes_nothing(url: str, built: Path, tmp_path: Path) -> None:
    before = (tmp_path / "loquet.db").read_bytes()
    copies = {
        name: tmp_path / name for name in ("short.db.gz", "none.db", "text.db", "damaged.db", "other.db", "newer.db")
    }
    copies["short.db.gz"].write_bytes((tmp_path / "copy.db.gz").read_bytes()[:-200])
    copies["text.db"].write_text("no database at all, but long enough to be looked at")
    damaged = bytearray(built.read_bytes())
    damaged[4096 * 3 : 4096 * 60] = bytes(4096 * 57)
    copies["damaged.db"].write_bytes(damaged)
    for name, sql in (
        ("other.db", "UPDATE site SET id = 'other'"),
        ("newer.db", "UPDATE alembic_version SET version_num = '9999'"),
    ):
        shutil.copy(built, copies[name])
        change(f"sqlite:///{copies[name]}", sql)
    told = {
        "short.db.gz": "cannot be unpacked",
        "none.db": "cannot be unpacked",
        "text.db": "is no copy of a site's database",
        "damaged.db": "take another",
        "other.db": "is of site 'other'",
        "newer.db": "is of a newer version of Loquet",
    }
    for name, words in told.items():
        with pytest.raises(DatabaseError, match=words):
            restore(url, copies[name], agreed=True)
        assert (tmp_path / "loquet.db").read_bytes() == before
    assert not list(tmp_path.glob(".loquet-restore-*"))


def test_a_server_that_runs_keeps_its_database(url: str, tmp_path: Path) -> None:
    database = Database(url)
    try:
        with pytest.raises(DatabaseError, match="stop it first"):
            restore(url, tmp_path / "copy.db.gz", agreed=True)
        with database.reading() as session:
            assert session.exec(select(Credential)).first() is not None
    finally:
        database.close()
