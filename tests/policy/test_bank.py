"""The bank of hours: what a shift earns, when it counts, credits, and where a half-day is put among the carnets."""

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any

import pytest

from benches.bank import history
from policy.bank import Bank
from policy.bank_site import SiteThen
from policy.bank_units import in_order, last_day
from policy.presence import Move
from policy.recount import Heard, Opens, recount
from policy.terms import DAY
from tests.support_policy import PARIS, at, read, site

CARNET = {"id": "carnet", "grounds": ["staffed", "held"], "pass": "half_day"}
DAYS = {"id": "jour", "grounds": ["staffed", "held"], "pass": "day"}
ROTA = [{"id": "mardi", "weekday": "tue", "from": "18:00", "to": "22:00", "gardien": "gregoire"}]
MONDAY, TUESDAY, FRIDAY = "2026-11-23T08:00", "2026-11-24T", "2026-11-27T04:00"
CREDIT = {"id": "k", "member": "gregoire", "minutes": 60, "date": "2026-11-24", "why": "travaux", "by": "remy"}
ATTESTED = CREDIT | {"attested": "alice"}


def then(when: str, *, tier: str = "nomad", stored: tuple[str, ...] = (), **changes: Any) -> SiteThen:
    """The site with a bank, and an evening of the rota on Tuesday 24 November that Grégoire has."""
    members = [part | ({"tier": tier} if part["id"] == "gregoire" else {}) for part in site()["members"]]
    told = {"tiers": [*site()["tiers"], CARNET, DAYS], "members": members, "shifts": [], "rota": ROTA}
    bundle = read(site(**{"site_time_bank": {}, **told, **changes}))
    return SiteThen(at(when), bundle, PARIS, lambda year: (), frozenset(stored))


def row(written: str, *, inside: bool, received: str | None = None, who: str = "gregoire") -> Heard:
    return Heard(at(received or written), who, Move(at(written), inside))


def held(start: str, end: str, received: str | None = None) -> list[Heard]:
    return [row(start, inside=True, received=received), row(end, inside=False, received=received)]


def counted(*changes: SiteThen, rows: Sequence[Heard | Opens], until: str = FRIDAY) -> Bank:
    return recount(changes or (then(MONDAY),), rows, at(until))


def earned(rows: Sequence[Heard | Opens], **changes: Any) -> int:
    return counted(then(MONDAY, **changes), rows=rows).minutes.get("gregoire", 0)


EXAMPLE = held(TUESDAY + "17:50", TUESDAY + "18:40") + held(TUESDAY + "19:05", TUESDAY + "21:58")


def test_the_example() -> None:
    bank = counted(rows=EXAMPLE)
    (entry,) = bank.entries
    assert (entry.minutes, entry.member, entry.source) == (210, "gregoire", ("rota", "mardi", "2026-11-24"))
    assert entry.at == at("2026-11-25T04:00")
    times = ("18:00", "18:40", "19:05", "21:58")
    assert entry.inside == tuple(at(TUESDAY + time) for time in times)
    assert bank.minutes == {"gregoire": 210}


@pytest.mark.parametrize(
    ("end", "terms", "minutes"),
    [
        ("19:59:59", {}, 0),
        ("20:00", {}, 120),
        ("20:07:29", {}, 120),
        ("20:07:30", {}, 135),
        ("20:00", {"rate": 33}, 39),
        ("20:00", {"rate": 150, "round": 60}, 180),
        ("20:00", {"min_share": 51}, 0),
        ("18:10", {"min_share": 0}, 15),
        ("18:07", {"min_share": 0}, 0),
        ("22:00", {"min_share": 100}, 240),
        ("21:59:59", {"min_share": 100}, 0),
    ],
)
def test_what_part_of_a_shift_earns(end: str, terms: dict[str, Any], minutes: int) -> None:
    assert earned(held(TUESDAY + "18:00", TUESDAY + end), site_time_bank=terms) == minutes


def test_a_site_without_a_bank_counts_nothing_then_or_later() -> None:
    rows = held(TUESDAY + "18:00", TUESDAY + "22:00")
    assert earned(rows, site_time_bank=None) == 0
    late = counted(then(MONDAY, site_time_bank=None), then("2026-11-25T12:00"), rows=rows)
    assert late.minutes.get("gregoire", 0) == 0
    early = counted(then(MONDAY, site_time_bank=None), then("2026-11-25T03:59"), rows=rows)
    assert early.minutes == {"gregoire": 240}


def test_neither_lead_nor_grace_nor_what_is_after_the_end_of_the_site_day_counts() -> None:
    night = [{**ROTA[0], "from": "22:00", "to": "06:00"}]
    assert earned([row(TUESDAY + "21:30", inside=True)], rota=night) == 360, "checked out at 04:00"
    back = [row(TUESDAY + "21:30", inside=True), row("2026-11-25T04:30", inside=True)]
    assert earned(back, rota=night) == 450


@pytest.mark.parametrize(
    ("day", "minutes"), [("2027-03-28", 3 * 60), ("2026-10-25", 5 * 60)], ids=["an hour less", "an hour more"]
)
def test_an_evening_over_a_change_of_the_clocks_is_as_long_as_it_is(day: str, minutes: int) -> None:
    eve = date.fromordinal(date.fromisoformat(day).toordinal() - 1)
    night = [{**ROTA[0], "weekday": "sat", "from": "23:30", "to": "03:30"}]
    first = then(f"{eve}T12:00", rota=night)
    came = Move(at(f"{eve}T22:30+01:00"), inside=True)
    bank = recount([first], [Heard(came.at, "gregoire", came)], first.at + 2 * DAY)
    assert bank.minutes == {"gregoire": minutes}


def test_of_an_in_and_an_out_at_one_instant_the_out_counts() -> None:
    moves = [row(TUESDAY + "18:00", inside=True), row(TUESDAY + "21:00", inside=False)]
    assert earned([*moves, row(TUESDAY + "21:00", inside=True)]) == 180


def test_a_second_belongs_to_the_shift_that_began_first() -> None:
    other = {"id": "s", "gardien": "gregoire", "start": TUESDAY + "17:00", "end": TUESDAY + "20:00"}
    bank = counted(then(MONDAY, shifts=[other]), rows=held(TUESDAY + "18:00", TUESDAY + "22:00"))
    assert {entry.source[0]: entry.minutes for entry in bank.entries} == {"shift": 120, "rota": 120}


def test_what_a_shift_holds_that_still_runs_belongs_to_none_that_began_later() -> None:
    long = {"id": "s", "gardien": "gregoire", "start": "2026-11-23T08:00", "end": "2026-11-26T08:00"}
    rows = held(TUESDAY + "18:00", TUESDAY + "22:00")
    assert counted(then(MONDAY, shifts=[long]), rows=rows, until="2026-11-25T04:00").minutes["gregoire"] == 0


def test_a_running_shift_that_is_given_to_another_gardien_takes_what_now_belongs_to_it() -> None:
    long = {"id": "s", "gardien": "alice", "start": "2026-11-23T08:00", "end": "2026-12-26T08:00"}
    given = then("2026-11-25T12:00", shifts=[long | {"gardien": "gregoire"}])
    rows = held(TUESDAY + "18:00", TUESDAY + "22:00")
    bank = counted(then(MONDAY, shifts=[long]), given, rows=rows)
    assert [(entry.minutes, entry.counters) for entry in bank.entries] == [(240, None), (-240, 0), (0, None)]


def test_a_shift_made_by_two_taps_is_not_asked_for_its_share() -> None:
    start = "2026-11-23T20:00"
    opened = Opens(at(start), "gregoire", at(start), at("2026-11-24T00:00"))
    assert earned([opened, *held(start, "2026-11-23T20:30")]) == 30


def test_rows_that_come_late_are_countered_at_the_next_end_of_a_site_day() -> None:
    late = row(TUESDAY + "20:00", inside=False, received="2026-11-26T12:00")
    bank = counted(rows=[row(TUESDAY + "18:00", inside=True), row(TUESDAY + "22:00", inside=False), late])
    assert [(entry.minutes, entry.counters) for entry in bank.entries] == [(240, None), (-240, 0), (120, None)]
    assert {entry.at for entry in bank.entries[1:]} == {at(FRIDAY)}


def test_what_would_not_change_is_not_written_again() -> None:
    late = row(TUESDAY + "21:55", inside=False, received="2026-11-26T12:00")
    bank = counted(rows=[row(TUESDAY + "18:00", inside=True), row(TUESDAY + "22:00", inside=False), late])
    assert [entry.minutes for entry in bank.entries] == [240]


def test_what_came_in_at_the_end_of_the_site_day_comes_after_it() -> None:
    rows = held(TUESDAY + "18:00", TUESDAY + "22:00", received="2026-11-25T04:00")
    assert counted(rows=rows, until="2026-11-25T04:00").minutes.get("gregoire", 0) == 0
    assert counted(rows=rows, until="2026-11-26T04:00").minutes == {"gregoire": 240}


HELD = held(TUESDAY + "18:00", TUESDAY + "22:00")
CHANGE = {"rota": "mardi", "date": "2026-11-24"}
AFTER = "2026-11-26T12:00"


@pytest.mark.parametrize(
    ("when", "changes", "minutes"),
    [
        (AFTER, {"rota": [{**ROTA[0], "gardien": "alice"}]}, 240),
        (AFTER, {"rota": [{**ROTA[0], "to": "20:00"}]}, 240),
        (AFTER, {"site_time_bank": {"rate": 0}}, 240),
        (AFTER, {"site_closures": [{"from": "2026-11-24", "to": "2026-11-24"}]}, 240),
        (AFTER, {"rota_changes": [CHANGE | {"gardien": None}]}, 0),
        (AFTER, {"rota_changes": [CHANGE | {"cancelled": True}]}, 0),
        (AFTER, {"rota_changes": [CHANGE | {"gardien": "alice"}]}, 0),
        (AFTER, {"rota_changes": [CHANGE | {"end": "20:00"}]}, 120),
        (TUESDAY + "23:00", {"rota": [{**ROTA[0], "to": "20:00"}]}, 120),
        (TUESDAY + "23:00", {"site_closures": [{"from": "2026-11-24", "to": "2026-11-24"}]}, 0),
    ],
)
def test_after_the_first_settlement_only_the_evening_s_own_change_counts(
    when: str, changes: dict[str, Any], minutes: int
) -> None:
    assert counted(then(MONDAY), then(when, **changes), rows=HELD).minutes.get("gregoire", 0) == minutes


def test_an_evening_that_comes_to_be_after_its_end_earns_nothing_and_one_that_is_taken_then_does() -> None:
    made = counted(then(MONDAY, rota=[]), then(TUESDAY + "22:00:01"), rows=HELD)
    assert made.entries == []
    just = counted(then(MONDAY, rota=[]), then(TUESDAY + "22:00"), rows=HELD)
    assert just.minutes == {"gregoire": 240}
    gap = then(MONDAY, rota_changes=[CHANGE | {"gardien": None}])
    assert counted(gap, then(AFTER), rows=HELD).minutes == {"gregoire": 240}
    off = then(MONDAY, rota_changes=[CHANGE | {"cancelled": True}])
    assert counted(off, then(AFTER), rows=HELD).minutes == {}


def test_a_single_shift_that_is_changed_or_removed_is_settled_again() -> None:
    single = {"id": "s", "gardien": "gregoire", "start": TUESDAY + "18:00", "end": TUESDAY + "22:00"}
    first = then(MONDAY, rota=[], shifts=[single])
    other = then(AFTER, rota=[], shifts=[single | {"gardien": "alice"}])
    alice = [row(TUESDAY + "18:00", inside=True, who="alice")]
    assert counted(first, other, rows=[*HELD, *alice]).minutes == {"gregoire": 0, "alice": 240}
    assert counted(first, then(AFTER, rota=[]), rows=HELD).minutes == {"gregoire": 0}
    put_off = then(AFTER, rota=[], shifts=[single | {"start": FRIDAY, "end": "2026-11-27T06:00"}])
    rows = [*HELD, row(FRIDAY, inside=True, received="2026-11-27T04:00:01")]
    assert counted(first, put_off, rows=rows).minutes == {"gregoire": 0}
    assert counted(first, put_off, rows=rows, until="2026-11-28T04:00").minutes == {"gregoire": 120}


@pytest.mark.parametrize(
    ("credit", "minutes"),
    [
        (ATTESTED, 60),
        (CREDIT, 0),
        (CREDIT | {"attested": "gregoire"}, 0),
        (CREDIT | {"attested": "remy"}, 0),
        (CREDIT | {"attested": "brigitte"}, 0),
        (CREDIT | {"attested": "nobody"}, 0),
        (ATTESTED | {"pair": "don"}, 0),
        (ATTESTED | {"minutes": -60}, -60),
        (ATTESTED | {"date": "2026-11-28"}, 0),
    ],
)
def test_a_credit_counts_that_somebody_vouches_for_who_may(credit: dict[str, Any], minutes: int) -> None:
    bank = counted(then(MONDAY, credits=[credit], stored=("k",)), rows=[])
    assert bank.minutes.get("gregoire", 0) == minutes


def test_a_credit_is_booked_when_its_day_begins_or_when_it_is_stored() -> None:
    early = counted(then(MONDAY, rota=[], credits=[ATTESTED], stored=("k",)), rows=[])
    assert [entry.at for entry in early.entries] == [at(TUESDAY + "04:00")]
    late = counted(then(MONDAY, rota=[]), then(AFTER, rota=[], credits=[ATTESTED], stored=("k",)), rows=[])
    assert [entry.at for entry in late.entries] == [at(AFTER)]


def test_a_credit_that_is_changed_or_removed_is_countered_at_once() -> None:
    first = then(MONDAY, rota=[], credits=[ATTESTED], stored=("k",))
    more = then(AFTER, rota=[], credits=[ATTESTED | {"minutes": 90}], stored=("k",))
    assert [entry.minutes for entry in counted(first, more, rows=[]).entries] == [60, -60, 90]
    unsigned = then(AFTER, rota=[], credits=[CREDIT], stored=("k",))
    assert [entry.minutes for entry in counted(first, unsigned, rows=[]).entries] == [60, -60]
    same = then(AFTER, rota=[], credits=[ATTESTED], stored=("k",))
    assert [entry.minutes for entry in counted(first, same, then(AFTER, rota=[]), rows=[]).entries] == [60, -60]


def test_a_gift_counts_whole_or_not_at_all() -> None:
    gift = ATTESTED | {"pair": "don"}
    back = gift | {"id": "l", "member": "brigitte", "minutes": -60}
    first = then(MONDAY, rota=[], credits=[gift], stored=("k",))
    whole = then(AFTER, rota=[], credits=[gift, back], stored=("l",))
    assert counted(first, whole, rows=[]).minutes == {"gregoire": 60, "brigitte": -60}
    assert {entry.at for entry in counted(first, whole, rows=[]).entries} == {at(AFTER)}
    three = then(AFTER, rota=[], credits=[gift, back, back | {"id": "m"}], stored=("l", "m"))
    assert counted(first, three, rows=[]).minutes == {}


def test_half_days_are_minted_after_all_entries_of_the_instant() -> None:
    first = then(MONDAY, tier="carnet", site_time_bank={"unit_minutes": 60, "valid_months": 1})
    bank = counted(first, rows=HELD)
    assert bank.minutes == {"gregoire": 0}
    units = bank.minted["gregoire"]
    assert [str(unit.valid_from) for unit in units] == ["2026-11-25"] * 4
    assert {str(unit.valid_until) for unit in units} == {"2026-12-31"}
    assert sum(entry.minutes for entry in bank.entries) == 0
    days = counted(then(MONDAY, tier="jour", site_time_bank={"unit_minutes": 110}), rows=HELD)
    assert (days.minutes, [unit.unit for unit in days.minted["gregoire"]]) == ({"gregoire": 20}, ["day"])


def test_a_hole_is_filled_before_the_next_half_day_and_none_is_taken_back() -> None:
    first = then(MONDAY, tier="carnet")
    taken = ATTESTED | {"minutes": -300, "date": "2026-11-25"}
    bank = counted(first, then(AFTER, tier="carnet", credits=[taken], stored=("k",)), rows=HELD)
    assert (bank.minutes, len(bank.minted["gregoire"])) == ({"gregoire": -300}, 1)


def carnet(name: str, last: str | None = None) -> dict[str, Any]:
    ends = {} if last is None else {"valid_until": last}
    return {"id": name, "member": "gregoire", "unit": "half_day", "total": 9, **ends}


def test_a_half_day_stands_before_what_ends_later_and_stays_there() -> None:
    terms = {"unit_minutes": 120, "valid_months": 1}
    carnets = [carnet("a", "2026-12-30"), carnet("b", "2026-12-31"), carnet("c")]
    first = then(MONDAY, tier="carnet", site_time_bank=terms, passes=carnets)
    bank = counted(first, rows=HELD)
    order = ["a", "garde/gregoire/1", "garde/gregoire/2", "b", "c"]
    assert [held.id for held in bank.passes] == order
    later = [carnet("b", "2026-11-30"), carnet("c"), carnet("d")]
    bank = counted(first, then(AFTER, tier="carnet", site_time_bank=terms, passes=later), rows=HELD)
    assert [held.id for held in bank.passes] == [*order[1:], "d"]


def test_an_order_keeps_what_stood_before_something() -> None:
    assert in_order(["a", "u", "b", "v"], ["b", "c"], ["u", "v"]) == ["u", "b", "v", "c"]
    assert in_order(["a", "u"], [], ["u"]) == ["u"]
    assert in_order(["u", "a"], ["x", "y"], ["u"]) == ["u", "x", "y"]
    assert in_order([], ["x", "y"], []) == ["x", "y"]


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [("2026-11-30", 0, None), ("2026-11-30", 1, "2026-12-31"), ("2026-12-01", 2, "2027-02-28")],
)
def test_a_unit_is_good_to_the_end_of_a_month(first: str, months: int, last: str | None) -> None:
    assert last_day(date.fromisoformat(first), months) == (None if last is None else date.fromisoformat(last))


def test_a_year_balances_whatever_came_late() -> None:
    """No minute is lost or made: what is booked is minted or in the bank, and each entry is undone once at most."""
    changes, rows, until = history(Random(3), years=1)
    bank = recount(changes, rows, until)
    units = sum(map(len, bank.minted.values()))
    came = sum(entry.minutes for entry in bank.entries if entry.source[0] != "unit")
    assert came == sum(bank.minutes.values()) + 240 * units
    undone = [entry.counters for entry in bank.entries if entry.counters is not None]
    assert undone
    assert len(set(undone)) == len(undone)
    assert all(bank.entries[number].minutes == -entry.minutes for entry in bank.entries if (number := entry.counters))
    late = max(row.received - row.move.at for row in rows)
    punctual = [Heard(row.move.at, row.member, row.move) for row in rows if row.move.at < until - late - DAY]
    kept = [row for row in rows if row.move.at < until - late - DAY]
    one, other = recount(changes, punctual, until), recount(changes, kept, until)
    assert {who: one.minutes[who] + 240 * len(one.minted[who]) for who in one.minutes} == {
        who: other.minutes[who] + 240 * len(other.minted[who]) for who in other.minutes
    }
