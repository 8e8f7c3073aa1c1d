"""A bundle that contradicts itself: every check of the file format, one by one."""

import json
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from policy.bundle import Bundle
from policy.check import KEYS
from policy.errors import BundleError
from policy.parse import parse
from tests.support_policy import TUESDAY, read, site

MACHINE = {"id": "cnc", "kind": "cnc", "reader": "cnc-r"}
EVENING = {"start": TUESDAY + "18:00", "end": TUESDAY + "22:00"}


def told(**changes: Any) -> str:
    with pytest.raises(BundleError) as error:
        read(site(**changes))
    return str(error.value).removeprefix("site.json: ")


def added(collection: str, *parts: dict[str, Any]) -> dict[str, Any]:
    """The small site's collection with more in it."""
    return {collection: [*site().get(collection, []), *parts]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (added("members", {"id": "lea", "name": "L", "tier": "nomade"}), 'members[5].tier (of "lea") is "nomade"'),
        (added("credentials", {"uid": "04FF0000", "member": "lea"}), 'credentials[5].member (of "04FF0000") is "lea"'),
        (
            {"passes": [{"id": "p", "member": "lea", "unit": "day", "total": 1}]},
            'passes[0].member (of "p") is "lea"',
        ),
        (added("shifts", {"id": "s2", "gardien": "lea", **EVENING}), 'shifts[1].gardien (of "s2") is "lea"'),
        ({"invitations": [{"id": "i", "member": "lea", **EVENING}]}, 'invitations[0].member (of "i") is "lea"'),
        ({"certifications": [{"member": "lea", "kind": "cnc"}]}, 'certifications[0].member (of "cnc") is "lea"'),
        (
            {"bookings": [{"id": "b", "machine": "cnc", "member": "remy", **EVENING}]},
            'bookings[0].machine (of "b") is "cnc"',
        ),
        (
            {"machines": [MACHINE], "bookings": [{"id": "b", "machine": "cnc", "member": "lea", **EVENING}]},
            'bookings[0].member (of "b") is "lea"',
        ),
        (
            added("tiers", {"id": "t", "grounds": [], "access_points": ["front", "back"]}),
            'tiers[3].access_points[1] (of "t") is "back"',
        ),
        (
            {"invitations": [{"id": "i", "member": "remy", "access_points": ["back"], **EVENING}]},
            'invitations[0].access_points[0] (of "i") is "back"',
        ),
        (
            {"events": [{"id": "e", "title": "E", "audience": "members", "access_points": ["back"], **EVENING}]},
            'events[0].access_points[0] (of "e") is "back"',
        ),
    ],
)
def test_what_is_named_must_be_there(changes: dict[str, Any], expected: str) -> None:
    message = told(**changes)
    assert message.startswith(expected)
    assert re.search(r"nothing in [a-z_]+ has this id( \(\"nomad\"\?\))?: correct it here or add it there$", message)


@pytest.mark.parametrize("collection", ["access_points", "tiers", "members", "credentials", "shifts"])
def test_a_key_is_used_once_in_its_collection(collection: str) -> None:
    again = site()[collection][0]
    message = told(**added(collection, again))
    position = len(site()[collection])
    assert message.startswith(f"{collection}[{position}] is ")
    assert message.splitlines()[0].endswith(f"{collection}[0] is the same one already: keep one of them")


@pytest.mark.parametrize(
    ("collection", "part"),
    [
        ("passes", {"id": "p", "member": "remy", "unit": "day", "total": 1}),
        ("events", {"id": "e", "title": "E", "audience": "members", **EVENING}),
        ("invitations", {"id": "i", "member": "remy", **EVENING}),
        ("machines", MACHINE),
        ("certifications", {"member": "remy", "kind": "cnc"}),
        ("quotas", {"kind": "cnc", "minutes": 1, "period": "week"}),
        ("bookings", {"id": "b", "machine": "cnc", "member": "remy", **EVENING}),
    ],
)
def test_so_it_is_in_the_collections_of_the_fablab(collection: str, part: dict[str, Any]) -> None:
    others = {"machines": [MACHINE]} if collection == "bookings" else {}
    assert told(**others, **{collection: [part, part]}).startswith(f"{collection}[1] is ")


def test_a_member_may_be_certified_for_two_kinds() -> None:
    bundle = read(site(certifications=[{"member": "remy", "kind": kind} for kind in ("cnc", "laser")]))
    assert len(bundle.certifications) == 2


def test_every_collection_of_a_bundle_has_its_key() -> None:
    assert set(KEYS) == set(Bundle.__struct_fields__) - {"format", "site"}


@pytest.mark.parametrize("member", ["alice", "brigitte"])
def test_one_uid_twice_in_other_case_for_two_members_or_for_one(member: str) -> None:
    assert told(**added("credentials", {"uid": "04b10000", "member": member})).startswith(
        'credentials[5] is "04b10000"'
    )


@pytest.mark.parametrize("uid", ["04ff0000", "04FF0000112233", "04ff0000112233445566"])
def test_uids_of_all_lengths(uid: str) -> None:
    assert read(site(**added("credentials", {"uid": uid, "member": "alice"}))).credentials[5].uid == uid


@pytest.mark.parametrize("bad", ["", "a/b", "a+b", "#", "é", "a b", "a" * 65, "front\n"])
@pytest.mark.parametrize("key", ["site", "point", "in", "out", "machine", "machine reader"])
def test_what_stands_in_a_topic_is_plain(key: str, bad: str) -> None:
    point: dict[str, Any] = {"id": "back", "readers": {"in": "back-in", "out": "back-out"}}
    machine = dict(MACHINE)
    changes: dict[str, Any] = {}
    match key:
        case "site":
            changes["site_id"] = bad
        case "point":
            point["id"] = bad
        case "machine":
            machine["id"] = bad
        case "machine reader":
            machine["reader"] = bad
        case leaf:
            point["readers"][leaf] = bad
    message = told(**changes, **added("access_points", point), machines=[machine])
    assert message.endswith("use 1 to 64 letters without accents, digits, - or _")


@pytest.mark.parametrize("bad", ["", " lea", "lea\n", "le\x00a", "\u200b"])
def test_every_other_id_can_be_seen(bad: str) -> None:
    message = told(**added("members", {"id": bad, "name": "L", "tier": "nomad"}))
    assert message.startswith("members[5].id is ")
    assert "visible" in message


@pytest.mark.parametrize("bad", ["", "  ", "L\nM", "L\x00", "\u200b", "\u00a0"])
def test_what_pages_show_shows_something(bad: str) -> None:
    event = {"id": "e", "title": bad, "audience": "members", "free": True, **EVENING}
    for changes, key in (
        ({"site_name": bad}, "site.name is "),
        (added("members", {"id": "l", "name": bad, "tier": "nomad"}), 'members[5].name (of "l") is '),
        ({"events": [event]}, 'events[0].title (of "e") is '),
    ):
        message = told(**changes)
        assert message.startswith(key)
        assert message.endswith("write what people are to read: one visible character at least, on one line")


def test_names_are_spelt_as_people_spell_them() -> None:
    assert read(site(site_name="Atelier\u00a0: soudure")).site.name == "Atelier\u00a0: soudure"


@pytest.mark.parametrize("name", ["Porte «\u00a0Nord\u00a0»", "Atelier\u202f: soudure"])
def test_the_names_of_doors_tiers_machines_and_kinds_too(name: str) -> None:
    kinds = [{"id": kind, "name": name} for kind in ("laser", "saw")]
    machine = {"id": "m9", "kind": "laser", "reader": "m9", "attended": True, "name": name}
    point = {"id": "d9", "readers": {"in": "d9-in"}, "name": name}
    tiers = [*site()["tiers"], {"id": "t9", "grounds": ["always"], "name": name}]
    bundle = read(site(tiers=tiers, machines=[machine], kinds=kinds, **added("access_points", point)))
    named = (bundle.tiers[-1], bundle.machines[0], bundle.access_points[-1], *bundle.kinds)
    assert {part.name for part in named} == {name}


@pytest.mark.parametrize("bad", ["\u00a0Nord", "Nord\u202f", "\u00a0", "a\u2003b", "a\tb"])
def test_a_name_shows_all_of_itself(bad: str) -> None:
    message = told(**added("access_points", {"id": "d9", "readers": {"in": "d9-in"}, "name": bad}))
    assert "a name has visible characters only, and no space at either end" in message


def test_other_ids_may_hold_anything_that_can_be_seen() -> None:
    tiers = [*site()["tiers"], {"id": "résident à l'année / 2026", "grounds": ["always"]}]
    assert read(site(tiers=tiers)).tiers[3].id == "résident à l'année / 2026"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"site_day_cutoff": "24:00"}, 'site.day_cutoff is "24:00": write an hour from 00:00 to 23:59'),
        ({"site_half_day_split": "13h"}, 'site.half_day_split is "13h": write an hour'),
        ({"site_staff_hours": {"mon": [["24:00", "02:00"]]}}, 'site.staff_hours.mon[0][0] is "24:00"'),
        (
            {"site_staff_hours": {"mon": [["09:00", "12:00"], ["13:00", "24:01"]]}},
            'site.staff_hours.mon[1][1] is "24:01"',
        ),
        (
            {"site_openings": [{"date": "2026-12-24", "hours": [["9:00", "12:00"]]}]},
            'site.openings[0].hours[0][0] is "9:00"',
        ),
        (
            added("tiers", {"id": "t", "grounds": [], "hours": {"sun": [["x", "12:00"]]}}),
            'tiers[3].hours.sun[0][0] (of "t") is "x"',
        ),
        (
            {"machines": [{**MACHINE, "hours": {"sun": [["09:00", "x"]]}}]},
            'machines[0].hours.sun[0][1] (of "cnc") is "x"',
        ),
        (
            {"site_closures": [{"from": "2026-12-24", "to": "2026-12-23"}]},
            'site.closures[0].to is "2026-12-23": is before its from, 2026-12-24',
        ),
        (
            {"site_closures": [{"from": "2026-12-24", "to": "2026-12-24", "why": "Noël\u202e"}]},
            'site.closures[0].why is "Noël',
        ),
        (
            {"site_openings": [{"date": "2026-12-24", "hours": []}] * 2},
            'site.openings[1].date is "2026-12-24": site.openings[0] is of that date already',
        ),
    ],
)
def test_hours_and_dates_of_the_site(changes: dict[str, Any], expected: str) -> None:
    assert told(**changes).startswith(expected)


def test_a_closure_may_be_one_day_long() -> None:
    assert read(site(site_closures=[{"from": "2026-12-24", "to": "2026-12-24"}])).site.closures


@pytest.mark.parametrize(
    ("unit", "used"),
    [
        ("day", "2026-11-20am"),
        ("half_day", "2026-11-20"),
        ("half_day", "2026-11-20AM"),
        ("day", "2026-02-30"),
        ("half_day", "2026-02-30pm"),
        ("day", "20261120"),
        ("day", ""),
    ],
)
def test_what_a_pass_paid_is_written_as_its_unit_asks(unit: str, used: str) -> None:
    message = told(passes=[{"id": "p", "member": "remy", "unit": unit, "total": 2, "used": [used]}])
    assert message.startswith(f'passes[0].used[0] (of "p") is "{used}": a pass whose unit is {unit} names a ')


@pytest.mark.parametrize(
    ("unit", "used"), [("day", "2026-11-20"), ("half_day", "2026-11-20am"), ("half_day", "2024-02-29pm")]
)
def test_days_and_half_days_that_were_paid(unit: str, used: str) -> None:
    passes = [{"id": "p", "member": "remy", "unit": unit, "total": 2, "used": [used]}]
    assert read(site(passes=passes)).passes[0].used == (used,)


TIMED = {
    "shifts": {"id": "x", "gardien": "gregoire"},
    "events": {"id": "x", "title": "X", "audience": "public"},
    "invitations": {"id": "x", "member": "remy"},
    "bookings": {"id": "x", "machine": "cnc", "member": "remy"},
}


@pytest.mark.parametrize("collection", TIMED)
@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-24T18:00", "2026-11-24T18:00"),
        ("2026-11-24T18:00", "2026-11-24T17:59:59"),
        ("2026-11-24T18:00+01:00", "2026-11-24T17:00Z"),
        ("2026-11-24T18:00", "2026-11-24T17:00Z"),
        ("2026-11-24T17:00Z", "2026-11-24T18:00"),
    ],
)
def test_an_end_is_after_its_start(collection: str, start: str, end: str) -> None:
    message = told(machines=[MACHINE], **{collection: [{**TIMED[collection], "start": start, "end": end}]})
    assert message == f'{collection}[0].end (of "x") is "{end}": is not after its start, {start}: an end must be'


@pytest.mark.parametrize("collection", TIMED)
@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-10-25T02:40", "2026-10-25T02:20"),
        ("2026-10-25T02:40", "2026-10-25T02:40"),
        ("2026-10-24T23:30", "2026-10-25T02:00"),
        ("2026-10-24T20:00", "2026-10-25T03:00"),
    ],
)
def test_an_end_means_the_second_hour_of_the_night_that_has_two(collection: str, start: str, end: str) -> None:
    part = {**TIMED[collection], "start": start, "end": end}
    assert read(site(machines=[MACHINE], **{collection: [part]}))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-10-25T03:10", "2026-10-25T02:50"),
        ("2026-10-25T01:00", "2026-10-25T00:30"),
        ("2026-10-25T23:00", "2026-10-24T22:00"),
    ],
)
def test_in_that_night_too_an_end_is_after_its_start(start: str, end: str) -> None:
    message = told(machines=[MACHINE], shifts=[{**TIMED["shifts"], "start": start, "end": end}])
    assert message.startswith(f'shifts[0].end (of "x") is "{end}": is not after its start')


@pytest.mark.parametrize("collection", TIMED)
def test_a_time_is_a_time(collection: str) -> None:
    message = told(machines=[MACHINE], **{collection: [{**TIMED[collection], "start": "18:00", "end": "22:00"}]})
    assert message.startswith(f'{collection}[0].start (of "x") is "18:00": write a local time as ')


def test_without_the_zone_a_local_time_is_not_compared_with_one_that_has_an_offset() -> None:
    shift = {"id": "x", "gardien": "gregoire", "start": "2026-11-24T18:00", "end": "2026-11-24T17:30+01:00"}
    text = json.dumps(site(shifts=[shift])).encode()
    assert parse(text, "site.json").shifts[0].id == "x"
    with pytest.raises(BundleError, match="is not after its start"):
        parse(text, "site.json", ZoneInfo)


def test_a_reader_hangs_in_one_place() -> None:
    point = {"id": "back", "readers": {"in": "front-in"}}
    assert told(**added("access_points", point)) == (
        'access_points[2].readers.in (of "back") is "front-in": access_points[0].readers.in is this reader already: '
        "each reader hangs in one place"
    )
    both = {"id": "back", "readers": {"in": "back", "out": "back"}}
    assert told(**added("access_points", both)).startswith('access_points[2].readers.out (of "back") is "back"')
    assert told(machines=[{**MACHINE, "reader": "front-out"}]).startswith(
        'machines[0].reader (of "cnc") is "front-out"'
    )


def test_an_id_names_a_door_or_a_machine_not_both() -> None:
    message = told(machines=[{**MACHINE, "id": "front"}])
    assert message == 'machines[0].id is "front": an access point has this id already: rename one of them'


def test_hard_anti_passback_needs_a_way_out_everywhere() -> None:
    assert told(site_anti_passback="hard").startswith('access_points[1].readers.out (of "garage") is missing')
    fronts = [point for point in site()["access_points"] if point["id"] == "front"]
    assert read(site(site_anti_passback="hard", access_points=fronts)).site.anti_passback == "hard"
    assert read(site(site_anti_passback="soft")).site.anti_passback == "soft"


def booked(*hours: tuple[str, str], zone_of: Any = ZoneInfo) -> Bundle:
    bookings = [
        {"id": f"b{number}", "machine": "cnc", "member": "remy", "start": start, "end": end}
        for number, (start, end) in enumerate(hours)
    ]
    text = json.dumps(site(machines=[MACHINE], bookings=bookings)).encode()
    return parse(text, "site.json", zone_of)


def test_bookings_of_one_machine_do_not_overlap() -> None:
    with pytest.raises(BundleError, match=r"bookings\[0\].start \(of \"b0\"\) is .* booking b1 of the same machine"):
        booked((TUESDAY + "15:00", TUESDAY + "17:00"), (TUESDAY + "14:00", TUESDAY + "15:01"))


def test_bookings_that_touch_or_are_of_two_machines_are_welcome() -> None:
    assert booked((TUESDAY + "15:00", TUESDAY + "17:00"), (TUESDAY + "14:00", TUESDAY + "15:00"))
    machines = [MACHINE, {"id": "laser", "kind": "laser", "reader": "laser-r"}]
    bookings = [{"id": name, "machine": name, "member": "remy", **EVENING} for name in ("cnc", "laser")]
    assert len(read(site(machines=machines, bookings=bookings)).bookings) == 2


def test_bookings_overlap_as_instants_once_the_zone_is_known() -> None:
    """The first ends at the second 02:30 of that night, the other starts at the first."""
    night = ("2026-10-25T01:00", "2026-10-25T02:30"), ("2026-10-25T02:30", "2026-10-25T03:30")
    assert booked(*night, zone_of=None)
    with pytest.raises(BundleError) as error:
        booked(*night)
    assert str(error.value).endswith("; write both with their offset, as 2026-10-25T02:30+02:00 for its first time")
    assert booked((night[0][0], night[0][1] + "+02:00"), (night[1][0] + "+02:00", night[1][1]))


def test_bookings_in_both_ways_of_writing_are_compared_once_the_zone_is_known() -> None:
    mixed = (TUESDAY + "15:00", TUESDAY + "17:00"), (TUESDAY + "15:00Z", TUESDAY + "17:00Z")
    assert booked(*mixed, zone_of=None)
    assert booked((TUESDAY + "15:00", TUESDAY + "17:00Z"), zone_of=None)
    with pytest.raises(BundleError, match="of the same machine"):
        booked(*mixed)


def test_25_000_shifts_are_checked() -> None:
    shifts = [{"id": f"s{number}", "gardien": "gregoire", **EVENING} for number in range(25_000)]
    assert len(read(site(shifts=shifts)).shifts) == 25_000


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("L\u00e9a" + "a" * 198, "a name has 200 characters at most: shorten it"),
        ("Léa \u202eLambert", "a character in it turns the order of reading round: write the name without it"),
    ],
)
def test_a_name_is_what_people_can_read(name: str, why: str) -> None:
    assert told(**added("members", {"id": "lea", "name": name, "tier": "nomad"})).endswith(why)


@pytest.mark.parametrize("name", ["Le\u0301a" + "a" * 197, "李小龍", "נועה"])
def test_a_name_is_taken_in_any_script(name: str) -> None:
    assert read(site(**added("members", {"id": "lea", "name": name, "tier": "nomad"}))).members[-1].name == name
