"""Who wants to be told if this evening changes?"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from server.models.fields import json_column, utc, utc_or_none


class EveningWatch(SQLModel, table=True):
    """A member's wish for one site day; deleted when that day is over. day: its start.

    told: what the member last knew, as server/queries/evening.py has it. stepped_out: since when the one who holds the
    place is away, while that is not told yet.
    """

    __tablename__ = "evening_watch"

    member: str = Field(foreign_key="member.id", primary_key=True)
    day: datetime = utc()
    told: list[list[int | str]] = json_column()
    stepped_out: datetime | None = utc_or_none()
