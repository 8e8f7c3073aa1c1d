"""A file with many mistakes: each is listed, in the order of the file, and none that only follows from another."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.errors import COUNTED, LISTED, BundleError
from policy.letters import looks_like, odd
from policy.parse import parse
from policy.uids import FORM
from tests.support_policy import TUESDAY, site

CORRECT = "correct it here or add it there"
A_TIME = "write a local time as 2026-11-24T18:00, or one with its offset as 2026-11-24T18:00+01:00"


def told(bundle: dict[str, Any] | str) -> list[str]:
    """What the person who wrote the file is told, line by line."""
    with pytest.raises(BundleError) as error:
        parse((bundle if isinstance(bundle, str) else json.dumps(bundle)).encode(), "a.json", ZoneInfo)
    lines = str(error.value).splitlines()
    assert all(line.startswith("a.json: ") for line in lines)
    return [line.removeprefix("a.json: ") for line in lines]


def keys(lines: list[str]) -> list[str]:
    return [line.split(" ")[0] for line in lines]


def test_every_mistake_is_listed_in_the_order_of_the_file() -> None:
    bundle = site(site_capacity="many", site_timezone="Europe/Malakoff", doors=[])
    bundle["tiers"][0]["grounds"] = ["allways", 3]
    bundle["members"][1] |= {"tier": "nomade", "valid_until": "2026-02-30", "age": 7}
    bundle["members"][3] = {"name": 5}
    bundle["credentials"][0]["uid"] = "04B1"
    bundle["shifts"].append({"id": "s2", "gardien": "alice", "start": "18:00", "end": TUESDAY + "22:00"})
    bundle["shifts"].append({"id": "s3", "gardien": "alice", "start": TUESDAY + "22:00", "end": TUESDAY + "18:00"})
    bundle["bookings"] = 7
    assert told(bundle) == [
        'site.timezone is "Europe/Malakoff": no such time zone: use a name of the tz database, as Europe/Paris',
        'site.capacity (of "casaco") is "many": write a whole number from 1 to 1000000, without quotes',
        'tiers[0].grounds[0] (of "resident") is "allways": use one of always, hours, staffed, held (always?)',
        'tiers[0].grounds[1] (of "resident") is 3: use one of always, hours, staffed, held',
        f'members[1].tier (of "gregoire") is "nomade": nothing in tiers has this id ("nomad"?): {CORRECT}',
        'members[1].valid_until (of "gregoire") is "2026-02-30": write a date that exists, as 2026-11-24',
        'members[1].age (of "gregoire") is 7: this format has no such key: correct or remove it',
        "members[3].name is 5: write a text in double quotes",
        "members[3].id is missing: it must be given",
        "members[3].tier is missing: it must be given",
        f'credentials[0].uid (of "brigitte") is "04B1": {FORM}',
        f'shifts[1].start (of "s2") is "18:00": {A_TIME}',
        f'shifts[2].end (of "s3") is "{TUESDAY}18:00": is not after its start, {TUESDAY}22:00: an end must be',
        "doors is []: this format has no such key: correct or remove it",
        "bookings is 7: write a list in [ ]",
    ]


def test_what_only_follows_from_another_mistake_is_not_one() -> None:
    """Badges and shifts of the members without id, readers of the door without readers, the end of no start."""
    bundle = site(site_anti_passback="hard", access_points=[{"id": "front"}, {"id": "garage", "readers": "in"}])
    bundle["tiers"][2]["access_points"] = ["front"]
    for member in bundle["members"]:
        member["idd"] = member.pop("id")
    bundle["shifts"][0]["start"] = 18
    bundle["passes"] = [{"id": "p", "member": "remy", "unit": "day", "total": "2", "used": ["2026-11-24"]}]
    lines = told(bundle)
    assert keys(lines) == [
        "access_points[0].readers",
        "access_points[1].readers",
        *(f"members[{number}].{key}" for number in range(5) for key in ("idd", "id")),
        "shifts[0].start",
        "passes[0].total",
    ]
    assert lines[2] == 'members[0].idd is "brigitte": this format has no such key (id?): correct or remove it'


def test_what_is_wrong_in_many_places_is_told_once() -> None:
    bundle = site()
    for member in bundle["members"]:
        member["tier"] = "nomades"
    (line,) = told(bundle)
    assert line.endswith(
        '("nomad"?): correct it here or add it there; it is named 4 times more, last in members[4].tier'
    )


@pytest.mark.parametrize(
    ("more", "said"), [(0, None), (1, "and 1 more"), (COUNTED, f"and {COUNTED - LISTED} more at least")]
)
def test_of_very_many_the_first_are_told_and_the_others_counted(more: int, said: str | None) -> None:
    members = [{"id": f"m{number}", "name": "M", "tier": "nomad", "age": 7} for number in range(LISTED + more)]
    lines = told(site(members=[*site()["members"], *members]))
    assert keys(lines[:LISTED]) == [f"members[{5 + number}].age" for number in range(LISTED)]
    assert lines[LISTED:] == ([said] if said else [])


@given(st.data())
def test_no_mistake_hides_another(data: st.DataObject) -> None:
    """Some members have a word for a date or a key too many: each is told, whatever the others are."""
    bundle = site()
    spoilt = []
    for number, member in enumerate(bundle["members"]):
        for key, value in (("valid_from", "soon"), ("age", 7), ("status", "gone"), ("roles", ["king"])):
            if data.draw(st.booleans()):
                member[key] = value
                spoilt.append(f"members[{number}].{key}" + ("[0]" if key == "roles" else ""))
    if spoilt:
        assert sorted(keys(told(bundle))) == sorted(spoilt)


LETTERS = {
    "n\u043emad": "its character 2 is U+043E CYRILLIC SMALL LETTER O",
    "nomad\u00a0": "its character 6 is U+00A0 NO-BREAK SPACE",
    "no\u200bmad": "its character 3 is U+200B ZERO WIDTH SPACE",
    "\ufeffnomad": "its character 1 is U+FEFF a byte order mark",
    "nomad\t": "its character 6 is U+0009 a tab",
    "\uff4eomad": "its character 1 is U+FF4E FULLWIDTH LATIN SMALL LETTER N",
    "nomade\u0301": "its character 7 is U+0301 COMBINING ACUTE ACCENT",
    "l\u2019atelier": "its character 2 is U+2019 RIGHT SINGLE QUOTATION MARK",
    "no\u0434mad": "its character 3 is U+0434 CYRILLIC SMALL LETTER DE",
}


@pytest.mark.parametrize("written", LETTERS)
def test_a_character_that_is_not_what_it_seems_is_named_with_its_place(written: str) -> None:
    assert odd(written) == LETTERS[written]
    bundle = site()
    bundle["members"][0]["tier"] = written
    (line,) = told(bundle)
    assert f"({LETTERS[written]}): nothing in tiers has this id" in line
    (line,) = told(site(**{written: []}))
    assert f"is [] ({LETTERS[written]}): this format has no such key" in line


@pytest.mark.parametrize("written", ["nomad", "résident à l'année / 2026", "", "Ωμέγα", "Дом", "10 €"])
def test_what_is_as_it_seems_is_not_named(written: str) -> None:
    assert odd(written) is None


def test_two_forms_of_one_letter_are_told_apart_whichever_is_where() -> None:
    joined, apart = "r\u00e9sident", "re\u0301sident"
    assert looks_like(joined) == looks_like(apart)
    for named, known in ((joined, apart), (apart, joined)):
        bundle = site(tiers=[*site()["tiers"], {"id": known, "grounds": []}])
        bundle["members"][0]["tier"] = named
        (line,) = told(bundle)
        assert "nothing in tiers has this id, tiers[3].id looks like it" in line
        assert "its character 3 is U+0301 COMBINING ACUTE ACCENT" in line


def test_a_scenario_given_as_a_bundle_says_so() -> None:
    assert told({"format": "loquet.scenario/1", "title": "T", "bundle": site(), "steps": []}) == [
        "is a scenario: `loquet replay` plays it; the bundle in it stands under `bundle`"
    ]
