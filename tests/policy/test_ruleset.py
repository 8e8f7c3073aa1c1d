"""Site days in a rule set, within what was compiled and beyond it."""

from policy.ruleset import RuleSet
from policy.terms import DAY, HOUR
from tests.support_policy import at, compiled, read, site


def rules() -> RuleSet:
    return compiled(read(site()), at("2026-10-24T12:00"), days=3)


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
