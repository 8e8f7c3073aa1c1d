"""Who comes here? Members, their badges, their carnets, and who is expected."""

from datetime import date

from sqlmodel import Field, SQLModel

from server.models.fields import json_column, json_or_none


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


class Credential(SQLModel, table=True):
    """The UID of a badge (hex, upper case) stays in this table; everybody else knows its keyed hash."""

    __tablename__ = "credential"

    uid: str = Field(primary_key=True)
    position: int
    member: str = Field(foreign_key="member.id", index=True)
    status: str
    valid_until: date | None


class Pass(SQLModel, table=True):
    """A carnet. used: the days and half-days that it paid before Loquet counted them."""

    __tablename__ = "pass"

    id: str = Field(primary_key=True)
    position: int
    member: str = Field(foreign_key="member.id", index=True)
    unit: str
    total: int
    used: list[str] = json_column()
    valid_from: date | None
    valid_until: date | None


class Invitation(SQLModel, table=True):
    """A member is expected at a time, whatever their tier."""

    __tablename__ = "invitation"

    id: str = Field(primary_key=True)
    position: int
    member: str = Field(foreign_key="member.id", index=True)
    start: str
    end: str
    access_points: list[str] | None = json_or_none()
