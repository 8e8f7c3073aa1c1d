"""What does a site know? The types of a bundle, `loquet.bundle/1`: one frozen type for each kind of thing in it.

Times without an offset are local to the site. policy/check.py says what must hold between them.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from policy.ruleset import Ground

FORMAT = "loquet.bundle/1"

HourRange: TypeAlias = tuple[str, str]
"""HH:MM from and to, local. An end that is not after the start is on the next day."""
Minutes: TypeAlias = Annotated[int, Meta(ge=0, le=24 * 60)]
"""Of one day at most."""
Months: TypeAlias = Annotated[int, Meta(ge=0, le=1200)]
Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Week: TypeAlias = dict[Weekday, tuple[HourRange, ...]]


class Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all parts of a bundle share: frozen, and a key that is not known is refused."""


class Role(StrEnum):
    STAFF = "staff"
    GARDIEN = "gardien"
    FAB_MANAGER = "fab_manager"


class Closure(Part, frozen=True, rename={"first": "from", "last": "to"}):
    """No staff hours from the first date to the last, both included. why: as people read it."""

    first: date
    last: date
    why: str | None = None


class Opening(Part, frozen=True):
    """The staff hours of one date, whatever the week, a holiday or a closure says."""

    date: date
    hours: tuple[HourRange, ...]


class TimeBank(Part, frozen=True):
    """How hours of garde are exchanged for units of a carnet.

    rate: minutes of credit for 100 minutes held. unit_minutes: what one half-day costs. round: minutes. min_share:
    percent of a shift that must be held to count. valid_months: 0 for units that never expire. shared: whether gardiens
    read what each of them is owed, as the team does; how that came about stays between them and the team.
    """

    rate: Annotated[int, Meta(ge=0, le=10_000)] = 100
    unit_minutes: Annotated[int, Meta(ge=1, le=100_000)] = 240
    round: Annotated[int, Meta(ge=1, le=24 * 60)] = 15
    min_share: Annotated[int, Meta(ge=0, le=100)] = 50
    valid_months: Months = 0
    shared: bool = False


class BookingTerms(Part, frozen=True):
    """What a page asks of a booking that somebody makes. step, shortest, longest, notice, buffer (after it): minutes.

    ahead_days: how far ahead. open: how many of a member at once. week_hours: how many hours of a member in one week.
    notice: how long before its start. cancel_hours: later is a no-show.
    """

    step: Annotated[int, Meta(ge=1, le=24 * 60)] = 15
    shortest: Annotated[int, Meta(ge=1, le=7 * 24 * 60)] = 30
    longest: Annotated[int, Meta(ge=1, le=7 * 24 * 60)] = 480
    ahead_days: Annotated[int, Meta(ge=0, le=3660)] = 30
    open: Annotated[int, Meta(ge=1, le=1000)] = 3
    buffer: Minutes = 0
    cancel_hours: Annotated[int, Meta(ge=0, le=8760)] = 2
    week_hours: Annotated[int, Meta(ge=1, le=7 * 24)] | None = None
    notice: Annotated[int, Meta(ge=0, le=31 * 24 * 60)] = 0


class Site(Part, frozen=True):
    """shift_lead, shift_grace: minutes. adhoc_hours: hours, 0 for not allowed. holidays: FR or FR-57.

    rota_notice: hours before its start from which a shift given back stays its gardien's until somebody takes it.
    """

    id: str
    name: str
    timezone: str
    holidays: str | None = None
    capacity: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    at_capacity: Literal["warn", "deny"] = "warn"
    day_cutoff: str = "04:00"
    half_day_split: str = "13:00"
    shift_lead: Minutes = 30
    shift_grace: Minutes = 15
    adhoc_hours: Annotated[int, Meta(ge=0, le=24)] = 0
    offline_days: Annotated[int, Meta(ge=1, le=366)] = 14
    anti_passback: Literal["off", "soft", "hard"] = "off"
    staff_hours: Week = {}
    closures: tuple[Closure, ...] = ()
    openings: tuple[Opening, ...] = ()
    time_bank: TimeBank | None = None
    rota_notice: Annotated[int, Meta(ge=0, le=8760)] = 48
    booking: BookingTerms | None = None


class Readers(Part, frozen=True, rename={"in_": "in"}):
    """The readers of a door leaf, by id."""

    in_: str
    out: str | None = None


class AccessPoint(Part, frozen=True):
    """name: what people call it; its id when left out, here and below."""

    id: str
    readers: Readers
    name: str | None = None


class Tier(Part, frozen=True, rename={"pass_": "pass"}):
    """access_points: all when left out."""

    id: str
    grounds: tuple[Ground, ...]
    hours: Week = {}
    access_points: tuple[str, ...] | UnsetType = UNSET
    pass_: Literal["none", "day", "half_day"] = "none"
    name: str | None = None


class Member(Part, frozen=True):
    """valid_until: last day of the membership."""

    id: str
    name: str
    tier: str
    roles: tuple[Role, ...] = ()
    status: Literal["active", "suspended"] = "active"
    valid_from: date | None = None
    valid_until: date | None = None


class Credential(Part, frozen=True):
    """uid: hex, 4, 7 or 10 bytes, any case. valid_until: last day."""

    uid: str
    member: str
    status: Literal["active", "lost", "stolen", "returned"] = "active"
    valid_until: date | None = None


class Pass(Part, frozen=True):
    """used: days (2026-11-20) or half-days (2026-11-20am) it paid. valid_from, valid_until: first, last day.

    given_back: those that stay paid, by a tap or in used, and take nothing from it.
    """

    id: str
    member: str
    unit: Literal["day", "half_day"]
    total: Annotated[int, Meta(ge=0, le=1_000_000)]
    used: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    given_back: tuple[str, ...] = ()


class Shift(Part, frozen=True):
    """start, end: local, or with an offset. Lead and grace are not in them."""

    id: str
    gardien: str
    start: str
    end: str


class Event(Part, frozen=True):
    id: str
    title: str
    start: str
    end: str
    audience: Literal["members", "public"]
    free: bool = False
    access_points: tuple[str, ...] | UnsetType = UNSET


class Invitation(Part, frozen=True):
    id: str
    member: str
    start: str
    end: str
    access_points: tuple[str, ...] | UnsetType = UNSET


class LockOut(Part, frozen=True):
    """by: who locked the machine out, as a word for people. urgent: do not wait for the running session."""

    by: str
    why: str
    urgent: bool = False


class Machine(Part, frozen=True):
    """attended: true for a machine that cuts, false for one that warns, when left out.

    booking: the terms of this machine alone, in place of the site's.
    """

    id: str
    kind: str
    reader: str
    hours: Week = {}
    min_people: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    on_end: Literal["warn", "cut"] = "warn"
    attended: bool | UnsetType = UNSET
    locked_out: LockOut | None = None
    name: str | None = None
    booking: BookingTerms | None = None


class Certification(Part, frozen=True):
    """until: last day."""

    member: str
    kind: str
    until: date | None = None


class Quota(Part, frozen=True):
    kind: str
    minutes: Annotated[int, Meta(ge=0, le=1_000_000)]
    period: Literal["week", "month"]


class Booking(Part, frozen=True):
    id: str
    machine: str
    member: str
    start: str
    end: str


class Kind(Part, frozen=True):
    """A kind of machine: what is asked for when somebody is certified for it, never at a tap.

    requires: kinds to be certified for before.
    """

    id: str
    name: str | None = None
    requires: tuple[str, ...] = ()
    valid_months: Months | None = None
    refresher_months: Months | None = None
    notes: str | None = None


class Pattern(Part, frozen=True, rename={"start": "from", "end": "to"}):
    """An evening of the rota that wants a gardien. start, end: HH:MM. every: how many weeks apart, from that of since.

    since, until: first and last day. gardien: None for a gap. holidays: whether on public holidays too.
    """

    id: str
    weekday: Weekday
    start: str
    end: str
    every: Annotated[int, Meta(ge=1, le=520)] = 1
    since: date | None = None
    until: date | None = None
    gardien: str | None = None
    holidays: bool = False


class RotaChange(Part, frozen=True):
    """What is different on one date of a pattern. gardien: None for a gap. start, end: HH:MM."""

    rota: str
    date: date
    gardien: str | UnsetType | None = UNSET
    start: str | None = None
    end: str | None = None
    cancelled: bool = False


class Credit(Part, frozen=True):
    """Minutes of the time bank that no shift earned. by: who proposes it. attested: who vouches for it.

    pair: the same word in two credits of opposite sign, a gift.
    """

    id: str
    member: str
    minutes: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
    date: date
    why: str
    by: str
    attested: str | None = None
    pair: str | None = None


class Bundle(Part, frozen=True):
    """All that a site knows."""

    format: Literal["loquet.bundle/1"]
    site: Site
    access_points: tuple[AccessPoint, ...] = ()
    tiers: tuple[Tier, ...] = ()
    members: tuple[Member, ...] = ()
    credentials: tuple[Credential, ...] = ()
    passes: tuple[Pass, ...] = ()
    shifts: tuple[Shift, ...] = ()
    events: tuple[Event, ...] = ()
    invitations: tuple[Invitation, ...] = ()
    machines: tuple[Machine, ...] = ()
    certifications: tuple[Certification, ...] = ()
    quotas: tuple[Quota, ...] = ()
    bookings: tuple[Booking, ...] = ()
    kinds: tuple[Kind, ...] = ()
    rota: tuple[Pattern, ...] = ()
    rota_changes: tuple[RotaChange, ...] = ()
    credits: tuple[Credit, ...] = ()
