"""Who looks after an alert? Whoever took it first, until they give it back or somebody takes it over."""

from datetime import timedelta

from sqlmodel import Session, col, delete

from server.audit import Decided
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import AlertTaken

KEPT = timedelta(days=7)


def take(session: Session, decided: Decided, name: str, key: str, instead_of: str = "") -> None:
    """Raises ChangeRefusedError where somebody else has it. key: of an alert that there is. instead_of: the account
    that is known to have it, from which it is taken over.
    """
    known = session.get(AlertTaken, key)
    if known is not None and known.by not in (decided.by, instead_of):
        raise ChangeRefusedError(Refused.ALERT_TAKEN)
    if known is not None and known.by != decided.by:
        known.by, known.name, known.at = decided.by, name, moment(decided.at)
        session.add(known)
    if known is None:
        session.exec(delete(AlertTaken).where(col(AlertTaken.at) < moment(decided.at) - KEPT))
        session.add(AlertTaken(key=key, by=decided.by, name=name, at=moment(decided.at)))


def give_back(session: Session, decided: Decided, key: str) -> None:
    """One's own."""
    known = session.get(AlertTaken, key)
    if known is not None and known.by == decided.by:
        session.delete(known)
