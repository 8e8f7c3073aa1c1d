"""An update of a server whose database is PostgreSQL: copied before, brought back with the version before."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from console.errors import CommandError
from loquet.update import _database
from loquet.versions.databases import PostgresDatabase
from loquet.versions.machine import Service
from loquet.versions.switch import TriedError, update
from proofs.postgres import PEER, Postgres, cluster
from server.changes.bundle import import_bundle
from server.database.engine import Database
from server.database.schema import upgrade
from tests.support_server import DECIDED, whole_bundle

NEWER = """
    ALTER TABLE member RENAME name TO called;
    ALTER TABLE site DROP COLUMN timezone;
    ALTER TABLE carnet_entry DISABLE TRIGGER USER;
    DROP TRIGGER IF EXISTS bank_entry_refused ON bank_entry;
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE newer (id SERIAL PRIMARY KEY, member VARCHAR REFERENCES member (id), mood mood);
    CREATE FUNCTION newer() RETURNS mood LANGUAGE sql AS $$ SELECT 'good'::mood $$;
    CREATE FUNCTION of_newer(newer) RETURNS INT LANGUAGE sql AS $$ SELECT $1.id $$;
    CREATE SCHEMA apart CREATE TABLE more (id INT);
    INSERT INTO newer (member, mood) SELECT id, 'bad' FROM member;
    UPDATE credential SET status = 'lost';
    UPDATE alembic_version SET version_num = 'newer'
"""
"""What a version of later days might do to the tables, and what is stored with it."""
OWN = """
    CREATE VIEW busy AS SELECT datname FROM pg_stat_database;
    CREATE MATERIALIZED VIEW counted AS SELECT 1 AS n;
    CREATE SEQUENCE numbers;
    CREATE TYPE pair AS (one INT, two INT);
    CREATE TABLE noted (id INT GENERATED ALWAYS AS IDENTITY)
"""
"""What somebody added to their database who looks after it."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """With a site in the database "site", where somebody looks at it by what is theirs."""
    with cluster() as postgres:
        database = Database(postgres.create("site"))
        upgrade(database, lambda _step: None)
        with database.transaction() as session:
            import_bundle(session, whole_bundle(), DECIDED)
        database.close()
        with postgres.shell("site") as shell:
            shell.execute(OWN)
        yield postgres


@pytest.fixture
def name(postgres: Postgres) -> Iterator[str]:
    """Of a database like it."""
    with postgres.shell("postgres") as shell:
        shell.execute("CREATE DATABASE tried TEMPLATE site")
        yield "tried"
        shell.execute("DROP DATABASE IF EXISTS tried WITH (FORCE)")
        shell.execute("DROP DATABASE IF EXISTS elsewhere")


def whole(url: str) -> list[str]:
    """All that a database holds and is made of."""
    return lines(subprocess.run(["pg_dump", "--dbname", url], check=True, capture_output=True, text=True).stdout)


def lines(dump: str) -> list[str]:
    """But for those that are others each time."""
    return [line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


def server(folder: Path, postgres: Postgres, name: str) -> Service:
    """One whose newer version changes the tables as it starts, and never answers."""
    current, before = folder / "loquet", folder / "loquet.before"
    current.symlink_to(folder / "old")

    def answers() -> bool:
        if current.readlink().name == "new":
            with postgres.shell(name) as shell:
                shell.execute(NEWER)
        return current.readlink().name == "old"

    kept = PostgresDatabase(make_url(postgres.url(name)), "", folder / "backups")
    return Service("loquet-server", kept, answers, 0.0, current, before)


def test_the_database_comes_back_whole_and_what_was_stored_meanwhile_lies_beside_it(
    tmp_path: Path, systemctl: Path, postgres: Postgres, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = whole(postgres.url(name))
    assert any("COPY public.member " in line for line in before)
    with pytest.raises(TriedError, match=r"did not answer in time; .*old runs again, and answers"):
        update(server(tmp_path, postgres, name), str(tmp_path / "new"))
    assert whole(postgres.url(name)) == before
    database = Database(postgres.url(name))  # which the version before opens as if nothing had been
    upgrade(database, lambda step: pytest.fail(step))
    database.close()
    (tried,) = (tmp_path / "backups").glob("tried-*.sql")
    assert "CREATE TABLE public.newer" in tried.read_text()
    assert f"lies in {tried}: badges that were blocked since are good again" in capsys.readouterr().out
    assert {file.stat().st_mode & 0o077 for file in (tmp_path / "backups").iterdir()} == {0}
    assert systemctl.read_text().split("\n")[:2] == ["stop loquet-server", "restart loquet-server"]


def test_one_that_cannot_be_copied_is_not_updated(
    tmp_path: Path, systemctl: Path, postgres: Postgres, name: str
) -> None:
    machine = server(tmp_path, postgres, name)
    (tmp_path / "backups").write_text("a full disk")
    with pytest.raises(TriedError, match="could not be copied"):
        update(machine, str(tmp_path / "new"))
    (tmp_path / "backups").unlink()
    with postgres.shell("postgres") as shell:
        shell.execute(f'ALTER DATABASE "{name}" RENAME TO elsewhere')
    with pytest.raises(TriedError, match=r"could not be copied \(pg_dump: .* does not exist"):
        update(machine, str(tmp_path / "new"))
    assert not [*(tmp_path / "backups").iterdir()]
    assert (tmp_path / "loquet").readlink() == tmp_path / "old"
    assert systemctl.read_text().split("\n")[-2] == "restart loquet-server"


def test_a_copy_that_does_not_come_back_leaves_what_is_there_and_the_next_run_brings_it(
    tmp_path: Path, systemctl: Path, postgres: Postgres, name: str
) -> None:
    """A copy that was damaged since: half of it in the place of all would be worse than the newer form."""
    before, machine = whole(postgres.url(name)), server(tmp_path, postgres, name)
    kept = PostgresDatabase(make_url(postgres.url(name)), "", tmp_path / "backups")
    kept.copy()
    copy = tmp_path / "backups/before-upgrade.sql"
    good = copy.read_text()
    copy.write_text(good[: good.index("ADD CONSTRAINT")])
    machine.remember(str(tmp_path / "old"))
    machine.count(str(tmp_path / "new"))
    with pytest.raises(TriedError, match=r"could not be put back for .*old .psql: .*give the command again"):
        update(machine, str(tmp_path / "new"))
    with postgres.shell(name) as shell:
        assert shell.execute("SELECT count(*) > 0 FROM newer").fetchone() == (True,)
    copy.write_text(good)
    kept.put_back()
    assert whole(postgres.url(name)) == before
    assert systemctl.exists()


def test_without_the_programs_that_copy_it_nothing_is_stopped(
    systemctl: Path, postgres: Postgres, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(_database(postgres.url(name)), PostgresDatabase)
    assert systemctl.read_text() == "show --property=User --value loquet-server\n"
    program = systemctl.parent / "bin/systemctl"
    program.write_text("#!/bin/sh\necho no bus >&2; exit 1\n")
    with pytest.raises(CommandError, match=r"systemctl show .*: no bus"):
        _database(postgres.url(name))
    monkeypatch.setenv("PATH", str(systemctl.parent / "bin"))
    with pytest.raises(CommandError, match=r"pg_dump and psql, .* sudo apt-get install postgresql-client"):
        _database(postgres.url(name))


@pytest.fixture
def user(postgres: Postgres) -> Iterator[str]:
    """As whom a server runs: the owner of a database that lets in nobody else, and that is all that they may."""
    user = pwd.getpwuid(os.geteuid() or pwd.getpwnam("postgres").pw_uid).pw_name
    words = ["pg_dump", "--no-owner", "--no-comments", "--dbname", postgres.url("site")]
    site = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    with postgres.shell("postgres") as shell:
        shell.execute(f'CREATE ROLE "{user}" LOGIN')
        shell.execute(f'CREATE DATABASE {PEER} OWNER "{user}"')
        run_as(user, postgres, site)
        yield user
        shell.execute(f"DROP DATABASE {PEER} WITH (FORCE)")
        shell.execute(f'DROP ROLE "{user}"')


def run_as(user: str, postgres: Postgres, said: str) -> None:
    words = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", its_own(user, postgres)]
    other = {} if os.geteuid() else {"user": user, "cwd": "/"}
    subprocess.run(words, check=True, input=said, text=True, stdout=subprocess.DEVNULL, **other)  # type: ignore[call-overload]


def its_own(user: str, postgres: Postgres) -> str:
    return make_url(postgres.url(PEER)).set(username=user).render_as_string()


def test_a_database_that_lets_in_its_own_user_alone_is_copied_and_comes_back(
    tmp_path: Path, postgres: Postgres, user: str
) -> None:
    """Root gives the command, whom Debian's PostgreSQL does not know."""
    kept = PostgresDatabase(make_url(its_own(user, postgres)), user, tmp_path / "backups")
    kept.copy()
    (before,) = (tmp_path / "backups").iterdir()
    good = before.read_text()
    assert f"OWNER TO {user}" in good.replace('"', "")
    run_as(user, postgres, NEWER)
    kept.put_back()
    (tried,) = (tmp_path / "backups").glob("tried-*.sql")
    assert "CREATE TABLE public.newer" in tried.read_text()
    kept.copy()
    assert lines(before.read_text()) == lines(good)


def test_whom_its_database_does_not_let_in_copies_nothing(tmp_path: Path, postgres: Postgres, user: str) -> None:
    kept = PostgresDatabase(make_url(postgres.url(PEER)), user, tmp_path / "backups")
    with pytest.raises(TriedError, match=r"could not be copied \(pg_dump: .*Peer authentication failed for user"):
        kept.copy()
    assert [*(tmp_path / "backups").iterdir()] == []
