"""By which channel does a member want to be told?"""

from sqlmodel import Field, SQLModel


class ChannelChoice(SQLModel, table=True):
    """channel: of server/changes/messages.py. address: of the person there. quiet: nothing arrives at night."""

    __tablename__ = "channel_choice"

    member: str = Field(foreign_key="member.id", primary_key=True)
    channel: str
    address: str
    quiet: bool
