"""What did people write into the accounts? On carnets, and what is owed to gardiens that no shift earned."""

from datetime import date as date_
from datetime import datetime

from sqlmodel import Field, SQLModel

from server.models.fields import utc, utc_or_none


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


class CarnetEntry(SQLModel, table=True):
    """One thing that somebody did to a member's carnets, never changed itself. did: as server/changes/carnets.py says.

    carnet: null where a day or half-day was paid, and which carnet pays is derived. units: what came to the carnet,
    below 0 what left it; a day or half-day (`unit`) that was given back is 1. price: as the desk wrote it. by: the
    account.
    """

    __tablename__ = "carnet_entry"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = utc(index=True)
    by: str
    did: str
    member: str = Field(foreign_key="member.id", index=True)
    carnet: str | None = Field(default=None, foreign_key="pass.id")
    units: int
    unit: str | None = None
    price: str = ""
    why: str = ""
