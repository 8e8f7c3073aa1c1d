"""How many days do guests have, and which have they had? Counted, and nobody is followed by them."""

from datetime import date as date_
from datetime import datetime

from sqlmodel import Field, SQLModel

from server.models.fields import utc_or_none


class Agreement(SQLModel, table=True):
    """With another cooperative, or for members' guests. days: that each person has in a year."""

    __tablename__ = "agreement"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    days: int
    ended: datetime | None = utc_or_none()


class GuestDay(SQLModel, table=True):
    """A day that a guest was here. who: the name as it is compared, name: as it was written; both empty once the year
    is over. exact: whether it is that day; after some time it is the first of its month (server/changes/purge.py).

    visitor: the row by which they count inside, while there is one.
    """

    __tablename__ = "guest_day"

    id: int | None = Field(default=None, primary_key=True)
    agreement: int = Field(foreign_key="agreement.id", index=True)
    who: str = Field(index=True)
    name: str
    day: date_ = Field(index=True)
    exact: bool = True
    by: str
    visitor: int | None = None
