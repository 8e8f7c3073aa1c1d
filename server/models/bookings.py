"""Who reserved a machine?"""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from server.models.fields import utc, utc_or_none


class Booking(SQLModel, table=True):
    """Who reserved a machine, and when. On PostgreSQL no two that hold may overlap (migration 0022).

    late: its holder cancelled it later than the site's terms have it.
    """

    __tablename__ = "booking"
    __table_args__ = (Index("ix_booking_machine_end", "machine", "end_at"),)

    id: str = Field(primary_key=True)
    position: int
    machine: str = Field(foreign_key="machine.id")
    member: str = Field(foreign_key="member.id", index=True)
    start: str
    end: str
    start_at: datetime = utc(index=True)
    end_at: datetime = utc(index=True)
    ended: datetime | None = utc_or_none()
    late: bool = False


class BookingWait(SQLModel, table=True):
    """A member waits for a machine from start to end; in no bundle. Whoever has the lowest id came first.

    offered: since when it is theirs to take, for policy/bookings.py:RELEASE_AFTER. told: since when a mail says so.
    ended, outcome: when and how it ended (server/queries/booking_waits.py:Outcome). No two that are offered and not
    ended overlap; PostgreSQL sees to it as well (migration 0033).
    """

    __tablename__ = "booking_wait"

    id: int | None = Field(default=None, primary_key=True)
    machine: str = Field(foreign_key="machine.id")
    member: str = Field(foreign_key="member.id", index=True)
    start_at: datetime = utc()
    end_at: datetime = utc()
    at: datetime = utc()
    offered: datetime | None = utc_or_none()
    told: datetime | None = utc_or_none()
    ended: datetime | None = utc_or_none(index=True)
    outcome: str = ""
