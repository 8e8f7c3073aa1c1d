"""Whose turn is it at the machine, and until when? An independent reading of docs/rules.md, without code of policy/."""

from dataclasses import dataclass
from typing import NamedTuple

from policy.bundle import Bundle
from policy.terms import MINUTE, SECOND, Instant
from proofs.storm.casting import MACHINE, QUOTA
from proofs.storm.hours import instant_of, week_start

COMES_WITHIN: Instant = 15 * MINUTE
"""Of its booking a holder must come in so long, or it is released."""


class Use(NamedTuple):
    """A session. over: None while it runs, as far as is known."""

    member: str
    start: Instant
    over: Instant | None


class Booked(NamedTuple):
    member: str
    start: Instant
    end: Instant


@dataclass(frozen=True, slots=True)
class Turns:
    """What somebody knows of the machine. tried: who found it busy, and when."""

    uses: tuple[Use, ...] = ()
    tried: frozenset[tuple[str, Instant]] = frozenset()

    def running(self, at: Instant) -> str | None:
        """Who runs it."""
        return next((use.member for use in self.uses if use.start <= at and (use.over is None or at < use.over)), None)

    def used(self, who: str, at: Instant) -> int:
        """Whole seconds of this week for which they had it."""
        since = week_start(at)
        uses = (use for use in self.uses if use.member == who)
        return sum(
            max(0, (at if use.over is None else min(at, use.over)) - max(use.start, since)) // SECOND for use in uses
        )

    def is_released(self, one: Booked, at: Instant) -> bool:
        """Whether nobody came for it: neither ran the machine nor found it busy while it was kept for them."""
        first = one.start + COMES_WITHIN
        ran = (use for use in self.uses if use.member == one.member and use.start < first and use.over != use.start)
        came = any(use.over is None or use.over > one.start for use in ran)
        tried = any(who == one.member and one.start <= moment < first for who, moment in self.tried)
        return at >= first and not came and not tried

    def kept_for(self, bundle: Bundle, at: Instant) -> str | None:
        """For whom a booking that is not released keeps it now."""
        now = (one for one in booked(bundle) if one.start <= at < one.end)
        return next((one.member for one in now if not self.is_released(one, at)), None)

    def until(self, bundle: Bundle, who: str, at: Instant) -> Instant | None:
        """When a session of theirs is to end that begins, or goes on, now."""
        nexts = [one.start for one in booked(bundle) if one.start > at and one.member != who]
        return min(nexts if is_staff(bundle, who) else [*nexts, self._used_up(who, at)], default=None)

    def _used_up(self, who: str, at: Instant) -> Instant:
        """On a Sunday night what is left may last until the week's fresh quota: that is used up then."""
        monday, end = week_start(at, weeks=1), at + max(0, QUOTA * 60 - self.used(who, at)) * SECOND
        return end if end < monday else monday + QUOTA * MINUTE


def is_staff(bundle: Bundle, who: str) -> bool:
    return any(one.id == who and "staff" in one.roles for one in bundle.members)


def booked(bundle: Bundle) -> list[Booked]:
    """The machine's bookings."""
    return [
        Booked(one.member, instant_of(one.start), instant_of(one.end))
        for one in bundle.bookings
        if one.machine == MACHINE
    ]
