"""Who has a secret address for a calendar program? One of each kind: a new one takes the place of the one before."""

from sqlmodel import Session, col, select

from server.audit import Change, Decided, record
from server.changes.people import known_member
from server.database.types import moment
from server.models import CalendarFeed
from server.passwords import hash_token, new_token


def new_feed(session: Session, decided: Decided, member: str, what: str) -> str:
    """The secret part of the address; its hash alone is kept. what: as server/queries/feeds.py stores it."""
    known_member(session, member)
    end_feed(session, decided, member, what)
    token = new_token()
    row = CalendarFeed(token_hash=hash_token(token), member=member, what=what, made=moment(decided.at))
    session.add(row)
    session.flush()
    record(session, decided, [Change(CalendarFeed, (row.id,), "added", None, {"member": member, "what": what})])
    return token


def end_feed(session: Session, decided: Decided, member: str, what: str) -> None:
    """It is good for nothing from now on."""
    row = CalendarFeed
    for one in session.exec(select(row).where(row.member == member, row.what == what, col(row.ended).is_(None))).all():
        one.ended = moment(decided.at)
        session.add(one)
        record(session, decided, [Change(CalendarFeed, (one.id,), "ended", {"member": member, "what": what}, None)])
