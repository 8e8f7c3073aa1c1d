"""How does this place run? Its doors, its tiers, its hours."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from server.models.fields import json_column, json_or_none, utc, utc_or_none


class Site(SQLModel, table=True):
    """The one row that says how this place runs. Keys as in a bundle."""

    __tablename__ = "site"

    id: str = Field(primary_key=True)
    name: str
    timezone: str
    holidays: str | None
    capacity: int | None
    day_cutoff: str
    half_day_split: str
    shift_lead: int
    shift_grace: int
    offline_days: int
    at_capacity: str = "warn"
    adhoc_hours: int = 0
    anti_passback: str = "off"
    staff_hours: dict[str, Any] = json_column()
    closures: list[Any] = json_column()
    openings: list[Any] = json_column()
    time_bank: dict[str, Any] | None = json_or_none()
    rota_notice: int = 48
    booking: dict[str, Any] | None = json_or_none()


class AccessPoint(SQLModel, table=True):
    """position: its place in the bundle's list; name: null to be called by its id; here and below."""

    __tablename__ = "access_point"

    id: str = Field(primary_key=True)
    position: int
    reader_in: str
    reader_out: str | None
    name: str | None
    ended: datetime | None = utc_or_none()


class Tier(SQLModel, table=True):
    """access_points: null for all. pass_: the unit it needs."""

    __tablename__ = "tier"

    id: str = Field(primary_key=True)
    position: int
    grounds: list[str] = json_column()
    hours: dict[str, Any] = json_column()
    access_points: list[str] | None = json_or_none()
    pass_: str
    name: str | None
    ended: datetime | None = utc_or_none()


class Lockdown(SQLModel, table=True):
    """The one row that says whether the site is locked down, since when, and who said so."""

    __tablename__ = "lockdown"

    id: int = Field(default=1, primary_key=True)
    on: bool
    since: datetime = utc()
    by: str = ""
