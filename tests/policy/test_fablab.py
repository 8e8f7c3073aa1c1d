"""Machines, certifications, quotas and bookings as an edge looks them up."""

from typing import Any

import pytest

from policy.ruleset import Booking, Machine, Period, Quota, Reader
from policy.spans import covers, end_of
from policy.terms import DAY, HOUR, Instant
from tests.support_policy import TUESDAY, at, compiled, fab_rules, fablab, read, with_part

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def machine(**changes: Any) -> Machine:
    return fab_rules(machines=with_part("machines", "prusa", **changes)).machines["prusa"]


def hours_of(hours: dict[str, Any], when: Instant) -> tuple[Instant, ...] | None:
    bundle = read(fablab(machines=with_part("machines", "prusa", hours=hours)))
    return compiled(bundle, when).machines["prusa"].hours


def test_a_machine_as_it_is_when_nothing_is_said() -> None:
    assert fab_rules().machines["prusa"] == Machine("printer")
    assert fab_rules().machines["laser"] == Machine("laser", cuts=True, attended=True)
    assert fab_rules().readers["prusa-reader"] == Reader("prusa", None, None)


@pytest.mark.parametrize(
    ("said", "attended"),
    [
        ({}, False),
        ({"attended": True}, True),
        ({"on_end": "cut"}, True),
        ({"on_end": "cut", "attended": False}, False),
    ],
)
def test_what_cuts_is_attended_unless_it_is_said_otherwise(said: dict[str, Any], attended: bool) -> None:
    assert machine(**said) == Machine("printer", cuts="on_end" in said, attended=attended)


def test_a_lock_out_and_its_urgency() -> None:
    why = {"by": "Alice", "why": "belt"}
    assert machine(locked_out=why) == Machine("printer", locked_out=True)
    assert machine(locked_out={**why, "urgent": True}) == Machine("printer", locked_out=True, urgent=True)
    assert machine(locked_out=None, min_people=2) == Machine("printer", min_people=2)


def test_hours_past_midnight_touch_those_of_the_next_day() -> None:
    hours = hours_of({"tue": [["18:00", "02:00"]], "wed": [["02:00", "05:00"]]}, at(TUESDAY + "12:00"))
    assert hours is not None
    assert end_of(hours, at(TUESDAY + "18:00")) == at("2026-11-25T05:00")


def test_hours_where_the_clocks_change() -> None:
    night = {"sun": [["01:00", "04:00"]]}
    autumn, spring = hours_of(night, at("2026-10-24T12:00Z")), hours_of(night, at("2026-03-28T12:00Z"))
    assert autumn is not None
    assert spring is not None
    assert end_of(autumn, at("2026-10-24T23:00Z")) == at("2026-10-25T03:00Z")
    assert end_of(spring, at("2026-03-29T00:00Z")) == at("2026-03-29T02:00Z")


@pytest.mark.parametrize(
    "hours",
    [
        {},
        {"mon": []},
        {day: [["00:00", "24:00"]] for day in DAYS},
        {day: [["20:00", "08:00"], ["08:00", "20:00"]] for day in DAYS},
        {day: [["05:00", "05:00"]] for day in DAYS},
        {
            **{day: [["00:00", "24:00"]] for day in DAYS[1:]},
            "mon": [["00:00", "01:00"], ["03:00", "24:00"]],
            "sun": [["00:00", "23:00"], ["20:00", "04:00"]],
        },
    ],
)
def test_hours_without_an_end_are_none(hours: dict[str, Any]) -> None:
    assert hours_of(hours, at(TUESDAY + "12:00")) is None


@pytest.mark.parametrize("day", DAYS)
def test_one_free_minute_a_week_is_an_end(day: str) -> None:
    nearly = {one: [["00:00", "24:00"]] for one in DAYS} | {day: [["00:00", "12:00"], ["12:01", "24:00"]]}
    hours = hours_of(nearly, at(TUESDAY + "12:00"))
    assert hours is not None
    assert not covers(hours, at(f"2026-11-{23 + DAYS.index(day)}T12:00:30"))


def test_no_session_is_cut_short_where_compiling_stops() -> None:
    """Hours that run for nearly a week, asked for on the last day that the edge may decide by these rules."""
    nearly = {day: [["00:00", "24:00"]] for day in DAYS} | {"mon": [["00:00", "23:00"]]}
    for now in range(at(TUESDAY + "12:00"), at(TUESDAY + "12:00") + 7 * DAY, DAY):
        hours = hours_of(nearly, now)
        assert hours is not None
        for later in range(now, now + 14 * DAY, DAY):
            end = end_of(hours, later)
            assert end is not None
            assert (end - at("2026-11-30T23:00")) % (7 * DAY) == 0


def test_a_free_hour_that_the_clocks_skip_joins_two_weeks() -> None:
    but_one = {day: [["00:00", "24:00"]] for day in DAYS} | {"sun": [["00:00", "02:00"], ["03:00", "24:00"]]}
    hours = hours_of(but_one, at("2026-03-26T12:00Z"))
    assert hours is not None
    assert end_of(hours, at("2026-03-29T00:30Z")) == at("2026-04-05T00:00Z")


def test_the_last_day_of_a_certification_is_a_site_day() -> None:
    rules = fab_rules(
        certifications=[
            {"member": "remy", "kind": "laser", "until": "2026-10-24"},
            {"member": "remy", "kind": "printer"},
            {"member": "sarah", "kind": "laser", "until": "9999-12-31"},
        ]
    )
    end = at("2026-10-25T04:00+01:00")
    assert rules.certifications == {"remy": {"laser": end, "printer": None}, "sarah": {"laser": None}}


def test_quotas_are_in_seconds() -> None:
    quotas = [{"kind": "laser", "minutes": 90, "period": "week"}, {"kind": "cnc", "minutes": 0, "period": "month"}]
    assert fab_rules(quotas=quotas).quotas == {"laser": Quota(5400, Period.WEEK), "cnc": Quota(0, Period.MONTH)}


def booking(name: str, start: str, end: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "machine": "prusa", "member": "remy", "start": start, "end": end, **fields}


def test_bookings_are_sorted_and_those_long_past_are_dropped() -> None:
    bookings = [
        booking("c", "2031-05-01T10:00Z", "2031-05-01T11:00Z"),
        booking("b", TUESDAY + "10:00", TUESDAY + "11:00", member="sarah"),
        booking("a", "2026-11-20T10:00", "2026-11-20T11:00"),
        booking("d", TUESDAY + "10:00", TUESDAY + "11:00", machine="voron"),
    ]
    ten = at(TUESDAY + "10:00")
    assert fab_rules(bookings=bookings).bookings == {
        "prusa": (
            Booking("sarah", ten, ten + HOUR),
            Booking("remy", at("2031-05-01T10:00Z"), at("2031-05-01T11:00Z")),
        ),
        "voron": (Booking("remy", ten, ten + HOUR),),
    }


def test_a_booking_may_end_in_the_hour_that_is_repeated() -> None:
    """A start means its first occurrence, an end its second: from 02:40 to 02:20 is forty minutes."""
    night = booking("a", "2026-10-25T02:40", "2026-10-25T02:20")
    rules = compiled(read(fablab(bookings=[night])), at("2026-10-24T12:00Z"))
    assert rules.bookings["prusa"] == (Booking("remy", at("2026-10-25T02:40+02:00"), at("2026-10-25T02:20+01:00")),)


def test_a_booking_in_the_hour_that_is_skipped_stands_in_one_order() -> None:
    bookings = [
        booking("a", "2026-03-29T02:10", "2026-03-29T02:50"),
        booking("b", "2026-03-29T03:00", "2026-03-29T04:00", member="sarah"),
    ]
    when = at("2026-03-28T12:00Z")
    tables = [compiled(read(fablab(bookings=order)), when).bookings for order in (bookings, bookings[::-1])]
    assert tables[0] == tables[1]


def test_weeks_and_months_start_at_local_midnight() -> None:
    rules = compiled(read(fablab()), at("2026-10-24T12:00Z"))
    assert {at("2026-10-19T00:00+02:00"), at("2026-10-26T00:00+01:00")} <= set(rules.weeks)
    assert {at("2026-10-01T00:00+02:00"), at("2026-11-01T00:00+01:00")} <= set(rules.months)
    lengths = {later - sooner for sooner, later in zip(rules.weeks, rules.weeks[1:], strict=False)}
    assert lengths == {7 * DAY - HOUR, 7 * DAY, 7 * DAY + HOUR}
