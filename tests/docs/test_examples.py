"""The worked examples of docs/rules.md are scenarios, and what the text says of them is what they lead to."""

import json
import re
from datetime import datetime
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from loquet.main import main
from policy.bundle import Bundle
from tests.support_policy import WEEKDAYS

DOCS = Path(__file__).parents[2] / "docs"
RULES = (DOCS / "rules.md").read_text("utf-8")
CASACO = DOCS / "examples" / "casaco.json"
EXAMPLES = sorted(path for path in (DOCS / "examples").glob("*.json") if path != CASACO)
EXAMPLE = re.compile(r"^\*Example\* \(\[[\w-]+\.json\]\(examples/([\w-]+\.json)\)\)\. (.+?)\n\n", re.M | re.S)
PARAGRAPHS = dict(EXAMPLE.findall(RULES))
REASON = re.compile(r"`([a-z_]+)`")
HOUR = re.compile(r"\b(\d\d:\d\d)\b")


def test_every_example_of_the_page_is_a_file_and_every_file_an_example() -> None:
    assert RULES.count("*Example") == len(PARAGRAPHS)
    assert sorted(PARAGRAPHS) == [path.name for path in EXAMPLES]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_it_leads_to_what_it_says(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(path)]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("name", PARAGRAPHS)
def test_the_text_names_reasons_and_hours_of_the_story(name: str) -> None:
    scenario = json.loads((DOCS / "examples" / name).read_text("utf-8"))
    steps, text = scenario["steps"], PARAGRAPHS[name]
    expected = [step.get("expect", {}) for step in steps]
    named = set(REASON.findall(text)) - set(scenario["bundle"]["site"])
    assert named <= {each["reason"] for each in expected if "reason" in each}
    assert named
    instants = [step["at"] for step in steps] + [each["until"] for each in expected if each.get("until")]
    planned = chain.from_iterable(
        (item["start"], item["end"]) for kind in ("shifts", "bookings") for item in scenario["bundle"].get(kind, ())
    )
    adhoc_ends = {"18:00"}
    assert set(HOUR.findall(text)) <= {local(written) for written in (*instants, *planned)} | adhoc_ends


def local(written: str) -> str:
    return f"{datetime.fromisoformat(written).replace(tzinfo=ZoneInfo('Europe/Paris')):%H:%M}"


def test_the_bundle_to_start_from_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """The rhythm of the place, a line for each thing, and nothing that is in doubt."""
    assert main(["bundle", "check", str(CASACO)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{CASACO}: Casaco, Malakoff: 2 access points, ")
    assert said.err == ""
    assert f"[{CASACO.name}](examples/{CASACO.name})" in RULES
    bundle = json.loads(CASACO.read_text("utf-8"))
    assert set(Bundle.__struct_fields__) - set(bundle) == {"rota_changes", "credits"}
    assert bundle["site"]["staff_hours"] == {day: [["09:00", "18:00"]] for day in WEEKDAYS}
    assert (bundle["site"]["capacity"], bundle["site"]["holidays"]) == (100, "FR")
    gardiens = {member["id"] for member in bundle["members"] if "gardien" in member.get("roles", [])}
    assert {shift["gardien"] for shift in bundle["shifts"]} == gardiens


@pytest.mark.parametrize(
    ("uid", "at", "inside", "verdict"),
    [
        ("04:C8:44:29:0E:B1:81", "2026-12-01T12:30", [], "=> granted staffed_hours"),
        ("04:C8:44:29:0E:B1:81", "2026-12-01T18:30", [], "=> denied outside_hours"),
        ("04:C8:44:29:0E:B1:81", "2026-12-01T18:30", ["yanis"], "=> granted gardien_present"),
        ("91:2F:B6:0A", "2026-12-01T12:30", [], "=> denied member_suspended"),
        ("04:70:C5:1A:8F:42:80", "2026-12-01T12:30", [], "=> denied credential_blocked"),
        ("04:BE:37:13:A9:64:81", "2026-12-05T10:00", [], "=> granted tier_hours"),
    ],
)
def test_its_members_are_let_in_as_the_place_lives(
    uid: str, at: str, inside: list[str], verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["explain", str(CASACO), "--tap", "front-in", uid, "--at", at, "--lang", "en", "--inside", *inside]
    assert main(asked) == 0
    assert capsys.readouterr().out.splitlines()[-1] == verdict


def test_the_explanation_is_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.search(r"^\$ loquet (explain evening\.json .+)\n((?:.+\n)+)```", RULES, re.M)
    assert shown is not None
    bundle = json.loads((DOCS / "examples" / "evening.json").read_text("utf-8"))["bundle"]
    (tmp_path / "evening.json").write_text(json.dumps(bundle), "utf-8")
    words = shown[1].replace("evening.json", str(tmp_path / "evening.json")).split()
    assert main(words) == 0
    assert capsys.readouterr().out == shown[2]
