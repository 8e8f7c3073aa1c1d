"""Which edges are there, what did they last say, and what were they told?"""

from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlmodel import Field, SQLModel

from server.models.fields import json_column, json_or_none, utc, utc_or_none


class Versioned(IntEnum):
    """What has versions. The value: its row in the table."""

    RULES = 1
    STATE = 2


class Edge(SQLModel, table=True):
    """A Raspberry Pi at a door: its key, what it looks after, and what it last said of itself.

    public_key: Ed25519, hex. since: when it came online or went. last_seen: when it last said how it is. said: the same
    by its own clock, null while that is not to be compared with. rules_version, state_version: those that it holds.
    speaks: the form of rules and state that it reads (policy/ruleset.py, SPEAKS). unlocked: its doors that are kept
    unlocked by order, and until when (RFC 3339). devices: by machine, what stands there and says how it is. wear: % of
    its card's life. certificate_until, rules_until: until when its certificate is good and its rules are confirmed.
    """

    __tablename__ = "edge"

    id: str = Field(primary_key=True)
    public_key: str
    access_points: list[str] = json_column()
    online: bool | None = None
    since: datetime | None = utc_or_none()
    last_seen: datetime | None = utc_or_none()
    said: datetime | None = utc_or_none()
    software: str = ""
    rules_version: int | None = None
    state_version: int | None = None
    speaks: int = 1
    clock: str | None = None
    readers: dict[str, Any] = json_column()
    unacknowledged: int = 0
    journal_fault: str | None = None
    temperature: float | None = None
    free_disk: int | None = None
    unlocked: dict[str, str] | None = json_or_none()
    devices: dict[str, Any] | None = json_or_none()
    wear: int | None = None
    certificate_until: datetime | None = utc_or_none()
    rules_until: datetime | None = utc_or_none()


class DoorState(SQLModel, table=True):
    """What the contact of an access point said last, null before its first word.

    forced_at: when it was last opened by force. fire: whether the fire alarm is on; fire_at: since when, or until when.
    """

    __tablename__ = "door_state"

    access_point: str = Field(primary_key=True)
    kind: str | None
    at: datetime | None = utc_or_none()
    forced_at: datetime | None = utc_or_none()
    fire: bool = False
    fire_at: datetime | None = utc_or_none()


class GivenOrder(SQLModel, table=True):
    """What somebody wanted done at once: a command to an edge, or a lockdown (lockdown_on, lockdown_off).

    nonce: the command's. by: the account that gave it. until: of a door that is to be kept unlocked. answered: when it
    was known what became of it, null while nobody said; done, why: what became of it.
    """

    __tablename__ = "given_order"

    nonce: str = Field(primary_key=True)
    at: datetime = utc(index=True)
    order: str
    place: str | None = None
    edge: str | None = None
    by: str
    until: datetime | None = utc_or_none()
    answered: datetime | None = utc_or_none()
    done: bool | None = None
    why: str = ""


class AlertTaken(SQLModel, table=True):
    """Somebody looks after an alert (server/queries/alerts.py). by: their account; name: as the team knows them."""

    __tablename__ = "alert_taken"

    key: str = Field(primary_key=True)
    by: str
    name: str
    at: datetime = utc()


class Published(SQLModel, table=True):
    """The newest version of what the server publishes: it only ever grows. id: 1 for rules, 2 for state."""

    __tablename__ = "published"

    id: int = Field(primary_key=True)
    version: int
    hash: str
    issued: datetime = utc()
