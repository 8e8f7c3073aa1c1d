"""A public event holds its doors unlocked while somebody answers for the place."""

from typing import Any

from policy.door import unlocked_for_public
from tests.support_policy import TUESDAY, at, in_since, known, ruling, with_part

FAIR = {
    "id": "e",
    "title": "Fair",
    "start": TUESDAY + "20:00",
    "end": TUESDAY + "21:00",
    "audience": "public",
    "access_points": ["front"],
}


def unlocked(when: str, *here: str, place: str = "front", members: Any = None, **state: Any) -> bool:
    rules = ruling(events=[FAIR], **({"members": members} if members else {}))
    return unlocked_for_public(
        rules, known(TUESDAY + when, in_since(TUESDAY + "19:00", *here), **state), place, at(TUESDAY + when)
    )


def test_at_its_doors_and_in_its_hours() -> None:
    hours = ("19:59:59.999", "20:00", "20:59:59.999", "21:00")
    assert [unlocked(hour, "alice") for hour in hours] == [False, True, True, False]
    assert not unlocked("20:00", "alice", place="garage")


def test_while_one_of_the_staff_or_a_gardien_is_inside_on_shift_or_not() -> None:
    assert unlocked("20:30", "remy", "alice")
    assert unlocked("20:30", "gregoire")
    assert not unlocked("20:30", "remy", "brigitte")
    assert not unlocked("20:30")
    assert not unlocked("20:30", "somebody who was removed")


def test_a_suspended_gardien_does_not_answer_for_it() -> None:
    assert not unlocked("20:30", "gregoire", members=with_part("members", "gregoire", status="suspended"))


def test_never_in_a_lockdown_with_stale_rules_or_an_untrusted_clock() -> None:
    now = at(TUESDAY + "20:30")
    assert unlocked("20:30", "alice", not_after=now)
    assert not unlocked("20:30", "alice", lockdown=True)
    assert not unlocked("20:30", "alice", not_after=now - 1)
    assert not unlocked("20:30", "alice", clock_trusted=False)


def test_an_event_for_members_unlocks_nothing() -> None:
    rules = ruling(events=[{**FAIR, "audience": "members"}])
    state = known(TUESDAY + "20:30", in_since(TUESDAY + "19:00", "alice"))
    assert not unlocked_for_public(rules, state, "front", at(TUESDAY + "20:30"))
