"""Events and invitations as an edge looks them up."""

from typing import Any

from policy.ruleset import Places
from policy.terms import HOUR
from tests.support_policy import TUESDAY, at, compiled, read, ruling, site

TEN, NOON, FOUR = (at(TUESDAY + hour) for hour in ("10:00", "12:00", "16:00"))


def event(name: str, start: str, end: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "title": name, "start": start, "end": end, "audience": "members", **fields}


def guest(name: str, member: str, start: str, end: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "member": member, "start": start, "end": end, **fields}


MORNING, AFTERNOON = (TUESDAY + "10:00", TUESDAY + "12:00"), (TUESDAY + "12:00", TUESDAY + "16:00")


def test_an_event_runs_at_its_doors_and_at_all_when_it_names_none() -> None:
    rules = ruling(events=[event("a", *MORNING), event("b", *AFTERNOON, access_points=["front"])])
    assert rules.events == Places((TEN, FOUR), {"front": (TEN, FOUR), "garage": (TEN, NOON)})
    assert ruling().events == Places()


def test_an_event_without_a_door_runs_for_machines_only() -> None:
    assert ruling(events=[event("a", *MORNING, access_points=[])]).events == Places((TEN, NOON), {})


def test_free_and_public_events_are_told_apart() -> None:
    rules = ruling(events=[event("a", *MORNING, free=True), event("b", *AFTERNOON, audience="public")])
    assert rules.events.anywhere == (TEN, FOUR)
    assert rules.free_events == Places((TEN, NOON), {"front": (TEN, NOON), "garage": (TEN, NOON)})
    assert rules.public_events == Places((NOON, FOUR), {"front": (NOON, FOUR), "garage": (NOON, FOUR)})


def test_events_that_overlap_are_one() -> None:
    rules = ruling(events=[event("a", *MORNING), event("b", TUESDAY + "11:00", TUESDAY + "16:00")])
    assert rules.events.anywhere == (TEN, FOUR)


def test_each_member_has_their_own_invitations() -> None:
    rules = ruling(
        invitations=[
            guest("a", "remy", *MORNING),
            guest("b", "remy", *AFTERNOON, access_points=["garage"]),
            guest("c", "sarah", *AFTERNOON),
        ]
    )
    assert rules.invitations == {
        "remy": Places((TEN, FOUR), {"front": (TEN, NOON), "garage": (TEN, FOUR)}),
        "sarah": Places((NOON, FOUR), {"front": (NOON, FOUR), "garage": (NOON, FOUR)}),
    }


def test_windows_beyond_the_calendar_are_left_out_and_those_long_past_are() -> None:
    days = ("2026-11-20", "2026-11-22", "2027-01-08", "2027-01-09")
    times = [(f"{day}T10:00", f"{day}T11:00") for day in days]
    rules = ruling(
        events=[event(day, *time) for day, time in zip(days, times, strict=True)],
        invitations=[guest(day, "remy", *time) for day, time in zip(days, times, strict=True)],
    )
    starts = (at("2026-11-22T10:00"), at("2027-01-08T10:00"))
    assert rules.events.anywhere[::2] == rules.invitations["remy"].anywhere[::2] == starts


def test_the_night_on_which_the_clocks_change() -> None:
    """The hour that comes twice is meant from its first occurrence to its second; the one that is skipped is none."""
    autumn = compiled(read(site(events=[event("a", "2026-10-25T02:00", "2026-10-25T02:30")])), at("2026-10-24T12:00Z"))
    assert autumn.events.anywhere == (at("2026-10-25T00:00Z"), at("2026-10-25T01:30Z"))
    spring = compiled(read(site(events=[event("a", "2026-03-29T02:10", "2026-03-29T02:50")])), at("2026-03-28T12:00Z"))
    assert spring.events.anywhere == ()
    shorter = compiled(read(site(events=[event("a", "2026-03-29T01:00", "2026-03-29T04:00")])), at("2026-03-28T12:00Z"))
    start, end = shorter.events.anywhere
    assert end - start == 2 * HOUR


def test_a_time_with_an_offset_is_that_instant() -> None:
    rules = ruling(events=[event("a", "2026-11-24T04:00-05:00", "2026-11-24T11:00Z")])
    assert rules.events.anywhere == (TEN, NOON)
