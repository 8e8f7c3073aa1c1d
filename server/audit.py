"""Who decided what, when and why? Each change leaves its rows in the audit, in the same transaction."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec
from sqlmodel import Session, SQLModel

from policy.terms import Instant
from server.database.types import moment
from server.models import AuditRow

SECRET = frozenset({"uid"})
"""Columns whose values stay in their own table."""


class Decided(NamedTuple):
    """by: the account, or who ran the command at the server's machine. why: empty where no reason is asked for."""

    by: str
    at: Instant
    why: str = ""


class Change(NamedTuple):
    """One thing that changed. before, after: columns; None for what was not there, or is not any more."""

    table: type[SQLModel]
    key: tuple[Any, ...]
    did: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def record(session: Session, decided: Decided, changes: list[Change]) -> None:
    """Write what changed into the audit."""
    rows = [
        {
            "at": moment(decided.at),
            "account": decided.by,
            "did": change.did,
            "noun": change.table.__tablename__,
            "subject": "/".join(map(str, change.key)),
            "before": _said(change.before),
            "after": _said(change.after),
            "why": decided.why,
        }
        for change in changes
    ]
    if rows:
        session.connection().execute(AuditRow.__table__.insert(), rows)  # type: ignore[attr-defined]


def _said(columns: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if columns is None:
        return None
    return {name: _plain(value) for name, value in columns.items() if name not in SECRET}


def _plain(value: Any) -> Any:
    """As JSON has it: dates and instants in words."""
    return value.isoformat() if isinstance(value, date | datetime) else msgspec.to_builtins(value)
