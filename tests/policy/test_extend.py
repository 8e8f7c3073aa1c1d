"""Until when may a session go on that runs? Each line that refuses, and each end of it, worked out afresh."""

from typing import Any

import pytest
from msgspec.structs import replace

from policy.extend import extended, refused
from policy.presence import Presence
from policy.reasons import Reason
from policy.sessions import Session, Sessions
from policy.state import SiteState
from tests.support_policy import ALICE, BRIGITTE, TUESDAY, at, fab_rules, in_since, session, with_part

NINE, NOON = TUESDAY + "09:00", TUESDAY + "12:00"
HERE = in_since(TUESDAY + "08:00", "brigitte", "remy", "alice")
RUNS = session("prusa", "brigitte", NINE, until=TUESDAY + "10:00")
QUOTA = {"kind": "printer", "minutes": 240, "period": "week"}
BOOKED = {"id": "b", "machine": "prusa", "member": "remy", "start": TUESDAY + "11:00", "end": NOON}


def state(*others: Session, running: Session = RUNS, here: Presence = HERE, **fields: Any) -> SiteState:
    return SiteState(presence=here, sessions=Sessions((running, *others)), not_after=at(TUESDAY + "23:00"), **fields)


def until(when: str, *others: Session, running: Session = RUNS, **changes: Any) -> int | Reason | None:
    fields = changes.pop("state", {})
    found = extended(fab_rules(**changes), state(*others, running=running, **fields), running, at(TUESDAY + when))
    return found if isinstance(found, Reason) else found.until


def on_prusa(**changes: Any) -> list[dict[str, Any]]:
    return with_part("machines", "prusa", **changes)


def test_what_ended_it_is_gone_and_it_has_no_end_any_more() -> None:
    assert until("09:30") is None


def test_what_would_end_it_earlier_changes_nothing() -> None:
    early = BOOKED | {"start": TUESDAY + "09:45"}
    assert until("09:30", bookings=[early]) == at(TUESDAY + "10:00")
    endless = session("prusa", "brigitte", NINE)
    assert until("09:30", running=endless, bookings=[early]) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"bookings": [BOOKED]}, TUESDAY + "11:00"),
        ({"machines": on_prusa(hours={"tue": [["08:00", "10:15"]]})}, TUESDAY + "10:15"),
        ({"quotas": [QUOTA]}, TUESDAY + "13:00"),
        ({"quotas": [QUOTA], "bookings": [BOOKED]}, TUESDAY + "11:00"),
    ],
)
def test_each_end_of_a_session_is_worked_out_afresh(changes: dict[str, Any], expected: str) -> None:
    assert until("09:30", **changes) == at(expected)


def test_sessions_that_run_side_by_side_share_the_quota_and_this_one_counts_once() -> None:
    """Of four hours one is gone on both at 9:30: the other three are an hour and a half for each."""
    beside = session("voron", "brigitte", NINE)
    assert until("09:30", beside, quotas=[QUOTA]) == at(TUESDAY + "11:00")


def test_a_session_that_nobody_told_of_counts_as_the_one_that_goes_on() -> None:
    rules = fab_rules(quotas=[QUOTA])
    alone = extended(rules, SiteState(presence=HERE, not_after=at(NOON)), RUNS, at(TUESDAY + "09:30"))
    assert alone == replace(RUNS, until=at(TUESDAY + "13:30"))


def test_the_quota_is_that_of_the_kind_which_the_machine_had_when_it_began() -> None:
    assert until("09:30", machines=on_prusa(kind="laser"), quotas=[QUOTA]) == at(TUESDAY + "13:00")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": {"stopped": {"prusa"}}}, Reason.MACHINE_LOCKED_OUT),
        ({"machines": on_prusa(locked_out={"by": "Alice", "why": "belt"})}, Reason.MACHINE_LOCKED_OUT),
        ({"machines": on_prusa(hours={"mon": [["09:00", "10:00"]]})}, Reason.OUTSIDE_MACHINE_HOURS),
        ({"bookings": [BOOKED | {"start": TUESDAY + "09:20"}]}, Reason.BOOKED_BY_OTHER),
        ({"quotas": [QUOTA | {"minutes": 20}]}, Reason.QUOTA_EXHAUSTED),
    ],
)
def test_it_does_nothing_while_a_start_would_be_refused(changes: dict[str, Any], reason: Reason) -> None:
    assert until("09:30", **changes) is reason


def test_staff_have_no_quota() -> None:
    mine = session("prusa", "alice", NINE, until=TUESDAY + "10:00")
    assert until("09:30", running=mine, quotas=[QUOTA | {"minutes": 20}]) is None


def why(when: str = "09:30", **changes: Any) -> Reason | None:
    fields = changes.pop("state", {})
    return refused(fab_rules(**changes), state(**fields), RUNS, at(TUESDAY + when))


def test_the_order_is_given_for_whoever_may_have_the_machine() -> None:
    assert why() is None
    assert why(bookings=[BOOKED | {"start": TUESDAY + "09:20"}], quotas=[QUOTA | {"minutes": 20}]) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": {"lockdown": True}}, Reason.LOCKDOWN),
        ({"credentials": with_part("credentials", BRIGITTE, status="stolen")}, Reason.CREDENTIAL_BLOCKED),
        ({"credentials": []}, Reason.UNKNOWN_CREDENTIAL),
        ({"members": with_part("members", "brigitte", status="suspended")}, Reason.MEMBER_SUSPENDED),
        ({"members": with_part("members", "brigitte", valid_until="2026-11-01")}, Reason.MEMBERSHIP_NOT_VALID),
        ({"certifications": []}, Reason.NOT_CERTIFIED),
        (
            {"certifications": [{"member": "brigitte", "kind": "printer", "until": "2026-11-01"}]},
            Reason.CERTIFICATION_EXPIRED,
        ),
        ({"state": {"here": in_since(TUESDAY + "08:00", "remy")}}, Reason.NOT_INSIDE),
        ({"site_staff_hours": {}, "shifts": []}, Reason.OUTSIDE_HOURS),
        ({"machines": on_prusa(min_people=9)}, Reason.COMPANION_REQUIRED),
    ],
)
def test_the_order_is_not_given_for_whoever_would_be_refused(changes: dict[str, Any], reason: Reason) -> None:
    assert why(**changes) is reason


def test_any_good_badge_of_the_holder_will_do() -> None:
    badges = [
        {"uid": BRIGITTE, "member": "brigitte", "status": "stolen"},
        {"uid": "04FF0001", "member": "brigitte"},
        {"uid": ALICE, "member": "alice"},
    ]
    assert why(credentials=badges) is None
