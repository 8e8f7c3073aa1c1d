"""When is somebody trained for a kind of machine, and who is down for it?"""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from server.models.fields import utc, utc_or_none


class TrainingSession(SQLModel, table=True):
    """A time at which people are trained for a kind of machine. start, end: in UTC. note: where, what to bring.

    ended: since when it does not take place.
    """

    __tablename__ = "training_session"

    id: str = Field(primary_key=True)
    kind: str
    start: datetime = utc(index=True)
    end: datetime = utc()
    places: int
    trainer: str | None = Field(default=None, foreign_key="member.id")
    note: str = ""
    ended: datetime | None = utc_or_none()


class TrainingSeat(SQLModel, table=True):
    """Somebody put themselves down for a training session. The first in the order of their rows have its places.

    gone: since when they have not been on the list any more. present: null until somebody said.
    """

    __tablename__ = "training_seat"
    __table_args__ = (
        Index(
            "ix_training_seat_once",
            "session",
            "member",
            unique=True,
            sqlite_where=text("gone IS NULL"),
            postgresql_where=text("gone IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    session: str = Field(foreign_key="training_session.id", index=True)
    member: str = Field(foreign_key="member.id", index=True)
    at: datetime = utc()
    gone: datetime | None = utc_or_none()
    present: bool | None = None
