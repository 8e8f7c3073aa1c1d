"""How is an entry of the bank contested? By who it is about; the team closes it with a word. It moves nothing."""

from sqlmodel import Session, col, select

from server.audit import Change, Decided, record
from server.changes.outcomes import Wrong
from server.changes.people import Done
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import BankDispute, BankEntry


def open_dispute(session: Session, decided: Decided, member: str, entry: int) -> Done | Wrong:
    """Said again while it waits, what was said first stays."""
    booked = session.get(BankEntry, entry)
    if booked is None or booked.member != member:
        raise ChangeRefusedError(Refused.ENTRY_UNKNOWN)
    if not decided.why:
        return Wrong(("why",))
    if _waiting(session, entry) is None:
        new = BankDispute(entry=entry, at=moment(decided.at), said=decided.why)
        session.add(new)
        session.flush()
        record(session, decided, [Change(BankDispute, (new.id,), "opened", None, {"entry": entry})])
    return Done(member)


def withdraw(session: Session, decided: Decided, member: str, entry: int) -> Done:
    """Taken back by who opened it."""
    booked, dispute = session.get(BankEntry, entry), _waiting(session, entry)
    if booked is None or booked.member != member or dispute is None:
        raise ChangeRefusedError(Refused.ENTRY_UNKNOWN)
    _close(session, decided, dispute, None)
    return Done(member)


def answer(session: Session, decided: Decided, by: str | None, entry: int) -> Done | Wrong:
    """Closed by the team with a word. by: the member who answers, who is not the one that it is about."""
    booked, dispute = session.get(BankEntry, entry), _waiting(session, entry)
    if booked is None or dispute is None or booked.member == by:
        raise ChangeRefusedError(Refused.ENTRY_UNKNOWN)
    if not decided.why:
        return Wrong(("why",))
    _close(session, decided, dispute, decided.why)
    return Done(booked.member)


def _waiting(session: Session, entry: int) -> BankDispute | None:
    return session.exec(
        select(BankDispute).where(BankDispute.entry == entry, col(BankDispute.closed).is_(None))
    ).first()


def _close(session: Session, decided: Decided, dispute: BankDispute, said: str | None) -> None:
    dispute.closed, dispute.answer, dispute.by = moment(decided.at), said, decided.by
    session.add(dispute)
    did = "withdrawn" if said is None else "answered"
    record(session, decided, [Change(BankDispute, (dispute.id,), did, None, {"entry": dispute.entry})])
