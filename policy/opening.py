"""Is the place open now, until when and how surely, and who holds it? What the page says first."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from policy.ruleset import RuleSet
from policy.spans import Spans, end_of, last_end, pairs, spans
from policy.state import SiteState, holders, is_staffed
from policy.terms import DAY, Instant

ENDLESS = 2 * DAY
"""An end that is farther away is none: round the clock, the hours end where compiling them did."""


class Degree(StrEnum):
    """How sure it is that the place is open at a time to come."""

    SURE = "sure"
    """Staff hours, or a gardien inside covers the time."""
    PROBABLE = "probable"
    """Somebody has taken the shift, and is not there yet."""
    UNCERTAIN = "uncertain"
    """Somebody has taken the shift, and should have been there by now."""
    NOBODY = "nobody"
    """Nobody is to open it."""


class Relay(Struct, frozen=True):
    """Who takes over from start to end, without lead and grace. gardien: None for the team."""

    degree: Degree
    start: Instant
    end: Instant
    gardien: str | None


class Opening(Struct, frozen=True):
    """open: staffed or held. held_by: member ids, sorted.

    until: the end of the staff hours or of the shifts of gardiens who are inside, without grace: within a grace it is
    past. So far it is sure. None when shut, and when no end is in sight: endless. relays: who is to take over then, one
    after the other, without a gap.
    """

    open: bool
    until: Instant | None = None
    held_by: tuple[str, ...] = ()
    staffed: bool = False
    relays: tuple[Relay, ...] = ()
    endless: bool = False

    @property
    def end(self) -> Instant | None:
        """The end of the whole chain: as sure as its least sure part."""
        return self.relays[-1].end if self.relays else self.until


def opening(rules: RuleSet, shifts: Mapping[str, Spans], state: SiteState, at: Instant) -> Opening:
    """How open the place is at the instant. shifts: without lead and grace (policy/compile.py, shift_table)."""
    held_by, in_hours = tuple(holders(rules, state, at)), is_staffed(rules, at)
    if not held_by and not in_hours:
        return Opening(open=False)
    inside = state.presence.inside(rules.day_start(at))
    gardiens = [who for who in (*rules.shifts, *state.adhoc) if who in inside and may_hold(rules, who)]
    covering = {who: _with_adhoc(rules.shifts.get(who, ()), rules, state, who) for who in gardiens}
    unbroken = _covered_until([rules.staffed, *covering.values()], at)
    bare = [spans([*pairs(shifts.get(who, ())), *state.adhoc.get(who, ())]) for who in gardiens]
    ends = [last_end(rules.staffed, unbroken), *(last_end(shift, unbroken) for shift in bare)]
    until = max((end for end in ends if end is not None), default=None)
    if until is not None and until - at > ENDLESS:
        return Opening(True, None, held_by, in_hours, endless=True)
    following = () if until is None else tuple(relays(rules, shifts, until))
    return Opening(True, until, held_by, in_hours, following)


def relays(rules: RuleSet, shifts: Mapping[str, Spans], at: Instant) -> Iterator[Relay]:
    """Who holds the place from an instant on if all come as planned, up to the first gap longer than a grace."""
    planned = {who: times for who, times in shifts.items() if may_hold(rules, who)}
    while True:
        team = end_of(rules.staffed, at)
        coming = [
            (end, who) for who, times in planned.items() for start, end in pairs(times) if _joins(rules, start, end, at)
        ]
        end, gardien = max(coming, default=(at, ""))
        if team is not None and team >= end:
            yield Relay(Degree.SURE, at, team, None)
            at = team
        elif end > at:
            yield Relay(Degree.PROBABLE, at, end, gardien)
            at = end
        else:
            return


def _joins(rules: RuleSet, start: Instant, end: Instant, at: Instant) -> bool:
    return start <= at + rules.shift_grace and end > at


def may_hold(rules: RuleSet, who: str) -> bool:
    """Whether a shift of theirs holds the place once they are inside: a gardien who is not suspended."""
    member = rules.members.get(who)
    return member is not None and member.gardien and not member.suspended


def _with_adhoc(planned: Spans, rules: RuleSet, state: SiteState, who: str) -> Spans:
    """When a gardien's shifts cover, those made by two taps too, lead and grace included."""
    made = state.adhoc.get(who, ())
    if not made:
        return planned
    return spans([*pairs(planned), *((start - rules.shift_lead, end + rules.shift_grace) for start, end in made)])


def _covered_until(covers: list[Spans], at: Instant) -> Instant:
    """The first instant from `at` on that none of them covers: one may take over from another."""
    while ends := [end for times in covers if (end := end_of(times, at)) is not None]:
        at = max(ends)
    return at
