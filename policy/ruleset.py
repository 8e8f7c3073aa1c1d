"""What an edge decides by: a bundle compiled to sorted UTC intervals and look-up tables.

No calendar, no time zone, no name.
"""

from bisect import bisect_right
from enum import StrEnum
from functools import cached_property

from msgspec import Struct

from policy.spans import Spans
from policy.terms import DAY, Direction, Instant


class Ground(StrEnum):
    """Why a tier may come in."""

    ALWAYS = "always"
    HOURS = "hours"
    STAFFED = "staffed"
    HELD = "held"


class Tier(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """access_points: None for all."""

    grounds: tuple[Ground, ...]
    access_points: tuple[str, ...] | None = None


class Member(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """valid_from, valid_until: the membership holds in [valid_from, valid_until); None for no bound."""

    tier: str
    staff: bool = False
    gardien: bool = False
    suspended: bool = False
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class Credential(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """blocked: lost, stolen or returned. valid_until: first instant at which it is past its last day."""

    member: str
    blocked: bool = False
    valid_until: Instant | None = None


class Reader(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a reader hangs, which way it leads, and which edge owns it (None: no edge does yet)."""

    access_point: str
    direction: Direction
    edge: str | None


class RuleSet(Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """days: the instants at which site days start, sorted; past the last of them every 24 h starts one.

    staffed: when the team is there. shifts: for each gardien, when a shift of theirs covers, lead and grace included.
    credentials: by keyed hash (wire/credential.py). edges: public key of each edge, Ed25519, hex.
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

    def day_start(self, at: Instant) -> Instant:
        """The start of the site day that holds the instant. Before the first known day: that day less whole 24 h."""
        position = bisect_right(self.days, at)
        if 0 < position < len(self.days):
            return self.days[position - 1]
        known = self.days[-1] if position else self.days[0]
        return known + (at - known) // DAY * DAY

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
