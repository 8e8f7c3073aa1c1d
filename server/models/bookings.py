"""Who reserved a machine?"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from server.models.fields import utc, utc_or_none


class Booking(SQLModel, table=True):
    """Who reserved a machine, and when. On PostgreSQL no two that hold may overlap (migration 0022).

    late: its holder cancelled it later than the site's terms have it.
    """

    __tablename__ = "booking"

    id: str = Field(primary_key=True)
    position: int
    machine: str = Field(foreign_key="machine.id", index=True)
    member: str = Field(foreign_key="member.id", index=True)
    start: str
    end: str
    start_at: datetime = utc(index=True)
    end_at: datetime = utc(index=True)
    ended: datetime | None = utc_or_none()
    late: bool = False
