"""How is a database copied while the server writes to it, and put back? As an SQLite file, whichever database it is.

SQLite copies itself. Of PostgreSQL each table is read in one transaction and written into such a file, so that one
form of copy is looked at, compared and brought back, to either.
"""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    MetaData,
    Table,
    Text,
    bindparam,
    cast,
    create_engine,
    insert,
    select,
    text,
)
from sqlalchemy.engine import make_url

from server import models
from server.database.claim import file_of
from server.database.engine import Database, beside_the_server
from server.database.schema import current, known, newest, upgrade
from server.errors import DatabaseError

TABLES = models.Site.metadata.sorted_tables
"""Each behind those to which it points."""
AT_ONCE = 5000
"""Rows that are read and written together."""


def copy_database(url: str, to: Path, tables: Collection[Table] = TABLES) -> None:
    """Write what the database holds at this moment to a new SQLite file. Raises DatabaseError.

    tables: of PostgreSQL, those whose rows are wanted.
    """
    parsed = make_url(url)
    name = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite":
        _copy_file(file_of(parsed), to)
        return
    target = create_engine(f"sqlite:///{to}")
    try:
        with beside_the_server(url) as source, target.begin() as connection:
            to.chmod(0o600)
            held, revision = source.connection(), current(source.connection())
            if revision is not None and revision not in known():
                raise DatabaseError(
                    f"{name}: is of a newer version of Loquet ({revision}): install that one first, or name a new,"
                    " empty database in server.toml"
                )
            if revision != newest():
                raise DatabaseError(
                    f"{name}: is of version {revision}, the program of {newest()}: start the server once"
                )
            models.Site.metadata.create_all(connection)
            connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (revision,))
            _copy_rows(held, connection, tables)
    finally:
        target.dispose()


def _copy_file(file: Path, to: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(to)) as target,
        ):
            to.chmod(0o600)
            source.backup(target)
    except sqlite3.Error as error:
        raise DatabaseError(f"{file}: cannot be copied to {to} ({error}): see to room and rights there") from None


def whose(copy: Path) -> tuple[str | None, str]:
    """The site in a copy, None when there is none yet; and the version of its tables."""
    with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT id FROM site").fetchone()
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return (found[0] if found else None), revision


def put_back(copy: Path, url: str) -> None:
    """Make a PostgreSQL database what an SQLite copy holds, whole, or leave it as it was.

    The copy is brought up to date first. Raises DatabaseError: for a server that has it open, too.
    """
    newer = Database(f"sqlite:///{copy}")
    try:
        upgrade(newer, _silent)
    finally:
        newer.close()
    database, source = Database(url), create_engine(f"sqlite:///{copy}")
    try:
        upgrade(database, _silent)
        with source.connect() as held, database.transaction() as session:
            connection, names = session.connection(), ", ".join(f'"{table.name}"' for table in TABLES)
            _guard(connection, "DISABLE")
            connection.exec_driver_sql(f"TRUNCATE {names}")
            _guard(connection, "ENABLE")
            _copy_rows(held, connection, TABLES)
            for table in TABLES:
                _go_on_counting(connection, table)
    finally:
        source.dispose()
        database.close()


def _guard(connection: Connection, what: str) -> None:
    """Nothing empties the ledger of the bank of hours (migration 0035), but what puts another in its place."""
    for table in TABLES:
        connection.exec_driver_sql(f'ALTER TABLE "{table.name}" {what} TRIGGER USER')


def _copy_rows(source: Connection, target: Connection, tables: Collection[Table]) -> None:
    sqlite = target.dialect.name == "sqlite"
    if sqlite:
        target.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    for table in tables:
        for rows in _read(source, table):
            target.execute(_plain(table).insert() if sqlite else _typed(table), rows)


def _read(source: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """Its rows in the order of their keys. JSON as the text that it is: so null and "null" stay two things."""
    asked = [cast(column, Text).label(column.name) if _is_json(column) else column for column in table.columns]
    chosen = select(*asked).order_by(*table.primary_key.columns)
    found = source.execution_options(yield_per=AT_ONCE).execute(chosen)
    for rows in found.mappings().partitions():
        yield [dict(row) for row in rows]


def _is_json(column: Column[Any]) -> bool:
    return isinstance(column.type, JSON)


def _plain(table: Table) -> Table:
    """The same table, whose JSON is text."""
    columns = [Column(each.name, Text() if _is_json(each) else each.type) for each in table.columns]
    return Table(table.name, MetaData(), *columns)


def _typed(table: Table) -> Any:
    given = {each.name: bindparam(each.name, type_=Text() if _is_json(each) else each.type) for each in table.columns}
    return insert(table).values(
        {name: cast(value, JSON) if _is_json(table.columns[name]) else value for name, value in given.items()}
    )


def _go_on_counting(connection: Connection, table: Table) -> None:
    """The next row gets a number of its own."""
    column = table.autoincrement_column
    if column is None:
        return
    named = connection.execute(
        text("SELECT pg_get_serial_sequence(:table, :column)").bindparams(table=f'"{table.name}"', column=column.name)
    ).scalar()
    if named is not None:
        last = connection.execute(select(column).order_by(column.desc()).limit(1)).scalar()
        connection.execute(
            text("SELECT setval(:named, :last, :used)").bindparams(named=named, last=last or 1, used=last is not None)
        )


def _silent(_said: str) -> None:
    """Nobody is told of the steps of a copy."""
