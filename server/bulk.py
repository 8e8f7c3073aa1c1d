"""How do many rows get into a table at once? By one statement for all of them, in the driver's own types.

SQLAlchemy's own way looks at each value of each row: at 26 columns that costs five times what the database does.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table

from server.db import UtcDateTime

Row = dict[str, Any]
WITHOUT_OFFSET = 26
"""Characters of 2026-11-24 09:00:00.000000, before +00:00."""


def insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Add rows; each has the same keys, the names of columns."""
    _write(connection, table, rows, "")


def upsert(connection: Connection, table: Table, rows: Sequence[Row], only_if: str = "") -> None:
    """Add rows, or put them in the place of those with the same primary key. Each has every column of the table.

    only_if: SQL, what must hold between the row to come (`excluded`) and the one that is there for it to give way.
    """
    keys = [column.name for column in table.primary_key]
    others = [column.name for column in table.c if column.name not in keys]
    new = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    done = f"UPDATE SET {new}" + (f" WHERE {only_if}" if only_if else "") if new else "NOTHING"
    _write(connection, table, rows, f"ON CONFLICT ({', '.join(keys)}) DO {done}")


def _write(connection: Connection, table: Table, rows: Sequence[Row], conflict: str) -> None:
    if not rows:
        return
    names = tuple(rows[0])
    mark, stored = ("?", _text) if connection.dialect.paramstyle == "qmark" else ("%s", _naive)
    marks, values = ", ".join(mark for _ in names), itemgetter(*names)
    into = f"INSERT INTO {table.name} ({_quoted(names)}) VALUES ({marks}) {conflict}"  # noqa: S608 - our own columns
    driven = _Driven(_moments(table, names), stored)
    connection.exec_driver_sql(into, [driven.row(values(row)) for row in rows])


@lru_cache
def _moments(table: Table, names: tuple[str, ...]) -> tuple[int, ...]:
    """Which of these columns hold instants."""
    return tuple(place for place, name in enumerate(names) if isinstance(table.c[name].type, UtcDateTime))


@lru_cache
def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


class _Driven:
    """Rows in the driver's own types. Many of them hold the same moment: each is written once."""

    def __init__(self, moments: tuple[int, ...], stored: Callable[[datetime], object]) -> None:
        self._moments = moments
        self._stored = stored
        self._known: dict[int, object] = {}

    def row(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """The values of a row that lives on while this object does."""
        driven = list(values)
        for place in self._moments:
            moment = driven[place]
            if moment is not None:
                known = self._known.get(id(moment))
                driven[place] = known if known is not None else self._written(moment)
        return tuple(driven)

    def _written(self, moment: datetime) -> object:
        written = self._known[id(moment)] = self._stored(moment)
        return written


def _text(moment: datetime) -> str:
    """As SQLAlchemy's DateTime keeps it in SQLite, UTC."""
    return moment.isoformat(" ", "microseconds")[:WITHOUT_OFFSET]


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)
