"""Open or not, until when, held by whom."""

from typing import Any

from policy.compile import shift_table
from policy.opening import Degree, Opening, Relay, opening
from policy.presence import Presence
from policy.state import is_held, is_staffed
from policy.terms import DAY, MINUTE
from tests.support_policy import PARIS, TUESDAY, at, compiled, in_since, known, read, site


def shift(start: str, end: str, gardien: str = "gregoire") -> dict[str, str]:
    return {"id": start + gardien, "gardien": gardien, "start": TUESDAY + start, "end": TUESDAY + end}


Adhoc = dict[str, set[tuple[int, int]]]


def said(when: str, here: Presence | None = None, adhoc: Adhoc | None = None, **changes: Any) -> Opening:
    bundle, now = read(site(**changes)), at(TUESDAY + when)
    plain = shift_table(bundle, zone=PARIS, holidays=lambda year: (), since=now - DAY)
    return opening(compiled(bundle, now), plain, known(TUESDAY + when, here, adhoc=adhoc or {}), now)


INSIDE = in_since(TUESDAY + "08:00", "gregoire")


def until(hour: str) -> int:
    return at(TUESDAY + hour)


def test_shut() -> None:
    assert said("08:30") == Opening(open=False, until=None, held_by=(), staffed=False)
    assert said("19:00") == said("08:30")


def test_staffed_until_the_end_of_the_hours() -> None:
    assert said("10:00", shifts=[]) == Opening(open=True, until=until("18:00"), held_by=(), staffed=True)


def relay(start: str, end: str, gardien: str | None = "gregoire") -> Relay:
    return Relay(Degree.SURE if gardien is None else Degree.PROBABLE, until(start), until(end), gardien)


def test_a_shift_whose_gardien_is_not_there_yet_makes_the_evening_probable() -> None:
    day = said("10:00")
    assert day == Opening(True, until("18:00"), (), staffed=True, relays=(relay("18:00", "22:00"),))
    assert day.end == until("22:00")
    assert said("10:00", INSIDE).relays == ()
    assert said("08:00", None).relays == (), "shut: nobody takes over"


def test_one_takes_over_from_the_other_until_a_gap() -> None:
    members = [{**part, "roles": ["gardien"]} if part["id"] == "remy" else part for part in site()["members"]]

    def chain(*shifts: dict[str, str]) -> tuple[Relay, ...]:
        return said("10:00", members=members, shifts=list(shifts)).relays

    first, second = shift("18:00", "20:00"), shift("20:00", "22:00", "remy")
    assert chain(second, first) == (relay("18:00", "20:00"), relay("20:00", "22:00", "remy"))
    assert chain(first, shift("20:15", "22:00", "remy"))[1:] == (relay("20:00", "22:00", "remy"),)
    assert chain(first, shift("20:16", "22:00", "remy")) == (relay("18:00", "20:00"),)
    assert chain(first, shift("19:00", "21:00", "remy")) == (relay("18:00", "20:00"), relay("20:00", "21:00", "remy"))


def test_the_team_takes_over_from_a_gardien() -> None:
    week = {"tue": [["09:00", "12:00"], ["14:00", "18:00"]]}
    chain = said("10:00", site_staff_hours=week, shifts=[shift("12:00", "14:00")]).relays
    assert chain == (relay("12:00", "14:00"), relay("14:00", "18:00", None))


def test_whoever_is_suspended_takes_nothing_over() -> None:
    members = [{**part, "status": "suspended"} if part["id"] == "gregoire" else part for part in site()["members"]]
    assert said("10:00", members=members).end == until("18:00")


def test_round_the_clock_has_no_end_and_a_closure_in_two_days_is_one() -> None:
    always = {day: [["00:00", "00:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    endless = said("10:00", site_staff_hours=always)
    assert endless == Opening(True, None, (), staffed=True, endless=True)
    assert endless.end is None
    closed = [{"from": "2026-11-26", "to": "2026-11-26"}]
    ending = said("10:00", site_staff_hours=always, site_closures=closed, shifts=[])
    assert (ending.endless, ending.until) == (False, at("2026-11-26T00:00"))
    assert not said("00:00", site_staff_hours=always, site_closures=closed).endless
    assert said("00:00", site_staff_hours=always, site_closures=[{"from": "2026-11-27", "to": "2026-11-27"}]).endless


def test_held_until_the_end_of_the_shift_without_grace() -> None:
    assert said("19:00", INSIDE) == Opening(open=True, until=until("22:00"), held_by=("gregoire",), staffed=False)


def test_in_the_grace_the_end_is_past() -> None:
    assert said("22:14", INSIDE) == Opening(open=True, until=until("22:00"), held_by=("gregoire",), staffed=False)
    assert said("22:15", INSIDE) == Opening(open=False)


def test_staff_hours_go_on_to_the_shift_of_a_gardien_who_is_inside() -> None:
    assert said("17:45", INSIDE) == Opening(True, until("22:00"), ("gregoire",), staffed=True)
    assert said("10:00", INSIDE) == Opening(True, until("22:00"), (), staffed=True)
    assert said("10:00", None).until == until("18:00")


def test_a_shift_that_begins_later_than_the_hours_end_does_not() -> None:
    late = [shift("19:00", "22:00")]
    assert said("10:00", INSIDE, shifts=late).until == until("18:00")
    by_the_lead = [shift("18:30", "22:00")]
    assert said("10:00", INSIDE, shifts=by_the_lead).until == until("22:00")


def test_of_two_gardiens_inside_the_later_end_counts() -> None:
    roles = [{**part, "roles": ["gardien"]} if part["id"] == "remy" else part for part in site()["members"]]
    shifts = [shift("18:00", "20:00"), shift("19:00", "21:30", "remy")]
    both = in_since(TUESDAY + "18:00", "gregoire", "remy")
    evening = said("19:00", both, members=roles, shifts=shifts)
    assert evening == Opening(True, until("21:30"), ("gregoire", "remy"), staffed=False)
    assert said("19:00", INSIDE, members=roles, shifts=shifts).until == until("20:00")


def test_two_shifts_of_one_gardien_that_meet_within_lead_and_grace_are_one_evening() -> None:
    assert said("18:30", INSIDE, shifts=[shift("18:00", "20:00"), shift("20:20", "22:00")]).until == until("22:00")


def test_a_lunch_that_a_gardien_bridges() -> None:
    week = {"tue": [["09:00", "12:00"], ["13:00", "18:00"]]}
    bridged = {"site_staff_hours": week, "shifts": [shift("12:00", "13:00")]}
    assert said("10:00", INSIDE, **bridged).until == until("18:00")
    assert said("10:00", None, **bridged).until == until("12:00")


def test_hours_that_end_within_a_grace_are_what_is_said() -> None:
    """The shift's grace reaches past the hours, its end does not."""
    changes = {"site_staff_hours": {"tue": [["17:00", "18:00"]]}, "shifts": [shift("15:00", "17:55")]}
    assert said("16:30", INSIDE, **changes).until == until("18:00")


def test_a_suspended_gardien_holds_and_prolongs_nothing() -> None:
    members = [{**part, "status": "suspended"} if part["id"] == "gregoire" else part for part in site()["members"]]
    assert said("17:45", INSIDE, members=members) == Opening(True, until("18:00"), (), staffed=True)
    assert not said("19:00", INSIDE, members=members).open


def test_a_shift_that_the_jump_of_the_clocks_swallows_has_no_end_to_say() -> None:
    swallowed = [{"id": "s", "gardien": "gregoire", "start": "2026-03-29T02:10", "end": "2026-03-29T02:50"}]
    jump = "2026-03-29T01:00Z"
    bundle, now = read(site(shifts=swallowed, site_staff_hours={})), at(jump)
    here = known(jump, in_since(jump, "gregoire"))
    evening = opening(
        compiled(bundle, now), shift_table(bundle, zone=PARIS, holidays=lambda year: (), since=now - DAY), here, now
    )
    assert evening == Opening(True, None, ("gregoire",), staffed=False)


def made(start: str, end: str) -> Adhoc:
    return {"gregoire": {(until(start), until(end))}}


def test_a_shift_made_by_two_taps_is_said_like_any_other() -> None:
    assert said("23:00", in_since(TUESDAY + "22:30", "gregoire"), made("22:30", "23:30")) == Opening(
        True, until("23:30"), ("gregoire",), staffed=False
    )
    assert not said("23:00", None, made("22:30", "23:30")).open
    assert not said("23:45", in_since(TUESDAY + "22:30", "gregoire"), made("22:30", "23:30")).open


def test_a_shift_made_by_two_taps_bridges_to_the_hours_and_from_a_planned_one() -> None:
    assert said("08:00", INSIDE, made("07:50", "08:50")).until == until("22:00")
    assert said("08:00", INSIDE, made("07:50", "08:50"), shifts=[]).until == until("18:00")
    assert said("21:00", INSIDE, made("22:20", "23:20")).until == until("23:20")


def test_open_is_what_the_door_decides_by_at_every_minute_of_the_day() -> None:
    bundle, start = read(site()), at(TUESDAY + "00:00")
    rules, plain = compiled(bundle, start), shift_table(bundle, zone=PARIS, holidays=lambda year: (), since=start - DAY)
    for here in (Presence(), INSIDE):
        state = known(TUESDAY + "00:00", here)
        for now in range(start, start + 24 * 60 * MINUTE, MINUTE):
            said = opening(rules, plain, state, now)
            assert said.open == (is_staffed(rules, now) or is_held(rules, state, now))
            assert (said.until is None) == (not said.open)
