"""The worked examples of docs/rules.md are scenarios, and what the text says of them is what they lead to."""

import json
import re
from datetime import datetime
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from loquet.main import main

DOCS = Path(__file__).parents[2] / "docs"
RULES = (DOCS / "rules.md").read_text("utf-8")
EXAMPLES = sorted((DOCS / "examples").glob("*.json"))
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


def test_the_explanation_is_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.search(r"^\$ loquet (explain evening\.json .+)\n((?:.+\n)+)```", RULES, re.M)
    assert shown is not None
    bundle = json.loads((DOCS / "examples" / "evening.json").read_text("utf-8"))["bundle"]
    (tmp_path / "evening.json").write_text(json.dumps(bundle), "utf-8")
    words = shown[1].replace("evening.json", str(tmp_path / "evening.json")).split()
    assert main(words) == 0
    assert capsys.readouterr().out == shown[2]
