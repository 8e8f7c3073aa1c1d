"""The slow reading holds on the examples, its calendar is right, stories are valid and reach all reasons."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import days
from tests.oracle.knowledge import as_instant
from tests.oracle.reading import changed, read, removed
from tests.oracle.sites import can_book
from tests.oracle.stories import MOST_STEPS, histogram, story

EXAMPLES = sorted((Path(__file__).parent.parent / "scenarios").glob("*.json"))
PARIS = {"timezone": "Europe/Paris", "holidays": "FR"}
BOTH_TABLES = ["lockdown", "unknown_credential", "credential_blocked", "member_suspended", "membership_not_valid"]
BOTH_TABLES += ["rules_stale", "clock_untrusted", "outside_hours"]
DOOR = ["egress", "not_allowed_here", "staff", "already_inside", "own_shift", "pass_exhausted", "site_full", "always"]
DOOR += ["tier_hours", "staffed_hours", "gardien_present", "invited", "event", "gardien_grace"]
MACHINE = ["session_ended", "machine_reset", "machine_locked_out", "machine_busy", "not_certified", "not_inside"]
MACHINE += ["certification_expired", "outside_machine_hours", "companion_required", "booked_by_other"]
MACHINE += ["quota_exhausted", "booking", "walk_up"]
SEEDS = range(80)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_written_example_holds(path: Path) -> None:
    scenario = json.loads(path.read_text())
    for n, (step, answer) in enumerate(zip(scenario["steps"], read(scenario), strict=True)):
        for name, value in step.get("expect", {}).items():
            wanted = as_instant(value) if name == "until" and value else value
            assert answer[name] == wanted, f"step {n}: {name}"


def test_there_are_written_examples() -> None:
    assert len(EXAMPLES) >= 8


# --- the calendar ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local", "end", "wanted"),
    [
        ("2026-11-24T10:00", False, "2026-11-24T09:00+00:00"),
        ("2027-03-28T02:30", False, "2027-03-28T01:00+00:00"),
        ("2027-03-28T02:00", True, "2027-03-28T01:00+00:00"),
        ("2026-10-25T02:30", False, "2026-10-25T00:30+00:00"),
        ("2026-10-25T02:30", True, "2026-10-25T01:30+00:00"),
        ("2026-10-25T03:00", True, "2026-10-25T02:00+00:00"),
    ],
)
def test_a_local_time_that_is_skipped_or_repeated(local: str, end: bool, wanted: str) -> None:
    assert days.moment(PARIS, local, end=end) == datetime.fromisoformat(wanted)


def test_a_jump_of_half_an_hour() -> None:
    lord_howe = {"timezone": "Australia/Lord_Howe"}
    jump = days.moment(lord_howe, "2026-10-04T02:10", end=False)
    assert jump == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)


def test_a_site_day_begins_at_the_cutoff() -> None:
    assert days.site_day(PARIS, as_instant("2026-11-25T03:59:59+01:00")) == date(2026, 11, 24)
    assert days.site_day(PARIS, as_instant("2026-11-25T04:00+01:00")) == date(2026, 11, 25)


def test_a_repeated_cutoff_is_the_first() -> None:
    site = {**PARIS, "day_cutoff": "02:30"}
    assert days.site_day(site, as_instant("2026-10-25T02:29:59+02:00")) == date(2026, 10, 24)
    assert days.site_day(site, as_instant("2026-10-25T02:00+01:00")) == date(2026, 10, 25)


def test_the_afternoon_lasts_until_the_cutoff() -> None:
    assert days.half_day(PARIS, as_instant("2026-11-24T12:59:59+01:00")) == "am"
    assert days.half_day(PARIS, as_instant("2026-11-24T13:00+01:00")) == "pm"
    assert days.half_day(PARIS, as_instant("2026-11-25T03:00+01:00")) == "pm"


def test_hours_past_midnight_belong_to_the_date_on_which_they_start() -> None:
    site = {**PARIS, "staff_hours": {"tue": [["22:00", "02:00"]], "wed": [["22:00", "02:00"]]}}
    assert days.is_staffed(site, as_instant("2026-11-11T01:59:59+01:00"))
    assert not days.is_staffed(site, as_instant("2026-11-11T23:00+01:00")), "Armistice Day"
    assert not days.is_staffed(site, as_instant("2026-11-12T01:00+01:00")), "still the hours of Armistice Day"
    assert not days.is_staffed(site, as_instant("2026-11-25T02:00+01:00"))


def test_an_opening_wins_over_holiday_and_closure() -> None:
    site = {**PARIS, "closures": [{"from": "2026-11-10", "to": "2026-11-12"}]}
    site |= {
        "staff_hours": {"thu": [["09:00", "18:00"]]},
        "openings": [{"date": "2026-11-11", "hours": [["10:00", "12:00"]]}],
    }
    assert days.is_staffed(site, as_instant("2026-11-11T11:00+01:00"))
    assert not days.is_staffed(site, as_instant("2026-11-12T11:00+01:00"))
    assert days.is_staffed(site, as_instant("2026-11-19T11:00+01:00"))


def test_holidays_of_a_subdivision() -> None:
    assert days.is_holiday({"holidays": "FR-57"}, date(2026, 12, 26))
    assert not days.is_holiday(PARIS, date(2026, 12, 26))
    assert not days.is_holiday({}, date(2026, 12, 25))


def test_hours_that_touch_count_as_one() -> None:
    week = {"tue": [["09:00", "12:00"], ["12:00", "00:00"]], "wed": [["00:00", "05:00"]]}
    assert days.hours_end(PARIS, week, as_instant("2026-11-24T10:00+01:00")) == as_instant("2026-11-25T05:00+01:00")
    always = {name: [["00:00", "00:00"]] for name in days.WEEKDAYS}
    assert days.hours_end(PARIS, always, as_instant("2026-11-24T10:00+01:00")) is None


def test_a_week_with_the_change_of_the_clock_has_an_hour_more() -> None:
    first, last = days.period(PARIS, "week", as_instant("2026-10-25T12:00+01:00"))
    assert last - first == timedelta(days=7, hours=1)
    assert days.period(PARIS, "month", last)[0] == as_instant("2026-10-01T00:00+02:00")


# --- what the examples do not show -------------------------------------------------------------------------------


def workshop(steps: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    """Read steps at a door and two printers that never close; Ana and Bo have a minute of quota, or what is given."""
    machine = {"kind": "printer", **more.pop("machine", {})}
    bundle = {
        "site": {"id": "s", "name": "S", **PARIS},
        "access_points": [{"id": "door", "readers": {"in": "in", "out": "out"}}],
        "tiers": [{"id": "t", "grounds": ["always"]}],
        "members": [{"id": name, "name": name, "tier": "t"} for name in ("ana", "bo")],
        "credentials": [{"uid": "0A0A0A0A", "member": "ana"}, {"uid": "0B0B0B0B", "member": "bo"}],
        "certifications": [{"member": name, "kind": "printer"} for name in ("ana", "bo")],
        "machines": [{"id": name, "reader": name, **machine} for name in ("p1", "p2")],
        "quotas": [{"kind": "printer", "minutes": 1, "period": "week"}],
        **more,
    }
    return read({"bundle": bundle, "start": "2026-11-24T08:00+01:00", "steps": steps})


def at(clock: str, **what: Any) -> dict[str, Any]:
    """A step on a Tuesday."""
    return {"at": f"2026-11-24T{clock}+01:00", **what}


def tap(clock: str, reader: str, uid: str = "0A0A0A0A") -> dict[str, Any]:
    """A tap on a Tuesday."""
    return at(clock, tap={"reader": reader, "uid": uid})


def test_two_sessions_share_the_quota() -> None:
    taps = [tap("10:00:00", "in"), tap("10:00:01", "p1"), tap("10:00:10", "p2")]
    _, first, second = workshop(taps)
    assert first["until"] == as_instant("2026-11-24T10:01:01+01:00")
    assert second["until"] == as_instant("2026-11-24T10:00:35+01:00"), "51 s are left, 25 for each"


def test_a_new_week_brings_a_fresh_quota() -> None:
    sunday = "2026-11-29T23:59:30+01:00"
    steps = [{"at": sunday, "tap": {"reader": reader, "uid": "0a0a0a0a"}} for reader in ("in", "p1")]
    assert workshop(steps)[1]["until"] == as_instant("2026-11-30T00:01:00+01:00")


def test_a_warn_session_overruns_and_uses_up_the_quota() -> None:
    steps = [tap("10:00", "in"), tap("10:01", "p1"), at("10:03", expect={"running": {"p1": None}})]
    steps += [tap("10:04", "p1"), tap("10:04:05", "p1"), tap("10:04:06", "p1")]
    answers = workshop(steps)
    assert answers[2]["running"] == {"p1": "ana"}
    assert [answer["reason"] for answer in answers[3:]] == ["session_ended", "session_ended", "quota_exhausted"]


def test_a_cut_session_ends_at_until_in_every_view() -> None:
    steps = [tap("10:00", "in"), tap("10:01", "p1"), at("10:01:10", link={"edge": "p1", "up": False})]
    asked = {"running": {"p1": None}, "quota_left": {"ana:printer": 0}}
    steps += [at("10:01:59", expect=asked), at("10:02", expect=asked), tap("10:02", "p1")]
    answers = workshop(steps, machine={"on_end": "cut", "attended": False})
    assert answers[3] == {"running": {"p1": "ana"}, "quota_left": {"ana:printer": 1}}
    assert answers[4] == {"running": {"p1": None}, "quota_left": {"ana:printer": 0}}
    assert answers[5]["reason"] == "quota_exhausted"


@pytest.mark.parametrize(("clock", "reason"), [("11:14:59", "booked_by_other"), ("11:15:00", "walk_up")])
def test_an_unused_booking_is_released(clock: str, reason: str) -> None:
    booking = {"id": "b", "machine": "p1", "member": "bo", "start": "2026-11-24T11:00", "end": "2026-11-24T12:00"}
    assert workshop([tap("10:59", "in"), tap(clock, "p1")], bookings=[booking])[1]["reason"] == reason


def test_a_refusal_as_busy_keeps_a_booking() -> None:
    booking = {"id": "b", "machine": "p1", "member": "bo", "start": "2026-11-24T11:00", "end": "2026-11-24T12:00"}
    steps = [tap("10:58", "in"), tap("10:58", "in", "0B0B0B0B"), tap("10:59", "p1")]
    steps += [tap("11:10", "p1", "0B0B0B0B"), tap("11:16", "p1"), tap("11:17", "p1"), tap("11:18", "p1", "0B0B0B0B")]
    reasons = [answer["reason"] for answer in workshop(steps, bookings=[booking], quotas=[])[3:]]
    assert reasons == ["machine_busy", "session_ended", "booked_by_other", "booking"]


def test_others_learn_of_a_session_that_a_power_cut_ended_when_power_and_link_are_back() -> None:
    steps = [tap("10:00", "in"), tap("10:01", "p1"), at("10:01:20", power={"edge": "p1", "up": False})]
    steps += [tap("10:01:30", "p1"), at("10:01:30", expect={"running": {"p1": None}})]
    steps += [at("10:01:40", power={"edge": "p1", "up": True})]
    steps += [at("10:01:40", expect={"running": {"p1": None}, "quota_left": {"ana:printer": 0}})]
    answers = workshop(steps)
    assert answers[3] == {}, "no power, no decision"
    assert answers[4]["running"] == {"p1": "ana"}
    assert answers[6] == {"running": {"p1": None}, "quota_left": {"ana:printer": 40}}


def test_an_emergency_stop_without_power_is_found() -> None:
    steps = [tap("10:00", "in"), at("10:01", power={"edge": "p1", "up": False}), at("10:02", estop={"machine": "p1"})]
    steps += [at("10:03", power={"edge": "p1", "up": True}), tap("10:04", "p1"), tap("10:04", "p2")]
    assert [answer["reason"] for answer in workshop(steps)[4:]] == ["machine_locked_out", "walk_up"]


def test_of_an_in_and_an_out_at_one_instant_the_out_counts() -> None:
    steps = [tap("10:00", "out"), tap("10:00", "in"), at("10:00", expect={"inside": []})]
    assert workshop(steps)[2] == {"inside": []}


# --- stories -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def counts() -> Counter[str]:
    return histogram(SEEDS)


@pytest.mark.parametrize("reason", [*BOTH_TABLES, *DOOR])
def test_stories_reach_each_reason_of_a_door(counts: Counter[str], reason: str) -> None:
    assert counts[f"door {reason}"] > 0


@pytest.mark.parametrize("reason", [*BOTH_TABLES, *MACHINE])
def test_stories_reach_each_reason_of_a_machine(counts: Counter[str], reason: str) -> None:
    assert counts[f"machine {reason}"] > 0


def test_a_seed_always_gives_the_same_story_and_reading() -> None:
    assert story(7) == story(7) != story(8)
    assert json.loads(json.dumps(story(7))) == story(7)
    assert read(story(7)) == read(story(7))


@pytest.mark.parametrize("seed", range(12))
def test_reading_leaves_the_scenario_alone(seed: int) -> None:
    scenario = story(seed)
    before = json.dumps(scenario)
    read(scenario)
    assert json.dumps(scenario) == before


@pytest.mark.parametrize("seed", range(40))
def test_a_story_is_a_valid_scenario(seed: int) -> None:
    scenario = story(seed)
    steps = scenario["steps"]
    assert 10 <= len(steps) <= MOST_STEPS
    instants = [as_instant(scenario["start"])]
    for step in steps:
        assert as_instant(step["at"]) >= instants[-1]
        instants.append(as_instant(step["at"]) + timedelta(seconds=step.get("taps", 1) - 1))
        assert len(set(step) - {"at", "taps"}) == 1
    places = [place["id"] for place in scenario["bundle"]["access_points"] + scenario["bundle"]["machines"]]
    edges = scenario.get("edges", {place: [place] for place in places})
    assert sorted(place for ids in edges.values() for place in ids) == sorted(places)
    assert {step[kind]["edge"] for kind in ("link", "power") for step in steps if kind in step} <= set(edges)
    bundle = scenario["bundle"]
    for step in [{}, *steps]:
        bundle = changed(bundle, step.get("change", {}))
        bundle = removed(bundle, step.get("remove", {}))
        check(bundle)


def check(bundle: dict[str, Any]) -> None:
    """The errors that the file format names."""
    members = {member["id"] for member in bundle["members"]}
    machines = {machine["id"] for machine in bundle["machines"]}
    uids = [credential["uid"].upper() for credential in bundle["credentials"]]
    assert len(set(uids)) == len(uids)
    assert {len(uid) for uid in uids} <= {8, 14, 20}
    assert {member["tier"] for member in bundle["members"]} <= {tier["id"] for tier in bundle["tiers"]}
    named = [thing["member"] for name in ("credentials", "passes", "invitations") for thing in bundle[name]]
    named += [thing["member"] for name in ("certifications", "bookings") for thing in bundle[name]]
    assert {*named, *(shift["gardien"] for shift in bundle["shifts"])} <= members
    assert {booking["machine"] for booking in bundle["bookings"]} <= machines
    for thing in bundle["shifts"] + bundle["events"] + bundle["invitations"] + bundle["bookings"]:
        start = days.moment(bundle["site"], thing["start"], end=False)
        assert start < days.moment(bundle["site"], thing["end"], end=True)
    assert all(can_book(bundle["site"], bundle["bookings"], booking) for booking in bundle["bookings"])
    if bundle["site"].get("anti_passback") == "hard":
        assert all("out" in door["readers"] for door in bundle["access_points"])
