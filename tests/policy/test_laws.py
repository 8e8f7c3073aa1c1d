"""What holds at every door, for every site, member, badge and instant."""

import copy
import random
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.door import Decision, SiteState, Tap, decide
from policy.presence import Move, Moves
from policy.reasons import Reason
from policy.ruleset import RuleSet
from policy.terms import DAY, MINUTE, Instant
from tests.support_policy import at, badge, compiled, read

MONDAY = date(2026, 11, 23)
START = at("2026-11-23T00:00")
GRANTS_IN = {
    Reason.STAFF,
    Reason.OWN_SHIFT,
    Reason.ALWAYS,
    Reason.STAFFED_HOURS,
    Reason.GARDIEN_PRESENT,
    Reason.GARDIEN_GRACE,
}
DENIALS = {
    Reason.UNKNOWN_CREDENTIAL,
    Reason.CREDENTIAL_BLOCKED,
    Reason.MEMBER_SUSPENDED,
    Reason.MEMBERSHIP_NOT_VALID,
    Reason.NOT_ALLOWED_HERE,
    Reason.RULES_STALE,
    Reason.CLOCK_UNTRUSTED,
    Reason.OUTSIDE_HOURS,
}
LAW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

hour = st.integers(0, 23).map("{:02}:00".format)
days = st.integers(0, 6).map(lambda number: str(MONDAY + timedelta(days=number)))
week = st.dictionaries(
    st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), st.lists(st.tuples(hour, hour), max_size=2)
)
NAMES = [f"m{number}" for number in range(6)]
UIDS = [f"04{number:06x}" for number in range(8)]
"""More than there are members: the last two are nobody's."""


@st.composite
def sites(draw: st.DrawFn) -> dict[str, Any]:
    """A week of a random small site, as a bundle."""
    maybe_day = st.none() | days
    tiers = [
        {"id": f"t{number}", "grounds": draw(st.lists(st.sampled_from(["always", "staffed", "held"]), max_size=3))}
        for number in range(3)
    ]
    tiers[0]["access_points"] = draw(st.lists(st.sampled_from(["front", "back"]), max_size=1))
    roles = st.lists(st.sampled_from(["staff", "gardien", "fab_manager"]), max_size=2)
    members = [
        {
            "id": name,
            "name": name,
            "tier": draw(st.sampled_from(["t0", "t1", "t2"])),
            "roles": draw(roles),
            "status": draw(st.sampled_from(["active", "active", "active", "suspended"])),
            "valid_from": draw(maybe_day),
            "valid_until": draw(maybe_day),
        }
        for name in NAMES
    ]
    status = st.sampled_from(["active", "active", "active", "lost", "stolen", "returned"])
    credentials = [
        {"uid": uid, "member": name, "status": draw(status), "valid_until": draw(maybe_day)}
        for uid, name in zip(UIDS, NAMES, strict=False)
    ]
    shifts = [
        {
            "id": f"s{number}",
            "gardien": draw(st.sampled_from(NAMES)),
            "start": f"{draw(days)}T{draw(hour)}",
            "end": "2026-11-30T23:30",
        }
        for number in range(draw(st.integers(0, 3)))
    ]
    return {
        "format": "loquet.bundle/1",
        "site": {"id": "s", "name": "S", "timezone": "Europe/Paris", "staff_hours": draw(week)},
        "access_points": [
            {"id": "front", "readers": {"in": "front-in", "out": "front-out"}},
            {"id": "back", "readers": {"in": "back-in", "out": "back-out"}},
        ],
        "tiers": tiers,
        "members": members,
        "credentials": credentials,
        "shifts": shifts,
    }


instants = st.integers(0, 7 * 24 * 4 - 1).map(lambda quarter: START + quarter * 15 * MINUTE)
moves = st.dictionaries(st.sampled_from(NAMES), st.builds(Move, instants, st.booleans()))
states = st.builds(SiteState, moves, st.integers(-3, 14).map(lambda days: START + days * DAY), st.booleans())
doors = st.sampled_from(["front", "back"])
uids = st.sampled_from(UIDS)


def rules_of(site: dict[str, Any]) -> RuleSet:
    return compiled(read(site), START, days=9)


def enter(rules: RuleSet, state: SiteState, door: str, uid: str, when: Instant) -> Decision:
    return decide(rules, state, Tap(f"{door}-in", badge(uid)), when)


@LAW
@given(sites(), states, doors, uids, instants)
def test_leaving_is_never_refused(site: Any, state: SiteState, door: str, uid: str, when: Instant) -> None:
    decision = decide(rules_of(site), state, Tap(f"{door}-out", badge(uid)), when)
    assert (decision.granted, decision.reason, decision.until) == (True, Reason.EGRESS, None)


@LAW
@given(sites(), states, doors, uids, instants)
def test_a_decision_carries_a_reason_of_its_kind_and_the_member_of_the_badge(
    site: Any, state: SiteState, door: str, uid: str, when: Instant
) -> None:
    decision = enter(rules_of(site), state, door, uid, when)
    assert decision.reason in (GRANTS_IN if decision.granted else DENIALS)
    holders = {part["uid"]: part["member"] for part in site["credentials"]}
    assert decision.member == holders.get(uid)


@LAW
@given(sites(), states, doors, uids, instants)
def test_nobody_comes_in_with_a_badge_that_is_blocked_or_unknown_or_when_suspended(
    site: Any, state: SiteState, door: str, uid: str, when: Instant
) -> None:
    members = {part["id"]: part for part in site["members"]}
    badge_ = next((part for part in site["credentials"] if part["uid"] == uid), None)
    usable = badge_ and badge_["status"] == "active" and members[badge_["member"]]["status"] == "active"
    assert usable or not enter(rules_of(site), state, door, uid, when).granted


@LAW
@given(sites(), states, doors, uids, instants, week)
def test_longer_staff_hours_never_refuse_what_shorter_ones_granted(
    site: Any, state: SiteState, door: str, uid: str, when: Instant, more: Any
) -> None:
    longer = copy.deepcopy(site)
    for day, ranges in more.items():
        longer["site"]["staff_hours"].setdefault(day, []).extend(ranges)
    if enter(rules_of(site), state, door, uid, when).granted:
        assert enter(rules_of(longer), state, door, uid, when).granted


@LAW
@given(sites(), states, doors, uids, instants)
def test_with_fresher_rules_and_a_better_clock_nobody_loses_what_staleness_granted(
    site: Any, state: SiteState, door: str, uid: str, when: Instant
) -> None:
    fresh = SiteState(state.moves, when, state.clock_trusted)
    rules = rules_of(site)
    if enter(rules, state, door, uid, when).granted:
        assert enter(rules, fresh, door, uid, when) == enter(rules, state, door, uid, when)


def moved(written: str | None, weeks: int) -> str | None:
    """A date or time of the bundle, whole weeks later."""
    if written is None:
        return None
    return str(date.fromisoformat(written[:10]) + timedelta(weeks=weeks)) + written[10:]


@LAW
@given(sites(), states, doors, uids, instants, st.integers(1, 15))
def test_a_story_shifted_by_weeks_without_a_clock_change_ends_the_same(
    site: Any, state: SiteState, door: str, uid: str, when: Instant, weeks: int
) -> None:
    by, later = weeks * 7 * DAY, copy.deepcopy(site)
    for collection, keys in (
        ("members", ("valid_from", "valid_until")),
        ("credentials", ("valid_until",)),
        ("shifts", ("start", "end")),
    ):
        for part in later[collection]:
            part.update({key: moved(part[key], weeks) for key in keys})
    moves_then: Moves = {who: Move(move.at + by, move.inside) for who, move in state.moves.items()}
    then = SiteState(moves_then, state.not_after + by, state.clock_trusted)
    rules = compiled(read(later), START + by, days=9)
    assert enter(rules, then, door, uid, when + by) == enter(rules_of(site), state, door, uid, when)


@LAW
@given(sites(), states, doors, uids, instants, st.randoms(use_true_random=False))
def test_the_order_of_the_bundle_is_irrelevant(
    site: Any, state: SiteState, door: str, uid: str, when: Instant, chance: random.Random
) -> None:
    shuffled = {key: chance.sample(part, len(part)) if isinstance(part, list) else part for key, part in site.items()}
    assert enter(rules_of(shuffled), state, door, uid, when) == enter(rules_of(site), state, door, uid, when)


@LAW
@given(sites(), states, doors, uids, instants, st.sampled_from(NAMES))
def test_what_becomes_of_a_member_who_is_no_gardien_changes_nothing_for_others(
    site: Any, state: SiteState, door: str, uid: str, when: Instant, other: str
) -> None:
    changed = copy.deepcopy(site)
    person = next(part for part in changed["members"] if part["id"] == other)
    person["status"] = "suspended"
    is_theirs = UIDS[NAMES.index(other)] == uid
    if not is_theirs and "gardien" not in person["roles"]:
        assert enter(rules_of(changed), state, door, uid, when) == enter(rules_of(site), state, door, uid, when)
