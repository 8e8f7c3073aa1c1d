"""How do instants get into the database and out again? As UTC."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator

from policy.terms import Instant


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC datetimes out; SQLite alone would hand back naive ones. Naive ones are refused."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone: the database keeps UTC only")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """What SQLite has written is read in one step, a tenth of the time: a page may have ten thousand of them."""
        return _read if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _read(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(f"{written}+00:00")


def moment(at: Instant) -> datetime:
    """The aware UTC datetime of an instant."""
    return datetime.fromtimestamp(at / 1000, UTC)
