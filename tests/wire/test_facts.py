"""What a journal row changes of the site's state."""

from typing import Any

import pytest

from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, Stopped
from policy.instants import instant, text
from policy.reasons import Reason
from policy.sessions import Session
from policy.terms import HOUR, ClockState
from wire.facts import DOOR_GRANTS, facts_of
from wire.row import Kind, Row

NOW = instant("2026-11-24T09:00:00.000Z")
BELIEVED = NOW - HOUR
"""When the clock of the edge cannot be believed, somebody else says when the row was written."""


def row(kind: Kind = Kind.TAP, **fields: Any) -> Row:
    known = {"access_point": "front", "reader": "front-in", "member": "remy", **fields}
    return Row(seq=1, at=text(NOW), mono_ms=0, boot="b", clock=ClockState.SYNCED, kind=kind, **known)


def told(kind: Kind = Kind.TAP, **fields: Any) -> list[Fact]:
    return list(facts_of(row(kind, **fields), BELIEVED))


def granted(reason: Reason, **fields: Any) -> list[Fact]:
    return told(granted=True, reason=reason, **fields)


IN, OUT = Moved("remy", BELIEVED, inside=True), Moved("remy", BELIEVED, inside=False)
AT_MACHINES = {Reason.SESSION_ENDED, Reason.MACHINE_RESET, Reason.BOOKING, Reason.WALK_UP}
GRANTS = DOOR_GRANTS | AT_MACHINES


@pytest.mark.parametrize("reason", sorted(DOOR_GRANTS - {Reason.EGRESS}))
def test_who_is_let_in_is_inside(reason: Reason) -> None:
    assert granted(reason) == [IN]


def test_who_leaves_is_not() -> None:
    assert granted(Reason.EGRESS) == [OUT]


@pytest.mark.parametrize("reason", sorted(AT_MACHINES))
def test_a_grant_at_a_machine_moves_nobody(reason: Reason) -> None:
    assert granted(reason, access_point="prusa") == []


@pytest.mark.parametrize("reason", sorted(set(Reason) - GRANTS - {Reason.MACHINE_BUSY}))
def test_a_refusal_changes_nothing(reason: Reason) -> None:
    assert told(granted=False, reason=reason) == []


def test_what_waits_for_the_door_is_told_by_the_row_that_says_it_opened() -> None:
    pays = "2026-11-24pm"
    assert granted(Reason.STAFFED_HOURS, pending=True, pays=pays) == []
    assert told(Kind.DOOR_OPENED, settles=1, pays=pays) == [IN, Paid("remy", pays)]
    assert told(Kind.DOOR_OPENED, settles=1) == [IN]


def test_a_door_that_opened_for_nobody_moves_nobody() -> None:
    assert told(Kind.DOOR_OPENED, member=None) == []
    assert told(Kind.TAP, member=None, granted=True, reason=Reason.EGRESS) == []


def test_an_entry_that_waits_for_no_door_pays_at_once() -> None:
    for name in ("2026-11-24", "2026-11-24am"):
        assert granted(Reason.STAFFED_HOURS, pays=name) == [IN, Paid("remy", name)]


def test_an_edge_of_the_version_before_tells_what_it_paid_by_its_start() -> None:
    assert granted(Reason.STAFFED_HOURS, pays=text(NOW)) == [IN, Paid("remy", NOW)]


@pytest.mark.parametrize(
    "pays", ["noon", "2026-11-31", "2026-11-24AM", "2026-11-24T04:00", "1926-11-24", "9999-12-31pm"]
)
def test_what_is_no_day_of_these_years_is_not_paid(pays: str) -> None:
    with pytest.raises(ValueError, match=r"believed|offset|isoformat|out of range"):
        granted(Reason.STAFFED_HOURS, pays=pays)


def test_a_shift_is_made_by_the_tap_whether_the_door_opens_or_not() -> None:
    end = text(NOW + HOUR)
    made = Opened("remy", BELIEVED, BELIEVED + HOUR)
    assert granted(Reason.OWN_SHIFT, adhoc_until=end, pending=True) == [made]
    assert granted(Reason.OWN_SHIFT, adhoc_until=end) == [made, IN]


@pytest.mark.parametrize("hours", [0, -1, 24.5, 9 * 365 * 24])
def test_a_shift_that_no_site_allows_is_refused(hours: float) -> None:
    with pytest.raises(ValueError, match="it must last, and no longer than 24 h"):
        granted(Reason.OWN_SHIFT, adhoc_until=text(NOW + round(hours * HOUR)))


def test_who_found_a_machine_busy() -> None:
    assert told(access_point="prusa", granted=False, reason=Reason.MACHINE_BUSY) == [Busy("prusa", "remy", BELIEVED)]
    assert told(access_point=None, granted=False, reason=Reason.MACHINE_BUSY) == []


SESSION = {"access_point": "prusa", "started": text(NOW), "machine_kind": "printer"}


def test_a_session_begins() -> None:
    assert told(Kind.SESSION_STARTED, **SESSION) == [Ran(Session("prusa", "printer", "remy", NOW))]
    limited = told(Kind.SESSION_STARTED, **SESSION, until=text(NOW + HOUR), cuts=True)
    assert limited == [Ran(Session("prusa", "printer", "remy", NOW, NOW + HOUR, cuts=True))]


def test_a_session_ends() -> None:
    ended = told(Kind.SESSION_ENDED, **SESSION, ended=text(NOW + 1))
    assert ended == [Ran(Session("prusa", "printer", "remy", NOW, end=NOW + 1))]


def test_a_warning_is_no_fact() -> None:
    assert told(Kind.SESSION_WARNED, **SESSION) == []


@pytest.mark.parametrize("kind", [Kind.SESSION_STARTED, Kind.SESSION_EXTENDED, Kind.SESSION_ENDED])
@pytest.mark.parametrize("missing", ["access_point", "member", "started", "machine_kind"])
def test_a_session_row_that_does_not_say_which_is_refused(kind: Kind, missing: str) -> None:
    with pytest.raises(ValueError, match=f"{kind} row 1: needs access_point, member, started and machine_kind"):
        told(kind, **{**SESSION, missing: None})


@pytest.mark.parametrize("field", ["started", "until", "ended"])
def test_an_instant_that_is_none_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match="noon"):
        told(Kind.SESSION_ENDED, **{**SESSION, field: "noon"})
    with pytest.raises(ValueError, match="noon"):
        granted(Reason.ALWAYS, pays="noon")


def test_an_emergency_stop_and_its_end() -> None:
    assert told(Kind.ESTOP, access_point="prusa", member=None) == [Stopped("prusa", stopped=True)]
    assert told(Kind.MACHINE_RESET, access_point="prusa") == [Stopped("prusa", stopped=False)]
    assert told(Kind.ESTOP, access_point=None) == []


QUIET = set(Kind) - {
    Kind.TAP,
    Kind.DOOR_OPENED,
    Kind.SESSION_STARTED,
    Kind.SESSION_EXTENDED,
    Kind.SESSION_ENDED,
    Kind.ESTOP,
    Kind.MACHINE_RESET,
    Kind.CHECKED_OUT,
}


def test_who_was_left_when_the_place_was_closed_is_out() -> None:
    assert told(Kind.CHECKED_OUT, by="gregoire") == [OUT]
    assert told(Kind.CLOSED) == []


@pytest.mark.parametrize("kind", sorted(QUIET))
def test_other_rows_say_nothing_of_the_site(kind: Kind) -> None:
    assert told(kind, granted=True, reason=Reason.ALWAYS, pays=text(NOW), adhoc_until=text(NOW)) == []
