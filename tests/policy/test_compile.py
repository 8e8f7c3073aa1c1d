"""From a bundle to what an edge looks up."""

import random
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.compile import PAST_DAYS, EdgeKey, shift_table
from policy.ruleset import AntiPassback, Credential, Ground, Member, Pass, Reader, RuleSet, Tier, Unit
from policy.spans import covers, end_of
from policy.terms import DAY, HOUR, MINUTE, Direction, Instant
from policy.units import name_at, start_at
from tests.support_policy import EDGES, PARIS, TUESDAY, at, badge, compiled, fablab, in_paris, read, ruling, site
from wire.ruleset import pack, unpack

NOON = at(TUESDAY + "12:00")


def staffed_on(rules: RuleSet, day: str) -> bool:
    return covers(rules.staffed, at(day + "T10:00"))


def test_tables_of_the_small_site() -> None:
    rules = ruling()
    assert rules.site == "casaco"
    assert rules.tiers["studio"] == Tier((Ground.STAFFED, Ground.HELD), access_points=("front",))
    assert rules.tiers["resident"] == Tier((Ground.ALWAYS,))
    assert rules.members["gregoire"] == Member("nomad", gardien=True)
    assert rules.members["alice"] == Member("nomad", staff=True)
    assert rules.credentials[badge("04A11CE0")] == Credential("alice")
    assert rules.edges == {"front": "ab" * 32}


def test_readers_know_their_door_their_way_and_the_edge_that_owns_them() -> None:
    assert ruling().readers == {
        "front-in": Reader("front", Direction.IN, "front"),
        "front-out": Reader("front", Direction.OUT, "front"),
        "garage-in": Reader("garage", Direction.IN, None),
    }


def test_an_edge_may_own_several_doors_but_no_door_has_two_edges() -> None:
    one = {"hall": EdgeKey("cd" * 32, ("front", "garage", "a door that was removed"))}
    owners = {reader.edge for reader in compiled(read(site()), NOON, edges=one).readers.values()}
    assert owners == {"hall"}
    fab = compiled(read(fablab()), NOON, edges={"workshop": EdgeKey("ef" * 32, ("prusa",))}).readers
    assert {reader.edge for reader in fab.values() if reader.access_point == "prusa"} == {"workshop"}
    assert {reader.edge for reader in fab.values() if reader.access_point != "prusa"} == {None}
    with pytest.raises(ValueError, match=r"access point 'front' is owned by the edges 'front' and 'hall'"):
        compiled(read(site()), NOON, edges={**EDGES, **one})


def test_last_days_become_the_first_instant_after_their_site_day() -> None:
    members = [{"id": "lea", "name": "L", "tier": "nomad", "valid_from": "2026-10-25", "valid_until": "9999-12-31"}]
    credentials = [{"uid": "04ff0000", "member": "lea", "status": "returned", "valid_until": "2026-10-24"}]
    rules = ruling(members=members, credentials=credentials, shifts=[])
    start = at("2026-10-25T04:00+01:00")
    assert rules.members["lea"] == Member("nomad", valid_from=start, valid_until=None)
    assert rules.credentials[badge("04FF0000")] == Credential("lea", blocked=True, valid_until=start)


def test_staff_hours_reach_from_some_days_before_to_a_month_beyond_the_days_that_an_edge_may_be_alone() -> None:
    always = {day: [["09:00", "18:00"]] for day in DAYS}
    rules = compiled(read(site(site_staff_hours=always, site_offline_days=7)), NOON)
    dates = [date(2026, 11, 24) + timedelta(days=number) for number in range(-10, 60)]
    staffed = [day for day in dates if staffed_on(rules, day.isoformat())]
    assert (staffed[0], staffed[-1]) == (date(2026, 11, 21), date(2026, 11, 24) + timedelta(days=7 + 31))
    assert rules.days[0] <= NOON - PAST_DAYS * DAY


@pytest.mark.parametrize("hours", [{day: [["00:00", "24:00"]] for day in ("thu", "fri", "sat")}])
def test_no_hours_shifts_events_or_invitations_hold_beyond_the_calendar(hours: dict[str, Any]) -> None:
    """Nor is one that began before it held on to: all end at the last of the site days."""
    window = {"start": "2026-12-30T12:00", "end": "2027-12-30T12:00"}
    rules = ruling(
        site_staff_hours=hours,
        site_offline_days=7,
        tiers=[{**tier, "hours": hours} for tier in site()["tiers"]],
        shifts=[{"id": "s", "gardien": "gregoire", **window}, {"id": "t", "gardien": "gregoire", **FAR}],
        events=[{"id": "e", "title": "E", "audience": "public", "free": True, **window}],
        invitations=[{"id": "i", "member": "remy", **window}],
        machines=[{"id": "laser", "kind": "laser", "reader": "laser-reader", "hours": hours}],
    )
    end = at("2027-01-02T04:00")
    events = [places.at["front"] for places in (rules.events, rules.free_events, rules.public_events)]
    known = [rules.staffed, rules.tiers["nomad"].hours, rules.machines["laser"].hours, rules.shifts["gregoire"]]
    for spans in [*known, *events, rules.events.anywhere, rules.invitations["remy"].at["front"]]:
        assert spans is not None
        assert (covers(spans, end - 1), spans[-1]) == (True, end)


FAR = {"start": "2027-06-01T10:00", "end": "2027-06-01T12:00"}


def test_the_starts_of_site_days_are_known_for_longer_than_a_year_through_summer_and_winter() -> None:
    rules = ruling()
    for number in range(-3, 401):
        day = date(2026, 11, 24) + timedelta(days=number)
        start, noon = in_paris(f"{day}T04:00"), in_paris(f"{day}T13:00")
        assert [rules.day_start(start - 1) < start, rules.day_start(start), rules.day_start(noon)] == [
            True,
            start,
            start,
        ]
        assert [name_at(rules, Unit.HALF_DAY, when) for when in (start, noon - 1, noon, rules.day_end(noon) - 1)] == [
            f"{day}{half}" for half in ("am", "am", "pm", "pm")
        ]
    assert len(rules.days) < 10


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def test_hours_past_midnight_touch_those_of_the_next_day() -> None:
    rules = ruling(site_staff_hours={"tue": [["18:00", "02:00"]], "wed": [["02:00", "05:00"]]})
    inside = [covers(rules.staffed, at(f"2026-11-25T0{hour}:00")) for hour in (0, 1, 2, 4, 5)]
    assert inside == [True, True, True, True, False]
    assert not covers(rules.staffed, at(TUESDAY + "01:00"))


def test_a_holiday_a_closure_and_an_opening_over_both() -> None:
    def holidays(year: int) -> set[date]:
        return {date(year, 12, 25), date(year, 1, 1)}

    changes: dict[str, Any] = {
        "site_closures": [{"from": "2026-12-28", "to": "2026-12-29"}],
        "site_openings": [{"date": "2026-12-29", "hours": [["10:00", "11:00"]]}],
    }
    rules = compiled(read(site(**changes)), at("2026-12-22T12:00"), holidays=holidays)
    days = ["2026-12-24", "2026-12-25", "2026-12-28", "2026-12-29", "2026-12-30", "2027-01-01", "2027-01-04"]
    assert [staffed_on(rules, day) for day in days] == [True, False, False, True, True, False, True]
    assert not covers(rules.staffed, at("2026-12-29T11:00"))


def test_shifts_with_lead_and_grace_merge_for_each_gardien() -> None:
    hours = [("18:00", "20:00"), ("20:40", "22:00"), ("23:00", "23:30")]
    shifts = [
        {"id": f"s{number}", "gardien": "gregoire", "start": TUESDAY + start, "end": TUESDAY + end}
        for number, (start, end) in enumerate(hours)
    ]
    rules = ruling(shifts=shifts, site_shift_lead=30, site_shift_grace=10)
    expected = [at(TUESDAY + hour) for hour in ("17:30", "22:10", "22:30", "23:40")]
    assert rules.shifts == {"gregoire": tuple(expected)}


def test_shifts_beyond_the_calendar_are_left_out_and_those_long_past_are() -> None:
    days = ("2026-11-20", "2026-11-22", "2027-01-07", "2027-01-10")
    shifts = [{"id": day, "gardien": "gregoire", "start": f"{day}T18:00Z", "end": f"{day}T22:00Z"} for day in days]
    starts = ruling(shifts=shifts).shifts["gregoire"][::2]
    assert starts == tuple(at(f"{day}T17:30Z") for day in days[1:3])


def test_only_members_with_the_role_have_shifts_and_each_of_those_is_a_member() -> None:
    shifts = [
        {"id": who, "gardien": who, "start": TUESDAY + "18:00", "end": TUESDAY + "22:00"} for who in ("remy", "alice")
    ]
    assert ruling(shifts=shifts).shifts == {}


def test_a_shift_that_the_jump_of_the_clocks_swallows_keeps_its_lead_and_grace() -> None:
    shifts = [{"id": "s", "gardien": "gregoire", "start": "2026-03-29T02:10", "end": "2026-03-29T02:50"}]
    jump = at("2026-03-29T01:00Z")
    bundle = read(site(shifts=shifts))
    assert compiled(bundle, jump).shifts == {"gregoire": (jump - 30 * MINUTE, jump + 15 * MINUTE)}
    assert shift_table(bundle, zone=PARIS, holidays=lambda year: (), since=0) == {}


def test_a_shift_over_the_night_on_which_the_clocks_go_back() -> None:
    shifts = [{"id": "s", "gardien": "gregoire", "start": "2026-10-25T01:30", "end": "2026-10-25T02:30"}]
    table = shift_table(read(site(shifts=shifts)), zone=PARIS, holidays=lambda year: (), since=0)
    assert table == {"gregoire": (at("2026-10-24T23:30Z"), at("2026-10-25T01:30Z"))}


def test_how_the_site_decides() -> None:
    plain = ruling()
    assert (plain.capacity, plain.full_denies, plain.anti_passback, plain.adhoc) == (None, False, AntiPassback.OFF, 0)
    assert (plain.shift_lead, plain.shift_grace) == (30 * MINUTE, 15 * MINUTE)
    changes: dict[str, Any] = {"capacity": 40, "at_capacity": "deny", "anti_passback": "hard", "adhoc_hours": 3}
    changes |= {"shift_lead": 5, "shift_grace": 0}
    doors = [{"id": "front", "readers": {"in": "front-in", "out": "front-out"}}]
    rules = ruling(access_points=doors, **{f"site_{key}": value for key, value in changes.items()})
    assert (rules.capacity, rules.full_denies, rules.anti_passback) == (40, True, AntiPassback.HARD)
    assert (rules.shift_lead, rules.shift_grace, rules.adhoc) == (5 * MINUTE, 0, 3 * HOUR)
    assert ruling(site_anti_passback="soft").anti_passback == AntiPassback.SOFT


def test_roles_of_members() -> None:
    members = [{"id": "fa", "name": "F", "tier": "nomad", "roles": ["fab_manager", "staff", "gardien"]}]
    credentials = [{"uid": "04ff0000", "member": "fa"}]
    rules = ruling(members=members, credentials=credentials, shifts=[])
    assert rules.members["fa"] == Member("nomad", staff=True, gardien=True, fab_manager=True)


def tier(**fields: Any) -> Tier:
    tiers = [*site()["tiers"], {"id": "own", "grounds": ["hours", "always"], **fields}]
    return ruling(tiers=tiers).tiers["own"]


def test_the_hours_of_a_tier_know_no_holidays_but_the_clocks() -> None:
    tiers = [*site()["tiers"], {"id": "own", "grounds": ["hours"], "hours": {"sun": [["01:00", "04:00"]]}}]
    bundle = read(site(tiers=tiers, site_closures=[{"from": "2026-10-25", "to": "2026-10-25"}]))
    rules = compiled(bundle, at("2026-10-24T12:00Z"), holidays=lambda year: {date(2026, 10, 25)})
    hours = rules.tiers["own"].hours
    assert end_of(hours, at("2026-10-24T23:00Z")) == at("2026-10-25T03:00Z")


def test_the_hours_of_a_tier_past_midnight() -> None:
    hours = tier(hours={"tue": [["18:00", "02:00"]], "wed": [["02:00", "03:00"]]}).hours
    assert end_of(hours, at(TUESDAY + "18:00")) == at("2026-11-25T03:00")
    assert not covers(hours, at(TUESDAY + "17:59"))


def test_grounds_in_the_order_of_the_table_and_what_an_entry_costs() -> None:
    assert tier().grounds == (Ground.ALWAYS, Ground.HOURS)
    assert [tier(**{"pass": unit}).unit for unit in ("none", "day", "half_day")] == [None, Unit.DAY, Unit.HALF_DAY]
    assert tier(access_points=["garage", "front", "garage"]).access_points == ("front", "garage")
    assert tier(access_points=[]).access_points == ()


def test_half_days_split_where_the_site_says() -> None:
    rules = ruling(site_half_day_split="14:30")
    assert {split - day for day, split in zip(rules.days, rules.splits, strict=True)} == {10 * HOUR + 30 * MINUTE}


def test_a_split_before_the_cutoff_is_in_the_night_that_ends_the_day() -> None:
    rules = ruling(site_half_day_split="02:00")
    evening = at(TUESDAY + "23:00")
    moments = (evening, *(at(f"2026-11-25T{hour}") for hour in ("02:00", "03:59", "04:00")))
    halves = ["2026-11-24am", "2026-11-24pm", "2026-11-24pm", "2026-11-25am"]
    assert [name_at(rules, Unit.HALF_DAY, moment) for moment in moments] == halves


def test_a_split_at_the_cutoff_leaves_no_morning() -> None:
    rules = ruling(site_half_day_split="04:00")
    assert rules.splits == rules.days
    assert name_at(rules, Unit.HALF_DAY, at(TUESDAY + "09:00")) == "2026-11-24pm"


def test_days_and_splits_where_the_clocks_change() -> None:
    rules = compiled(read(site(site_day_cutoff="02:30")), at("2026-10-24T12:00Z"))
    assert at("2026-10-25T00:30Z") in rules.days
    spring = compiled(read(site(site_day_cutoff="02:30")), at("2026-03-28T12:00Z"))
    assert at("2026-03-29T01:00Z") in spring.days
    assert at("2026-03-29T11:00Z") in spring.splits


def test_passes_of_the_tier_s_unit_in_the_order_given() -> None:
    tiers = [{"id": "nomad", "grounds": [], "pass": "half_day"}, *site()["tiers"][::2]]
    passes = [
        {"id": "b", "member": "brigitte", "unit": "half_day", "total": 3, "used": ["2026-11-20pm", "2026-11-20am"]},
        {"id": "d", "member": "brigitte", "unit": "day", "total": 3},
        {"id": "a", "member": "brigitte", "unit": "half_day", "total": 0, "valid_until": "2026-11-24"},
        {"id": "r", "member": "remy", "unit": "day", "total": 1},
    ]
    assert ruling(tiers=tiers, passes=passes).passes == {
        "brigitte": (Pass(3, ("2026-11-20am", "2026-11-20pm")), Pass(0, valid_until="2026-11-24"))
    }


def test_a_day_paid_twice_by_one_pass_is_one_day() -> None:
    tiers = [{"id": "nomad", "grounds": [], "pass": "day"}, *site()["tiers"][::2]]
    twice = {"id": "b", "member": "brigitte", "unit": "day", "total": 3, "used": ["2026-11-20", "2026-11-20"]}
    assert ruling(tiers=tiers, passes=[twice]).passes == {"brigitte": (Pass(3, ("2026-11-20",)),)}


def test_no_name_and_no_uid_is_in_what_travels() -> None:
    travelling = repr(ruling())
    assert "Grégoire" not in travelling
    assert "04b10000" not in travelling.lower()


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_bundle_is_irrelevant_to_the_byte(chance: random.Random) -> None:
    later = {"id": "s2", "gardien": "gregoire", "start": "2026-11-26T18:00", "end": "2026-11-26T22:00"}
    given_ = site(
        shifts=[*site()["shifts"], later],
        tiers=[*site()["tiers"], {"id": "both", "grounds": ["held", "staffed"], "access_points": ["garage", "front"]}],
    )
    shuffled = {
        key: chance.sample(value, len(value)) if isinstance(value, list) else value for key, value in given_.items()
    }
    shuffled["tiers"] = [
        {key: chance.sample(value, len(value)) if isinstance(value, list) else value for key, value in tier.items()}
        for tier in shuffled["tiers"]
    ]
    assert pack(compiled(read(shuffled), NOON)) == pack(compiled(read(given_), NOON))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 366 * 24 * 60))
def test_whenever_it_is_compiled_the_spans_rise_and_cover_now(minutes: int) -> None:
    now: Instant = at("2026-01-01T00:00") + minutes * MINUTE
    rules = compiled(read(site()), now)
    for spans in (rules.days, rules.staffed, *rules.shifts.values()):
        assert list(spans) == sorted(set(spans))
    assert rules.day_start(now) <= now < rules.day_start(now) + 25 * HOUR
    assert now < rules.day_end(now) <= rules.day_start(now) + 25 * HOUR
    assert rules.day_start(now) <= start_at(rules, Unit.HALF_DAY, now) <= now


def members(count: int) -> dict[str, Any]:
    chance = random.Random(count)
    return site(
        members=[
            {
                "id": f"member-{number}",
                "name": "N",
                "tier": chance.choice(["nomad", "resident"]),
                "roles": ["gardien"] if number < 8 else [],
                "valid_until": f"2027-{chance.randint(1, 12):02}-28",
            }
            for number in range(count)
        ],
        credentials=[{"uid": chance.randbytes(7).hex(), "member": f"member-{number}"} for number in range(count)],
        shifts=[
            {
                "id": f"s{number}",
                "gardien": f"member-{number % 8}",
                "start": f"2026-12-{number % 28 + 1:02}T18:00",
                "end": f"2026-12-{number % 28 + 1:02}T22:00",
            }
            for number in range(200)
        ],
    )


def test_10_000_members_compile() -> None:
    rules = compiled(read(members(10_000)), NOON)
    assert len(rules.credentials) == 10_000


def test_148_members_travel_in_some_five_kilobytes_and_come_back_equal() -> None:
    rules = compiled(read(members(148)), NOON)
    assert len(pack(rules)) < 6000
    assert unpack(pack(rules)) == rules
