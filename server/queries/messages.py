"""What was sent to people, and what waits?"""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from server.models import Message


def messages(session: Session, limit: int) -> Sequence[Message]:
    """The newest first."""
    return session.exec(select(Message).order_by(col(Message.id).desc()).limit(limit)).all()
