"""Text that is no JSON: every character that may not stand where it stands, by line and column, and what to write."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.errors import BundleError
from policy.parse import parse
from tests.support_policy import site


def told(text: str) -> list[str]:
    with pytest.raises(BundleError) as error:
        parse(text.encode(), "a.json", ZoneInfo)
    return [line.removeprefix("a.json: is not JSON: ") for line in str(error.value).splitlines()]


CASES: dict[str, tuple[str, ...]] = {
    '{"a": “b”}': (
        "line 1, column 7: “ (U+201C LEFT DOUBLE QUOTATION MARK) is no quote in JSON: write texts between str",
    ),
    "{«a»: 1}": (
        "line 1, column 2: « (U+00AB LEFT-POINTING DOUBLE ANGLE QUOTATION MARK) is no quote in JSON: write te",
    ),
    '{"a": "b”,\n"c": 1}': (
        'line 1, column 7: the text that begins here has no " at its end, but ” (U+201D RIGHT DOUBLE QUOTATIO',
    ),
    '{"a": "b\n"}': (
        "line 1, column 1: this { is never closed: is the file whole?",
        'line 1, column 7: the text that begins here has no " at its end: close it with a straight " on the s',
        'line 2, column 1: the text that begins here has no " at its end: close it with a straight " on the s',
    ),
    "{'a': 1}": ('line 1, column 2: \' is no quote in JSON: write texts between " and "',),
    '{"a": 1, // why\n"b": 2, # so\n"c": /* then\n */ 3}': (
        "line 1, column 10: // begins a comment, and JSON has none: remove it",
        "line 2, column 9: # begins a comment, and JSON has none: remove it",
        "line 3, column 6: /* begins a comment, and JSON has none: remove it",
    ),
    '{"a":\xa01,\n \ufeff"b": 2}': (
        "line 1, column 6: here stands U+00A0 NO-BREAK SPACE, which JSON does not know outside of texts: writ",
        "line 2, column 2: here stands U+FEFF a byte order mark, which JSON does not know outside of texts: w",
    ),
    '{"a": "b\tc"}': ("line 1, column 9: a text holds U+0009 a tab: write a space, or \\t for a tab",),
    '{"a": "C:\\data"}': (
        "line 1, column 10: a \\ stands before something that it cannot change: write \\\\ for one \\",
    ),
    '{"a": [1, 2,], "b": 3,}': (
        "line 1, column 12: a comma before ]: remove it",
        "line 1, column 22: a comma before }: remove it",
    ),
    '{"a": 1,, "b": 2}': ("line 1, column 8: two commas in a row: remove one",),
    '{"a": 1 "b": 2}': ("line 1, column 9: before this a comma is missing, or a colon after a key: write it",),
    '{"a" 1}': ("line 1, column 6: before this a comma is missing, or a colon after a key: write it",),
    '{"a": True, "b": None}': (
        "line 1, column 18: None stands without quotes: write null",
        "line 1, column 7: True stands without quotes: write true",
    ),
    '{"a": oui}': ('line 1, column 7: oui stands without quotes: write texts between " and "',),
    '{"a": 007}': (
        'line 1, column 7: 007 is no number in JSON: write it without leading zeros, or as a text between " and "',
    ),
    '{"a": [1}': (
        "line 1, column 1: this { is never closed: is the file whole?",
        "line 1, column 9: } closes the [ of line 1, column 7: write ]",
    ),
    '{"a": {"b": 1}': ("line 1, column 1: this { is never closed: is the file whole?",),
    '{"a": 1}}': ("line 1, column 9: nothing is open that this } could close: remove it",),
    '{"a": 1; "b": 2}': ("line 1, column 8: here stands U+003B SEMICOLON, which is no part of JSON: remove it",),
}
"""What is told of each, or how it begins."""


@pytest.mark.parametrize("text", CASES)
def test_each_fault_is_told_by_its_place(text: str) -> None:
    lines = sorted(told(text))
    assert len(lines) == len(CASES[text])
    assert all(line.startswith(said) for line, said in zip(lines, CASES[text], strict=True))


def test_faults_are_told_in_the_order_of_the_file() -> None:
    text = json.dumps(site(), indent=1).replace('"garage"', "“garage”").replace('"site": {', '"site": { // ici')
    lines = told(text)
    places = [tuple(int(word.strip(",:")) for word in line.split()[1:4:2]) for line in lines]
    assert places == sorted(places)
    assert len(places) == 2


def test_accents_and_typographic_quotes_within_a_text_are_welcome() -> None:
    name = "L’« Atelier » d’à côté : “été” – 10 €"
    assert parse(json.dumps(site(site_name=name), ensure_ascii=False).encode(), "a.json").site.name == name


@given(st.data())
def test_whatever_one_character_is_put_in_or_left_out_something_is_told(data: st.DataObject) -> None:
    text = json.dumps(site(members=[], credentials=[], shifts=[]), ensure_ascii=False)
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(["", '"', ",", "}", "]", "{", ":", "\u00a0", "“", "'", "\\", "\n", "x", "0"]))
    spoilt = text[:at] + letter + text[at + (letter == "") :]
    outcome: Any
    try:
        outcome = parse(spoilt.encode(), "a.json", ZoneInfo)
    except BundleError as error:
        outcome = str(error)
    assert outcome
