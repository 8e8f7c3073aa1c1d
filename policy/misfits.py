"""What in this JSON does not fit its type? Every place, each with the form to write; and what would fit in its stead.

The types are those of msgspec's structs. What is asked is asked of the codec; here is only where, and in which words.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from difflib import get_close_matches
from enum import EnumType
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from policy.doubles import name_of
from policy.errors import Problem

CHUNK = 1000
"""Items of a list that are asked about at once: most fit."""
_TEXT_AS = {str: "write a text in double quotes", bool: "write true or false, without quotes"}


class Fitting:
    """problems: what did not fit. unfit: its places; there a stand-in is now, or nothing where it was `left_out`."""

    def __init__(self, table: str = "an object in { }") -> None:
        """table: what the format calls keys with values."""
        self._table_is = table
        self.problems: list[Problem] = []
        self.unfit: set[str] = set()
        self.left_out: set[str] = set()

    def fit(self, kind: Any, value: Any, path: str = "", of: str | None = None) -> Any:
        """The value with stand-ins where it does not fit: the codec takes it as this kind."""
        kind = _plain(kind, value)
        if _fits(kind, value):
            return value
        if isinstance(kind, type) and issubclass(kind, Struct) and isinstance(value, dict):
            return self._object(kind, value, path, name_of(value) or of)
        if get_origin(kind) is tuple and isinstance(value, list):
            return self._list(kind, value, path, of)
        if get_origin(kind) is dict and isinstance(value, dict):
            return self._table(kind, value, path, of)
        self._note(path, value, form(kind, value).replace("an object in { }", self._table_is), of)
        return stand_in(kind, path)

    def _note(self, path: str, value: Any, why: str, of: str | None) -> None:
        self.problems.append(Problem(path or "the file", value, why, of))
        self.unfit.add(path)

    def _object(self, kind: type[Struct], value: dict[str, Any], path: str, of: str | None) -> dict[str, Any]:
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        fitted: dict[str, Any] = {}
        for key, given in value.items():
            spot = f"{path}.{key}".removeprefix(".")
            if key not in fields:
                why = f"this format has no such key{meant(key, fields)}: correct or remove it"
                self.problems.append(Problem(spot, given, why, of))
                continue
            child = self.fit(fields[key].type, given, spot, of)
            if spot in self.unfit and not fields[key].required:
                self.left_out.add(spot)
            else:
                fitted[key] = child
        for key, field in fields.items():
            if field.required and key not in value:
                spot = f"{path}.{key}".removeprefix(".")
                self._note(spot, UNSET, "it must be given", of)
                fitted[key] = stand_in(field.type, spot)
        return fitted

    def _list(self, kind: Any, value: list[Any], path: str, of: str | None) -> list[Any]:
        kinds = get_args(kind)
        if kinds[-1] is not Ellipsis:
            if len(kinds) != len(value):
                self._note(path, value, form(kind, value), of)
                return list(stand_in(kind, path))
            return [
                self.fit(*each, f"{path}[{number}]", of) for number, each in enumerate(zip(kinds, value, strict=True))
            ]
        fitted: list[Any] = []
        for start in range(0, len(value), CHUNK):
            chunk = value[start : start + CHUNK]
            if not _fits(kind, chunk):
                chunk = [self.fit(kinds[0], item, f"{path}[{start + n}]", of) for n, item in enumerate(chunk)]
            fitted += chunk
        return fitted

    def _table(self, kind: Any, value: dict[str, Any], path: str, of: str | None) -> dict[str, Any]:
        key_kind, item_kind = get_args(kind)
        fitted: dict[str, Any] = {}
        for key, item in value.items():
            if _fits(key_kind, key):
                fitted[key] = self.fit(item_kind, item, f"{path}.{key}", of)
            else:
                self.problems.append(Problem(path, key, form(key_kind, key), of))
        return fitted


def _fits(kind: Any, value: Any) -> bool:
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True


def _plain(kind: Any, value: Any) -> Any:
    """Of a choice of types the one that is written; the choice itself for null, which may stand for it."""
    if get_origin(kind) not in (Union, UnionType) or (value is None and NoneType in get_args(kind)):
        return kind
    written = [each for each in get_args(kind) if each not in (NoneType, UnsetType)]
    return written[0] if len(written) == 1 else kind


def form(kind: Any, value: Any) -> str:
    """How such a value is written. value: what was, to find the word that was meant."""
    bare, bounds = _bare(kind)
    if words := tuple(_words(bare)):
        near = meant(value, words) if isinstance(value, str) and len(words) > 1 else ""
        return f"use {'one of ' if len(words) > 1 else ''}{', '.join(words)}{near}"
    if bare is int:
        return f"write a whole number{_range(bounds)}, without quotes"
    if bare is date:
        return "write a date that exists, as 2026-11-24"
    if bare in _TEXT_AS:
        return _TEXT_AS[bare]
    if get_origin(bare) is tuple:
        return (
            "write a list in [ ]" if get_args(bare)[-1] is Ellipsis else 'write two hours in [ ], as ["09:00", "18:00"]'
        )
    if get_origin(bare) is dict:
        names = tuple(_words(get_args(bare)[0]))
        return f"write an object in {{ }}, its keys out of {', '.join(names)}" if names else "write an object in { }"
    if isinstance(bare, type) and issubclass(bare, Struct):
        return f"write an object in {{ }} with {', '.join(_needed(bare))}"
    return "write it otherwise: nothing of this kind may stand here"


def _bare(kind: Any) -> tuple[Any, list[msgspec.Meta]]:
    kind = _plain(kind, UNSET)
    if get_origin(kind) is Annotated:
        bare, *notes = get_args(kind)
        return bare, [note for note in notes if isinstance(note, msgspec.Meta)]
    return kind, []


def _words(kind: Any) -> Iterator[str]:
    """The words of which one is to be written; none for what is not a matter of words."""
    if get_origin(kind) is Literal:
        yield from map(str, get_args(kind))
    elif isinstance(kind, EnumType):
        yield from (str(word.value) for word in kind)  # type: ignore[var-annotated]


def _range(bounds: list[msgspec.Meta]) -> str:
    low = next((meta.ge for meta in bounds if meta.ge is not None), None)
    high = next((meta.le for meta in bounds if meta.le is not None), None)
    return "" if low is None or high is None else f" from {low} to {high}"


def _needed(kind: type[Struct]) -> Iterator[str]:
    return (field.encode_name for field in msgspec.structs.fields(kind) if field.required)


def meant(word: str, words: Iterable[str], cutoff: float = 0.7) -> str:
    """The nearest of the words in brackets, nothing where none is near. cutoff: how near, 1 for the same."""
    near = get_close_matches(word.lower(), list(words), n=1, cutoff=cutoff)
    return f" ({near[0]}?)" if near else ""


def stand_in(kind: Any, path: str) -> Any:
    """Something that fits, told apart from whatever somebody would write."""
    if get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind):
        return None
    bare, bounds = _bare(kind)
    if words := tuple(_words(bare)):
        return words[0]
    if isinstance(bare, type) and issubclass(bare, Struct):
        fields = (field for field in msgspec.structs.fields(bare) if field.required)
        return {field.encode_name: stand_in(field.type, f"{path}.{field.encode_name}") for field in fields}
    if get_origin(bare) is tuple:
        return [] if get_args(bare)[-1] is Ellipsis else [stand_in(each, path) for each in get_args(bare)]
    if bare is int:
        return next((meta.ge for meta in bounds if meta.ge is not None), 0)
    simple = {str: f"\0{path}", bool: False, date: "2000-01-01", Raw: None}
    return simple.get(bare, {} if get_origin(bare) is dict else None)
