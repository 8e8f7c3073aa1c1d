"""Each line of the door's table by itself. Which of two that apply comes first: test_order.py."""

from typing import Any

import pytest

from policy.case import Decision, Tap
from policy.door import decide, decide_without_rules
from policy.presence import Move
from policy.reasons import Reason
from policy.state import SiteState, is_held, is_staffed
from policy.terms import DAY, Direction
from tests.support_policy import (
    ALICE,
    BRIGITTE,
    GREGOIRE,
    REMY,
    SARAH,
    TUESDAY,
    UNKNOWN,
    at,
    badge,
    compiled,
    decided,
    in_since,
    known,
    read,
    ruling,
    site,
    with_part,
)


def granted(decision: Decision) -> Reason | None:
    return decision.reason if decision.granted else None


def denied(decision: Decision) -> Reason | None:
    return None if decision.granted else decision.reason


def test_line_1_leaving_is_granted_whatever_the_badge() -> None:
    rules = ruling(credentials=with_part("credentials", BRIGITTE, status="stolen"))
    assert decided(rules, "front-out", BRIGITTE, TUESDAY + "03:00") == Decision(True, Reason.EGRESS, "brigitte")
    assert decided(rules, "front-out", UNKNOWN, TUESDAY + "03:00") == Decision(True, Reason.EGRESS, None)


def test_line_3_a_badge_that_nobody_has() -> None:
    assert decided(ruling(), "front-in", UNKNOWN, TUESDAY + "10:00") == Decision(False, Reason.UNKNOWN_CREDENTIAL)


@pytest.mark.parametrize("status", ["lost", "stolen", "returned"])
def test_line_4_a_badge_out_of_use_even_of_staff(status: str) -> None:
    rules = ruling(credentials=with_part("credentials", ALICE, status=status))
    assert denied(decided(rules, "front-in", ALICE, TUESDAY + "10:00")) == Reason.CREDENTIAL_BLOCKED


def test_line_4_a_badge_holds_through_the_site_day_of_its_last_day() -> None:
    rules = ruling(credentials=with_part("credentials", REMY, valid_until="2026-11-24"))
    assert granted(decided(rules, "front-in", REMY, "2026-11-25T03:59:59.999")) == Reason.ALWAYS
    assert denied(decided(rules, "front-in", REMY, "2026-11-25T04:00")) == Reason.CREDENTIAL_BLOCKED


def test_line_5_a_suspended_member_even_of_the_staff() -> None:
    rules = ruling(members=with_part("members", "alice", status="suspended"))
    assert denied(decided(rules, "front-in", ALICE, TUESDAY + "10:00")) == Reason.MEMBER_SUSPENDED


def test_line_6_a_membership_holds_from_its_first_site_day_through_its_last() -> None:
    rules = ruling(members=with_part("members", "remy", valid_from="2026-11-23", valid_until="2026-11-24"))
    assert denied(decided(rules, "front-in", REMY, "2026-11-23T03:59:59.999")) == Reason.MEMBERSHIP_NOT_VALID
    assert granted(decided(rules, "front-in", REMY, "2026-11-23T04:00")) == Reason.ALWAYS
    assert granted(decided(rules, "front-in", REMY, "2026-11-25T03:59:59.999")) == Reason.ALWAYS
    assert denied(decided(rules, "front-in", REMY, "2026-11-25T04:00")) == Reason.MEMBERSHIP_NOT_VALID


def test_line_7_a_door_that_is_not_one_of_the_tier() -> None:
    assert denied(decided(ruling(), "garage-in", SARAH, TUESDAY + "10:00")) == Reason.NOT_ALLOWED_HERE
    assert granted(decided(ruling(), "front-in", SARAH, TUESDAY + "10:00")) == Reason.STAFFED_HOURS
    assert granted(decided(ruling(), "garage-in", BRIGITTE, TUESDAY + "10:00")) == Reason.STAFFED_HOURS


def test_line_7_holds_for_staff_too_and_an_empty_list_is_no_door() -> None:
    tiers = [{**tier, "access_points": []} if tier["id"] == "nomad" else tier for tier in site()["tiers"]]
    assert denied(decided(ruling(tiers=tiers), "front-in", ALICE, TUESDAY + "10:00")) == Reason.NOT_ALLOWED_HERE


def test_line_8_staff_at_any_hour() -> None:
    assert decided(ruling(), "front-in", ALICE, TUESDAY + "03:00") == Decision(True, Reason.STAFF, "alice")


def test_line_10_a_gardien_from_the_lead_to_the_grace_of_their_shift() -> None:
    rules = ruling(site_staff_hours={})
    assert denied(decided(rules, "front-in", GREGOIRE, TUESDAY + "17:29:59.999")) == Reason.OUTSIDE_HOURS
    assert granted(decided(rules, "front-in", GREGOIRE, TUESDAY + "17:30")) == Reason.OWN_SHIFT
    assert granted(decided(rules, "front-in", GREGOIRE, TUESDAY + "22:14:59.999")) == Reason.OWN_SHIFT
    assert denied(decided(rules, "front-in", GREGOIRE, TUESDAY + "22:15")) == Reason.OUTSIDE_HOURS


def test_line_10_a_shift_of_somebody_who_is_no_gardien_has_no_effect() -> None:
    shifts = [{"id": "s", "gardien": "brigitte", "start": TUESDAY + "18:00", "end": TUESDAY + "22:00"}]
    rules = ruling(shifts=shifts)
    assert denied(decided(rules, "front-in", BRIGITTE, TUESDAY + "19:00")) == Reason.OUTSIDE_HOURS
    assert not is_held(rules, known(TUESDAY + "19:00", in_since(TUESDAY + "10:00", "brigitte")), at(TUESDAY + "19:00"))


def test_line_11_nothing_lets_a_nomad_in_at_night() -> None:
    assert decided(ruling(), "front-in", BRIGITTE, TUESDAY + "08:59:59.999") == Decision(
        False, Reason.OUTSIDE_HOURS, "brigitte"
    )


def test_line_14_names_the_first_ground_in_the_order_of_the_table() -> None:
    tiers = [{"id": "nomad", "grounds": ["held", "staffed", "always"]}]
    members = [part for part in site()["members"] if part["tier"] == "nomad"]
    credentials = [part for part in site()["credentials"] if part["uid"] in (BRIGITTE, GREGOIRE)]
    everything = ruling(tiers=tiers, members=members, credentials=credentials)
    inside = in_since(TUESDAY + "17:30", "gregoire")
    assert granted(decided(everything, "front-in", BRIGITTE, TUESDAY + "17:45", inside)) == Reason.ALWAYS
    assert granted(decided(ruling(), "front-in", BRIGITTE, TUESDAY + "17:45", inside)) == Reason.STAFFED_HOURS
    assert granted(decided(ruling(), "front-in", BRIGITTE, TUESDAY + "18:00", inside)) == Reason.GARDIEN_PRESENT


def test_a_ground_that_the_tier_does_not_list_lets_nobody_in() -> None:
    tiers = [{**tier, "grounds": ["held"]} if tier["id"] == "nomad" else tier for tier in site()["tiers"]]
    assert denied(decided(ruling(tiers=tiers), "front-in", BRIGITTE, TUESDAY + "10:00")) == Reason.OUTSIDE_HOURS


def held(when: str, *here: str, **changes: Any) -> bool:
    """Whether those who came in at ten hold the place."""
    return is_held(ruling(**changes), known(when, in_since(TUESDAY + "10:00", *here)), at(when))


def test_the_place_is_held_only_by_a_gardien_who_is_inside_in_their_shift_and_active() -> None:
    evening = TUESDAY + "19:00"
    assert held(evening, "gregoire", "brigitte", "alice")
    assert not held(evening, "brigitte", "alice")
    assert not held(TUESDAY + "22:15", "gregoire")
    assert not held(evening, "gregoire", members=with_part("members", "gregoire", status="suspended"))
    assert not held(evening, "gregoire", members=with_part("members", "gregoire", roles=[]))


def test_a_gardien_who_left_holds_nothing() -> None:
    here = in_since(TUESDAY + "10:00", "gregoire")
    here.apply("gregoire", Move(at(TUESDAY + "18:59"), inside=False))
    assert not is_held(ruling(), known(TUESDAY + "19:00", here), at(TUESDAY + "19:00"))


def test_a_gardien_checked_out_at_the_turn_of_the_day_holds_nothing() -> None:
    night = [{"id": "n", "gardien": "gregoire", "start": TUESDAY + "22:00", "end": "2026-11-25T06:00"}]
    assert held("2026-11-25T03:59:59.999", "gregoire", shifts=night)
    assert not held("2026-11-25T04:00", "gregoire", shifts=night)


def test_staff_on_a_shift_of_their_own_pass_as_staff_and_a_gardien_on_shift_before_any_ground() -> None:
    both = ruling(members=with_part("members", "gregoire", roles=["gardien", "staff"]))
    assert granted(decided(both, "front-in", GREGOIRE, TUESDAY + "17:45")) == Reason.STAFF
    assert granted(decided(ruling(), "front-in", GREGOIRE, TUESDAY + "17:45")) == Reason.OWN_SHIFT


def test_rules_are_good_to_the_last_instant_for_which_they_are_confirmed() -> None:
    rules, tap = ruling(), Tap("front-in", badge(REMY))
    end = at(TUESDAY + "10:00")
    assert decide(rules, SiteState(not_after=end), tap, end).reason == Reason.ALWAYS
    assert decide(rules, SiteState(not_after=end), tap, end + 1) == Decision(False, Reason.RULES_STALE, "remy")


def test_staff_and_gardiens_pass_stale_rules() -> None:
    rules, when = ruling(), at(TUESDAY + "19:00")
    stale = SiteState(not_after=when - 20 * DAY)
    assert decide(rules, stale, Tap("front-in", badge(ALICE)), when).reason == Reason.STAFF
    assert decide(rules, stale, Tap("front-in", badge(GREGOIRE)), when).reason == Reason.OWN_SHIFT
    night = at("2026-11-25T02:00")
    assert decide(rules, stale, Tap("front-in", badge(GREGOIRE)), night).reason == Reason.OUTSIDE_HOURS


@pytest.mark.parametrize(
    ("uid", "expected"),
    [
        (ALICE, Decision(True, Reason.STAFF, "alice")),
        (GREGOIRE, Decision(True, Reason.GARDIEN_GRACE, "gregoire")),
        (REMY, Decision(True, Reason.ALWAYS, "remy")),
        (BRIGITTE, Decision(False, Reason.CLOCK_UNTRUSTED, "brigitte")),
        (UNKNOWN, Decision(False, Reason.UNKNOWN_CREDENTIAL)),
    ],
)
def test_without_a_clock_only_those_pass_who_need_no_hour(uid: str, expected: Decision) -> None:
    assert decided(ruling(), "front-in", uid, TUESDAY + "10:00", clock_trusted=False) == expected


def test_without_a_clock_a_revoked_badge_stays_revoked() -> None:
    rules = ruling(credentials=with_part("credentials", ALICE, status="lost"))
    decision = decided(rules, "front-in", ALICE, TUESDAY + "10:00", clock_trusted=False)
    assert denied(decision) == Reason.CREDENTIAL_BLOCKED


def test_a_new_device_lets_out_and_nobody_in() -> None:
    assert decide_without_rules(Direction.OUT) == Decision(True, Reason.EGRESS)
    assert decide_without_rules(Direction.IN) == Decision(False, Reason.RULES_STALE)


def test_a_reader_that_the_rules_do_not_know_is_the_caller_s_fault() -> None:
    with pytest.raises(KeyError, match="cellar"):
        decided(ruling(), "cellar", BRIGITTE, TUESDAY + "10:00")


def test_staffed_is_half_open() -> None:
    rules = compiled(read(site()), at(TUESDAY + "00:00"))
    hours = [is_staffed(rules, at(TUESDAY + hour)) for hour in ("08:59:59.999", "09:00", "17:59:59.999", "18:00")]
    assert hours == [False, True, True, False]
