"""Do the invented people live days as the place knows them?"""

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.demo import casaco
from simulator.demo.cast import IN, Intent
from simulator.demo.evenings import shifts
from simulator.demo.people import day
from simulator.demo.recount import Recount, recount

TUESDAY = date(2026, 11, 24)
BUNDLE = casaco.bundle(TUESDAY)
MINUTE, HOUR = 60_000, 3_600_000
EVERY_REASON = {
    "egress",
    "staff",
    "own_shift",
    "always",
    "staffed_hours",
    "gardien_present",
    "unknown_credential",
    "credential_blocked",
    "member_suspended",
    "membership_not_valid",
    "not_allowed_here",
    "outside_hours",
}
SEEDS = st.integers(min_value=0, max_value=2**32)
WORKING = st.integers(min_value=0, max_value=120).map(lambda d: TUESDAY + timedelta(days=d)).filter(casaco.works)
ANY_DAY = st.integers(min_value=0, max_value=120).map(lambda d: TUESDAY + timedelta(days=d))


@settings(max_examples=40, deadline=None)
@given(SEEDS, WORKING)
def test_a_working_day_is_as_busy_as_the_place(seed: int, on: date) -> None:
    tally = recount(day(BUNDLE, seed, on))
    assert 60 <= tally.visitors <= tally.arrivals <= 110


@settings(max_examples=40, deadline=None)
@given(SEEDS, WORKING)
def test_every_reason_of_one_door_is_given_on_every_working_day(seed: int, on: date) -> None:
    assert set(recount(day(BUNDLE, seed, on)).taps) == EVERY_REASON


@settings(max_examples=40, deadline=None)
@given(SEEDS, ANY_DAY)
def test_nobody_leaves_before_coming_or_comes_twice(seed: int, on: date) -> None:
    inside: set[str] = set()
    for intent in day(BUNDLE, seed, on):
        if not intent.passes or intent.who is None:
            continue
        assert (intent.who in inside) is not intent.inward
        inside = inside | {intent.who} if intent.inward else inside - {intent.who}
    assert not inside


@settings(max_examples=40, deadline=None)
@given(SEEDS, ANY_DAY)
def test_each_story_has_the_door_to_itself(seed: int, on: date) -> None:
    intents = day(BUNDLE, seed, on)
    """A badge laid on again for its second tap is one story with the first."""
    gaps = [later.at - earlier.at for earlier, later in pairwise(intents) if not later.second]
    assert all(gap >= 5_000 for gap in gaps)
    assert sum(gap < 15_000 for gap in gaps) <= 2, "two on one opening, and the two badges"
    long_open = [pair for pair in pairwise(intents) if pair[0].open_for > 30]
    assert all(later.at - earlier.at > 1000 * (earlier.open_for + 5) for earlier, later in long_open)


@settings(max_examples=20, deadline=None)
@given(SEEDS, ANY_DAY)
def test_a_day_lies_between_its_cutoffs_and_keeps_off_the_full_hours(seed: int, on: date) -> None:
    intents = day(BUNDLE, seed, on)
    assert intents[-1].at - intents[0].at < 24 * HOUR
    assert all(60_000 < intent.at % HOUR < HOUR - 60_000 for intent in intents)


@settings(max_examples=20, deadline=None)
@given(SEEDS, WORKING)
def test_members_are_refused_only_where_the_story_says_so(seed: int, on: date) -> None:
    tiers = {member.id: member.tier for member in BUNDLE.members}
    granted = {"resident": {"always"}, "equipe": {"staff"}, "fabriqueur": set()}
    for intent in day(BUNDLE, seed, on):
        tier = tiers.get(intent.who or "", "stranger")
        if intent.inward and intent.passes and intent.expect != "own_shift":
            assert intent.expect in granted.get(tier, {"staffed_hours", "gardien_present"})


@settings(max_examples=20, deadline=None)
@given(SEEDS, WORKING)
def test_people_do_at_doors_what_people_do(seed: int, on: date) -> None:
    intents = day(BUNDLE, seed, on)
    assert [i for i in intents if i.expect == "staffed_hours" and not i.pushes], "somebody lets the grant lapse"
    assert [i for i in intents if len(i.uids) == 2], "two badges at once"
    assert [i for i in intents if i.lies > 20], "a badge is left lying"
    assert [i for i in intents if i.open_for > 60], "somebody holds the door open"
    assert [(a, b) for a, b in pairwise(intents) if b.at - a.at == 5000], "two enter on one opening"


def test_somebody_comes_after_the_gardien_left() -> None:
    intents = day(BUNDLE, 1, TUESDAY)
    gardiens = {shift.gardien for shift in shifts(BUNDLE, TUESDAY)}
    gone = max(intent.at for intent in intents if intent.who in gardiens)
    assert [intent for intent in intents if intent.at > gone and intent.expect == "outside_hours"]


@settings(max_examples=20, deadline=None)
@given(SEEDS, WORKING.filter(lambda on: on.weekday() == 1))
def test_on_a_tuesday_the_gardiens_do_what_makes_an_evening_long(seed: int, on: date) -> None:
    """One is late, somebody came in vain; one takes over; somebody is left at the closing; a third opens."""
    intents = day(BUNDLE, seed, on)
    first, second = shifts(BUNDLE, on)
    came = {i.who: i.at for i in reversed(intents) if i.inward and i.passes}
    late = came[first.gardien] - local(first.start)
    assert 15 * MINUTE < late < 30 * MINUTE
    assert [i for i in intents if i.expect == "outside_hours" and local(first.start) < i.at < came[first.gardien]]
    assert came[second.gardien] < local(second.start) < left(intents, first.gardien)
    opening, closing = sorted((i for i in intents if i.second), key=lambda i: not i.inward)
    assert closing.who == second.gardien
    stayed = [who for who in closing.closes if left(intents, who) > closing.at]
    assert stayed, "somebody is really inside"
    assert not set(closing.closes) & recount(intents).inside(closing.at)
    assert opening.who not in (first.gardien, second.gardien)
    guests = [i for i in intents if i.at > opening.at and i.expect == "gardien_present"]
    assert len(guests) == 2
    assert all(left(intents, i.who) < left(intents, opening.who) for i in guests)


def left(intents: list[Intent], who: str | None) -> int:
    """When somebody really went, by badge or by handle; 0 for who did not."""
    return max((i.at for i in intents if i.who == who and i.passes and not i.inward), default=0)


def local(moment: str) -> int:
    return round(datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo("Europe/Paris")).timestamp() * 1000)


def test_somebody_leaves_by_the_handle_and_stays_on_the_list_until_the_closing() -> None:
    tallies = [recount(day(BUNDLE, seed, TUESDAY)) for seed in range(10)]
    forgetful = [tally for tally in tallies if tally.unseen]
    assert len(forgetful) > 5
    for tally in forgetful:
        closing = tally.closed[0].at
        assert set(tally.unseen) <= tally.inside(closing - 1)
        always = {m.id for m in BUNDLE.members if m.tier in ("equipe", "resident")}
        assert tally.inside(closing) & set(tally.unseen) <= always


@pytest.mark.parametrize("on", [date(2026, 11, 28), date(2026, 11, 29), date(2026, 12, 25)])
def test_weekends_and_holidays_are_quiet(on: date) -> None:
    tally = recount(day(BUNDLE, 1, on))
    assert 1 < tally.arrivals < 20
    assert "staffed_hours" not in tally.taps


def test_the_same_seed_and_date_is_the_same_day() -> None:
    assert day(BUNDLE, 7, TUESDAY) == day(BUNDLE, 7, TUESDAY)
    assert day(BUNDLE, 7, TUESDAY) != day(BUNDLE, 8, TUESDAY)
    assert day(BUNDLE, 7, TUESDAY) != day(BUNDLE, 7, TUESDAY + timedelta(days=1))


def deed(at: int, who: str | None, reader: str | None, expect: str | None, pushes: bool = True) -> Intent:
    return Intent(at=at, who=who, reader=reader, expect=expect, pushes=pushes)


def tally_of_a_small_day() -> Recount:
    return recount(
        [
            deed(10, "ana", IN, "always"),
            deed(20, None, IN, "unknown_credential", pushes=False),
            deed(30, "bob", IN, "staffed_hours", pushes=False),
            deed(40, "bob", IN, "staffed_hours"),
            deed(50, "ana", "front-out", "egress"),
            deed(60, "bob", None, None),
            deed(70, "ana", IN, "always"),
        ]
    )


def test_the_recount_counts_who_went_through_and_not_who_tapped() -> None:
    tally = tally_of_a_small_day()
    assert (tally.arrivals, tally.visitors) == (3, 2)
    assert tally.taps == Counter(always=2, staffed_hours=2, unknown_credential=1, egress=1)
    assert tally.unseen == ("bob",)


def test_the_recount_knows_who_is_inside_at_an_instant_and_in_an_hour() -> None:
    tally = tally_of_a_small_day()
    assert tally.inside(9) == set()
    assert tally.inside(40) == {"ana", "bob"}
    assert tally.inside(50) == {"bob"}
    assert tally.present(45, 60) == {"ana", "bob"}
    assert tally.present(51, 60) == {"bob"}
    assert tally.peak(0, 60) == 2
    assert tally.peak(51, 60) == 1
