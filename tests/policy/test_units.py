"""What a day or half-day is called, and how the version before told it."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.calendar import Calendar
from policy.passes import is_paid, left
from policy.ruleset import RuleSet, Unit
from policy.terms import HOUR
from policy.units import is_name, name_at, named, nearest, start_at, unit_of
from tests.support_policy import at, compiled, in_paris, known, read, site

FIRST = date(2026, 1, 1)


def carnets(unit: str, **changes: Any) -> dict[str, Any]:
    tiers = [{"id": "nomad", "grounds": ["always"], "pass": unit}, *site()["tiers"][::2]]
    used = ["2026-07-13", "2026-07-14"] if unit == "day" else ["2026-07-14am", "2026-07-14pm"]
    held = {"id": "p", "member": "brigitte", "unit": unit, "total": 5, "used": used, "valid_until": "2026-11-24"}
    coming = {"id": "q", "member": "brigitte", "unit": unit, "total": 9, "valid_from": "2026-12-01"}
    return site(**{"tiers": tiers, "passes": [coming, held], **changes})


def test_names_are_told_from_whatever_else_is_written() -> None:
    assert all(map(is_name, ("2026-11-24", "2026-11-24am", "2026-11-24pm")))
    others = ("2026-11-31", "2026-11-24AM", "2026-11-24 am", "20261124", "2026-W48-2", "", "noon", "2026-11-24T04:00Z")
    assert not any(map(is_name, others))
    assert [unit_of(name) for name in ("2026-11-24", "2026-11-24pm")] == [Unit.DAY, Unit.HALF_DAY]


@pytest.mark.parametrize("cutoff", ["00:00", "04:00", "23:30"])
@given(number=st.integers(0, 730), compiled_on=st.integers(0, 730))
def test_the_start_of_a_day_paid_long_ago_tells_its_name(cutoff: str, number: int, compiled_on: int) -> None:
    """Through daylight saving, by rules that know a few days only, in both forms of them."""
    day = FIRST + timedelta(days=number)
    now = at(f"{FIRST + timedelta(days=compiled_on)}T12:00Z")
    for speaks in (1, 2):
        rules = rules_of(cutoff, speaks, now)
        start, split = in_paris(f"{day}T{cutoff}"), in_paris(f"{day + timedelta(days=cutoff > '13:00')}T13:00")
        assert [named(rules, unit, start) for unit in Unit] == [f"{day}", f"{day}am"]
        assert {named(rules, unit, split) for unit in Unit} == {f"{day}pm"}


RULES: dict[tuple[str, int, int], RuleSet] = {}


def rules_of(cutoff: str, speaks: int, now: int) -> RuleSet:
    """Remembered: there are few days to ask about."""
    key = (cutoff, speaks, now)
    if key not in RULES:
        RULES[key] = compiled(read(carnets("day", site_day_cutoff=cutoff)), now, speaks=speaks)
    return RULES[key]


@pytest.mark.parametrize("moved", [{"site_day_cutoff": "05:00"}, {"site_half_day_split": "12:00"}])
def test_a_start_tells_its_name_after_the_hours_moved(moved: dict[str, Any]) -> None:
    rules = compiled(read(carnets("half_day", **moved)), at("2026-11-24T12:00"))
    paid = [at(f"2026-11-24T{hour}") for hour in ("04:00", "13:00")]
    assert [named(rules, Unit.HALF_DAY, start) for start in paid] == ["2026-11-24am", "2026-11-24pm"]


ZONES = (
    "Europe/Paris",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Africa/Casablanca",
    "America/Santiago",
    "Asia/Beirut",
)
MOVE = st.floats(-0.499, 0.499)
"""Of the shorter half of the day."""


@settings(max_examples=150)
@given(
    zone=st.sampled_from(ZONES),
    hours=st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda hours: hours[0] != hours[1]),
    day=st.dates(date(2000, 1, 1), date(2037, 12, 30)),
    moved=st.tuples(MOVE, MOVE),
    unit=st.sampled_from(Unit),
)
def test_a_start_tells_its_name_as_long_as_no_hour_moved_by_half_of_the_shorter_half(
    zone: str, hours: tuple[int, int], day: date, moved: tuple[float, float], unit: Unit
) -> None:
    """In every zone, on days on which the clocks change, and on the days beside them, too. moved: of cutoff and split,
    since it was paid."""
    cutoff, split = (f"{hour // 60:02}:{hour % 60:02}" for hour in hours)
    calendar = Calendar(ZoneInfo(zone), cutoff)
    before, its, after = (calendar.site_day(day + timedelta(days), split) for days in (-1, 0, 1))
    starts = (before.split, its.start, its.split, its.end, after.split)
    shorter = min(later - earlier for earlier, later in pairwise(starts))
    for start, move, name in ((its.start, moved[0], "" if unit is Unit.DAY else "am"), (its.split, moved[1], "pm")):
        paid = start + round(move * max(0, shorter))
        assert nearest(paid, unit, calendar.site_day(calendar.day_at(paid), split)) == f"{day}{name}"


@pytest.mark.parametrize("unit", list(Unit))
def test_form_1_decides_as_form_2(unit: Unit) -> None:
    """What was paid may be told in either form, to rules in either form."""
    bundle = read(carnets(unit.value))
    new, old = (compiled(bundle, at("2026-11-24T12:00"), speaks=speaks) for speaks in (2, 1))
    assert (old.dates, old.paid, old.speaks) == ((), {}, 1)
    for hour in range(0, 48, 3):
        now = at("2026-11-24T00:00") + hour * HOUR
        names, starts = name_at(new, unit, now), start_at(new, unit, now)
        told: list[set[Any]] = [set(), {names}, {starts}, {names, starts}]
        for rules in (new, old):
            assert (name_at(rules, unit, now), start_at(rules, unit, now)) == (names, starts)
            states = [known("2026-11-24T12:00", units={"brigitte": paid}) for paid in told]
            assert [is_paid(rules, state, "brigitte", names) for state in states] == [False, True, True, True]
            valid = names < "2026-11-25"
            lefts = [left(rules, state, "brigitte", now) for state in states]
            assert lefts == ([3, 2, 2, 2] if valid else [0, 0, 0, 0])


def test_the_night_of_a_date_that_a_zone_skips() -> None:
    """Samoa had no 30 December 2011; the night to the 31st is all of its site day that there was."""
    samoa = read(site(site_timezone="Pacific/Apia"))
    rules = compiled(samoa, at("2011-12-28T12:00Z"))
    moments = [at(f"2011-12-30T{hour}:00Z") for hour in ("09", "11", "15")]
    assert [name_at(rules, Unit.DAY, moment) for moment in moments] == ["2011-12-29", "2011-12-30", "2011-12-31"]
    assert [rules.day_end(moment) for moment in moments[:2]] == [rules.day_start(moment) for moment in moments[1:]]
