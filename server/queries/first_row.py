"""When did the first of all rows happen? The index has kinds first: each is asked for its own, and no row is read."""

from datetime import datetime

from sqlalchemy import ColumnElement, Executable, func, select
from sqlmodel import Session, col

from server.models import JournalRow
from server.queries.history import ANSWERED, CONTESTED, CORRECTED, WITHDRAWN
from wire.row import Kind

KINDS = (*map(str, Kind), "refused", "later", CORRECTED, CONTESTED, ANSWERED, WITHDRAWN)
"""Of rows."""


def first_at(session: Session, *where: ColumnElement[bool]) -> datetime | None:
    """Of the rows that the conditions hold for; None where there is none."""
    return min(
        (at for at in session.execute(_asked(*where) if where else _OF_ALL).one() if at is not None), default=None
    )


def _asked(*where: ColumnElement[bool]) -> Executable:
    row = JournalRow
    return select(*(select(func.min(row.at)).where(col(row.kind) == kind, *where).scalar_subquery() for kind in KINDS))


_OF_ALL = _asked()
"""Made once: to write it down takes longer than to answer it."""
