"""Bookings: whose the machine is, when a booking lapses, who comes next."""

from typing import Any

import pytest

from policy.bookings import RELEASE_AFTER, next_of_others, released
from policy.case import Decision
from policy.reasons import Reason
from policy.ruleset import Booking
from policy.sessions import Session
from policy.terms import MINUTE
from tests.support_policy import BRIGITTE, REMY, TUESDAY, at, decided, fab_rules, in_since, known, session

START, END = TUESDAY + "10:00", TUESDAY + "12:00"
REMYS = {"id": "b", "machine": "prusa", "member": "remy", "start": START, "end": END}
HERE = in_since(TUESDAY + "08:00", "brigitte", "remy")


def tap(uid: str, when: str, *sessions: Session, bookings: list[dict[str, Any]], **state: Any) -> Decision:
    return decided(fab_rules(bookings=bookings), "prusa-reader", uid, TUESDAY + when, HERE, *sessions, **state)


def test_the_holder_starts_on_the_booking_others_are_refused() -> None:
    assert tap(REMY, "10:05", bookings=[REMYS]) == Decision(True, Reason.BOOKING, "remy")
    assert tap(BRIGITTE, "10:05", bookings=[REMYS]) == Decision(False, Reason.BOOKED_BY_OTHER, "brigitte")


def test_a_booking_is_half_open_and_of_one_machine() -> None:
    assert tap(BRIGITTE, "09:59:59.999", bookings=[REMYS]).reason == Reason.WALK_UP
    assert tap(BRIGITTE, "10:00", bookings=[REMYS]).reason == Reason.BOOKED_BY_OTHER
    assert tap(BRIGITTE, "12:00", bookings=[REMYS]).reason == Reason.WALK_UP
    assert tap(REMY, "12:00", bookings=[REMYS]).reason == Reason.WALK_UP
    assert tap(BRIGITTE, "10:00", bookings=[{**REMYS, "machine": "voron"}]).reason == Reason.WALK_UP


def test_nobody_came_in_the_first_quarter_of_an_hour() -> None:
    assert tap(BRIGITTE, "10:14:59.999", bookings=[REMYS]).reason == Reason.BOOKED_BY_OTHER
    assert tap(BRIGITTE, "10:15", bookings=[REMYS]).reason == Reason.WALK_UP


def test_a_released_booking_is_still_a_booking_for_its_holder() -> None:
    assert tap(REMY, "11:00", bookings=[REMYS]).reason == Reason.BOOKING


@pytest.mark.parametrize(
    ("machine", "member", "start", "end", "kept"),
    [
        ("prusa", "remy", "09:00", "10:00:00.001", True),
        ("prusa", "remy", "09:00", "10:00", False),
        ("prusa", "remy", "10:14:59.999", "10:30", True),
        ("prusa", "remy", "10:15", "10:30", False),
        ("prusa", "remy", "10:00", "10:01", True),
        ("voron", "remy", "10:00", "10:30", False),
        ("prusa", "sarah", "10:00", "10:30", False),
    ],
)
def test_a_session_of_the_holder_in_the_first_quarter_keeps_it(
    machine: str, member: str, start: str, end: str, kept: bool
) -> None:
    ran = session(machine, member, TUESDAY + start, TUESDAY + end)
    reason = tap(BRIGITTE, "11:00", ran, bookings=[REMYS]).reason
    assert reason == (Reason.BOOKED_BY_OTHER if kept else Reason.WALK_UP)


@pytest.mark.parametrize(
    ("member", "when", "kept"),
    [("remy", "09:59:59.999", False), ("remy", "10:00", True), ("remy", "10:15", False), ("sarah", "10:05", False)],
)
def test_the_holder_who_found_it_busy_keeps_it(member: str, when: str, kept: bool) -> None:
    busy = {"prusa": {(member, at(TUESDAY + when))}, "voron": {("remy", at(START))}}
    reason = tap(BRIGITTE, "11:00", bookings=[REMYS], busy=busy).reason
    assert reason == (Reason.BOOKED_BY_OTHER if kept else Reason.WALK_UP)


def test_a_booking_that_is_shorter_is_over_before_it_lapses() -> None:
    short = {**REMYS, "end": TUESDAY + "10:10"}
    assert tap(BRIGITTE, "10:09", bookings=[short]).reason == Reason.BOOKED_BY_OTHER
    assert tap(BRIGITTE, "10:10", bookings=[short]).reason == Reason.WALK_UP


def test_until_is_the_next_booking_of_somebody_else() -> None:
    bookings = [
        REMYS,
        {**REMYS, "id": "c", "start": TUESDAY + "13:00", "end": TUESDAY + "14:00"},
        {**REMYS, "id": "d", "member": "brigitte", "start": END, "end": TUESDAY + "13:00"},
        {**REMYS, "id": "e", "machine": "voron", "member": "sarah", "start": TUESDAY + "10:30", "end": END},
    ]
    assert tap(BRIGITTE, "09:00", bookings=bookings).until == at(START)
    assert tap(BRIGITTE, "11:00", bookings=bookings).until == at(TUESDAY + "13:00")
    assert tap(BRIGITTE, "12:30", bookings=bookings) == Decision(
        True, Reason.BOOKING, "brigitte", at(TUESDAY + "13:00")
    )
    assert tap(REMY, "10:30", bookings=bookings).until == at(END)
    assert tap(REMY, "12:00", bookings=bookings).reason == Reason.BOOKED_BY_OTHER
    assert tap(REMY, "13:00", bookings=bookings).until is None


def test_bookings_that_touch_are_two() -> None:
    rules = fab_rules(bookings=[REMYS, {**REMYS, "id": "c", "start": END, "end": TUESDAY + "13:00"}])
    assert next_of_others(rules, "prusa", "brigitte", at(START)) == at(END)
    assert next_of_others(rules, "prusa", "remy", at(START)) is None
    assert next_of_others(rules, "laser", "remy", at(START)) is None


def test_what_is_released_is_so_from_the_quarter_on() -> None:
    booking = Booking("remy", at(START), at(END))
    assert RELEASE_AFTER == 15 * MINUTE
    edge = [released(known(START), "prusa", booking, at(START) + 15 * MINUTE + ms) for ms in (-1, 0)]
    assert edge == [False, True]
