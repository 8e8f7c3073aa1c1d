"""What an edge decides by: a bundle compiled to sorted UTC intervals and look-up tables.

No calendar, no time zone, no name.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

from msgspec import Struct

from policy.sitedays import SiteDays, dated
from policy.spans import Spans, spans
from policy.terms import Direction, Instant

SPEAKS = 5
"""The form of rules, rows and state that this version writes and reads; it reads and writes the one before, too.

In form 1 days and half-days paid were the instants at which they start; in form 2 they are dates. In form 3 the state
tells of groups and visitors, too. In form 4 rules know shifts without lead and grace, and rows tell of a closing. In
form 5 rules know which shifts are offered.
"""

Paid: TypeAlias = str | Instant
"""A day or half-day that is paid: 2026-11-24, 2026-11-24am, 2026-11-24pm (a site day's date). In form 1 its start."""


class Ground(StrEnum):
    """Why a tier may come in."""

    ALWAYS = "always"
    HOURS = "hours"
    STAFFED = "staffed"
    HELD = "held"


class AntiPassback(StrEnum):
    """What happens when somebody who is inside comes in."""

    OFF = "off"
    SOFT = "soft"
    HARD = "hard"


class Period(StrEnum):
    """Over what a quota counts."""

    WEEK = "week"
    MONTH = "month"


class Unit(StrEnum):
    """What one entry on a pass pays for."""

    DAY = "day"
    HALF_DAY = "half_day"


class Tier(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """hours: its own. access_points: None for all. unit: what an entry costs, None for nothing."""

    grounds: tuple[Ground, ...]
    hours: Spans = ()
    access_points: tuple[str, ...] | None = None
    unit: Unit | None = None


class Member(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """valid_from, valid_until: the membership holds in [valid_from, valid_until); None for no bound."""

    tier: str
    staff: bool = False
    gardien: bool = False
    fab_manager: bool = False
    suspended: bool = False
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class Credential(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """blocked: lost, stolen or returned. valid_until: first instant at which it is past its last day."""

    member: str
    blocked: bool = False
    valid_until: Instant | None = None


class Reader(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a reader hangs and which way it leads: an access point with a direction, or a machine without one.

    edge: the edge that owns it; None while none does.
    """

    access_point: str
    direction: Direction | None
    edge: str | None


class Places(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """When something runs: at each access point, and at any at all."""

    anywhere: Spans = ()
    at: dict[str, Spans] = {}


class Pass(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """total: units bought. used: the days or half-days that it paid. valid_from, valid_until: first and last day.

    In form 1 valid_until is the first instant past it, and a pass that is not valid yet is left out.
    """

    total: int
    used: tuple[Paid, ...] = ()
    valid_until: str | Instant | None = None
    valid_from: str | None = None


class Machine(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """hours: None for always. cuts: power goes at the end of a session; else it only warns."""

    kind: str
    hours: Spans | None = None
    min_people: int = 0
    cuts: bool = False
    attended: bool = False
    locked_out: bool = False
    urgent: bool = False

    @property
    def can_hurt(self) -> bool:
        """Whether it wants to be cut in time, watched or accompanied: no plug may stand for its relay."""
        return self.cuts or self.attended or self.min_people > 1


class Quota(Struct, frozen=True, forbid_unknown_fields=True):
    """seconds: for every member who is not staff, in each period."""

    seconds: int
    period: Period


class Booking(Struct, frozen=True, forbid_unknown_fields=True):
    member: str
    start: Instant
    end: Instant


class RuleSet(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, dict=True):
    """dates, days, splits: of a date, when its site day starts, and when its afternoon does; so it goes on every 24 h
    until the next of the dates, and past the last of them. In form 1 all days are there, without their dates.

    speaks: the form that every edge of the site reads, and so the one to write. staffed: when the team is there.
    shifts: for each gardien, when a shift of theirs covers, lead and grace included; planned: each shift as it was
    planned, without, sorted. offered: for each gardien, what of it they offer to others or have given back, and nobody
    has taken yet (policy/degrees.py). adhoc: how long a shift without a rota lasts, ms, 0 for not allowed.
    certifications: by member and kind, the first instant past each.
    bookings: of each machine, sorted. weeks, months: the instants at which quota periods start. credentials: by
    keyed hash (wire/credential.py). edges: public key of each edge, Ed25519, hex.
    """

    site: str
    days: tuple[Instant, ...]
    staffed: Spans
    tiers: dict[str, Tier]
    members: dict[str, Member]
    credentials: dict[str, Credential]
    shifts: dict[str, Spans]
    readers: dict[str, Reader]
    edges: dict[str, str]
    splits: tuple[Instant, ...] = ()
    dates: tuple[str, ...] = ()
    speaks: int = 1
    events: Places = Places()
    free_events: Places = Places()
    public_events: Places = Places()
    invitations: dict[str, Places] = {}
    passes: dict[str, tuple[Pass, ...]] = {}
    paid: dict[str, tuple[str, ...]] = {}
    capacity: int | None = None
    full_denies: bool = False
    anti_passback: AntiPassback = AntiPassback.OFF
    shift_lead: Instant = 0
    shift_grace: Instant = 0
    adhoc: Instant = 0
    machines: dict[str, Machine] = {}
    certifications: dict[str, dict[str, Instant | None]] = {}
    quotas: dict[str, Quota] = {}
    bookings: dict[str, tuple[Booking, ...]] = {}
    weeks: tuple[Instant, ...] = ()
    months: tuple[Instant, ...] = ()
    planned: dict[str, tuple[tuple[Instant, Instant], ...]] = {}
    offered: dict[str, Spans] = {}

    def day_start(self, at: Instant) -> Instant:
        """The start of the site day that holds the instant."""
        return self.site_days.at(at).start

    def day_end(self, at: Instant) -> Instant:
        """The end of the site day that holds the instant, when everybody is checked out."""
        return self.site_days.at(at).end

    @cached_property
    def planned_shifts(self) -> Mapping[str, Spans]:
        """When each gardien holds the place by the rota, lead and grace not included."""
        return {who: spans(shifts) for who, shifts in self.planned.items()}

    @cached_property
    def site_days(self) -> SiteDays:
        """In form 1 the weeks tell the dates."""
        ordinals = [date.fromisoformat(day).toordinal() for day in self.dates] or dated(self.days, self.weeks)
        return SiteDays(ordinals, self.days, self.splits)

    def on_duty(self, at: Instant) -> tuple[str, ...]:
        """The members of whom a shift covers the instant, inside or not, in one bisection."""
        edges, duties = self._duties
        return duties[bisect_right(edges, at)]

    @cached_property
    def _duties(self) -> tuple[Spans, tuple[tuple[str, ...], ...]]:
        """The instants at which somebody's shift starts or ends, and who is on duty before, between and after them."""
        edges = tuple(sorted({edge for shifts in self.shifts.values() for edge in shifts}))
        on: list[list[str]] = [[] for _ in range(len(edges) + 1)]
        for member, shifts in self.shifts.items():
            for start, end in zip(shifts[::2], shifts[1::2], strict=True):
                for position in range(bisect_right(edges, start), bisect_right(edges, end)):
                    on[position].append(member)
        return edges, tuple(map(tuple, on))
