"""A database of the version before is brought up to date, and the site in it is the same."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, select
from sqlmodel import Session, SQLModel

from policy.bundle import Bundle
from server.backups.copies import put_back
from server.changes.bundle import columns_of, import_bundle
from server.database import schema
from server.database.engine import Database
from server.database.schema import MIGRATIONS, upgrade
from server.models import Booking, Credential, Event, Invitation, Shift, Site
from server.publish.bundle import COLLECTIONS, export
from tests.support_postgres import Kept
from tests.support_server import DECIDED, whole_bundle

BEFORE = "0008"


def stored_before(session: Session, bundle: Bundle) -> None:
    """The tables as they were, with a site in them."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = session.connection()
    command.upgrade(config, BEFORE)
    _insert(session, Site, [columns_of(bundle.site, Site)])
    for collection in COLLECTIONS:
        rows = [
            columns_of(part, collection.table) | {"position": place}
            for place, part in enumerate(getattr(bundle, collection.name))
        ]
        _insert(session, collection.table, rows)


def _insert(session: Session, model: type[SQLModel], rows: list[dict[str, object]]) -> None:
    table = Table(str(model.__tablename__), MetaData(), autoload_with=session.connection())
    kept = [{name: value for name, value in row.items() if name in table.c} for row in rows]
    session.connection().execute(table.insert(), kept)


def test_alembic_reads_the_steps_once_for_all_of_them(new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Config] = []
    honest = ScriptDirectory.from_config

    def counted(config: Config) -> ScriptDirectory:
        read.append(config)
        return honest(config)

    schema._scripts.cache_clear()
    monkeypatch.setattr(ScriptDirectory, "from_config", counted)
    said: list[str] = []
    database = Database(new)
    upgrade(database, said.append)
    database.close()
    assert len(read) == 1
    assert [line.split(":")[1] for line in said] == [f" step {n} of {len(said)}" for n in range(1, len(said) + 1)]
    assert len(said) == len(schema.known())


def test_a_site_of_the_version_before_is_the_same_site(new: str) -> None:
    database = Database(new)
    with database.transaction() as session:
        stored_before(session, whole_bundle())
    upgrade(database, lambda _: None)
    with database.transaction() as session:
        assert export(session) == whole_bundle()
        done = import_bundle(session, whole_bundle(), DECIDED)
        assert (done.new, done.changed, done.ended) == (0, 0, ())
        for table in (Shift, Event, Invitation, Booking):
            times = session.connection().execute(select(table.start_at, table.end_at)).all()  # type: ignore[call-overload]
            assert times
            assert all(start < end for start, end in times)
        assert session.get_one(Shift, "s1").start_at == datetime(2026, 11, 24, 17, tzinfo=UTC)
        held = session.connection().execute(select(Credential.id, Credential.begun, Credential.ended)).all()  # type: ignore[call-overload]
        assert len({key for key, _, _ in held}) == len(whole_bundle().credentials)
        assert {(begun, ended) for _, begun, ended in held} == {(None, None)}
        if session.connection().dialect.name == "sqlite":
            assert session.connection().exec_driver_sql("PRAGMA foreign_key_check").all() == []
    database.close()


def test_a_copy_of_the_version_before_takes_the_place_of_a_postgresql_database_of_today(
    kept: Kept, tmp_path: Path
) -> None:
    """The copy is brought up to date before it is put back: the tables there are of another version than its own."""
    kept.restore()
    file = tmp_path / "old.db"
    old, now = Database(f"sqlite:///{file}"), Database(kept.url)
    with old.transaction() as session:
        stored_before(session, whole_bundle())
    old.close()
    now.close()
    put_back(file, kept.url)
    with now.reading() as session:
        assert schema.current(session.connection()) == schema.newest()
        assert export(session) == whole_bundle()
    now.close()
    kept.restore()
