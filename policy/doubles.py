"""Does a key stand twice in one object of a JSON text? The codec takes the last one, and says nothing."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Raw

from policy.errors import Problem, shown

Step = str | int
Pairs = list[tuple[str, Any]]


def read(text: bytes) -> tuple[Any, list[Problem]]:
    """What the text holds, with numbers as they are written, and each key that is given twice.

    Raises ValueError for what is no JSON, RecursionError where it is nested too deeply.
    """
    doubled: list[tuple[dict[str, Any], Pairs]] = []

    def build(pairs: Pairs) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) < len(pairs):
            doubled.append((built, pairs))
        return built

    whole = json.loads(text, object_pairs_hook=build, parse_int=_number, parse_float=_number, strict=False)
    if not doubled:
        return whole, []
    ways = {id(node): way for way, node in _objects(whole, ())}
    return whole, [
        problem for built, pairs in doubled if id(built) in ways for problem in _problems(whole, ways[id(built)], pairs)
    ]


def _number(written: str) -> Raw:
    """As it is written: how long a number may be is the codec's to say."""
    return Raw(written.encode())


def _objects(node: Any, way: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Each object in the tree, and the keys and numbers that lead to it."""
    if isinstance(node, dict):
        yield way, node
    if isinstance(node, dict | list):
        for step, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _objects(value, (*way, step))


def _problems(whole: Any, way: tuple[Step, ...], pairs: Pairs) -> Iterator[Problem]:
    """One for each key of the object that stands there twice or more."""
    given: dict[str, list[Any]] = {}
    for name, value in pairs:
        values = given.setdefault(name, [])
        values.append(value)
        if len(values) == 2:
            why = f"it is given twice, first as {shown(values[0])}: keep one of them"
            yield Problem(path((*way, name)), value, why, _named(whole, way))


def path(steps: Iterable[Step]) -> str:
    """As members[3].tier."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def name_of(node: Any) -> str | None:
    """What an object is called by, None for what has no name."""
    if not isinstance(node, dict):
        return None
    return next((node[name] for name in ("id", "uid", "kind", "rota") if isinstance(node.get(name), str)), None)


def _named(node: Any, way: Iterable[Step]) -> str | None:
    """The name of the innermost object on the way that has one."""
    of = name_of(node)
    for step in way:
        node = node[step]
        of = name_of(node) or of
    return of
