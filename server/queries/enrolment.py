"""Where can a new badge be laid, who has one already, and which were laid that nobody has?"""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from policy.instants import of
from policy.terms import DAY, Instant
from server.database.types import moment
from server.models import Credential, GivenOrder, JournalRow
from server.queries.current import Current
from server.queries.history import one_by_one
from server.queries.known_edges import known_edges
from wire.row import Kind, Order

LATELY: Instant = DAY
MOST_UNKNOWN = 10
"""Unknown badges that are shown, the newest: a phone is another one each time."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A badge that nobody has, when and where it was laid last. row: of the journal. credential: its keyed hash."""

    row: int
    at: Instant
    reader: str
    credential: str


def readers(session: Session) -> list[str]:
    """All readers that an edge looks after: the one where somebody was enrolled last, then doors', then machines'."""
    known = {reader: way for edge in known_edges(session).values() for reader, way in edge.readers.items()}
    theirs = sorted(known, key=lambda reader: (known[reader] is None, reader))
    last = session.exec(
        select(GivenOrder.place).where(GivenOrder.order == Order.ENROL).order_by(col(GivenOrder.at).desc()).limit(1)
    ).first()
    return sorted(theirs, key=lambda reader: reader != last)


def holder(session: Session, uid: str) -> str | None:
    """The member who has this badge."""
    return session.exec(select(Credential.member).where(Credential.uid == uid, col(Credential.ended).is_(None))).first()


def unknown(session: Session, current: Current, now: Instant) -> list[Unknown]:
    """The badges laid in the last 24 hours that nobody has, the newest first."""
    row = JournalRow
    nobodys = (col(row.member).is_(None), col(row.credential).is_not(None))
    laid = session.exec(
        select(row.id, row.at, row.reader, row.credential)
        .where(one_by_one(Kind.TAP), col(row.at) > moment(now - LATELY), *nobodys)
        .order_by(col(row.at).desc(), col(row.id).desc())
    )
    found: dict[str, Unknown] = {}
    for number, at, reader, credential in laid:
        if number is not None and reader and credential and credential not in current.badges:
            found.setdefault(credential, Unknown(number, of(at), reader, credential))
    return list(found.values())[:MOST_UNKNOWN]


def unknown_of(session: Session, current: Current, now: Instant, number: str) -> Unknown | None:
    """The one of this row; None for any that is not listed, or not any more."""
    return next((one for one in unknown(session, current, now) if str(one.row) == number), None)
