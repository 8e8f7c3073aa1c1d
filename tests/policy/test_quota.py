"""Quotas: whole seconds of a week or month, shared by all machines of a kind, and when they will be used up."""

from typing import Any

import pytest

from policy.quota import left, period, used_up
from policy.reasons import Reason
from policy.ruleset import Period, RuleSet
from policy.sessions import Session
from policy.terms import DAY, HOUR, MINUTE, SECOND, Instant
from tests.support_policy import (
    ALICE,
    BRIGITTE,
    TUESDAY,
    at,
    compiled,
    decided,
    fab_rules,
    in_since,
    known,
    read,
    session,
    site,
)

TEN = TUESDAY + "10:00"


def quota(minutes: int, period: str = "week", kind: str = "printer") -> list[dict[str, Any]]:
    return [{"kind": kind, "minutes": minutes, "period": period}]


def rest(rules: RuleSet, when: str, *sessions: Session) -> int | None:
    return left(rules, known(when, None, *sessions), "brigitte", "printer", at(when))


def end(rules: RuleSet, when: str, *sessions: Session) -> Instant | None:
    return used_up(rules, known(when, None, *sessions), "brigitte", "printer", at(when))


def used(start: str, finish: str | None = None, machine: str = "prusa", member: str = "brigitte") -> Session:
    return session(machine, member, start, finish)


def test_nothing_is_counted_where_there_is_no_quota() -> None:
    assert rest(fab_rules(), TEN) is None
    assert end(fab_rules(quotas=quota(60, kind="laser")), TEN) is None


def test_whole_seconds_of_all_machines_of_the_kind_are_counted() -> None:
    rules = fab_rules(quotas=quota(60))
    mine = used(TUESDAY + "08:00", TUESDAY + "08:10:00.900"), used(TUESDAY + "09:00", TUESDAY + "09:20", "voron")
    others = used(TUESDAY + "07:00", TUESDAY + "08:00", member="remy"), used("2026-11-22T10:00", "2026-11-22T11:00")
    assert rest(rules, TEN) == 3600
    assert rest(rules, TEN, *mine, *others) == 1800
    assert rest(rules, TEN, used(TUESDAY + "08:00", TUESDAY + "09:00", "laser")) == 3600


def test_a_session_that_runs_counts_so_far_and_never_below_nothing() -> None:
    rules = fab_rules(quotas=quota(60))
    assert rest(rules, TEN, used(TUESDAY + "09:30")) == 1800
    assert rest(rules, TEN, used(TUESDAY + "08:00")) == 0


def test_of_a_session_over_the_turn_only_what_lies_in_the_period_counts() -> None:
    over_sunday = used("2026-11-22T23:00", "2026-11-23T00:20")
    rules = fab_rules(quotas=quota(60))
    assert rest(rules, "2026-11-22T23:59:59", over_sunday) == 1
    assert rest(rules, "2026-11-23T00:00", over_sunday) == 3600
    assert rest(rules, TEN, over_sunday) == 2400


def test_a_cut_session_stops_counting_at_until_unheard() -> None:
    rules = fab_rules(quotas=quota(60, kind="laser"))
    state = known(TEN, None, session("laser", "brigitte", TUESDAY + "09:00", until=TUESDAY + "09:15"))
    assert left(rules, state, "brigitte", "laser", at(TEN)) == 2700
    assert used_up(rules, state, "brigitte", "laser", at(TEN)) == at(TUESDAY + "10:45")


def test_one_session_uses_it_alone() -> None:
    rules = fab_rules(quotas=quota(60))
    assert end(rules, TEN) == at(TUESDAY + "11:00")
    assert end(rules, TEN, used(TUESDAY + "08:00", TUESDAY + "08:10")) == at(TUESDAY + "10:50")


def test_n_sessions_use_an_nth_each_in_whole_seconds_rounded_down() -> None:
    rules = fab_rules(quotas=quota(60))
    assert end(rules, TEN, used(TEN, machine="voron")) == at(TUESDAY + "10:30")
    odd = used(TUESDAY + "09:59:53", machine="voron")
    assert rest(rules, TEN, odd) == 3593
    assert end(rules, TEN, odd) == at(TEN) + 1796 * SECOND
    two = odd, used(TUESDAY + "09:59:53", machine="prusa")
    assert end(rules, TEN, *two) == at(TEN) + (3600 - 14) // 3 * SECOND


def test_sessions_of_others_and_those_that_ended_take_no_share() -> None:
    rules = fab_rules(quotas=quota(60))
    assert end(rules, TEN, used(TEN, machine="voron", member="remy")) == at(TUESDAY + "11:00")
    assert end(rules, TEN, used(TUESDAY + "09:50", TEN, "voron")) == at(TUESDAY + "10:50")


def test_a_new_period_brings_a_fresh_quota_from_its_first_instant() -> None:
    rules, sunday = fab_rules(quotas=quota(60)), "2026-11-29T23:30"
    assert end(rules, sunday) == at("2026-11-30T01:00")
    assert end(rules, "2026-11-29T23:00") == at("2026-11-30T01:00")
    assert end(rules, "2026-11-29T22:59:59") == at("2026-11-29T23:59:59")
    assert end(rules, sunday, used("2026-11-29T22:00", "2026-11-29T22:50")) == at("2026-11-29T23:40")


def test_a_quota_that_outlasts_every_period_has_no_end() -> None:
    assert end(fab_rules(quotas=quota(7 * 24 * 60 + 60)), TEN) is None
    assert end(fab_rules(quotas=quota(31 * 24 * 60 + 60, "month")), TEN) is None
    almost = fab_rules(quotas=quota(7 * 24 * 60 - 1))
    assert end(almost, TEN) == at("2026-11-30T00:00") + 7 * DAY - MINUTE


def test_a_month_is_that_of_the_calendar() -> None:
    rules = fab_rules(quotas=quota(60, "month"))
    before = used("2026-10-31T23:30", "2026-11-01T00:15")
    assert rest(rules, TEN, before) == 2700
    assert end(rules, "2026-11-30T23:30") == at("2026-12-01T01:00")
    assert end(rules, "2026-11-30T22:30", before) == at("2026-11-30T23:15")


@pytest.mark.parametrize("kind", Period)
def test_periods_start_at_local_midnight_where_the_clocks_change_too(kind: Period) -> None:
    rules = compiled(read(site()), at("2026-10-24T12:00+02:00"))
    first, last = period(rules, kind, at("2026-10-25T12:00+01:00"))
    if kind is Period.WEEK:
        assert (first, last) == (at("2026-10-19T00:00+02:00"), at("2026-10-26T00:00+01:00"))
    else:
        assert (first, last) == (at("2026-10-01T00:00+02:00"), at("2026-11-01T00:00+01:00"))
    assert period(rules, kind, last)[0] == last
    assert period(rules, kind, last - 1) == period(rules, kind, first) == (first, last)


@pytest.mark.parametrize(("kind", "length"), [(Period.WEEK, 7 * DAY), (Period.MONTH, 30 * DAY)])
def test_far_from_the_compiled_days_periods_have_one_length(kind: Period, length: Instant) -> None:
    rules = fab_rules()
    starts = rules.weeks if kind is Period.WEEK else rules.months
    assert period(rules, kind, starts[-1]) == (starts[-1], starts[-1] + length)
    assert period(rules, kind, starts[-1] + 5 * length + HOUR) == (starts[-1] + 5 * length, starts[-1] + 6 * length)
    assert period(rules, kind, starts[0] - 1) == (starts[0] - length, starts[0])


def test_the_periods_of_every_compiled_day_are_known() -> None:
    rules = fab_rules()
    assert rules.months[0] <= rules.days[0]
    assert rules.months[-1] > rules.days[-1]
    assert rules.weeks[0] <= rules.days[0]
    assert rules.weeks[-1] > rules.days[-1]


def tap(uid: str, when: str, *sessions: Session, **changes: Any) -> tuple[Reason, Instant | None]:
    here = in_since(TUESDAY + "08:00", "brigitte", "alice")
    decision = decided(fab_rules(**changes), "prusa-reader", uid, when, here, *sessions)
    return decision.reason, decision.until


def test_whoever_used_it_up_is_refused_and_who_did_not_is_told_until_when() -> None:
    hour = used(TUESDAY + "08:00", TUESDAY + "09:00")
    assert tap(BRIGITTE, TEN, hour, quotas=quota(60)) == (Reason.QUOTA_EXHAUSTED, None)
    assert tap(BRIGITTE, TEN, hour, quotas=quota(61)) == (Reason.WALK_UP, at(TEN) + MINUTE)
    assert tap(BRIGITTE, TEN, hour, quotas=quota(60, kind="laser")) == (Reason.WALK_UP, None)


def test_staff_have_no_quota() -> None:
    mine = session("voron", "alice", TUESDAY + "08:00")
    assert tap(ALICE, TEN, mine, quotas=quota(0)) == (Reason.WALK_UP, None)
    assert tap(ALICE, TEN, mine, quotas=quota(600)) == (Reason.WALK_UP, None)


def test_less_than_a_second_for_each_is_the_end_at_once() -> None:
    almost = used(TUESDAY + "09:00:01", machine="voron")
    assert tap(BRIGITTE, TEN, almost, quotas=quota(60)) == (Reason.WALK_UP, at(TEN))


@pytest.mark.parametrize(
    ("minutes", "turn", "ends"),
    [
        (30 * 24 * 60, "month", "2026-12-31T00:00"),
        (31 * 24 * 60, "month", "2027-10-31T23:00+01:00"),
        (7 * 24 * 60, "week", "2027-10-31T23:00+01:00"),
    ],
)
def test_a_quota_of_a_whole_period_is_used_up_in_the_first_that_is_longer(minutes: int, turn: str, ends: str) -> None:
    """Beyond the days for which the hours are compiled: December has a day more, next October an hour more."""
    rules = fab_rules(quotas=quota(minutes, turn))
    assert end(rules, TEN) == at(ends)
