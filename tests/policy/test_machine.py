"""Each line of the machine's table by itself, and until when. Which comes first: test_order.py."""

from typing import Any

import pytest

from policy.case import Decision
from policy.presence import Presence
from policy.reasons import Reason
from tests.support_policy import (
    ALICE,
    BRIGITTE,
    GREGOIRE,
    REMY,
    TUESDAY,
    UNKNOWN,
    at,
    decided,
    fab_rules,
    in_since,
    session,
    site,
    with_part,
)

NINE = TUESDAY + "09:00"
MORNING = in_since(TUESDAY + "08:00", "brigitte", "remy", "alice")
WITH_GREGOIRE = in_since(TUESDAY + "08:00", "brigitte", "alice", "gregoire")


def tap(
    uid: str,
    when: str,
    *sessions: Any,
    reader: str = "prusa-reader",
    here: Presence = MORNING,
    state: dict[str, Any] | None = None,
    **changes: Any,
) -> Decision:
    return decided(fab_rules(**changes), reader, uid, TUESDAY + when, here, *sessions, **(state or {}))


def on_prusa(**changes: Any) -> list[dict[str, Any]]:
    return with_part("machines", "prusa", **changes)


def reason(*args: Any, **changes: Any) -> Reason:
    return tap(*args, **changes).reason


def test_a_member_who_is_certified_and_inside_starts_a_session() -> None:
    assert tap(BRIGITTE, "10:00") == Decision(True, Reason.WALK_UP, "brigitte")


@pytest.mark.parametrize(
    "hindrance",
    [
        {"state": {"lockdown": True}},
        {"credentials": with_part("credentials", BRIGITTE, status="stolen")},
        {"members": with_part("members", "brigitte", status="suspended")},
        {"members": with_part("members", "brigitte", valid_until="2026-11-01")},
        {"state": {"not_after": 0}},
        {"state": {"clock_trusted": False}},
        {"state": {"stopped": {"prusa"}}},
        {"machines": on_prusa(locked_out={"by": "Alice", "why": "belt", "urgent": True})},
        {"certifications": []},
        {"here": Presence()},
        {"machines": on_prusa(hours={"mon": [["09:00", "10:00"]]})},
        {"site_staff_hours": {}},
        {"machines": on_prusa(min_people=9)},
        {"quotas": [{"kind": "printer", "minutes": 0, "period": "month"}]},
    ],
)
def test_line_1_one_s_own_session_is_ended_whatever_the_matter(hindrance: dict[str, Any]) -> None:
    mine = session("prusa", "brigitte", NINE)
    assert tap(BRIGITTE, "10:00", mine, **hindrance) == Decision(True, Reason.SESSION_ENDED, "brigitte")
    assert tap(BRIGITTE, "10:00", **hindrance).granted is False


def test_line_1_a_cut_session_that_is_over_is_not_ended_again() -> None:
    over = session("laser", "brigitte", NINE, until=TUESDAY + "10:00")
    assert reason(BRIGITTE, "09:59", over, reader="laser-reader") == Reason.SESSION_ENDED
    assert reason(BRIGITTE, "10:00", over, reader="laser-reader") == Reason.WALK_UP
    assert reason(REMY, "10:00", over, reader="laser-reader") == Reason.WALK_UP


def test_line_1_an_overrun_session_is_one_s_own_still() -> None:
    assert reason(BRIGITTE, "11:00", session("prusa", "brigitte", NINE, until=TUESDAY + "10:00")) == (
        Reason.SESSION_ENDED
    )


def test_line_3_a_badge_of_nobody_ends_nothing() -> None:
    assert tap(UNKNOWN, "10:00", session("prusa", "brigitte", NINE)) == Decision(False, Reason.UNKNOWN_CREDENTIAL)


def test_gardiens_and_staff_are_stopped_by_stale_rules_and_clocks_at_machines() -> None:
    for uid in (ALICE, GREGOIRE):
        assert (
            reason(uid, "10:00", state={"not_after": at(TUESDAY + "10:00") - 1}, here=WITH_GREGOIRE)
            == Reason.RULES_STALE
        )
        assert reason(uid, "10:00", state={"not_after": at(TUESDAY + "10:00")}, here=WITH_GREGOIRE) == Reason.WALK_UP
        assert reason(uid, "10:00", state={"clock_trusted": False}) == Reason.CLOCK_UNTRUSTED


def test_line_7_staff_and_fab_managers_put_it_back_in_service() -> None:
    stopped = {"state": {"stopped": {"prusa"}}}
    manager = with_part("members", "brigitte", roles=["fab_manager"])
    assert tap(ALICE, "10:00", **stopped) == Decision(True, Reason.MACHINE_RESET, "alice")
    assert tap(BRIGITTE, "10:00", members=manager, **stopped) == Decision(True, Reason.MACHINE_RESET, "brigitte")
    assert reason(GREGOIRE, "10:00", **stopped) == Reason.MACHINE_LOCKED_OUT
    assert reason(BRIGITTE, "10:00", members=manager, state={"stopped": {"voron"}}) == Reason.WALK_UP


def test_line_8_a_lock_out_is_nobody_s_to_reset() -> None:
    out = on_prusa(locked_out={"by": "Alice", "why": "belt"})
    assert reason(ALICE, "10:00", machines=out) == Reason.MACHINE_LOCKED_OUT
    assert reason(ALICE, "10:00", machines=out, reader="voron-reader") == Reason.WALK_UP


def test_line_9_one_session_at_a_time_overrun_too() -> None:
    other = session("prusa", "remy", NINE, until=TUESDAY + "09:30")
    assert tap(BRIGITTE, "10:00", other) == Decision(False, Reason.MACHINE_BUSY, "brigitte")
    assert reason(ALICE, "10:00", other) == Reason.MACHINE_BUSY
    assert reason(BRIGITTE, "10:00", session("prusa", "remy", NINE, TUESDAY + "10:00")) == Reason.WALK_UP
    assert reason(BRIGITTE, "10:00", session("voron", "remy", NINE)) == Reason.WALK_UP


def test_line_10_another_kind_of_machine_is_no_certification() -> None:
    only_laser = [{"member": "brigitte", "kind": "laser"}]
    assert reason(BRIGITTE, "10:00", certifications=only_laser) == Reason.NOT_CERTIFIED
    assert reason(ALICE, "10:00", certifications=only_laser) == Reason.NOT_CERTIFIED
    assert reason(BRIGITTE, "10:00", certifications=only_laser, reader="laser-reader") == Reason.WALK_UP


def test_line_11_a_certification_holds_through_the_site_day_of_its_last_day() -> None:
    until = [{"member": "brigitte", "kind": "printer", "until": "2026-11-23"}]
    always = [{**tier, "grounds": ["always"]} for tier in site()["tiers"]]
    night = in_since("2026-11-23T22:00", "brigitte")
    assert reason(BRIGITTE, "03:59:59.999", certifications=until, tiers=always, here=night) == Reason.WALK_UP
    assert reason(BRIGITTE, "04:00", certifications=until, tiers=always, here=night) == Reason.CERTIFICATION_EXPIRED


def test_line_12_one_must_be_inside_and_checked_out_with_the_day_is_not() -> None:
    assert reason(BRIGITTE, "10:00", here=in_since(NINE, "remy")) == Reason.NOT_INSIDE
    assert reason(ALICE, "10:00", here=in_since(NINE, "remy")) == Reason.NOT_INSIDE
    assert reason(BRIGITTE, "10:00", here=in_since("2026-11-23T23:00", "brigitte")) == Reason.NOT_INSIDE


def test_line_13_hours_of_the_machine_staff_too() -> None:
    limited = on_prusa(hours={"tue": [["10:00", "11:00"], ["11:00", "12:00"]]})
    times = ("09:59:59.999", "10:00", "11:59:59.999", "12:00")
    assert [reason(BRIGITTE, time, machines=limited) for time in times] == [
        Reason.OUTSIDE_MACHINE_HOURS,
        Reason.WALK_UP,
        Reason.WALK_UP,
        Reason.OUTSIDE_MACHINE_HOURS,
    ]
    assert reason(ALICE, "09:00", machines=limited) == Reason.OUTSIDE_MACHINE_HOURS


@pytest.mark.parametrize("hours", [{}, {"tue": []}, {"mon": [], "sun": []}])
def test_line_13_no_hours_are_always(hours: dict[str, Any]) -> None:
    assert tap(BRIGITTE, "10:00", machines=on_prusa(hours=hours)) == Decision(True, Reason.WALK_UP, "brigitte")


def test_line_14_when_nothing_lets_one_be_here() -> None:
    assert reason(BRIGITTE, "20:00") == Reason.OUTSIDE_HOURS
    assert reason(REMY, "20:00") == Reason.WALK_UP
    assert reason(ALICE, "23:00") == Reason.WALK_UP
    assert reason(BRIGITTE, "19:00", here=in_since(TUESDAY + "18:00", "gregoire", "brigitte")) == Reason.WALK_UP


def test_line_14_a_gardien_on_a_shift_of_their_own() -> None:
    grounds = [{**tier, "grounds": []} for tier in site()["tiers"]]
    assert reason(GREGOIRE, "19:00", here=WITH_GREGOIRE, tiers=grounds) == Reason.WALK_UP
    assert reason(GREGOIRE, "22:15", here=WITH_GREGOIRE, tiers=grounds) == Reason.OUTSIDE_HOURS
    made = {"adhoc": {"gregoire": {(at(TUESDAY + "22:30"), at(TUESDAY + "23:30"))}}}
    assert reason(GREGOIRE, "23:00", here=WITH_GREGOIRE, tiers=grounds, state=made) == Reason.WALK_UP
    assert reason(BRIGITTE, "19:00", tiers=grounds) == Reason.OUTSIDE_HOURS
    not_theirs = {"adhoc": {"brigitte": {(at(TUESDAY + "18:30"), at(TUESDAY + "23:30"))}}}
    assert reason(BRIGITTE, "19:00", tiers=grounds, state=not_theirs) == Reason.OUTSIDE_HOURS


def test_line_14_an_invitation_or_event_anywhere() -> None:
    window = {"id": "w", "start": TUESDAY + "20:00", "end": TUESDAY + "21:00", "access_points": ["garage"]}
    invited = [{**window, "member": "brigitte"}]
    party = [{**window, "title": "E", "audience": "members"}]
    assert reason(BRIGITTE, "20:00", invitations=invited) == Reason.WALK_UP
    assert reason(BRIGITTE, "21:00", invitations=invited) == Reason.OUTSIDE_HOURS
    assert reason(GREGOIRE, "23:00", here=WITH_GREGOIRE, invitations=invited) == Reason.OUTSIDE_HOURS
    assert reason(BRIGITTE, "20:00", events=party) == Reason.WALK_UP
    assert reason(BRIGITTE, "21:00", events=party) == Reason.OUTSIDE_HOURS


def test_line_15_company_counts_the_member_too() -> None:
    two = on_prusa(min_people=2)
    assert reason(BRIGITTE, "10:00", machines=two, here=in_since(NINE, "brigitte")) == Reason.COMPANION_REQUIRED
    assert reason(BRIGITTE, "10:00", machines=two, here=in_since(NINE, "brigitte", "remy")) == Reason.WALK_UP
    assert reason(ALICE, "10:00", machines=two, here=in_since(NINE, "alice")) == Reason.COMPANION_REQUIRED


def until(*args: Any, **changes: Any) -> int | None:
    return tap(*args, **changes).until


ALL_WEEK = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def test_until_is_the_end_of_the_machine_s_hours_ranges_that_touch_being_one() -> None:
    assert until(BRIGITTE, "10:30", machines=on_prusa(hours={"tue": [["10:00", "11:00"]]})) == at(TUESDAY + "11:00")
    touching = on_prusa(hours={"tue": [["10:00", "11:00"], ["11:00", "24:00"]], "wed": [["00:00", "02:00"]]})
    assert until(BRIGITTE, "10:30", machines=touching) == at("2026-11-25T02:00")


@pytest.mark.parametrize(
    "hours",
    [
        ALL_WEEK,
        {day: [["06:00", "06:00"]] for day in ALL_WEEK},
        {**ALL_WEEK, "mon": [["00:00", "12:00"], ["11:00", "24:00"]]},
    ],
)
def test_hours_that_never_end_are_no_end(hours: dict[str, Any]) -> None:
    assert tap(BRIGITTE, "10:00", machines=on_prusa(hours=hours)) == Decision(True, Reason.WALK_UP, "brigitte")


def test_hours_of_nearly_all_the_week_end() -> None:
    assert until(BRIGITTE, "10:00", machines=on_prusa(hours={**ALL_WEEK, "mon": [["00:00", "23:59"]]})) == (
        at("2026-11-30T23:59")
    )


def test_until_is_the_earliest_of_all_that_end_it() -> None:
    changes = {
        "machines": on_prusa(hours={"tue": [["09:00", "16:00"]]}),
        "quotas": [{"kind": "printer", "minutes": 300, "period": "week"}],
        "bookings": [
            {"id": "b", "machine": "prusa", "member": "remy", "start": TUESDAY + "14:00", "end": TUESDAY + "15:00"}
        ],
    }
    assert until(BRIGITTE, "10:00", **changes) == at(TUESDAY + "14:00")
    assert until(BRIGITTE, "09:00", **changes) == at(TUESDAY + "14:00")
    changes["quotas"] = [{"kind": "printer", "minutes": 60, "period": "week"}]
    assert until(BRIGITTE, "10:00", **changes) == at(TUESDAY + "11:00")
    assert until(ALICE, "10:00", **changes) == at(TUESDAY + "14:00")
    assert until(ALICE, "15:00", **changes) == at(TUESDAY + "16:00")


def test_without_a_clock_nobody_starts_by_the_last_trusted_instant() -> None:
    always = [{**tier, "grounds": ["always"]} for tier in site()["tiers"]]
    assert reason(REMY, "10:00", tiers=always, state={"clock_trusted": False}) == Reason.CLOCK_UNTRUSTED


def test_a_revoked_badge_stays_revoked_in_every_strait() -> None:
    lost = with_part("credentials", BRIGITTE, status="lost")
    for state in ({"not_after": 0}, {"clock_trusted": False}, {"stopped": {"prusa"}}):
        assert reason(BRIGITTE, "10:00", credentials=lost, state=state) == Reason.CREDENTIAL_BLOCKED
