"""Who holds the place open, and what takes place? Shifts, the pattern of the evenings, events."""

from datetime import date, datetime
from datetime import date as date_

from sqlmodel import Field, SQLModel

from server.models.fields import json_or_none, utc, utc_or_none


class Shift(SQLModel, table=True):
    """start, end: as the bundle wrote them, local to the site or with an offset."""

    __tablename__ = "shift"

    id: str = Field(primary_key=True)
    position: int
    gardien: str = Field(foreign_key="member.id", index=True)
    start: str
    end: str
    start_at: datetime = utc(index=True)
    end_at: datetime = utc(index=True)
    ended: datetime | None = utc_or_none()


class RotaPattern(SQLModel, table=True):
    """An evening of the rota. start, end: HH:MM. gardien: null for a gap."""

    __tablename__ = "rota_pattern"

    id: str = Field(primary_key=True)
    position: int
    weekday: str
    start: str
    end: str
    every: int
    since: date | None
    until: date | None
    gardien: str | None = Field(foreign_key="member.id")
    holidays: bool
    ended: datetime | None = utc_or_none()


class RotaChange(SQLModel, table=True):
    """What is different on one date of a pattern. gap: nobody holds it; else a null gardien is the pattern's."""

    __tablename__ = "rota_change"

    rota: str = Field(foreign_key="rota_pattern.id", primary_key=True)
    date: date_ = Field(primary_key=True)
    position: int
    gardien: str | None = Field(foreign_key="member.id")
    gap: bool
    start: str | None
    end: str | None
    cancelled: bool
    ended: datetime | None = utc_or_none()


class RotaOffer(SQLModel, table=True):
    """What people ask of each other about their shifts; in no bundle. kind, outcome: of server/queries/rota.py.

    turn: which shift or gap. member: whose it is. to, against: of a swap, with whom and for which shift of theirs; of a
    turn that was taken, who had it before. first, last: days of an absence. series: swaps that are answered together.
    by: the account that wrote it. ended: since when it is over; outcome: how it ended.
    """

    __tablename__ = "rota_offers"

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    turn: str = Field(default="", index=True)
    member: str | None = Field(default=None, foreign_key="member.id", index=True)
    to: str | None = Field(default=None, foreign_key="member.id")
    against: str = ""
    first: date | None = None
    last: date | None = None
    series: str = ""
    at: datetime = utc()
    by: str
    ended: datetime | None = utc_or_none()
    outcome: str = ""


class Event(SQLModel, table=True):
    """start, end: as the bundle wrote them, here and below. access_points: null for all."""

    __tablename__ = "event"

    id: str = Field(primary_key=True)
    position: int
    title: str
    start: str
    end: str
    start_at: datetime = utc(index=True)
    end_at: datetime = utc(index=True)
    audience: str
    free: bool
    access_points: list[str] | None = json_or_none()
    ended: datetime | None = utc_or_none()


class EventSeries(SQLModel, table=True):
    """An event that recurs. start, end: of its first time. rule: its RRULE (RFC 5545), in the site's local time.

    Each time is an event of its own, `<id>/<date>`, which may be moved or ended alone; they are made up to known_until.
    """

    __tablename__ = "event_series"

    id: str = Field(primary_key=True)
    title: str
    start: str
    end: str
    rule: str
    audience: str
    free: bool
    access_points: list[str] | None = json_or_none()
    known_until: date_
    ended: datetime | None = utc_or_none()
