"""What a granted entry is marked with, and when the site is full."""

from typing import Any

import pytest

from policy.case import Mark
from policy.reasons import Reason
from tests.support_policy import ALICE, BRIGITTE, GREGOIRE, REMY, TUESDAY, decided, in_since, ruling, site

NOON = TUESDAY + "12:00"
ONE_DOOR = site()["access_points"][:1]


def marks(kind: str, *here: str, uid: str = BRIGITTE, state: dict[str, Any] | None = None, **changes: Any) -> Any:
    rules = ruling(site_anti_passback=kind, access_points=ONE_DOOR, **changes)
    decision = decided(rules, "front-in", uid, NOON, in_since(TUESDAY + "09:00", *here), **(state or {}))
    return decision.marks if decision.granted else decision.reason


def test_a_second_entry_is_marked_or_refused_or_nobody_s_business() -> None:
    assert marks("off", "brigitte") == ()
    assert marks("soft", "brigitte") == (Mark.PASSBACK,)
    assert marks("hard", "brigitte") == Reason.ALREADY_INSIDE


@pytest.mark.parametrize("kind", ["off", "soft", "hard"])
def test_a_first_entry_is_no_second(kind: str) -> None:
    assert marks(kind, "remy") == ()


def test_hard_is_soft_while_the_link_is_down() -> None:
    assert marks("hard", "brigitte", state={"link_up": False}) == (Mark.PASSBACK,)


def test_staff_pass_the_hard_one_without_a_mark() -> None:
    assert marks("hard", "alice", uid=ALICE) == ()
    assert marks("soft", "alice", uid=ALICE) == (Mark.PASSBACK,)


def test_whoever_was_checked_out_with_the_day_comes_in_anew() -> None:
    rules = ruling(site_anti_passback="hard", access_points=ONE_DOOR)
    here = in_since("2026-11-23T23:00", "brigitte")
    assert decided(rules, "front-in", BRIGITTE, NOON, here).granted


def test_one_too_many_is_marked() -> None:
    assert marks("off", "remy", site_capacity=2) == ()
    assert marks("off", "remy", "sarah", site_capacity=2) == (Mark.OVER_CAPACITY,)
    assert marks("off", "remy", "sarah", "alice", site_capacity=2) == (Mark.OVER_CAPACITY,)
    assert marks("off", "remy", "brigitte", site_capacity=2) == ()


def test_one_too_many_is_refused_where_the_site_says_so() -> None:
    deny: dict[str, Any] = {"site_capacity": 1, "site_at_capacity": "deny"}
    assert marks("off", **deny) == ()
    assert marks("off", "remy", **deny) == Reason.SITE_FULL
    assert marks("off", "remy", "brigitte", **deny) == ()


def test_no_site_is_full_for_staff_and_gardiens_on_shift() -> None:
    shifts = [{"id": "s", "gardien": "gregoire", "start": NOON, "end": TUESDAY + "13:00"}]
    deny: dict[str, Any] = {"site_capacity": 1, "site_at_capacity": "deny", "shifts": shifts}
    assert marks("off", "remy", uid=ALICE, **deny) == ()
    assert marks("off", "remy", uid=GREGOIRE, **deny) == ()
    warn = deny | {"site_at_capacity": "warn"}
    assert marks("off", "remy", uid=ALICE, **warn) == (Mark.OVER_CAPACITY,)
    assert marks("off", "remy", uid=GREGOIRE, **warn) == (Mark.OVER_CAPACITY,)


def test_who_is_inside_already_is_not_one_too_many() -> None:
    here = ("remy", "alice", "sarah")
    assert marks("soft", *here, uid=REMY, site_capacity=2) == (Mark.PASSBACK,)
    assert marks("soft", *here, uid=BRIGITTE, site_capacity=2) == (Mark.OVER_CAPACITY,)


def test_without_a_clock_nothing_is_marked() -> None:
    state = {"clock_trusted": False}
    assert marks("soft", "alice", uid=ALICE, site_capacity=1, state=state) == ()
    assert marks("soft", "remy", uid=REMY, site_capacity=1, state=state) == ()
