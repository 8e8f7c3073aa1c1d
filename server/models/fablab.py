"""Which machines are there, and who may use them? Kinds, certifications, quotas."""

from datetime import date, datetime
from typing import Any

from sqlmodel import Field, SQLModel

from server.models.fields import json_column, json_or_none, utc, utc_or_none


class Machine(SQLModel, table=True):
    """attended: null for what `on_end` implies. booking: its own terms, null for the site's."""

    __tablename__ = "machine"

    id: str = Field(primary_key=True)
    position: int
    kind: str
    reader: str
    hours: dict[str, Any] = json_column()
    min_people: int
    on_end: str
    attended: bool | None
    locked_out: dict[str, Any] | None = json_or_none()
    name: str | None
    booking: dict[str, Any] | None = json_or_none()
    ended: datetime | None = utc_or_none()


class MachineKind(SQLModel, table=True):
    """What is asked for when somebody is certified for a kind of machine."""

    __tablename__ = "kind"

    id: str = Field(primary_key=True)
    position: int
    name: str | None
    requires: list[str] = json_column()
    valid_months: int | None
    refresher_months: int | None
    notes: str | None
    ended: datetime | None = utc_or_none()


class Certification(SQLModel, table=True):
    """until: last day. used: the last day of a session that is forgotten itself."""

    __tablename__ = "certification"

    member: str = Field(foreign_key="member.id", primary_key=True)
    kind: str = Field(primary_key=True)
    position: int
    until: date | None
    used: date | None = None
    ended: datetime | None = utc_or_none()


class CertificationEntry(SQLModel, table=True):
    """One thing that somebody decided about a member's certification, never changed itself.

    did: `certified` or `withdrawn`. by: the account. evidence: of server/changes/training.py, with what is written in
    `why` beside it; day: when it was shown. until: the last day that was given.
    """

    __tablename__ = "certification_entry"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = utc()
    by: str
    did: str
    member: str = Field(foreign_key="member.id", index=True)
    kind: str
    evidence: str = ""
    day: date | None = None
    until: date | None = None
    why: str = ""


class Quota(SQLModel, table=True):
    """minutes: of machines of this kind, for each member and period."""

    __tablename__ = "quota"

    kind: str = Field(primary_key=True)
    position: int
    minutes: int
    period: str
    ended: datetime | None = utc_or_none()


class MachineOut(SQLModel, table=True):
    """A machine was locked out from a page. by: the account; name: as people know them. urgent: not after the session.

    until: the last day, as far as it is known; nothing follows from it. back: when it was put back, null while it is
    out; back_by: the name of who did it.
    """

    __tablename__ = "machine_out"

    id: int | None = Field(default=None, primary_key=True)
    machine: str = Field(foreign_key="machine.id", index=True)
    since: datetime = utc()
    by: str
    name: str
    why: str
    urgent: bool
    until: date | None = None
    back: datetime | None = utc_or_none()
    back_by: str | None = None


class MachineSheet(SQLModel, table=True):
    """What a fab manager writes about a machine. manual, video: addresses. Empty where nothing is written.

    service_hours, service_days: maintenance is due after so many hours of running, or days; null for never. serviced:
    the last one, by whom and what was done. seconds_gone, seconds_since: how long it ran in sessions that are forgotten
    (server/changes/purge.py), in all and since then.
    """

    __tablename__ = "machine_sheet"

    machine: str = Field(foreign_key="machine.id", primary_key=True)
    consumables: str = ""
    manual: str = ""
    video: str = ""
    service_hours: int | None = None
    service_days: int | None = None
    serviced: datetime | None = utc_or_none()
    serviced_by: str = ""
    service_note: str = ""
    seconds_gone: int = 0
    seconds_since: int = 0


class MachineFault(SQLModel, table=True):
    """What somebody reported about a machine, in one sentence. name: as people know them; member: null for the team's
    account. seen, done: when a fab manager said so; answer: what they said, and who they are."""

    __tablename__ = "machine_fault"

    id: int | None = Field(default=None, primary_key=True)
    machine: str = Field(foreign_key="machine.id", index=True)
    at: datetime = utc()
    member: str | None = None
    name: str
    what: str
    seen: datetime | None = utc_or_none()
    done: datetime | None = utc_or_none()
    answer: str = ""
    answered_by: str = ""
