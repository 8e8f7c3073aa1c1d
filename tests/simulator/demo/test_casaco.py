"""Is the demo's site the place that the project is built for?"""

from collections import Counter
from datetime import date, timedelta
from random import Random

import msgspec
import pytest

from policy.bundle import Bundle, Role
from simulator.demo import casaco, names
from simulator.demo.cast import Cast
from simulator.demo.people import BY_DAY, BY_HALF_DAY, in_turn

TUESDAY = date(2026, 11, 24)
BUNDLE = casaco.bundle(TUESDAY)
ACTIVE = [m for m in BUNDLE.members if m.status == "active" and m.valid_until is None and m.valid_from < TUESDAY]


def test_it_has_the_figures_of_the_place() -> None:
    assert len(ACTIVE) == 148
    women = sum(member.name.split()[0] in names.WOMEN for member in ACTIVE)
    assert round(100 * women / len(ACTIVE)) == 47
    assert Counter(member.tier for member in ACTIVE) == Counter(casaco.ACTIVE)
    assert BUNDLE.site.capacity == 100


def test_staff_and_gardiens_are_members_with_a_role() -> None:
    assert 4 <= sum(Role.STAFF in member.roles for member in ACTIVE) <= 9
    gardiens = [member for member in ACTIVE if Role.GARDIEN in member.roles]
    assert len(gardiens) == 8
    assert {member.tier for member in gardiens} == {"resident", "nomade"}


def test_people_have_names_of_their_own_and_ids_that_tell_nothing() -> None:
    called = [member.name for member in BUNDLE.members]
    assert len(set(called)) == len(called)
    assert not set(names.WOMEN) & set(names.MEN)
    assert all(member.id == f"m{number:03}" for number, member in enumerate(BUNDLE.members, 1))


def test_badges_are_of_both_lengths_and_some_are_lost() -> None:
    uids = [bytes.fromhex(credential.uid) for credential in BUNDLE.credentials]
    assert len(set(uids)) == len(uids)
    assert {4, 7} == {len(uid) for uid in uids}
    assert not [uid for uid in uids if uid[0] in (0x08, 0x88)], "random and cascade UIDs are nobody's"
    assert Counter(c.status for c in BUNDLE.credentials if c.status != "active") == {
        "lost": 2,
        "stolen": 1,
        "returned": 1,
    }


def test_a_carnet_has_fifteen_half_days_or_ten_days_and_nobody_has_more_than_three() -> None:
    assert {(held.unit, held.total) for held in BUNDLE.passes} == {("half_day", 15), ("day", 10)}
    holders = {member.id for member in ACTIVE if member.tier.startswith("carnet")}
    assert Counter(held.member for held in BUNDLE.passes) == dict.fromkeys(holders, 3)
    assert not any(held.used for held in BUNDLE.passes), "what is used is what the door's rows say"


def test_nobody_comes_more_often_than_their_carnets_pay_for() -> None:
    came: Counter[str] = Counter()
    for on in (TUESDAY + timedelta(days=offset) for offset in range(-28, 7 * casaco.WEEKS_AHEAD)):
        cast = Cast(BUNDLE, Random(1), on)
        for tier, count in (("carnet-jour", BY_DAY), ("carnet-demi", sum(BY_HALF_DAY))) if casaco.works(on) else ():
            came.update(member.id for member in in_turn(cast, tier, count))
    units: Counter[str] = Counter()
    for held in BUNDLE.passes:
        units[held.member] += held.total
    assert all(0 < came[who] <= units[who] for who in units)


def test_it_has_a_fablab_and_a_talk_every_week() -> None:
    assert {machine.name for machine in BUNDLE.machines} == {"Fraiseuse CNC", "Imprimante 1", "Imprimante 2"}
    trained = {held.member for held in BUNDLE.certifications}
    assert {m.id for m in ACTIVE if m.tier == "fabriqueur"} < trained
    assert 40 <= len(trained) <= 55
    talks = [date.fromisoformat(event.start[:10]) for event in BUNDLE.events]
    assert len(talks) > 20
    assert all(day.weekday() == 3 and casaco.works(day) for day in talks)
    assert not [part for part in (*BUNDLE.tiers, *BUNDLE.access_points, *BUNDLE.machines) if not part.name]


def test_it_is_the_same_site_for_the_same_date_and_another_for_another_seed() -> None:
    assert casaco.bundle_json(TUESDAY) == casaco.bundle_json(TUESDAY)
    assert casaco.bundle(TUESDAY, seed=2).members != BUNDLE.members


def test_it_reads_back_from_its_file() -> None:
    assert msgspec.json.decode(casaco.bundle_json(TUESDAY), type=Bundle) == BUNDLE


def test_each_working_evening_is_held_and_some_are_not_to_the_end() -> None:
    ends: dict[str, str] = {}
    for shift in BUNDLE.shifts:
        ends[shift.start[:10]] = max(shift.end[11:], ends.get(shift.start[:10], ""))
    working = [TUESDAY + timedelta(days=offset) for offset in range(150)]
    held = [ends[day.isoformat()] for day in working if casaco.works(day)]
    assert min(held) >= "20:00"
    assert Counter(end < "22:00" for end in held)[True] > 20


def test_the_gardiens_share_the_shifts() -> None:
    turns = Counter(shift.gardien for shift in BUNDLE.shifts)
    assert len(turns) == 8
    assert max(turns.values()) - min(turns.values()) <= 1


def test_the_bank_begins_with_the_paper_book_each_line_vouched_for_by_another() -> None:
    lines, staff = BUNDLE.credits, {one.id for one in BUNDLE.members if Role.STAFF in one.roles}
    assert {one.member for one in lines} == {one.id for one in BUNDLE.members if Role.GARDIEN in one.roles}
    assert all(one.attested in staff and one.attested not in (one.by, one.member) for one in lines)
    assert all(one.date < TUESDAY for one in lines)


@pytest.mark.parametrize(
    ("today", "start"),
    [
        (date(2026, 11, 24), date(2026, 11, 24)),
        (date(2026, 11, 23), date(2026, 11, 17)),
        (date(2027, 1, 1), date(2026, 12, 29)),
        (date(2030, 1, 1), date(2029, 12, 18)),
    ],
)
def test_the_first_day_is_a_working_tuesday(today: date, start: date) -> None:
    assert casaco.first_day(today) == start
    assert casaco.works(start)
