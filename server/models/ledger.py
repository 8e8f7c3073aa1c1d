"""What is owed to gardiens that no shift earned?"""

from datetime import date as date_
from datetime import datetime

from sqlmodel import Field, SQLModel

from server.models.fields import utc_or_none


class Credit(SQLModel, table=True):
    """Minutes of the time bank that no shift earned."""

    __tablename__ = "credit"

    id: str = Field(primary_key=True)
    position: int
    member: str = Field(foreign_key="member.id", index=True)
    minutes: int
    date: date_
    why: str
    by: str
    attested: str | None
    pair: str | None
    ended: datetime | None = utc_or_none()
