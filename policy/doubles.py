"""Does a key stand twice in one object of a JSON text? The codec takes the last one, and says nothing."""

import json
from collections.abc import Iterable
from typing import Any

from msgspec import Raw

from policy.errors import Problem, shown

Pairs = list[tuple[str, Any]]


def doubled(text: bytes) -> str | None:
    """What to say of a key that is given twice, None when each is given once.

    Raises ValueError for what is no JSON, RecursionError where it is nested too deeply.
    """
    last: list[tuple[dict[str, Any], Pairs]] = []

    def build(pairs: Pairs) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) < len(pairs):
            last[:] = [(built, pairs)]
        return built

    whole = json.loads(text, object_pairs_hook=build, parse_int=_number, parse_float=_number, strict=False)
    return str(_problem(whole, *last[0])) if last else None


def _number(written: str) -> Raw:
    """As it is written: how long a number may be is the codec's to say."""
    return Raw(written.encode())


def _problem(whole: Any, built: dict[str, Any], pairs: Pairs) -> Problem:
    """Of the object that was built last: no other with a double is around it, so it is still in the whole."""
    names = [name for name, _ in pairs]
    key = next(name for number, name in enumerate(names) if name in names[:number])
    first, second = [value for name, value in pairs if name == key][:2]
    way = _way(whole, built) or []
    why = f"it is given twice, first as {shown(first)}: keep one of them"
    return Problem(_path([*way, key]), second, why, _named(whole, way))


def _way(node: Any, wanted: dict[str, Any]) -> list[Any] | None:
    """The keys and numbers that lead to the object, None when it is not in the node."""
    if node is wanted:
        return []
    if isinstance(node, dict | list):
        for step, value in node.items() if isinstance(node, dict) else enumerate(node):
            way = _way(value, wanted)
            if way is not None:
                return [step, *way]
    return None


def _path(steps: Iterable[str | int]) -> str:
    """As members[3].tier."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _named(node: Any, way: Iterable[str | int]) -> str | None:
    """The id of the innermost object on the way that has one."""
    of = None
    for step in (*way, None):
        if isinstance(node, dict):
            of = next((node[name] for name in ("id", "uid", "kind") if isinstance(node.get(name), str)), of)
        node = node if step is None else node[step]
    return of
