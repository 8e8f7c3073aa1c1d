"""What happened? The rows of the edges, and what they left behind: presence, days paid, sessions."""

from datetime import date as date_
from datetime import datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from server.database.types import UtcDateTime
from server.models.fields import utc, utc_or_none

NOBODYS = text("member IS NULL AND credential IS NOT NULL")
"""Rows of a badge that nobody has. A query finds their index by these words."""


class JournalRow(SQLModel, table=True):
    """One row of an edge's journal, stored once.

    id: the order of arrival, the cursor of the API. kind: wire.row.Kind, or `refused` for a row that could not be
    believed, `later` for one of a kind that is not known yet; then `detail` says why and `raw` keeps it as it came.
    at: when it happened, never after `received`; said: what its edge's clock said where that is another instant.
    inside, moved_at: what the row changed, for whom `member` is: true for in, false for out, both null when it moved
    nobody. nonce, order: of a command.
    """

    __tablename__ = "journal_row"
    __table_args__ = (
        UniqueConstraint("edge", "journal", "seq"),
        Index("ix_journal_row_kind_at", "kind", "at"),
        Index("ix_journal_row_moved_at", "moved_at"),
        Index("ix_journal_row_member_at", "member", "at"),
        Index("ix_journal_row_nobodys", "at", sqlite_where=NOBODYS, postgresql_where=NOBODYS),
        Index(
            "ix_journal_row_refused",
            "at",
            sqlite_where=text("granted IS 0"),
            postgresql_where=text("granted IS false"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    edge: str
    journal: str
    seq: int
    at: datetime = utc()
    received: datetime = utc()
    mono_ms: int = Field(sa_type=BigInteger)
    boot: str
    clock: str
    kind: str
    access_point: str | None
    reader: str | None
    direction: str | None
    credential: str | None
    member: str | None
    granted: bool | None
    reason: str | None
    until: datetime | None = utc_or_none()
    rules_version: int | None
    pending: bool
    settles: int | None
    nonce: str | None
    order: str | None
    detail: str | None
    inside: bool | None
    moved_at: datetime | None = utc_or_none()
    said: datetime | None = utc_or_none()
    raw: str | None


class HourKept(SQLModel, table=True):
    """What stays of an hour whose rows are gone: how often somebody came in, the most who were inside at one moment,
    and the most of these who were guests: people without badges of their own."""

    __tablename__ = "hour_kept"

    start: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    came: int
    peak: int
    guests: int = 0


class CountKept(SQLModel, table=True):
    """A number of a month that stays when the names behind it are gone (server/queries/counts.py:What).

    month: its first day. of: the tier or the machine, empty for all, or for tiers too small to be told apart.
    """

    __tablename__ = "count_kept"

    month: date_ = Field(primary_key=True)
    what: str = Field(primary_key=True)
    of: str = Field(primary_key=True)
    count: int


class Position(SQLModel, table=True):
    """Row `seq` of an edge's journal and all before it are in journal_row: what is acknowledged."""

    __tablename__ = "position"

    edge: str = Field(primary_key=True)
    journal: str = Field(primary_key=True)
    seq: int
    updated: datetime = utc()


class Presence(SQLModel, table=True):
    """The last move of each member. Whoever came in before the site day began was checked out then."""

    __tablename__ = "presence"

    member: str = Field(primary_key=True)
    at: datetime = utc()
    inside: bool


class Visitor(SQLModel, table=True):
    """People who are inside without badges of their own, written down by hand: one, or a group. more: where, with whom.

    member: whose badge stands for them, None where nobody's does. by: the account that wrote it. gone: when they were
    said to have left; nobody stays past the end of the site day.
    """

    __tablename__ = "visitor"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    people: int
    more: str
    by: str
    since: datetime = utc(index=True)
    gone: datetime | None = utc_or_none()
    member: str | None = Field(default=None, foreign_key="member.id")


class PaidUnit(SQLModel, table=True):
    """A day or half-day that a member paid with a unit of a pass; unit: its name (policy/units.py).

    edge, heard, here and below: who told it, and when the server heard it first; edge is empty where several did, or
    a version before did not note it.
    """

    __tablename__ = "paid_unit"

    member: str = Field(primary_key=True)
    unit: str = Field(primary_key=True, index=True)
    edge: str
    heard: datetime = utc()


class AdhocShift(SQLModel, table=True):
    """A shift that a gardien made by two taps, lead and grace not included."""

    __tablename__ = "adhoc_shift"

    gardien: str = Field(primary_key=True)
    start: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    end: datetime = utc(index=True)
    edge: str
    heard: datetime = utc()


class MachineSession(SQLModel, table=True):
    """A member's use of a machine. until: when it should end. ended: when it did, null while it runs."""

    __tablename__ = "machine_session"
    __table_args__ = (Index("ix_machine_session_member", "member", "started"),)

    machine: str = Field(primary_key=True)
    started: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    member: str = Field(primary_key=True)
    kind: str
    until: datetime | None = utc_or_none()
    cuts: bool
    ended: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    edge: str
    heard: datetime = utc()


class MachineBusy(SQLModel, table=True):
    """A member found the machine busy."""

    __tablename__ = "machine_busy"

    machine: str = Field(primary_key=True)
    member: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=UtcDateTime, index=True)
    edge: str
    heard: datetime = utc()


class MachineStop(SQLModel, table=True):
    """Whether a machine is under an emergency stop, as the last row of its edge says."""

    __tablename__ = "machine_stop"

    machine: str = Field(primary_key=True)
    stopped: bool
    edge: str
    heard: datetime = utc()
