"""By which channel does a member want to be told?"""

from sqlmodel import Session

from server.models import ChannelChoice


def choice_of(session: Session, member: str) -> ChannelChoice | None:
    """None for whoever chose nothing."""
    return session.get(ChannelChoice, member)
