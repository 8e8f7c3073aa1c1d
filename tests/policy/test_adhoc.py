"""Two taps that make a shift where there was none. Which taps are a pair, the edge says (tests/edge)."""

from typing import Any

import pytest

from policy.case import Decision
from policy.reasons import Reason
from policy.state import holders, is_held, on_shift
from policy.terms import HOUR
from tests.support_policy import (
    ALICE,
    BRIGITTE,
    GREGOIRE,
    TUESDAY,
    UNKNOWN,
    at,
    decided,
    in_since,
    known,
    ruling,
    site,
    with_part,
)

NIGHT = TUESDAY + "23:00"
MADE = (at(NIGHT), at(NIGHT) + 2 * HOUR)


def second_tap(uid: str = GREGOIRE, when: str = NIGHT, here: Any = None, **changes: Any) -> Decision:
    state = changes.pop("state", {})
    reader = changes.pop("reader", "front-in")
    rules = ruling(**{"site_adhoc_hours": 2, **changes})
    return decided(rules, reader, uid, when, here, second=True, **state)


def test_the_second_tap_makes_a_shift_from_its_instant_and_lets_in() -> None:
    assert second_tap() == Decision(True, Reason.OWN_SHIFT, "gregoire", adhoc=MADE)


def test_the_first_tap_makes_none() -> None:
    assert decided(ruling(site_adhoc_hours=2), "front-in", GREGOIRE, NIGHT) == Decision(
        False, Reason.OUTSIDE_HOURS, "gregoire"
    )


def test_a_gardien_of_the_staff_passes_as_staff_and_holds_the_place() -> None:
    both = with_part("members", "gregoire", roles=["staff", "gardien"])
    assert second_tap(members=both) == Decision(True, Reason.STAFF, "gregoire", adhoc=MADE)


@pytest.mark.parametrize(
    "change",
    [
        {"site_adhoc_hours": 0},
        {"uid": ALICE},
        {"uid": BRIGITTE},
        {"uid": UNKNOWN},
        {"reader": "front-out"},
        {"when": TUESDAY + "10:00"},
        {"when": TUESDAY + "17:45"},
        {"when": TUESDAY + "22:14"},
        {"state": {"clock_trusted": False}},
        {"state": {"lockdown": True}},
        {"state": {"adhoc": {"gregoire": {(MADE[0] - HOUR, MADE[0] - 14 * 60_000)}}}},
        {"credentials": with_part("credentials", GREGOIRE, status="lost")},
        {"credentials": with_part("credentials", GREGOIRE, valid_until="2026-11-23")},
        {"members": with_part("members", "gregoire", status="suspended")},
        {"members": with_part("members", "gregoire", valid_until="2026-11-23")},
        {"members": with_part("members", "gregoire", roles=["fab_manager"])},
        {"tiers": [{**tier, "access_points": ["garage"]} for tier in site()["tiers"]]},
    ],
)
def test_no_shift_is_made_without_a_cause(change: dict[str, Any]) -> None:
    assert second_tap(**change).adhoc is None


def test_no_shift_is_made_where_another_gardien_holds_the_place() -> None:
    members = with_part("members", "remy", roles=["gardien"])
    shifts = [{"id": "s", "gardien": "remy", "start": TUESDAY + "22:30", "end": "2026-11-25T01:00"}]
    assert second_tap(members=members, shifts=shifts, here=in_since(NIGHT, "remy")).adhoc is None
    assert second_tap(members=members, shifts=shifts).adhoc == MADE


def test_stale_rules_do_not_keep_a_gardien_from_it() -> None:
    assert second_tap(state={"not_after": 0}) == Decision(True, Reason.OWN_SHIFT, "gregoire", adhoc=MADE)


def test_it_is_decided_without_the_line_on_who_is_inside_already() -> None:
    hard: dict[str, Any] = {"site_anti_passback": "hard", "access_points": site()["access_points"][:1]}
    here = in_since(TUESDAY + "20:00", "gregoire")
    assert second_tap(here=here, **hard) == Decision(True, Reason.OWN_SHIFT, "gregoire", adhoc=MADE)
    assert (
        decided(ruling(site_adhoc_hours=2, **hard), "front-in", GREGOIRE, NIGHT, here).reason == Reason.ALREADY_INSIDE
    )


def test_such_a_shift_covers_with_lead_and_grace_like_any_other() -> None:
    rules, state = ruling(), known(NIGHT, adhoc={"gregoire": {MADE}})
    minute = HOUR // 60
    instants = (MADE[0] - 30 * minute - 1, MADE[0] - 30 * minute, MADE[1] + 15 * minute - 1, MADE[1] + 15 * minute)
    assert [on_shift(rules, state, "gregoire", when) for when in instants] == [False, True, True, False]
    assert not on_shift(rules, state, "remy", MADE[0])


def test_who_made_it_holds_the_place_while_they_are_inside() -> None:
    rules = ruling()
    inside = known(NIGHT, in_since(NIGHT, "gregoire", "brigitte"), adhoc={"gregoire": {MADE}, "brigitte": {MADE}})
    assert holders(rules, inside, MADE[0]) == ["gregoire"]
    assert not is_held(rules, known(NIGHT, adhoc={"gregoire": {MADE}}), MADE[0])
    assert decided(rules, "front-in", BRIGITTE, NIGHT, inside.presence, adhoc=inside.adhoc).reason == (
        Reason.GARDIEN_PRESENT
    )


def test_a_shift_of_a_member_who_was_removed_holds_nothing() -> None:
    state = known(NIGHT, in_since(NIGHT, "gone"), adhoc={"gone": {MADE}})
    assert holders(ruling(), state, MADE[0]) == []
