"""Local time to instant, against the rules' words and against an independent search through all minutes."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy import instants
from policy.bundle import Closure, HourRange, Opening, Site
from policy.calendar import Calendar, instant_of, minutes, moment, resolve, staff_hours
from policy.terms import DAY, HOUR, MINUTE, Instant
from tests.support_policy import PARIS

NIGHTS = {
    "Europe/Paris": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "America/Santiago": ("2026-04-04", "2026-09-06"),
    "Pacific/Apia": ("2011-12-30", "2011-12-31"),
    "Asia/Kolkata": ("2026-06-01",),
    "UTC": ("2026-03-29",),
}
"""Dates on which clocks jump, by an hour, half an hour, across midnight, by a whole day, and not at all."""


def utc(written: str) -> Instant:
    return instants.instant(written + "Z")


@cache
def clock_faces(day: date, zone: tzinfo) -> list[tuple[Instant, datetime]]:
    """Every minute of the days around a date, as that zone's clocks show it."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    clock = [start + timedelta(minutes=number) for number in range(5 * 24 * 60)]
    return [(instants.of(when), when.astimezone(zone).replace(tzinfo=None, fold=0)) for when in clock]


def searched(local: datetime, zone: tzinfo, *, last: bool) -> Instant:
    """The rule by brute force."""
    faces = clock_faces(local.date(), zone)
    exact = [when for when, face in faces if face == local]
    if exact:
        return exact[-1] if last else exact[0]
    return next(when for when, face in faces if face > local)


@st.composite
def local_times(draw: st.DrawFn) -> tuple[datetime, tzinfo]:
    name = draw(st.sampled_from(sorted(NIGHTS)))
    night = date.fromisoformat(draw(st.sampled_from(NIGHTS[name])))
    minute = draw(st.integers(-6 * 60, 30 * 60))
    return datetime.combine(night, datetime.min.time()) + timedelta(minutes=minute), ZoneInfo(name)


@settings(max_examples=60, deadline=None)
@given(local_times(), st.booleans())
def test_every_local_time_is_what_a_search_finds(when: tuple[datetime, tzinfo], last: bool) -> None:
    assert instant_of(*when, last=last) == searched(*when, last=last)


def test_a_skipped_time_is_the_instant_of_the_jump() -> None:
    jump = utc("2026-03-29T01:00")
    for skipped in ("02:00", "02:00:00.001", "02:30", "02:59:59"):
        assert resolve(f"2026-03-29T{skipped}", PARIS) == jump
        assert resolve(f"2026-03-29T{skipped}", PARIS, last=True) == jump
    assert resolve("2026-03-29T03:00", PARIS) == jump
    assert resolve("2026-03-29T01:59", PARIS) == jump - MINUTE


def test_a_repeated_time_starts_at_its_first_occurrence_and_ends_at_its_second() -> None:
    assert resolve("2026-10-25T02:30", PARIS) == utc("2026-10-25T00:30")
    assert resolve("2026-10-25T02:30", PARIS, last=True) == utc("2026-10-25T01:30")


def test_a_time_with_an_offset_means_itself_even_on_such_a_night() -> None:
    for last in (False, True):
        assert resolve("2026-10-25T02:30+01:00", PARIS, last=last) == utc("2026-10-25T01:30")
        assert resolve("2026-10-25T02:30:15.5+02:00", PARIS, last=last) == utc("2026-10-25T00:30:15.500")
        assert resolve("2026-10-25T02:30Z", PARIS, last=last) == utc("2026-10-25T02:30")


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-24",
        "2026-11-24 18:00",
        "20261124T1800",
        "2026-W48-2T18:00",
        "2026-11-24T18",
        "2026-11-24T24:00",
        "2026-11-24T18:60",
        "2026-02-30T18:00",
        "2026-11-24T18:00+25:00",
        "2026-11-24T18:00 ",
        "2026-11-24T18:00\n",
        "٢٠٢٦-11-24T18:00",
        "",
        "demain",
    ],
)
def test_no_other_way_to_write_a_time(written: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        moment(written)


def test_hours() -> None:
    assert [minutes("00:00"), minutes("09:05"), minutes("23:59"), minutes("24:00", as_end=True)] == [0, 545, 1439, 1440]


@pytest.mark.parametrize("written", ["24:00", "9:00", "09:60", "25:00", "09:00:00", "09h00", "", "09:00\n", "-1:00"])
def test_no_other_way_to_write_an_hour(written: str) -> None:
    with pytest.raises(ValueError, match=r"23:59.*HH:MM"):
        minutes(written)


def test_no_hour_beyond_the_end_of_the_day() -> None:
    with pytest.raises(ValueError, match=r"24:00"):
        minutes("24:01", as_end=True)


def test_site_days_are_23_and_25_hours_long_when_the_clocks_change() -> None:
    calendar = Calendar(PARIS, "04:00")
    lengths = {
        written: (calendar.day_end(date.fromisoformat(written)) or 0) - calendar.day_start(date.fromisoformat(written))
        for written in ("2026-03-27", "2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25")
    }
    assert list(lengths.values()) == [DAY, DAY - HOUR, DAY, DAY + HOUR, DAY]


def test_a_cutoff_that_is_skipped_or_repeated() -> None:
    calendar = Calendar(PARIS, "02:30")
    assert calendar.day_start(date(2026, 3, 29)) == utc("2026-03-29T01:00")
    assert calendar.day_start(date(2026, 10, 25)) == utc("2026-10-25T00:30")


def test_the_last_date_that_there_is_has_no_end() -> None:
    calendar = Calendar(PARIS, "04:00")
    assert calendar.day_end(date.max) is None
    assert calendar.day_start(date.min) < calendar.day_start(date.max)


def hours(day: str, *ranges: HourRange) -> list[tuple[Instant, Instant]]:
    return list(Calendar(PARIS, "04:00").hours(date.fromisoformat(day), ranges))


def test_hour_ranges_belong_to_the_date_on_which_they_start() -> None:
    assert hours("2026-11-24", ("09:00", "12:00"), ("18:00", "02:00")) == [
        (utc("2026-11-24T08:00"), utc("2026-11-24T11:00")),
        (utc("2026-11-24T17:00"), utc("2026-11-25T01:00")),
    ]


@pytest.mark.parametrize("end", ["24:00", "00:00"])
def test_midnight_ends_a_range_under_both_its_names(end: str) -> None:
    assert hours("2026-11-24", ("18:00", end)) == [(utc("2026-11-24T17:00"), utc("2026-11-24T23:00"))]


def test_an_end_equal_to_its_start_is_a_day_later() -> None:
    assert hours("2026-11-24", ("09:00", "09:00")) == [(utc("2026-11-24T08:00"), utc("2026-11-25T08:00"))]


def test_ranges_over_the_change_of_the_clocks() -> None:
    assert hours("2026-10-24", ("22:00", "02:30")) == [(utc("2026-10-24T20:00"), utc("2026-10-25T01:30"))]
    assert hours("2026-10-25", ("02:30", "02:45")) == [(utc("2026-10-25T00:30"), utc("2026-10-25T01:45"))]
    assert hours("2026-03-29", ("02:10", "02:50")) == [(utc("2026-03-29T01:00"), utc("2026-03-29T01:00"))]
    assert hours("2026-03-28", ("22:00", "02:30")) == [(utc("2026-03-28T21:00"), utc("2026-03-29T01:00"))]


WEEK: tuple[HourRange, ...] = (("09:00", "18:00"),)
MAYDAY = date(2026, 5, 1)


def a_site(*, closed: bool, opened: tuple[HourRange, ...] | None) -> Site:
    return Site(
        id="casaco",
        name="Casaco",
        timezone="Europe/Paris",
        staff_hours={"fri": WEEK},
        closures=(Closure(date(2026, 4, 30), MAYDAY),) if closed else (),
        openings=() if opened is None else (Opening(MAYDAY, opened),),
    )


@pytest.mark.parametrize("opened", [None, (), (("10:00", "12:00"),)])
@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("holiday", [False, True])
def test_an_opening_wins_over_holiday_and_closure_and_these_over_the_week(
    holiday: bool, closed: bool, opened: tuple[HourRange, ...] | None
) -> None:
    expected = opened if opened is not None else () if holiday or closed else WEEK
    assert staff_hours(a_site(closed=closed, opened=opened), {MAYDAY} if holiday else set(), MAYDAY) == expected


def test_a_closure_holds_on_both_its_ends_and_not_beyond() -> None:
    site = Site("a", "A", "UTC", staff_hours={"thu": WEEK, "fri": WEEK}, closures=(Closure(MAYDAY, MAYDAY),))
    assert staff_hours(site, (), date(2026, 4, 30)) == WEEK
    assert staff_hours(site, (), MAYDAY) == ()
    assert staff_hours(site, (), date(2026, 5, 2)) == ()
    assert staff_hours(site, (), date(2026, 5, 7)) == WEEK


def test_a_zone_without_offset_is_refused() -> None:
    class Nowhere(tzinfo):
        def utcoffset(self, _: datetime | None) -> None:
            return None

    with pytest.raises(ValueError, match="no offset from UTC"):
        resolve("2026-11-24T18:00", Nowhere())


@pytest.mark.parametrize(
    ("zone", "first", "second"), [("Pacific/Kiritimati", "10:00", "09:59"), ("America/New_York", "05:00", "04:59")]
)
def test_a_date_is_that_of_the_place(zone: str, first: str, second: str) -> None:
    """Wherever the machine is that asks."""
    calendar = Calendar(ZoneInfo(zone), "04:00")
    ahead = zone.startswith("Pacific")
    assert calendar.date_at(utc(f"2026-01-10T{first}:00")) == date(2026, 1, 10 + ahead)
    assert calendar.date_at(utc(f"2026-01-10T{second}:00")) == date(2026, 1, 9 + ahead)
