"""What stands in the accounts? What people wrote, on carnets and for gardiens, and what the bank of hours booked."""

from datetime import date as date_
from datetime import datetime

from sqlmodel import Field, SQLModel

from server.database.types import UtcDateTime
from server.models.fields import json_column, utc, utc_or_none


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


class BankEntry(SQLModel, table=True):
    """Minutes of the bank of hours that left one account of a member for another (policy/bank_accounts.py).

    The database refuses to change or delete one: what was wrong is undone by another one. minutes: never below 0.
    source: where they come from (policy/bank.py:Entry). counters: the entry that this one undoes. What a shift was
    settled on: start and end of the shift, and inside, when its gardien was there, in whole minutes since 1970 (UTC),
    coming and going in turn.
    """

    __tablename__ = "bank_entry"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = utc(index=True)
    member: str = Field(foreign_key="member.id", index=True)
    minutes: int
    from_account: str
    to_account: str
    source: list[str] = json_column()
    counters: int | None = Field(default=None, foreign_key="bank_entry.id", unique=True)
    start: datetime | None = utc_or_none()
    end: datetime | None = utc_or_none()
    inside: list[int] = json_column()


class BankCount(SQLModel, table=True):
    """At the end of a site day the ledger was compared with a recount. counted: when. off: minutes that they differ."""

    __tablename__ = "bank_count"

    at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    counted: datetime = utc()
    off: int


class BankDispute(SQLModel, table=True):
    """Somebody says that an entry of theirs is wrong; it moves nothing by itself. said: why.

    closed: when they took it back (answer is null then), or the team answered. by: the account that closed it.
    """

    __tablename__ = "bank_dispute"

    id: int | None = Field(default=None, primary_key=True)
    entry: int = Field(foreign_key="bank_entry.id", index=True)
    at: datetime = utc()
    said: str
    closed: datetime | None = utc_or_none()
    answer: str | None = None
    by: str = ""
