"""The rota: which evenings its patterns make, over odd years, changes of the clocks, holidays and edits."""

from datetime import date, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from policy.bundle import Pattern
from policy.rota import Rota, Slot, rota_of, slots
from policy.terms import DAY, HOUR, MINUTE
from tests.support_policy import PARIS, at, compiled, decided, in_since, known, read, site

GARDE = {"id": "mardi", "weekday": "tue", "from": "18:00", "to": "22:00", "gardien": "gregoire"}
CHRISTMAS = date(2026, 12, 25)


def rota(*patterns: dict[str, Any], changes: list[dict[str, Any]] | None = None, **more: Any) -> Rota:
    bundle = read(site(shifts=[], rota=list(patterns), rota_changes=changes or [], **more))
    return rota_of(bundle, PARIS, lambda year: {CHRISTMAS.replace(year=year)})


def dates(of: Rota, first: str, last: str) -> list[str]:
    return [str(slot.date) for slot in slots(of, date.fromisoformat(first), date.fromisoformat(last))]


@pytest.mark.parametrize("year", [2026, 2032], ids=["2026 has 53 weeks", "2032 has 53 weeks"])
@pytest.mark.parametrize("every", [2, 3, 4])
def test_every_nth_week_goes_on_over_a_year_of_53_weeks(year: int, every: int) -> None:
    since = date(year, 10, 7)
    made = rota({**GARDE, "every": every, "since": since.isoformat()})
    found = [slot.date for slot in slots(made, since, date(year + 1, 6, 30))]
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(weeks=every)}
    assert found[0] - since <= timedelta(weeks=every), "the week of since is the first, its Tuesday is past"


@pytest.mark.parametrize(
    ("start", "end", "day", "starts", "ends"),
    [
        ("18:00", "22:00", "2026-11-24", "2026-11-24T18:00+01:00", "2026-11-24T22:00+01:00"),
        ("22:00", "01:00", "2026-11-24", "2026-11-24T22:00+01:00", "2026-11-25T01:00+01:00"),
        ("18:00", "24:00", "2026-11-24", "2026-11-24T18:00+01:00", "2026-11-25T00:00+01:00"),
        ("18:00", "18:00", "2026-11-24", "2026-11-24T18:00+01:00", "2026-11-25T18:00+01:00"),
        ("22:00", "02:30", "2026-03-28", "2026-03-28T22:00+01:00", "2026-03-29T03:00+02:00"),
        ("02:15", "06:00", "2026-03-29", "2026-03-29T03:00+02:00", "2026-03-29T06:00+02:00"),
        ("22:00", "02:30", "2026-10-24", "2026-10-24T22:00+02:00", "2026-10-25T02:30+01:00"),
        ("02:15", "06:00", "2026-10-25", "2026-10-25T02:15+02:00", "2026-10-25T06:00+01:00"),
        ("02:10", "02:50", "2026-03-29", "2026-03-29T03:00+02:00", "2026-03-29T03:00+02:00"),
    ],
)
def test_a_slot_runs_by_the_clock_on_the_wall(start: str, end: str, day: str, starts: str, ends: str) -> None:
    on = date.fromisoformat(day)
    weekday = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[on.weekday()]
    (slot,) = slots(rota({**GARDE, "weekday": weekday, "from": start, "to": end}), on, on)
    assert (slot.start, slot.end) == (at(starts), at(ends))


def test_none_on_a_closure_nor_on_a_holiday_unless_it_says_so() -> None:
    friday = {**GARDE, "weekday": "fri"}
    closed = [{"from": "2026-12-14", "to": "2026-12-20"}]
    span = ("2026-12-11", "2027-01-01")
    assert dates(rota(friday, site_closures=closed), *span) == ["2026-12-11", "2027-01-01"]
    assert dates(rota({**friday, "holidays": True}, site_closures=closed), *span)[1] == "2026-12-25"


def test_a_change_is_of_one_date_and_of_none_that_has_no_slot() -> None:
    changes = [
        {"rota": "mardi", "date": "2026-11-24", "gardien": None, "start": "19:30"},
        {"rota": "mardi", "date": "2026-12-01", "gardien": "alice", "end": "00:30"},
        {"rota": "mardi", "date": "2026-12-08", "cancelled": True},
        {"rota": "mardi", "date": "2026-12-09", "gardien": "alice"},
        {"rota": "mardi", "date": "2026-12-15", "end": "23:00"},
    ]
    found = list(slots(rota(GARDE, changes=changes), date(2026, 11, 23), date(2026, 12, 22)))
    assert found == [
        Slot("mardi", date(2026, 11, 24), None, at("2026-11-24T19:30"), at("2026-11-24T22:00")),
        Slot("mardi", date(2026, 12, 1), "alice", at("2026-12-01T18:00"), at("2026-12-02T00:30")),
        Slot("mardi", date(2026, 12, 15), "gregoire", at("2026-12-15T18:00"), at("2026-12-15T23:00")),
        Slot("mardi", date(2026, 12, 22), "gregoire", at("2026-12-22T18:00"), at("2026-12-22T22:00")),
    ]
    assert [slot.id for slot in found][:1] == ["mardi/2026-11-24"]


SEEDS = range(60)


def drawn(luck: Random) -> Pattern:
    """A pattern of some weekday from some day of eight years on."""
    since = date(2025, 1, 1) + timedelta(luck.randrange(8 * 365))
    return Pattern(
        id="p",
        weekday=luck.choice(("mon", "tue", "wed", "thu", "fri", "sat", "sun")),
        start=f"{luck.randrange(24):02}:{luck.choice((0, 15, 30)):02}",
        end=f"{luck.randrange(24):02}:{luck.choice((5, 20, 45)):02}",
        every=luck.choice((1, 1, 2, 3, 5)),
        since=since,
        until=luck.choice((None, since + timedelta(luck.randrange(900)))),
        holidays=luck.random() < 0.5,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_the_pattern_its_slots_are_its_own_and_do_not_hang_on_what_is_asked(seed: int) -> None:
    luck = Random(seed)
    pattern = drawn(luck)
    made = replace(rota(GARDE), patterns=(pattern,))
    first = date(2026, 1, 1)
    cut, last = first + timedelta(luck.randrange(1, 2900)), date(2033, 12, 31)
    whole = list(slots(made, first, last))
    assert [*slots(made, first, cut), *slots(made, cut + timedelta(1), last)] == whole
    for slot in whole:
        assert pattern.since is not None
        assert pattern.since <= slot.date <= (pattern.until or last)
        assert ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[slot.date.weekday()] == pattern.weekday
        assert -HOUR <= slot.end - slot.start <= DAY + HOUR
    weeks = {(later.date - earlier.date).days for earlier, later in pairwise(whole)}
    assert all(gap % (7 * pattern.every) == 0 for gap in weeks)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pattern_that_ends_and_another_from_then_on_leave_the_past_as_it_was(seed: int) -> None:
    luck = Random(seed)
    pattern = replace(drawn(luck), until=None)
    assert pattern.since is not None
    day = pattern.since + timedelta(luck.randrange(400))
    before = replace(rota(GARDE), patterns=(pattern,))
    other = replace(pattern, id="q", since=day, start="09:07", gardien="alice")
    after = replace(before, patterns=(replace(pattern, until=day - timedelta(1)), other))
    past = list(slots(before, pattern.since, day - timedelta(1)))
    assert list(slots(after, pattern.since, day - timedelta(1))) == past
    assert all(slot.rota == "q" for slot in slots(after, day, day + timedelta(60)))


def test_the_doors_open_by_the_rota_as_far_as_the_rules_know_the_calendar() -> None:
    bundle = read(site(shifts=[], rota=[GARDE, {**GARDE, "id": "gap", "gardien": None, "weekday": "wed"}]))
    rules = compiled(bundle, at("2026-11-24T12:00"))
    assert decided(rules, "front-in", "04610000000001", "2026-11-24T17:30").reason == "own_shift"
    assert decided(rules, "front-in", "04610000000001", "2026-11-25T19:00").reason == "outside_hours", "a gap"
    here = in_since("2026-11-24T18:00", "gregoire")
    assert decided(rules, "front-in", "04B10000", "2026-11-24T22:14", here).reason == "gardien_present"
    times = rules.shifts["gregoire"]
    assert len(times) == 2 * 7, "today, and the six Tuesdays of the next 45 days"
    assert times[0] == at("2026-11-24T18:00") - 30 * MINUTE
    assert known("2026-11-24T18:00").adhoc == {}


def test_a_slot_from_before_the_first_day_that_the_rules_know_covers_its_end() -> None:
    night = {**GARDE, "weekday": "fri", "from": "23:00", "to": "22:00"}
    times = compiled(read(site(shifts=[], rota=[night])), at("2026-11-24T12:00")).shifts["gregoire"]
    assert times[:2] == (at("2026-11-20T22:30"), at("2026-11-21T22:15"))
