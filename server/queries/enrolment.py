"""Where can a new badge be laid, and who has one already?"""

from sqlmodel import Session, col, select

from server.models import Credential, GivenOrder
from server.queries.known_edges import known_edges
from wire.row import Order


def readers(session: Session) -> list[str]:
    """All readers that an edge looks after, the one where somebody was enrolled last before the others."""
    theirs = sorted(reader for edge in known_edges(session).values() for reader in edge.readers)
    last = session.exec(
        select(GivenOrder.place).where(GivenOrder.order == Order.ENROL).order_by(col(GivenOrder.at).desc()).limit(1)
    ).first()
    return sorted(theirs, key=lambda reader: reader != last)


def holder(session: Session, uid: str) -> str | None:
    """The member who has this badge."""
    return session.exec(select(Credential.member).where(Credential.uid == uid, col(Credential.ended).is_(None))).first()
