"""What does the server keep? One table for each noun.

Names, UIDs and passages are here and nowhere else. No `from __future__ import annotations` in this file: SQLModel
reads the annotations.
"""

from datetime import date, datetime
from datetime import date as date_
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from server.db import UtcDateTime


def _json() -> Any:
    return Field(sa_column=Column(JSON(none_as_null=True), nullable=False))


def _utc(*, index: bool = False) -> Any:
    return Field(sa_type=UtcDateTime, index=index)


def _utc_or_none() -> Any:
    return Field(default=None, sa_type=UtcDateTime)


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
    staff_hours: dict[str, Any] = _json()
    closures: list[Any] = _json()
    openings: list[Any] = _json()
    time_bank: dict[str, Any] | None = Field(sa_column=Column(JSON(none_as_null=True)))
    rota_notice: int = 48
    booking: dict[str, Any] | None = Field(sa_column=Column(JSON(none_as_null=True)))


class AccessPoint(SQLModel, table=True):
    """position: its place in the bundle's list; name: null to be called by its id; here and below."""

    __tablename__ = "access_point"

    id: str = Field(primary_key=True)
    position: int
    reader_in: str = Field(unique=True)
    reader_out: str | None = Field(unique=True)
    name: str | None


class Tier(SQLModel, table=True):
    """access_points: null for all. pass_: the unit it needs."""

    __tablename__ = "tier"

    id: str = Field(primary_key=True)
    position: int
    grounds: list[str] = _json()
    hours: dict[str, Any] = _json()
    access_points: list[str] | None = Field(sa_column=Column(JSON(none_as_null=True)))
    pass_: str
    name: str | None


class Member(SQLModel, table=True):
    """valid_until: last day."""

    __tablename__ = "member"

    id: str = Field(primary_key=True)
    position: int
    name: str
    tier: str = Field(foreign_key="tier.id")
    roles: list[str] = _json()
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
    used: list[str] = _json()
    valid_from: date | None
    valid_until: date | None


class Shift(SQLModel, table=True):
    """start, end: as the bundle wrote them, local to the site or with an offset."""

    __tablename__ = "shift"

    id: str = Field(primary_key=True)
    position: int
    gardien: str = Field(foreign_key="member.id", index=True)
    start: str
    end: str


class Event(SQLModel, table=True):
    """start, end: as the bundle wrote them, here and below. access_points: null for all."""

    __tablename__ = "event"

    id: str = Field(primary_key=True)
    position: int
    title: str
    start: str
    end: str
    audience: str
    free: bool
    access_points: list[str] | None = Field(sa_column=Column(JSON(none_as_null=True)))


class Invitation(SQLModel, table=True):
    """A member is expected at a time, whatever their tier."""

    __tablename__ = "invitation"

    id: str = Field(primary_key=True)
    position: int
    member: str = Field(foreign_key="member.id", index=True)
    start: str
    end: str
    access_points: list[str] | None = Field(sa_column=Column(JSON(none_as_null=True)))


class Machine(SQLModel, table=True):
    """attended: null for what `on_end` implies."""

    __tablename__ = "machine"

    id: str = Field(primary_key=True)
    position: int
    kind: str
    reader: str = Field(unique=True)
    hours: dict[str, Any] = _json()
    min_people: int
    on_end: str
    attended: bool | None
    locked_out: dict[str, Any] | None = Field(sa_column=Column(JSON(none_as_null=True)))
    name: str | None


class Certification(SQLModel, table=True):
    """until: last day."""

    __tablename__ = "certification"

    member: str = Field(foreign_key="member.id", primary_key=True)
    kind: str = Field(primary_key=True)
    position: int
    until: date | None


class Quota(SQLModel, table=True):
    """minutes: of machines of this kind, for each member and period."""

    __tablename__ = "quota"

    kind: str = Field(primary_key=True)
    position: int
    minutes: int
    period: str


class Booking(SQLModel, table=True):
    """Who reserved a machine, and when."""

    __tablename__ = "booking"

    id: str = Field(primary_key=True)
    position: int
    machine: str = Field(foreign_key="machine.id", index=True)
    member: str = Field(foreign_key="member.id", index=True)
    start: str
    end: str


class MachineKind(SQLModel, table=True):
    """What is asked for when somebody is certified for a kind of machine."""

    __tablename__ = "kind"

    id: str = Field(primary_key=True)
    position: int
    name: str | None
    requires: list[str] = _json()
    valid_months: int | None
    refresher_months: int | None
    notes: str | None


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


class Edge(SQLModel, table=True):
    """A Raspberry Pi at a door: its key, what it looks after, and what it last said of itself.

    public_key: Ed25519, hex. since: when it came online or went. last_seen: when it last said how it is. said: the same
    by its own clock, null while that is not to be compared with. rules_version, state_version: those that it holds.
    speaks: the form of rules and state that it reads (policy/ruleset.py, SPEAKS).
    """

    __tablename__ = "edge"

    id: str = Field(primary_key=True)
    public_key: str
    access_points: list[str] = _json()
    online: bool | None = None
    since: datetime | None = _utc_or_none()
    last_seen: datetime | None = _utc_or_none()
    said: datetime | None = _utc_or_none()
    software: str = ""
    rules_version: int | None = None
    state_version: int | None = None
    speaks: int = 1
    clock: str | None = None
    readers: dict[str, Any] = _json()
    unacknowledged: int = 0
    journal_fault: str | None = None
    temperature: float | None = None
    free_disk: int | None = None


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
    )

    id: int | None = Field(default=None, primary_key=True)
    edge: str
    journal: str
    seq: int
    at: datetime = _utc()
    received: datetime = _utc()
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
    until: datetime | None = _utc_or_none()
    rules_version: int | None
    pending: bool
    settles: int | None
    nonce: str | None
    order: str | None
    detail: str | None
    inside: bool | None
    moved_at: datetime | None = _utc_or_none()
    said: datetime | None = _utc_or_none()
    raw: str | None


class Position(SQLModel, table=True):
    """Row `seq` of an edge's journal and all before it are in journal_row: what is acknowledged."""

    __tablename__ = "position"

    edge: str = Field(primary_key=True)
    journal: str = Field(primary_key=True)
    seq: int
    updated: datetime = _utc()


class Presence(SQLModel, table=True):
    """The last move of each member. Whoever came in before the site day began was checked out then."""

    __tablename__ = "presence"

    member: str = Field(primary_key=True)
    at: datetime = _utc()
    inside: bool


class PaidUnit(SQLModel, table=True):
    """A day or half-day that a member paid with a unit of a pass; unit: its name (policy/units.py).

    edge, heard, here and below: who told it, and when the server heard it first; edge is empty where several did, or
    a version before did not note it.
    """

    __tablename__ = "paid_unit"

    member: str = Field(primary_key=True)
    unit: str = Field(primary_key=True, index=True)
    edge: str
    heard: datetime = _utc()


class AdhocShift(SQLModel, table=True):
    """A shift that a gardien made by two taps, lead and grace not included."""

    __tablename__ = "adhoc_shift"

    gardien: str = Field(primary_key=True)
    start: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    end: datetime = _utc(index=True)
    edge: str
    heard: datetime = _utc()


class MachineSession(SQLModel, table=True):
    """A member's use of a machine. until: when it should end. ended: when it did, null while it runs."""

    __tablename__ = "machine_session"

    machine: str = Field(primary_key=True)
    started: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    member: str = Field(primary_key=True)
    kind: str
    until: datetime | None = _utc_or_none()
    cuts: bool
    ended: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    edge: str
    heard: datetime = _utc()


class MachineBusy(SQLModel, table=True):
    """A member found the machine busy."""

    __tablename__ = "machine_busy"

    machine: str = Field(primary_key=True)
    member: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=UtcDateTime, index=True)
    edge: str
    heard: datetime = _utc()


class MachineStop(SQLModel, table=True):
    """Whether a machine is under an emergency stop, as the last row of its edge says."""

    __tablename__ = "machine_stop"

    machine: str = Field(primary_key=True)
    stopped: bool
    edge: str
    heard: datetime = _utc()


class Lockdown(SQLModel, table=True):
    """The one row that says whether the site is locked down, since when, and who said so."""

    __tablename__ = "lockdown"

    id: int = Field(default=1, primary_key=True)
    on: bool
    since: datetime = _utc()
    by: str = ""


class GivenOrder(SQLModel, table=True):
    """What somebody wanted done at once: a command to an edge, or a lockdown (lockdown_on, lockdown_off).

    nonce: the command's. by: the account that gave it. answered: when it was known what became of it, null while nobody
    said; done, why: what became of it.
    """

    __tablename__ = "given_order"

    nonce: str = Field(primary_key=True)
    at: datetime = _utc(index=True)
    order: str
    place: str | None = None
    edge: str | None = None
    by: str
    answered: datetime | None = _utc_or_none()
    done: bool | None = None
    why: str = ""


class DoorState(SQLModel, table=True):
    """What the contact of an access point said last, null before its first word.

    forced_at: when it was last opened by force. fire: whether the fire alarm is on; fire_at: since when, or until when.
    """

    __tablename__ = "door_state"

    access_point: str = Field(primary_key=True)
    kind: str | None
    at: datetime | None = _utc_or_none()
    forced_at: datetime | None = _utc_or_none()
    fire: bool = False
    fire_at: datetime | None = _utc_or_none()


class Published(SQLModel, table=True):
    """The newest version of what the server publishes: it only ever grows. id: 1 for rules, 2 for state."""

    __tablename__ = "published"

    id: int = Field(primary_key=True)
    version: int
    hash: str
    issued: datetime = _utc()


class WebSession(SQLModel, table=True):
    """Somebody is logged in. token_hash: SHA-256 of the random token in their cookie, hex."""

    __tablename__ = "web_session"

    token_hash: str = Field(primary_key=True)
    account: str
    expires: datetime = _utc(index=True)
