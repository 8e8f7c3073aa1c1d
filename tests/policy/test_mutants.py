"""Mistakes that no other test notices: found by `make proof`, one small test each."""

import pytest
from msgspec.structs import replace

from policy.case import Tap, case_of, first_of, has_tier_ground
from policy.door import decide
from policy.errors import brief
from policy.presence import Presence
from policy.quota import period
from policy.reasons import Reason
from policy.ruleset import Period
from policy.spans import next_change, pairs, spans
from policy.terms import DAY
from tests.support_policy import (
    ALICE,
    BRIGITTE,
    GREGOIRE,
    TUESDAY,
    at,
    badge,
    compiled,
    decided,
    in_since,
    known,
    read,
    ruling,
    site,
    with_part,
)


def test_an_empty_interval_ends_nothing() -> None:
    assert spans([(1, 1), (2, 3)]) == (2, 3)


def test_spans_come_back_as_pairs_and_half_a_pair_is_refused() -> None:
    assert list(pairs((1, 2, 4, 8))) == [(1, 2), (4, 8)]
    with pytest.raises(ValueError, match="shorter"):
        list(pairs((1, 2, 4)))


@pytest.mark.parametrize(("at", "change"), [(0, 1), (1, 3), (2, 3), (3, 5), (5, 9), (9, None)])
def test_the_next_change_is_a_start_or_an_end(at: int, change: int | None) -> None:
    assert next_change((1, 3, 5, 9), at) == change


def test_who_is_inside_is_worked_out_once_for_the_day_asked_about_last() -> None:
    here, today = in_since(TUESDAY + "09:00", "remy"), at(TUESDAY + "04:00")
    assert here.inside(today) is here.inside(today)
    assert here.inside(today) is not Presence(here.moves.items()).inside(today)


def test_before_the_compiled_months_thirty_days_end_where_the_first_of_them_starts() -> None:
    rules = compiled(read(site()), at("2026-12-20T12:00"))
    first = rules.months[0]
    assert rules.months[1] - first != 30 * DAY
    assert period(rules, Period.MONTH, first - 1) == (first - 30 * DAY, first)


def test_an_invitation_is_no_ground_of_the_tier() -> None:
    evening = TUESDAY + "20:00"
    guest = {"id": "g", "member": "brigitte", "start": evening, "end": TUESDAY + "21:00"}
    for invitations, written, ground in (([guest], evening, False), ([], TUESDAY + "10:00", True)):
        rules = ruling(invitations=invitations)
        tap = Tap("front-in", badge(BRIGITTE))
        case = case_of(rules, known(written), tap, rules.readers[tap.reader], at(written))
        assert has_tier_ground(case) is ground


def test_the_shortest_shift_by_two_taps_is_a_shift() -> None:
    rules, night = replace(ruling(site_adhoc_hours=2), adhoc=1), at(TUESDAY + "23:00")
    decision = decide(rules, known(TUESDAY + "23:00"), Tap("front-in", badge(GREGOIRE), second=True), night)
    assert decision.adhoc == (night, night + 1)


def test_a_table_without_a_last_line_says_so() -> None:
    rules, tap = ruling(), Tap("front-in", badge(BRIGITTE))
    case = case_of(rules, known(TUESDAY + "10:00"), tap, rules.readers[tap.reader], at(TUESDAY + "10:00"))
    with pytest.raises(AssertionError, match=r"^the last line of a table decides$"):
        first_of((), case)


@pytest.mark.parametrize(("status", "reason"), [("active", Reason.STAFF), ("lost", Reason.LOCKDOWN)])
def test_in_a_lockdown_the_staff_pass_but_not_with_a_badge_that_was_lost(status: str, reason: Reason) -> None:
    rules = ruling(credentials=with_part("credentials", ALICE, status=status))
    assert decided(rules, "front-in", ALICE, TUESDAY + "10:00", lockdown=True).reason == reason


def test_a_text_that_fits_is_whole_and_a_longer_one_ends_in_a_dot_of_three() -> None:
    assert brief("abcd", 4) == "abcd"
    assert brief("abcde", 4) == "abc…"
