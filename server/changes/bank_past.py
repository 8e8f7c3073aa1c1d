"""What did the site say of shifts, credits and the bank, and since when? Read back through the audit."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy
from sqlalchemy import Row, Table
from sqlmodel import Session, col, select

from policy import bundle as parts
from policy.bank_site import SiteThen
from policy.bundle import Bundle
from policy.instants import of
from policy.terms import Instant
from server import models
from server.database.types import moment
from server.models import AuditRow
from server.publish.bundle import COLLECTIONS, part_of
from server.queries.public_holidays import holidays_of

WANTED = ("tiers", "members", "shifts", "rota", "rota_changes", "credits")
"""The lists of a bundle that the bank goes by; carnets are read from the tables."""
LISTS = {str(one.table.__tablename__): one for one in COLLECTIONS if one.name in WANTED}
SITE, MEMBER, CREDIT = (str(one.__tablename__) for one in (models.Site, models.Member, models.Credit))
OF_MEMBERS = frozenset({"roles", "tier", "ended"})
"""What of a member says something to the bank."""


def past(session: Session, since: Instant) -> list[SiteThen]:
    """The site at the instant and after each change since, in order, without carnets and doors; empty where there is
    none yet. A change whose clock says less than the one before it is of that one's instant.
    """
    tables, found = _Tables(session), []
    for at, group in groupby(_changes(session, since), key=lambda row: row.at):
        rows = list(group)
        stored = frozenset(row.subject for row in rows if row.noun == CREDIT and row.after is not None)
        found.append(_Version(of(at), tables.bundle(), stored))
        for row in rows:
            tables.undo(row)
    then: list[SiteThen] = []
    for version in (_Version(since, tables.bundle(), frozenset()), *reversed(found)):
        if version.bundle is not None:
            site = version.bundle.site
            at = max(version.at, then[-1].at) if then else version.at
            holidays = holidays_of(site.holidays, kept=True)
            then.append(SiteThen(at, version.bundle, ZoneInfo(site.timezone), holidays, version.stored))
    return then


class _Version(NamedTuple):
    at: Instant
    bundle: Bundle | None
    stored: frozenset[str]


def _changes(session: Session, since: Instant) -> Iterator[Row[Any]]:
    """What the audit has after the instant, newest first."""
    asked = (
        select(AuditRow.at, AuditRow.noun, AuditRow.subject, AuditRow.before, AuditRow.after)  # type: ignore[call-overload]
        .where(col(AuditRow.at) > moment(since), col(AuditRow.noun).in_((SITE, *LISTS)))
        .order_by(col(AuditRow.id).desc())
    )
    for row in session.connection().execute(asked):
        said = (row.before or {}).keys() | (row.after or {}).keys()
        whole = row.before is None or row.after is None
        if (said and row.noun != MEMBER) or whole or said & OF_MEMBERS:
            yield row


class _Tables:
    """The rows that a bundle is made of, as they were before all that was undone."""

    def __init__(self, session: Session) -> None:
        self._rows = {noun: _held(session, one.table) for noun, one in LISTS.items()}
        self._site = next(iter(_held(session, models.Site).values()), None)
        self._lists: dict[str, tuple[Any, ...]] = {}

    def bundle(self) -> Bundle | None:
        if self._site is None:
            return None
        for noun, collection in LISTS.items():
            if collection.name not in self._lists:
                rows = sorted(self._rows[noun].values(), key=lambda row: (row["position"], str(row)))
                self._lists[collection.name] = tuple(part_of(row, collection.part) for row in rows)
        return Bundle("loquet.bundle/1", part_of(self._site, parts.Site), access_points=(), **self._lists)

    def undo(self, row: Row[Any]) -> None:
        if row.noun == SITE:
            self._site = row.before
            return
        rows = self._rows[row.noun]
        self._lists.pop(LISTS[row.noun].name, None)
        if row.before is None or row.before.get("ended") is not None:  # it was new, or it came back
            rows.pop(row.subject, None)
        elif row.after is None:
            rows[row.subject] = row.before
        elif row.subject in rows:
            rows[row.subject] = rows[row.subject] | row.before


def _held(session: Session, model: Any) -> dict[str, dict[str, Any]]:
    """What is not ended, by its key as the audit writes it."""
    table: Table = model.__table__
    asked = sqlalchemy.select(*table.c)
    if "ended" in table.c:
        asked = asked.where(table.c.ended.is_(None))
    rows = session.connection().execute(asked).mappings()
    return {"/".join(str(row[key.name]) for key in table.primary_key): dict(row) for row in rows}
