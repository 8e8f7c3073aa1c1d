"""Site days in a rule set, within what was compiled and beyond it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from policy.ruleset import RuleSet
from policy.spans import covers, spans
from policy.terms import DAY, HOUR
from tests.support_policy import at, compiled, read, ruling, site


def rules() -> RuleSet:
    return compiled(read(site()), at("2026-10-24T12:00"))


def test_a_site_day_starts_at_the_cutoff() -> None:
    assert rules().day_start(at("2026-10-24T03:59:59.999+02:00")) == at("2026-10-23T04:00+02:00")
    assert rules().day_start(at("2026-10-24T04:00+02:00")) == at("2026-10-24T04:00+02:00")


def test_the_day_on_which_the_clocks_go_back_is_longer() -> None:
    assert rules().day_start(at("2026-10-25T03:59:59.999+01:00")) == at("2026-10-24T04:00+02:00")
    assert rules().day_start(at("2026-10-25T04:00+01:00")) == at("2026-10-25T04:00+01:00")


def test_beyond_the_last_compiled_day_every_24_hours_start_one() -> None:
    last = rules().days[-1]
    assert rules().day_start(last) == last
    assert rules().day_start(last + 40 * DAY + HOUR) == last + 40 * DAY


def test_before_the_first_compiled_day_too() -> None:
    first = rules().days[0]
    assert rules().day_start(first - 1) == first - DAY
    assert rules().day_start(first - DAY) == first - DAY


RULES = ruling()
TIMES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=4).map(spans)


@given(st.dictionaries(st.sampled_from("abc"), TIMES), st.integers(-1, 31))
def test_on_duty_are_those_of_whom_a_shift_covers_the_instant(shifts: dict[str, Any], when: int) -> None:
    rules = structs.replace(RULES, shifts=shifts)
    assert set(rules.on_duty(when)) == {member for member, cover in shifts.items() if covers(cover, when)}


def test_nobody_is_on_duty_where_there_are_no_shifts() -> None:
    assert structs.replace(ruling(), shifts={}).on_duty(at("2026-11-24T19:00")) == ()
    assert ruling().on_duty(at("2026-11-24T19:00")) == ("gregoire",)


def test_a_site_day_ends_where_the_next_starts() -> None:
    autumn = at("2026-10-25T04:00+01:00")
    assert rules().day_end(autumn - 1) == autumn
    assert rules().day_end(autumn) == at("2026-10-26T04:00+01:00")
    last = rules().days[-1]
    assert rules().day_end(last) == last + DAY
    assert rules().day_end(last + 40 * DAY + HOUR) == last + 41 * DAY
    assert rules().day_end(rules().days[0] - 1) == rules().days[0]
