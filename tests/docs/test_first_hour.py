"""The guide of the first hour can be done to the letter, by whoever reads French and whoever reads English."""

import re

import pytest

from tests.docs.first_hour import GUIDE, LIMIT, SECONDS, Kind, Step, changed, seconds, sheet, steps

STEPS = steps(GUIDE.read_text("utf-8"))


def commands(text: str) -> list[str]:
    parts = re.split(r"^## (?=\d\. )", text, flags=re.MULTILINE)[1:]
    return [line.strip() for part in parts for line in part.split("\n## ")[0].splitlines() if line.startswith("    ")]


def test_both_languages_give_the_same_commands() -> None:
    english = (GUIDE.parents[1] / "installing.md").read_text("utf-8").replace("ADDRESS", "ADRESSE")
    assert commands(GUIDE.read_text("utf-8")) == commands(english)


def test_every_kind_of_step_is_found_in_the_guide() -> None:
    assert {step.kind for step in STEPS} == {*Kind}
    assert {*SECONDS} == {*Kind}
    assert [step.what for step in STEPS if step.kind is Kind.EDIT] == ["front.toml", "inventory.yml"]


def test_the_badge_is_laid_twice_and_the_second_time_is_the_end() -> None:
    assert [step.kind for step in STEPS].count(Kind.LAY) == 2
    assert STEPS[-1].kind is Kind.LAY


def test_what_the_guide_alone_asks_is_well_within_the_limit() -> None:
    """Without what is written into files: tools/first-hour adds that."""
    assert seconds([(step, step.typed) for step in STEPS]) < 0.8 * LIMIT


@pytest.mark.parametrize(("after", "typed"), [("a: 1\n", 0), ("a: 23\n", 2), ("a: 1\nb: 2\n", 5), ("a:\n", 1)])
def test_what_somebody_types_into_a_file_is_counted(after: str, typed: int) -> None:
    assert changed("a: 1\n", after) == typed


def test_a_longer_guide_takes_longer() -> None:
    done = [(Step("1. A", Kind.COMMAND, "ls"), 3), (Step("2. B", Kind.HAND, "x"), 0)]
    assert seconds(done) == 71
    assert sheet(done).splitlines()[-1] == "2 steps, 3 signs typed: 1.2 minutes of a person's time"
