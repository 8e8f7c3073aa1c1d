"""How do tables keep lists and instants?"""

from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field

from server.database.types import UtcDateTime


def json_column() -> Any:
    return Field(sa_column=Column(JSON(none_as_null=True), nullable=False))


def utc(*, index: bool = False) -> Any:
    return Field(sa_type=UtcDateTime, index=index)


def utc_or_none(*, index: bool = False) -> Any:
    return Field(default=None, sa_type=UtcDateTime, index=index)


def json_or_none() -> Any:
    """A list or an object, or nothing."""
    return Field(sa_column=Column(JSON(none_as_null=True)))
