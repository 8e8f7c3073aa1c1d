"""A key that stands twice in one object is refused by name, wherever it stands; the codec alone would take the last."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.doubles import read
from policy.errors import BundleError
from policy.parse import parse
from tests.support_policy import site


def doubled(text: bytes) -> str | None:
    """The first double in words, None without one."""
    _, problems = read(text)
    return str(problems[0]) if problems else None


NAMES = st.sampled_from(["a", "b", "id", "uid", "kind", "\u00e9"])
TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1, "a": 2}', "a is 2: it is given twice, first as 1: keep one of them"),
        ('{"a": 1, "b": 0, "a": 1}', "a is 1: it is given twice, first as 1: keep one of them"),
        ('{"b": 0, "a": 1, "\\u0061": 2, "a": 3}', "a is 2: it is given twice, first as 1: keep one of them"),
        ('{"a": 1, "b": 0, "b": 0, "a": 1}', "b is 0: it is given twice, first as 0: keep one of them"),
        ('[0, [{"": 1.50, "": 1e999}]]', "[1][0]. is 1e999: it is given twice, first as 1.50: keep one of them"),
        (
            '{"a": {"b": 1, "b": 2}, "a": {"c": 3}}',
            'a is {"c":3}: it is given twice, first as {"b":2}: keep one of them',
        ),
        (
            '{"id": "x", "uid": "y", "a": [{"b": {"c": "d", "c": null}}]}',
            'a[0].b.c (of "x") is null: it is given twice, first as "d": keep one of them',
        ),
        ('{"id": "x", "a": {"id": 7, "uid": "y", "b": 1, "b": 2}}', 'a.b (of "y") is 2: it is given twice, first as 1'),
        ('{"a": [{"kind": "k", "b": 1, "b": 2}]}', 'a[0].b (of "k") is 2: it is given twice, first as 1'),
        ('{"id": "x", "id": "y"}', 'id (of "y") is "y": it is given twice, first as "x": keep one of them'),
    ],
)
def test_the_double_is_named_with_its_place_and_both_values(text: str, told: str) -> None:
    said = doubled(text.encode())
    assert said is not None
    assert said.startswith(told)


def test_every_double_is_named_but_what_is_lost_in_one() -> None:
    _, problems = read(
        b'{"a": [{"b": 1, "b": 2, "c": 3, "c": 4, "c": 5}], "d": {"e": 0, "e": 1}, "d": 2, "f": {"g": 1, "g": 2}}'
    )
    assert {problem.key for problem in problems} == {"a[0].b", "a[0].c", "d", "f.g"}


@given(TREES)
def test_what_has_every_key_once_is_let_be(tree: Any) -> None:
    assert doubled(json.dumps(tree).encode()) is None


@given(TREES, TREES, st.data())
def test_a_double_is_found_wherever_it_stands(tree: Any, value: Any, data: st.DataObject) -> None:
    path = ""
    text = f'{{"twice": 1, "twice": {json.dumps(value)}}}'
    for _ in range(data.draw(st.integers(0, 4))):
        beside = json.dumps(tree)
        number = data.draw(st.integers(0, 2))
        path = f"[{number}]{path}" if (listed := data.draw(st.booleans())) else f".in{path}"
        text = f"[{', '.join([beside] * number + [text])}]" if listed else f'{{"at": {beside}, "in": {text}}}'
    said = doubled(text.encode())
    assert said is not None
    assert said.startswith(f"{path}.twice is ".removeprefix("."))


@pytest.mark.parametrize("text", [b"{", b"[1, 2] 3", b'{"a": "\xff"}'])
def test_what_is_no_json_is_no_double(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        doubled(text)


def test_a_number_may_be_as_long_as_it_likes_and_a_text_hold_a_tab() -> None:
    assert doubled(b'{"a": ' + b"9" * 10_000 + b', "b": "\t"}') is None


def test_a_bundle_with_a_double_is_refused_by_file_key_and_value() -> None:
    text = json.dumps(site()).replace('"name": "Brigitte"', '"name": "Beate", "name": "Brigitte"').encode()
    with pytest.raises(BundleError) as refused:
        parse(text, "site.json", ZoneInfo)
    place = 'members[0].name (of "brigitte") is "Brigitte"'
    assert str(refused.value) == f'site.json: {place}: it is given twice, first as "Beate": keep one of them'
