"""Kinds, rota, its changes, credits, the time bank: parsed, checked, given back; refused where they would decide."""

from typing import Any

import msgspec
import pytest

from policy.bundle import Bundle
from policy.doubts import doubtful
from policy.errors import BundleError
from policy.parse import export
from tests.support_policy import read, site

ROTA = {"id": "mardi", "weekday": "tue", "from": "18:00", "to": "22:00"}
CHANGE = {"rota": "mardi", "date": "2026-11-24"}
CREDIT = {"id": "k", "member": "remy", "minutes": 60, "date": "2026-11-24", "why": "travaux", "by": "alice"}
CARNET = {"id": "carnet", "grounds": ["staffed"], "pass": "half_day"}
BANK = {"rate": 50}


def told(**changes: Any) -> str:
    with pytest.raises(BundleError) as error:
        read(site(**changes))
    return str(error.value).removeprefix("site.json: ")


ADDED: dict[str, Any] = {
    "passes": [{"id": "p", "member": "remy", "unit": "day", "total": 1, "valid_from": "2026-11-24"}],
    "kinds": [
        {"id": "cnc", "name": "CNC", "requires": ["bois"], "valid_months": 24, "refresher_months": 6, "notes": "!"},
        {"id": "bois"},
    ],
    "rota": [
        ROTA,
        {**ROTA, "id": "nuit", "to": "02:00", "every": 2, "since": "2026-01-05", "holidays": True},
        {**ROTA, "id": "ete", "since": "2026-07-01", "until": "9999-12-31"},
    ],
    "rota_changes": [
        {**CHANGE, "gardien": None, "start": "19:00", "end": "24:00"},
        {**CHANGE, "rota": "nuit", "cancelled": True},
        {**CHANGE, "rota": "nuit", "date": "2026-12-01", "gardien": "gregoire", "cancelled": True},
    ],
    "credits": [CREDIT, {**CREDIT, "id": "k2", "minutes": -60, "attested": "gregoire", "pair": "don"}],
    "site_rota_notice": 24,
    "site_time_bank": {"rate": 50, "unit_minutes": 120, "round": 5, "min_share": 0, "valid_months": 12},
    "site_booking": {
        "step": 5, "shortest": 60, "longest": 120, "ahead_days": 7, "open": 1, "buffer": 10, "cancel_hours": 24
    },
}  # fmt: skip


def test_what_changes_no_decision_is_taken_and_given_back_as_it_came() -> None:
    given = site(**ADDED)
    bundle = read(given)
    written = msgspec.json.decode(export(bundle))
    assert {name: part for name, part in written.items() if name in ADDED} == {
        name: part for name, part in given.items() if name in ADDED
    }
    assert [written["site"][name[5:]] for name in ADDED if name.startswith("site_")] == [
        part for name, part in ADDED.items() if name.startswith("site_")
    ]
    assert read(written) == bundle


def test_a_change_that_says_nothing_of_a_gardien_is_not_one_that_makes_a_gap() -> None:
    bundle = read(site(rota=[ROTA], rota_changes=[CHANGE, {**CHANGE, "date": "2026-12-01", "gardien": None}]))
    said, gap = bundle.rota_changes
    assert said.gardien is msgspec.UNSET
    assert gap.gardien is None


def test_the_defaults_are_those_of_the_format() -> None:
    bundle: Bundle = read(site(rota=[ROTA], site_time_bank={}, site_booking={}))
    bank, booking = bundle.site.time_bank, bundle.site.booking
    assert bank is not None
    assert booking is not None
    assert (bank.rate, bank.unit_minutes, bank.round, bank.min_share, bank.valid_months) == (100, 240, 15, 50, 0)
    assert (booking.step, booking.shortest, booking.longest, booking.ahead_days) == (15, 30, 480, 30)
    assert (booking.open, booking.buffer, booking.cancel_hours, bundle.site.rota_notice) == (3, 0, 2, 48)
    assert (bundle.rota[0].every, bundle.rota[0].holidays) == (1, False)


def test_a_bank_beside_a_tier_with_a_carnet_raises_no_doubt() -> None:
    assert not list(doubtful(read(site(tiers=[*site()["tiers"], CARNET], site_time_bank=BANK))))


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"rota": [{**ROTA, "gardien": "lea"}]}, 'rota[0].gardien (of "mardi") is "lea": nothing in members has this id'),
    ({"rota_changes": [CHANGE]}, 'rota_changes[0].rota (of "mardi") is "mardi": nothing in rota has this id'),
    (
        {"rota": [ROTA], "rota_changes": [{**CHANGE, "gardien": "lea"}]},
        'rota_changes[0].gardien (of "mardi") is "lea": nothing in members',
    ),
    ({"credits": [{**CREDIT, "member": "lea"}]}, 'credits[0].member (of "k") is "lea": nothing in members'),
    ({"rota": [ROTA, ROTA]}, 'rota[1] is "mardi": rota[0] is the same one already'),
    ({"rota": [ROTA], "rota_changes": [CHANGE, CHANGE]}, 'rota_changes[1] is "mardi": rota_changes[0] is the same one'),
    ({"kinds": [{"id": "a"}, {"id": "a"}]}, 'kinds[1] is "a": kinds[0] is the same one already'),
    ({"credits": [CREDIT, CREDIT]}, 'credits[1] is "k": credits[0] is the same one already'),
    ({"rota": [{**ROTA, "from": "6 pm"}]}, 'rota[0].from (of "mardi") is "6 pm": write an hour from 00:00 to 23:59'),
    ({"rota": [{**ROTA, "to": "24:01"}]}, 'rota[0].to (of "mardi") is "24:01": write an hour from 00:00 to 24:00'),
    ({"rota": [{**ROTA, "weekday": "mardi"}]}, 'rota[0].weekday (of "mardi") is "mardi": use one of mon, tue,'),
    ({"rota": [{**ROTA, "every": 2}]}, 'rota[0].every (of "mardi") is 2: with it the first week must be known'),
    (
        {"rota": [{**ROTA, "since": "2026-11-24", "until": "2026-11-23"}]},
        'rota[0].until (of "mardi") is "2026-11-23": is before its since, 2026-11-24',
    ),
    ({"rota": [{**ROTA, "since": "1899-12-31"}]}, 'rota[0].since (of "mardi") is "1899-12-31": write a year from'),
    ({"credits": [{**CREDIT, "date": "3000-01-01"}]}, 'credits[0].date (of "k") is "3000-01-01": write a year from'),
    (
        {"rota": [ROTA], "rota_changes": [{**CHANGE, "date": "3000-01-01"}]},
        'rota_changes[0].date (of "mardi") is "3000-01-01": write a year from',
    ),
    ({"passes": [{**ADDED["passes"][0], "valid_from": "3000-01-01"}]}, 'passes[0].valid_from (of "p") is "3000-01-01"'),
    (
        {"rota": [ROTA], "rota_changes": [{**CHANGE, "start": "20:00", "end": "20:00"}]},
        'rota_changes[0].end (of "mardi/2026-11-24") is "20:00": the slot\'s start and end are one',
    ),
    (
        {"rota": [ROTA], "rota_changes": [{**CHANGE, "start": "22:00"}]},
        'rota_changes[0].start (of "mardi/2026-11-24") is "22:00": the slot\'s start and end are one',
    ),
    (
        {"rota": [ROTA], "rota_changes": [{**CHANGE, "end": "18:00"}]},
        'rota_changes[0].end (of "mardi/2026-11-24") is "18:00": the slot\'s start and end are one',
    ),
    (
        {"rota": [ROTA], "rota_changes": [{**CHANGE, "start": "x"}]},
        'rota_changes[0].start (of "mardi") is "x": write an hour',
    ),
    (
        {"kinds": [{"id": "a", "requires": ["a"]}]},
        'kinds[0].requires (of "a") is ["a"]: goes round in a circle, a -> a,',
    ),
    (
        {
            "kinds": [
                {"id": "x", "requires": ["a"]},
                {"id": "a", "requires": ["z", "b"]},
                {"id": "b", "requires": ["c"]},
                {"id": "c", "requires": ["a"]},
            ]
        },
        'kinds[1].requires (of "a") is ["z","b"]: goes round in a circle, a -> b -> c -> a,',
    ),
    ({"site_booking": {"shortest": 60, "longest": 30}}, "site.booking.shortest is 60: is more than longest, 30"),
    (
        {"passes": [{"id": "p", "member": "remy", "unit": "day", "total": 1, "used": ["2026-11-23", "2026-11-24"]}]},
        'passes[0].used (of "p") is ["2026-11-23","2026-11-24"]: 2 are paid, and total is 1: correct total, or remove',
    ),
    (
        {"machines": [{"id": "front", "kind": "cnc", "reader": "cnc-r"}]},
        'machines[0].id is "front": an access point has this id already: rename one of them',
    ),
]


@pytest.mark.parametrize(("changes", "expected"), WRONG)
def test_what_contradicts_something_is_named(changes: dict[str, Any], expected: str) -> None:
    assert told(**changes).startswith(expected)


def test_a_pass_may_be_used_up() -> None:
    used = [{"id": "p", "member": "remy", "unit": "day", "total": 1, "used": ["2026-11-24"]}]
    assert read(site(passes=used)).passes[0].used == ("2026-11-24",)


def test_kinds_that_two_others_require_are_no_circle() -> None:
    kinds = [{"id": "a", "requires": ["b", "c"]}, {"id": "b", "requires": ["d"]}, {"id": "c", "requires": ["d"]}]
    assert len(read(site(kinds=[*kinds, {"id": "d"}])).kinds) == 4


def test_two_circles_are_two_mistakes() -> None:
    kinds = [{"id": name, "requires": [other]} for name, other in ("ab", "ba", "cd", "dc", "ec")]
    assert told(kinds=kinds).count("goes round in a circle") == 2


def test_a_pattern_may_last_a_day_and_a_night() -> None:
    pattern = {**ROTA, "to": "18:00"}
    assert read(site(rota=[pattern], rota_changes=[{**CHANGE, "gardien": None}])).rota[0].end == "18:00"


def test_a_bank_without_a_tier_that_needs_a_carnet_mints_nothing() -> None:
    assert read(site(site_time_bank=BANK, credits=[CREDIT])).site.time_bank is not None
