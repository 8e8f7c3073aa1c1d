"""Under which secret addresses do calendar programs read?"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from server.models.fields import utc, utc_or_none


class CalendarFeed(SQLModel, table=True):
    """An address that whoever has it can read. token_hash: of its secret part. member: whose it is. what: of
    server/queries/feeds.py. ended: since when it is good for nothing."""

    __tablename__ = "calendar_feed"

    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = Field(unique=True)
    member: str = Field(foreign_key="member.id", index=True)
    what: str
    made: datetime = utc()
    ended: datetime | None = utc_or_none()
