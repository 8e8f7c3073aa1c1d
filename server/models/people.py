"""Who comes here? Members, their badges, their carnets, and who is expected."""

from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from policy import bundle as parts
from server.models.fields import json_column, json_or_none, utc, utc_or_none


class Member(SQLModel, table=True):
    """valid_until: last day."""

    __tablename__ = "member"

    id: str = Field(primary_key=True)
    position: int
    name: str
    tier: str = Field(foreign_key="tier.id")
    roles: list[str] = json_column()
    status: str
    valid_from: date | None
    valid_until: date | None
    ended: datetime | None = utc_or_none()

    def said(self) -> parts.Member:
        """As a bundle says it."""
        fields = parts.Member.__struct_fields__
        return msgspec.convert({name: getattr(self, name) for name in fields}, parts.Member)


class Credential(SQLModel, table=True):
    """One badge of one member. A number that comes to somebody else, or comes back, gets a row of its own.

    uid: hex, upper case; it stays in this table, everybody else knows its keyed hash. begun: since when it is theirs,
    null where a version before did not note it.
    """

    __tablename__ = "credential"
    __table_args__ = (
        Index(
            "ix_credential_one_holder",
            "uid",
            unique=True,
            sqlite_where=text("ended IS NULL"),
            postgresql_where=text("ended IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    uid: str = Field(index=True)
    position: int
    member: str = Field(foreign_key="member.id", index=True)
    status: str
    valid_until: date | None
    begun: datetime | None = utc_or_none()
    ended: datetime | None = utc_or_none()


class DayBadge(SQLModel, table=True):
    """A badge of the house, lent for a day at a time: whose it is meanwhile stands in `credential`, as of any badge.

    number: what is written on it.
    """

    __tablename__ = "day_badge"
    __table_args__ = (
        Index(
            "ix_day_badge_one_of_a_number",
            "number",
            unique=True,
            sqlite_where=text("ended IS NULL"),
            postgresql_where=text("ended IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    number: int
    uid: str = Field(index=True)
    ended: datetime | None = utc_or_none()


class Pass(SQLModel, table=True):
    """A carnet. used: the days and half-days that it paid before Loquet counted them. given_back: policy/bundle.py."""

    __tablename__ = "pass"

    id: str = Field(primary_key=True)
    position: int
    member: str = Field(foreign_key="member.id", index=True)
    unit: str
    total: int
    used: list[str] = json_column()
    valid_from: date | None
    valid_until: date | None
    given_back: list[str] = json_column()
    ended: datetime | None = utc_or_none()

    def said(self) -> parts.Pass:
        """As a bundle says it."""
        return msgspec.convert({name: getattr(self, name) for name in parts.Pass.__struct_fields__}, parts.Pass)


class MemberImport(SQLModel, table=True):
    """A file of members that somebody reads in. name: of the file. form, headings, lines: see changes/member_table.py.

    columns: what each heading means. tiers: by what the file calls them. answers: by line. Emptied when it is done:
    then `undo` says what it changed, until a day later.
    """

    __tablename__ = "member_import"

    id: str = Field(primary_key=True)
    at: datetime = utc(index=True)
    by: str
    name: str
    form: str
    headings: list[str] = json_column()
    lines: list[Any] = json_column()
    columns: dict[str, Any] = json_column()
    tiers: dict[str, Any] = json_column()
    answers: dict[str, Any] = json_column()
    done: datetime | None = utc_or_none()
    undo: list[Any] = json_column()
    undone: datetime | None = utc_or_none()


class Invitation(SQLModel, table=True):
    """A member is expected at a time, whatever their tier."""

    __tablename__ = "invitation"

    id: str = Field(primary_key=True)
    position: int
    member: str = Field(foreign_key="member.id", index=True)
    start: str
    end: str
    start_at: datetime = utc(index=True)
    end_at: datetime = utc(index=True)
    access_points: list[str] | None = json_or_none()
    ended: datetime | None = utc_or_none()
