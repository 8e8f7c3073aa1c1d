"""Files that are no bundle: each error names file, key, value and remedy. And the way back into a file."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.bundle import FORMAT, Bundle, Site
from policy.decode import decode
from policy.errors import BundleError
from policy.parse import export, parse
from tests.support_policy import SCENARIOS, read, site


def refusal(text: bytes | dict[str, Any]) -> str:
    """What the person who wrote the file is told."""
    with pytest.raises(BundleError) as error:
        parse(text if isinstance(text, bytes) else json.dumps(text).encode(), "site.json", ZoneInfo)
    assert str(error.value).startswith("site.json: ")
    return str(error.value).removeprefix("site.json: ")


def test_the_smallest_bundle_has_the_defaults_of_the_format() -> None:
    bundle = parse(b'{"format": "loquet.bundle/1", "site": {"id": "a", "name": "A", "timezone": "UTC"}}', "a.json")
    assert bundle == Bundle(format=FORMAT, site=Site(id="a", name="A", timezone="UTC"))
    site = bundle.site
    assert (site.day_cutoff, site.half_day_split, site.shift_lead, site.shift_grace) == ("04:00", "13:00", 30, 15)
    assert (site.offline_days, site.adhoc_hours, site.at_capacity, site.anti_passback) == (14, 0, "warn", "off")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"doors": []}, "doors is []: this format has no such key: correct or remove it"),
        ({"format": "loquet.bundle/2"}, 'format is "loquet.bundle/2": use loquet.bundle/1'),
        ({"members": {}}, "members is {}: write a list in [ ]"),
        (
            {"members": [{"id": "lea", "name": "Léa", "tier": "nomad", "age": 7}]},
            'members[0].age (of "lea") is 7: this format has no such key: correct or remove it',
        ),
        ({"members": [{"id": "lea", "tier": 3}]}, 'members[0].tier (of "lea") is 3: write a text in double quotes'),
        (
            {"members": [{"id": "lea", "tier": "nomad"}]},
            'members[0].name (of "lea") is missing: it must be given',
        ),
        ({"members": [{"name": "Léa"}]}, "members[0].id is missing: it must be given"),
        ({"members": [{"id": 5}]}, "members[0].id is 5: write a text in double quotes"),
        (
            {"members": [{"id": "lea", "name": "L", "tier": "nomad", "roles": ["king"]}]},
            'members[0].roles[0] (of "lea") is "king": use one of staff, gardien, fab_manager',
        ),
        (
            {"members": [{"id": "lea", "name": "L", "tier": "nomad", "valid_until": "2026-02-30"}]},
            'members[0].valid_until (of "lea") is "2026-02-30": write a date that exists, as 2026-11-24',
        ),
        (
            {"site_staff_hours": {"mon": [["09:00", "18:00"]], "tue": [["09:00", 18]]}},
            'site.staff_hours.tue[0][1] (of "casaco") is 18: write a text in double quotes',
        ),
        (
            {"site_staff_hours": {"lundi": []}},
            'site.staff_hours (of "casaco") is "lundi": use one of mon, tue, wed, thu,',
        ),
        ({"site_at_capacity": "perhaps"}, 'site.at_capacity (of "casaco") is "perhaps": use one of warn, deny'),
        ({"site_capacity": 0}, 'site.capacity (of "casaco") is 0: write a whole number from 1 to 1000000'),
        (
            {"site_capacity": 2.5},
            'site.capacity (of "casaco") is 2.5: write a whole number from 1 to 1000000, without quotes',
        ),
        ({"site_capacity": True}, 'site.capacity (of "casaco") is true: write a whole number from 1 to 1000000'),
        ({"site_shift_lead": -1}, 'site.shift_lead (of "casaco") is -1: write a whole number from 0 to 1440'),
        ({"site_shift_grace": 1441}, 'site.shift_grace (of "casaco") is 1441: write a whole number from 0 to 1440'),
        (
            {"site_offline_days": 10**30},
            'site.offline_days (of "casaco") is 1000000000000000000000000000000: write a w',
        ),
        (
            {"machines": [{"id": "cnc", "locked_out": {"by": 1}}]},
            'machines[0].locked_out.by (of "cnc") is 1: write a text',
        ),
        ({"certifications": [{"member": "remy", "kind": "x", "until": 9}]}, 'certifications[0].until (of "x") is 9'),
        ({"site_timezone": "Europe/Malakoff"}, 'site.timezone is "Europe/Malakoff": no such time zone: use a name of'),
        ({"site_timezone": "localtime"}, 'site.timezone is "localtime": no such time zone'),
        ({"site_timezone": "../../etc/passwd"}, 'site.timezone is "../../etc/passwd": no such time zone'),
    ],
)
def test_what_does_not_fit_is_named_with_its_place_and_value(changes: dict[str, Any], told: str) -> None:
    assert refusal(site(**changes)).startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "is not JSON: Input data was truncated: is the file whole?"),
        (b"[]", "the file is []: write an object in { } with format, site"),
        (b'{"format":\n  NaN}', "is not JSON: line 2, column 3: NaN stands without quotes: write"),
        (b'{"format": 1x}', "is not JSON: line 1, column 13: x stands without quotes"),
        (b'{"format":\n "\xff"}', "is not UTF-8 text but has the byte 0xff at line 2, column 3: save it as UTF-8"),
        (b'{"format": "\\ud800"}', "is not JSON: "),
        (b"\0\0\0\0", "is not JSON: line 1, column 1: here stands U+0000 a control character"),
        (b"\xef\xbb\xbf", "is not JSON: Input data was truncated: is the file whole?"),
        (b"[" * 10_000 + b"]" * 10_000, "is nested too deeply: nothing in this format"),
        (b'{"site": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "is nested too deeply: nothing in this format"),
        (b'{"site": {"capacity": ' + b"9" * 10_000 + b"}}", "site.capacity is 99999"),
    ],
)
def test_what_is_no_json_or_no_bundle_at_all(text: bytes, told: str) -> None:
    assert refusal(text).startswith(told)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_another_encoding_is_named(encoding: str) -> None:
    told = f"is not UTF-8 text but {encoding[:6].upper()}: save it as UTF-8"
    assert refusal(json.dumps(site()).encode(encoding)) == told
    assert refusal(("\ufeff" + json.dumps(site())).encode(encoding)) == told


@pytest.mark.parametrize("collection", ["access_points", "tiers", "machines"])
def test_doors_tiers_and_machines_have_a_name_for_people_or_none(collection: str) -> None:
    parts = site(machines=[{"id": "cnc", "kind": "cnc", "reader": "cnc-r"}])[collection]
    whole = site(machines=[]) | {collection: parts}
    assert getattr(read(whole), collection)[-1].name is None
    parts[-1]["name"] = "Découpe laser n° 2"
    assert msgspec.json.decode(export(read(whole)))[collection] == parts
    for blank in ("", " ", "Laser\n2", "Laser "):
        parts[-1]["name"] = blank
        assert refusal(whole).startswith(f'{collection}[{len(parts) - 1}].name (of "{parts[-1]["id"]}") is ')


LEA = {"id": "lea", "name": "L", "tier": "nomad"}
PASS = {"id": "p", "member": "lea", "unit": "day", "total": 10}
TIMED: dict[str, dict[str, Any]] = {
    "shifts": {"gardien": "lea"},
    "events": {"title": "T", "audience": "members"},
    "invitations": {"member": "lea"},
    "bookings": {"machine": "cnc", "member": "lea"},
}
FAR, EARLY = "3000-01-01", "1899-12-31"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"site_closures": [{"from": EARLY, "to": "2026-12-24"}]}, "site.closures[0].from"),
        ({"site_closures": [{"from": FAR, "to": "3000-12-24"}]}, "site.closures[0].from"),
        ({"site_openings": [{"date": FAR, "hours": []}]}, "site.openings[0].date"),
        ({"members": [LEA | {"valid_from": FAR}]}, 'members[0].valid_from (of "lea")'),
        ({"members": [LEA | {"valid_until": EARLY}]}, 'members[0].valid_until (of "lea")'),
        ({"credentials": [{"uid": "04AA0000", "member": "lea", "valid_until": EARLY}]}, 'valid_until (of "04AA0000")'),
        ({"passes": [PASS | {"valid_until": EARLY}]}, 'passes[0].valid_until (of "p")'),
        ({"passes": [PASS | {"used": ["2026-11-20", FAR]}]}, 'passes[0].used[1] (of "p")'),
        ({"certifications": [{"member": "lea", "kind": "cnc", "until": EARLY}]}, 'certifications[0].until (of "cnc")'),
        *(
            ({kind: [more | {"id": "x", "start": start, "end": end}]}, f'{kind}[0].{key} (of "x")')
            for kind, more in TIMED.items()
            for key, start, end in (
                ("start", f"{EARLY}T10:00", "2026-11-24T11:00"),
                ("end", "2026-11-24T10:00", f"{FAR}T11:00+01:00"),
            )
        ),
    ],
)
def test_a_year_that_nobody_can_mean_is_named(changes: dict[str, Any], key: str) -> None:
    machines = [{"id": "cnc", "kind": "cnc", "reader": "cnc-r"}]
    told = refusal(site(**{"members": [LEA], "credentials": [], "shifts": [], "machines": machines} | changes))
    assert key in told
    assert told.endswith(": write a year from 1900 to 2999")
    assert "\n" not in told


@pytest.mark.parametrize(("first", "last"), [("1900-01-01", "2999-12-31"), ("2999-12-31", "9999-12-31")])
def test_years_from_1900_are_meant_and_a_last_day_may_be_the_last_there_is(first: str, last: str) -> None:
    bundle = site(
        site_closures=[{"from": first, "to": last}],
        site_openings=[{"date": first, "hours": []}],
        members=[LEA | {"valid_from": first, "valid_until": last}],
        credentials=[{"uid": "04AA0000", "member": "lea", "valid_until": last}],
        passes=[PASS | {"used": [first], "valid_until": last}],
        certifications=[{"member": "lea", "kind": "cnc", "until": last}],
        shifts=[],
        invitations=[{"id": "i", "member": "lea", "start": f"{first}T00:00", "end": "2999-12-31T23:59"}],
    )
    assert parse(json.dumps(bundle).encode(), "bundle", ZoneInfo).members[0].name == "L"


def test_the_mark_of_windows_editors_counts_for_nothing() -> None:
    text = json.dumps(site()).encode()
    assert parse(b"\xef\xbb\xbf" + text, "bundle") == parse(text, "bundle")
    assert "line 1, column 2: here stands U+003F QUESTION MARK" in refusal(b"\xef\xbb\xbf{?")


DEEP = b"[" * 100_000 + b"]" * 100_000


def test_nesting_is_refused_wherever_the_codec_meets_it_first() -> None:
    told = "is nested too deeply: nothing in this format is more than a few levels deep"
    assert refusal(b'{"format": "loquet.bundle/1", "x": ' + DEEP + b"}") == told
    with pytest.raises(BundleError, match=r"site\.json: is nested too deeply"):
        decode(list, DEEP, "site.json")


def test_a_long_value_is_cut_short_and_put_on_one_line() -> None:
    told, *others = refusal(b'{"format": ["' + b"a" * 5000 + b'",\n\n 1]}').splitlines()
    assert told.startswith('format is ["aaa')
    assert len(told) < 120
    assert all(other.startswith("site.json: site") for other in others)


@given(st.binary(max_size=60))
def test_no_bytes_lead_to_any_other_error(text: bytes) -> None:
    with pytest.raises(BundleError, match=r"^site\.json: "):
        parse(text, "site.json")


def parsed_or_told(text: bytes) -> Bundle | str:
    try:
        return parse(text, "site.json", ZoneInfo)
    except BundleError as error:
        return str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_no_value_anywhere_leads_to_any_other_error(data: st.DataObject) -> None:
    """A valid bundle with one value, deep or not, replaced by any JSON: it parses or it is refused."""
    bundle = site(site_closures=[{"from": "2026-12-24", "to": "2026-12-26"}])
    node: Any = bundle
    key = data.draw(st.sampled_from(sorted(node)))
    while isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans()):
        node = node[key]
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
    node[key] = data.draw(JSON)
    outcome = parsed_or_told(json.dumps(bundle).encode())
    if isinstance(outcome, Bundle):
        assert parsed_or_told(export(outcome)) == outcome
    else:
        assert outcome.startswith("site.json: ")


FULL: dict[str, Any] = {
    "site_capacity": 100,
    "site_holidays": "FR-57",
    "site_closures": [{"from": "2026-12-24", "to": "2027-01-02", "why": "Fêtes"}],
    "site_openings": [{"date": "2026-12-29", "hours": [["10:00", "12:00"]]}, {"date": "2026-12-30", "hours": []}],
    "tiers": [
        {"id": "nomad", "grounds": ["held", "hours"], "hours": {"sat": [["06:00", "02:00"]]}, "pass": "half_day"},
        {"id": "studio", "grounds": [], "access_points": []},
        {"id": "resident", "grounds": ["always"], "access_points": ["front", "garage"]},
    ],
    "passes": [{"id": "p", "member": "remy", "unit": "half_day", "total": 2, "used": ["2026-11-20am"]}],
    "events": [
        {
            "id": "e",
            "title": "Fête",
            "start": TIME,
            "end": "2026-11-24T23:00+01:00",
            "audience": "public",
            "free": True,
            "access_points": ["front"],
        }
        for TIME in ("2026-11-24T18:00",)
    ],
    "invitations": [{"id": "i", "member": "remy", "start": "2026-11-28T09:00", "end": "2026-11-28T18:00"}],
    "machines": [
        {"id": "cnc", "kind": "cnc", "reader": "cnc-r", "on_end": "cut", "attended": False, "min_people": 2},
        {"id": "p1", "kind": "printer", "reader": "p1-r", "locked_out": {"by": "alice", "why": "broken"}},
    ],
    "certifications": [{"member": "remy", "kind": "cnc", "until": "2026-12-31"}],
    "quotas": [{"kind": "cnc", "minutes": 120, "period": "week"}],
    "bookings": [
        {"id": "b", "machine": "cnc", "member": "remy", "start": "2026-11-24T18:00", "end": "2026-11-24T19:00"}
    ],
}


def test_a_round_trip_loses_nothing_that_was_given() -> None:
    given_ = site(**FULL)
    bundle = read(given_)
    written = msgspec.json.decode(export(bundle))
    assert parse(export(bundle), "again.json") == bundle
    defaults_left_out = {key: value for key, value in given_.items() if key != "machines"}
    assert {key: value for key, value in written.items() if key != "machines"} == defaults_left_out
    assert written["machines"] == given_["machines"]


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.json")), ids=lambda path: path.stem)
def test_the_bundle_of_every_example_parses_and_comes_back(path: Any) -> None:
    bundle = read(json.loads(path.read_bytes())["bundle"])
    assert bundle.site.id == "casaco"
    assert parse(export(bundle), "again.json") == bundle


def test_a_year_of_25_000_shifts_with_an_error_at_its_end_is_refused() -> None:
    shift = {"gardien": "gregoire", "start": "2026-11-24T18:00", "end": "2026-11-24T22:00"}
    shifts = [{"id": f"s{number}", **shift} for number in range(25_000)] + [{"id": "last", **shift, "end": "22:00"}]
    with pytest.raises(BundleError, match="last"):
        parse(json.dumps(site(shifts=shifts)).encode(), "site.json", ZoneInfo)


def test_50_mb_are_refused() -> None:
    member = b'{"id": "lea", "name": "L", "tier": "nomad"}, '
    text = json.dumps(site(members=[])).encode().replace(b'"members": []', b'"members": [' + member * 1_100_000 + b"1]")
    assert len(text) > 49_000_000
    with pytest.raises(BundleError, match="members"):
        parse(text, "site.json", ZoneInfo)
