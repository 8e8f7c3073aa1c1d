"""Who looks after an alert? Whoever took it first, until they give it back."""

from datetime import timedelta

from sqlmodel import Session, col, delete

from server.audit import Decided
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import AlertTaken

KEPT = timedelta(days=7)


def take(session: Session, decided: Decided, name: str, key: str) -> None:
    """Raises ChangeRefusedError where somebody else has it. key: of an alert that there is."""
    known = session.get(AlertTaken, key)
    if known is not None and known.by != decided.by:
        raise ChangeRefusedError(Refused.ALERT_TAKEN)
    if known is None:
        session.exec(delete(AlertTaken).where(col(AlertTaken.at) < moment(decided.at) - KEPT))
        session.add(AlertTaken(key=key, by=decided.by, name=name, at=moment(decided.at)))


def give_back(session: Session, decided: Decided, key: str) -> None:
    """One's own."""
    known = session.get(AlertTaken, key)
    if known is not None and known.by == decided.by:
        session.delete(known)
