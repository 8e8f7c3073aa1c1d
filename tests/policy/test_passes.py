"""What an entry costs, and what is left."""

from collections import defaultdict
from datetime import date
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.case import Decision
from policy.passes import Low, is_paid, left, low_of, runs_low
from policy.reasons import Reason
from policy.ruleset import Paid, Pass, RuleSet, Unit
from policy.terms import DAY, HOUR
from policy.units import name_at, start_at
from tests.support_policy import BRIGITTE, REMY, TUESDAY, at, compiled, decided, in_since, known, read, ruling, site

NOON = TUESDAY + "12:00"
AM, PM, DAY_OF = "2026-11-24am", "2026-11-24pm", "2026-11-24"
YESTERDAY, TOMORROW = "2026-11-23am", "2026-11-25am"


def tiers(unit: str, *grounds: str) -> list[dict[str, Any]]:
    nomad = {"id": "nomad", "grounds": grounds or ["staffed", "held"], "pass": unit}
    return [nomad, *(tier for tier in site()["tiers"] if tier["id"] != "nomad")]


def rules_of(passes: list[dict[str, Any]], unit: str = "half_day", **changes: Any) -> RuleSet:
    return ruling(**{"tiers": tiers(unit), "passes": passes, **changes})


def carnet(name: str = "p", total: int = 2, unit: str = "half_day", **fields: Any) -> dict[str, Any]:
    return {"id": name, "member": "brigitte", "unit": unit, "total": total, **fields}


def tap(rules: RuleSet, when: str, *paid: Paid, reader: str = "front-in", uid: str = BRIGITTE) -> Decision:
    return decided(rules, reader, uid, when, units={"brigitte": set(paid)})


def rest(rules: RuleSet, when: str, *paid: Paid) -> int:
    return left(rules, known(when, units={"brigitte": set(paid)}), "brigitte", at(when))


def test_the_first_entry_of_each_half_day_pays_for_it() -> None:
    rules = rules_of([carnet()])
    assert tap(rules, TUESDAY + "12:59:59.999").pays == AM
    assert tap(rules, TUESDAY + "13:00").pays == PM
    assert tap(rules, TUESDAY + "12:00", AM) == Decision(True, Reason.STAFFED_HOURS, "brigitte")
    assert tap(rules, TUESDAY + "14:00", AM).pays == PM


def test_the_afternoon_lasts_until_the_day_turns() -> None:
    rules = rules_of([carnet()], tiers=tiers("half_day", "always"))
    assert tap(rules, "2026-11-25T03:59:59.999").pays == PM
    assert tap(rules, "2026-11-25T04:00").pays == TOMORROW


def test_a_pass_of_days_pays_for_the_day() -> None:
    rules = rules_of([carnet(unit="day")], "day")
    assert [tap(rules, TUESDAY + hour).pays for hour in ("09:00", "17:00")] == [DAY_OF, DAY_OF]
    assert tap(rules, TUESDAY + "17:00", DAY_OF).pays is None


def test_nothing_left_is_refused_but_not_what_is_paid() -> None:
    rules = rules_of([carnet(total=1)])
    assert tap(rules, NOON).granted
    assert tap(rules, TUESDAY + "14:00", AM) == Decision(False, Reason.PASS_EXHAUSTED, "brigitte")
    assert tap(rules, NOON, AM).granted
    assert tap(rules_of([]), NOON).reason == Reason.PASS_EXHAUSTED


def test_a_tier_without_a_pass_pays_nothing() -> None:
    rules = rules_of([carnet()], "none")
    assert tap(rules, NOON) == Decision(True, Reason.STAFFED_HOURS, "brigitte")
    assert tap(rules_of([]), NOON, uid=REMY).pays is None


@pytest.mark.parametrize("role", ["staff", "gardien"])
def test_staff_and_gardiens_on_their_shift_pay_nothing(role: str) -> None:
    people = [{**part, "roles": [role]} if part["id"] == "brigitte" else part for part in site()["members"]]
    shifts = [{"id": "s", "gardien": "brigitte", "start": NOON, "end": TUESDAY + "13:00"}]
    decision = tap(rules_of([], members=people, shifts=shifts), NOON)
    assert decision == Decision(True, Reason.STAFF if role == "staff" else Reason.OWN_SHIFT, "brigitte")


def window(**fields: Any) -> dict[str, Any]:
    return {"id": "w", "start": TUESDAY + "11:00", "end": TUESDAY + "21:00", **fields}


def test_who_is_invited_or_at_an_event_only_pays_nothing() -> None:
    guest = rules_of([], invitations=[window(member="brigitte")])
    assert tap(guest, TUESDAY + "20:00") == Decision(True, Reason.INVITED, "brigitte")
    party = rules_of([], events=[window(title="E", audience="members")])
    assert tap(party, TUESDAY + "20:00") == Decision(True, Reason.EVENT, "brigitte")


def test_who_might_come_in_anyway_pays_in_spite_of_them() -> None:
    both = {"invitations": [window(member="brigitte")], "events": [window(title="E", audience="members")]}
    assert tap(rules_of([carnet()], **both), NOON).pays == AM
    assert tap(rules_of([], **both), NOON).reason == Reason.PASS_EXHAUSTED


def test_a_free_event_is_free_at_its_doors() -> None:
    free = [window(title="E", audience="members", free=True, access_points=["front"])]
    rules = rules_of([], events=free)
    assert tap(rules, NOON) == Decision(True, Reason.STAFFED_HOURS, "brigitte")
    assert tap(rules, TUESDAY + "10:59").reason == Reason.PASS_EXHAUSTED
    assert tap(rules, NOON, reader="garage-in").reason == Reason.PASS_EXHAUSTED


def test_without_a_clock_nothing_is_paid() -> None:
    rules = rules_of([carnet()], tiers=tiers("half_day", "always"))
    assert decided(rules, "front-in", BRIGITTE, NOON, clock_trusted=False) == Decision(True, Reason.ALWAYS, "brigitte")


def test_what_a_pass_paid_before_counts() -> None:
    rules = rules_of([carnet(used=["2026-11-23am", "2026-11-24am"])])
    assert rest(rules, NOON) == 0
    assert tap(rules, NOON).pays is None
    assert tap(rules, TUESDAY + "13:00").reason == Reason.PASS_EXHAUSTED


def test_a_unit_that_the_rules_know_already_is_not_counted_twice() -> None:
    rules = rules_of([carnet(used=["2026-11-24am"])])
    assert rest(rules, NOON, AM) == 1
    assert rest(rules, NOON, AM, PM) == 0


def test_more_used_than_there_was_is_nothing_left_and_takes_nothing_from_another_pass() -> None:
    """A bundle that says so is refused; the rules of a server before that one are not."""
    full = carnet(total=2, used=["2026-11-20am", "2026-11-20pm"])
    assert rest(shrunk(rules_of([full, carnet("q", 3)])), NOON) == 3
    assert rest(shrunk(rules_of([full])), NOON, AM, PM) == 0


def shrunk(rules: RuleSet) -> RuleSet:
    """The first pass has one unit only."""
    first, *others = rules.passes["brigitte"]
    return replace(rules, passes={"brigitte": (replace(first, total=1), *others)})


def test_passes_of_another_unit_do_not_count() -> None:
    days = carnet("d", 5, "day", used=["2026-11-24"])
    rules = rules_of([days, carnet(total=1)])
    assert rest(rules, NOON) == 1
    assert tap(rules, "2026-11-25T12:00").pays == TOMORROW
    assert rest(rules_of([days], "none"), NOON) == 0


def test_a_pass_is_valid_through_the_site_day_of_its_last_day() -> None:
    always = {"tiers": tiers("half_day", "always")}
    rules = rules_of([carnet(valid_until="2026-11-24")], **always)
    assert tap(rules, "2026-11-25T03:59:59.999").granted
    assert tap(rules, "2026-11-25T04:00").reason == Reason.PASS_EXHAUSTED
    assert rest(rules, "2026-11-25T03:59:59.999") == 2
    assert rest(rules, "2026-11-25T04:00") == 0


def test_each_unit_is_taken_from_the_first_pass_in_the_order_given_that_was_valid_then() -> None:
    old, new = carnet("old", 2, valid_until="2026-11-24"), carnet("new", 2)
    later = "2026-11-25T12:00"
    assert rest(rules_of([old, new]), later, AM) == 2
    assert rest(rules_of([new, old]), later, AM) == 1
    assert rest(rules_of([new, old]), NOON, AM) == 3
    assert rest(rules_of([old, new]), later, AM, PM, TOMORROW) == 1


def test_a_unit_paid_twice_by_edges_that_were_cut_off_is_charged_to_the_next_pass() -> None:
    """Two edges took the last unit of the first pass, for two half-days."""
    rules = rules_of([carnet("last", 1), carnet("next", 5)])
    assert rest(rules, "2026-11-25T12:00", AM, PM) == 4
    assert rest(rules_of([carnet("last", 1)]), "2026-11-25T12:00", AM, PM) == 0


def test_a_new_pass_takes_on_what_found_none() -> None:
    assert rest(rules_of([carnet("last", 1), carnet("next", 5)]), NOON, YESTERDAY, AM, PM) == 3


def test_paid_is_told_by_the_pass_or_by_the_edge() -> None:
    rules = rules_of([carnet(used=["2026-11-24pm"])])
    paid = known(NOON, units={"brigitte": {AM}})
    assert [is_paid(rules, paid, "brigitte", unit) for unit in (AM, PM, TOMORROW)] == [True, True, False]
    assert not is_paid(rules, known(NOON), "remy", AM)


def test_half_days_where_the_clocks_change() -> None:
    rules = compiled(read(site(tiers=tiers("half_day"))), at("2026-10-24T12:00"))
    autumn, noon = at("2026-10-25T04:00+01:00"), at("2026-10-25T13:00+01:00")
    moments, days = (
        (autumn - 1, autumn, noon - 1, noon),
        ("2026-10-24pm", "2026-10-25am", "2026-10-25am", "2026-10-25pm"),
    )
    assert tuple(name_at(rules, Unit.HALF_DAY, moment) for moment in moments) == days
    assert name_at(rules, Unit.DAY, noon) == "2026-10-25"
    starts = (at("2026-10-24T13:00+02:00"), autumn, autumn, noon)
    assert tuple(start_at(rules, Unit.HALF_DAY, moment) for moment in moments) == starts


def test_beyond_the_compiled_days_half_days_go_on() -> None:
    rules = ruling()
    last, first = rules.days[-1], rules.days[0]
    for day in (last + 400 * DAY, first - 40 * DAY):
        assert start_at(rules, Unit.HALF_DAY, day + 9 * HOUR - 1) == day
        assert start_at(rules, Unit.HALF_DAY, day + 9 * HOUR) == day + 9 * HOUR
        assert name_at(rules, Unit.HALF_DAY, day).endswith("am")
        assert name_at(rules, Unit.HALF_DAY, day + 9 * HOUR).endswith("pm")
    assert name_at(rules, Unit.DAY, first - 40 * DAY) == "2026-10-12"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.none() | st.integers(0, 5)), max_size=3), st.sets(st.integers(0, 9)))
def test_what_is_left_is_that_of_a_plain_count(held: list[tuple[int, int | None]], paid: set[int]) -> None:
    """Half-days numbered from the Monday on; a pass with a last day is past its end from half-day 2 * day + 2 on."""
    start = at("2026-11-23T04:00")
    names = [f"2026-11-{23 + half // 2}{('am', 'pm')[half % 2]}" for half in range(10)]
    rules = _with_passes(tuple(Pass(n, valid_until=None if d is None else f"2026-11-{23 + d}") for n, d in held))
    rests = [total for total, _ in held]
    for half in sorted(paid):
        for number, (_, last) in enumerate(held):
            if rests[number] and (last is None or half // 2 <= last):
                rests[number] -= 1
                break
    now = start + DAY + HOUR
    expected = sum(n for n, (_, last) in zip(rests, held, strict=True) if last is None or last >= 1)
    units: dict[str, set[Paid]] = defaultdict(set, {"brigitte": {names[half] for half in paid}})
    assert left(rules, known(NOON, units=units), "brigitte", now) == expected


PLAIN = rules_of([])


def _with_passes(passes: tuple[Pass, ...]) -> RuleSet:
    return replace(PLAIN, passes={"brigitte": passes})


def test_the_order_in_which_units_are_heard_of_is_irrelevant() -> None:
    rules = rules_of([carnet("a", 1, valid_until="2026-11-23"), carnet("b", 1, valid_until="2026-11-24"), carnet("c")])
    units = (YESTERDAY, AM, PM)
    outcomes = {tuple(order): rest(rules, NOON, *order) for order in permutations(units)}
    assert set(outcomes.values()) == {1}


def test_coming_back_the_same_half_day_with_an_exhausted_pass_is_free() -> None:
    rules = rules_of([carnet(total=1)])
    again = decided(
        rules, "front-in", BRIGITTE, NOON, in_since(TUESDAY + "09:00", "brigitte"), units={"brigitte": {AM}}
    )
    assert again == Decision(True, Reason.STAFFED_HOURS, "brigitte")


def test_what_a_day_was_called_when_it_was_paid_it_keeps() -> None:
    """The site's day, and its afternoon, begin at other hours from noon on: nothing is paid again."""
    for changes in ({"site_day_cutoff": "06:00"}, {"site_half_day_split": "14:00"}, {"site_day_cutoff": "03:00"}):
        moved = rules_of([carnet()], **changes)
        assert tap(moved, TUESDAY + "12:30", AM).pays is None
        assert tap(moved, TUESDAY + "15:00", AM, PM).pays is None
        assert rest(moved, TUESDAY + "15:00", AM, PM) == 0
        assert tap(rules_of([carnet(unit="day")], "day", **changes), TUESDAY + "12:30", DAY_OF).pays is None


def test_a_paid_day_covers_its_halves_and_a_paid_half_no_day() -> None:
    halves, days = rules_of([carnet()]), rules_of([carnet(unit="day")], "day")
    for moment in ("09:00", "17:00"):
        assert tap(halves, TUESDAY + moment, DAY_OF).pays is None
        assert tap(days, TUESDAY + moment, AM, PM).pays == DAY_OF
    assert tap(halves, "2026-11-25T09:00", DAY_OF).pays == TOMORROW


def test_a_paid_day_is_charged_to_day_passes_alone_and_a_half_to_those_of_halves() -> None:
    assert rest(rules_of([carnet()]), NOON, DAY_OF, TOMORROW) == 1
    assert rest(rules_of([carnet(unit="day")], "day"), NOON, DAY_OF, TOMORROW) == 1


def test_a_day_that_a_pass_of_days_paid_before_covers_the_halves_of_who_pays_by_halves_now() -> None:
    days = carnet("d", 5, "day", used=["2026-11-24", "2026-11-25", "2026-10-01"])
    rules = rules_of([carnet(), days])
    assert (tap(rules, NOON).pays, tap(rules, "2026-11-26T12:00").pays) == (None, "2026-11-26am")
    assert rules.paid == {"brigitte": ("2026-11-24", "2026-11-25")}
    assert rest(rules, NOON) == 2


def test_a_pass_is_valid_from_the_site_day_of_its_first_day() -> None:
    always = {"tiers": tiers("half_day", "always")}
    rules = rules_of([carnet(valid_from="2026-11-25")], **always)
    assert tap(rules, "2026-11-25T03:59:59.999").reason == Reason.PASS_EXHAUSTED
    assert rest(rules, "2026-11-25T03:59:59.999") == 0
    assert tap(rules, "2026-11-25T04:00").granted
    assert rest(rules, "2026-11-25T04:00") == 2


def test_a_unit_is_not_taken_from_a_pass_that_was_not_valid_yet() -> None:
    """Whatever the order given, and whenever it is counted."""
    coming, running = carnet("coming", 2, valid_from="2026-11-25"), carnet("running", 2)
    later = "2026-11-25T12:00"
    assert rest(rules_of([coming, running]), NOON, AM) == 1
    assert rest(rules_of([coming, running]), later, AM) == 3
    assert rest(rules_of([coming, running]), later, AM, TOMORROW) == 2
    assert rest(rules_of([coming]), later, AM) == 2


# What was given back


def test_what_was_given_back_stays_paid_and_takes_nothing() -> None:
    rules = rules_of([carnet(total=1, given_back=["2026-11-24am"])])
    assert (tap(rules, NOON, AM).pays, rest(rules, NOON, AM)) == (None, 1)
    assert (tap(rules, "2026-11-24T14:00", AM).pays, rest(rules, NOON, AM, PM)) == (PM, 0)


def test_what_was_paid_before_the_doors_counted_is_given_back_too() -> None:
    used = ["2026-11-20am", "2026-11-23am"]
    assert rest(rules_of([carnet(total=2, used=used)]), NOON) == 0
    assert rest(rules_of([carnet(total=2, used=used, given_back=used[:1])]), NOON) == 1


def test_what_nobody_paid_gives_nothing_when_it_is_given_back() -> None:
    assert rest(rules_of([carnet(total=2, given_back=["2026-11-20am"])]), NOON) == 2
    assert rest(rules_of([carnet(total=1, given_back=["2026-11-20am"])]), NOON, AM, PM) == 0


# What the lamp says


def low(passes: list[dict[str, Any]], *paid: Paid) -> bool:
    return runs_low(rules_of(passes), known(NOON, units={"brigitte": {*paid}}), "brigitte", at(NOON))


@pytest.mark.parametrize(("total", "told"), [(0, False), (1, False), (2, True), (3, False), (4, True), (5, False)])
def test_an_entry_that_leaves_3_or_1_is_told(total: int, told: bool) -> None:
    assert low([carnet(total=total)]) == told
    assert low([carnet(total=total + 1)], YESTERDAY) == told
    assert low([carnet(total=0), carnet("q", total)]) == told


@pytest.mark.parametrize(
    ("lasts", "told"),
    [
        (["2026-12-07"], True),
        (["2026-12-08"], False),
        (["2026-11-24", "2026-12-07"], True),
        (["2026-12-07", "2026-12-08"], False),
        (["2026-12-07", None], False),
        ([None], False),
        (["2026-11-23"], False),
        ([], False),
    ],
)
def test_passes_that_all_end_within_14_days_are_told(lasts: list[str | None], told: bool) -> None:
    held = [carnet(f"p{number}", 50, **({"valid_until": last} if last else {})) for number, last in enumerate(lasts)]
    assert low(held) == told


@pytest.mark.parametrize(
    ("first", "total", "told"),
    [
        ("2026-12-07", 9, False),
        ("2026-12-08", 9, False),
        ("2026-12-08", 1, False),
        ("2026-12-09", 9, True),
        ("2026-12-08", 0, True),
    ],
)
def test_a_pass_that_ends_soon_is_not_told_where_another_takes_over_on_the_next_day(
    first: str, total: int, told: bool
) -> None:
    assert low([carnet("ends", 50, valid_until="2026-12-07"), carnet("next", total, valid_from=first)]) == told


@pytest.mark.parametrize(("first", "told"), [("2026-11-25", False), ("2026-11-26", True)])
def test_few_units_are_not_told_where_another_pass_begins_tomorrow(first: str, told: bool) -> None:
    assert low([carnet(total=4), carnet("next", 9, valid_from=first)]) == told


def test_what_a_page_says_is_what_is_left_before_the_next_entry() -> None:
    assert low_of([(Pass(9, ()), 3)], date.fromisoformat(DAY_OF)) == Low(units=3)


def test_a_used_up_pass_that_lasts_hides_none_that_ends_soon() -> None:
    assert low([carnet("spent", 1, used=["2026-11-20am"]), carnet("ends", 50, valid_until="2026-12-07")])
