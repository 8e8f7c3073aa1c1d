"""What is wrong with this JSON? Decoding into a type, with errors that name file, key, value and remedy."""

import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, inspect

from policy.bundle import HourRange
from policy.doubles import doubled
from policy.errors import KEY_SHOWN, BundleError, Problem, brief

T = TypeVar("T")

_MISFIT = re.compile(r"(?P<why>.*?)(?: - at (?P<as_key>`key` in )?`\$\.?(?P<path>[^`]*)`)?", re.DOTALL)
_FIELD = re.compile(r"Object (?P<what>contains unknown|missing required) field `(?P<field>.*)`", re.DOTALL)
_STEP = re.compile(r"([^.\[\]]+)")
_BYTE = re.compile(r"(?P<why>.*) \(byte (?P<byte>[0-9]+)\)", re.DOTALL)
_MARK = "\ufeff".encode()
"""Editors on Windows write it before UTF-8."""
_FOREIGN = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"{\0\0\0": "UTF-32",
    b"\0\0\0{": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"{\0": "UTF-16",
    b"\0{": "UTF-16",
}
"""How a file in another encoding begins, with its mark or without; the first that fits."""


def decode(kind: type[T], text: bytes, where: str) -> T:
    """The value of this type in a JSON text in UTF-8. Raises BundleError. where: the file's name."""
    text = text.removeprefix(_MARK)
    try:
        value = msgspec.json.decode(text, type=kind)
        twice = doubled(text)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{where}: {_fault(kind, text, error)}") from None
    if twice is not None:
        raise BundleError(f"{where}: {twice}")
    return value


def _fault(kind: type[Any], text: bytes, error: Exception) -> str:
    if isinstance(error, msgspec.ValidationError):
        return _misfit(kind, text, str(error))
    if isinstance(error, RecursionError):
        return "is nested too deeply: nothing in this format is more than a few levels deep"
    if found := _not_utf8(text):
        return f"is not UTF-8 text but {found}: save it as UTF-8"
    return f"is not JSON: {_with_line(text, str(error))}"


def _not_utf8(text: bytes) -> str | None:
    """What was found instead, None for UTF-8."""
    if foreign := next((name for start, name in _FOREIGN.items() if text.startswith(start)), None):
        return foreign
    try:
        text.decode()
    except UnicodeDecodeError as error:
        line, column = _place(text, error.start)
        return f"has the byte 0x{text[error.start]:02x} at line {line}, column {column}"
    return None


def _with_line(text: bytes, error: str) -> str:
    """The codec's words, with line and column in place of its byte."""
    match = _BYTE.fullmatch(error)
    if match is None:
        return f"{error}: is the file whole?"
    line, column = _place(text, int(match["byte"]))
    return f"{match['why']} at line {line}, column {column}"


def _place(text: bytes, byte: int) -> tuple[int, int]:
    """Line and column."""
    before = text[:byte]
    return before.count(b"\n") + 1, len(before) - before.rfind(b"\n")


def _misfit(kind: type[Any], text: bytes, error: str) -> str:
    """What does not fit the type, looked up in the file again to name its place and value."""
    match = _MISFIT.fullmatch(error)
    assert match is not None  # noqa: S101 - the pattern fits every text
    why, path = match["why"], match["path"] or ""
    try:
        path = path.replace("[...]", f".{_bad_day(text, path)}")
        return str(_problem(kind, _walk(text, path), path, why, as_key=match["as_key"] is not None))
    except (ValueError, RecursionError):  # further on the file is no JSON at all
        return f"{path or 'the file'}: {brief(_in_words(why), KEY_SHOWN)}"


def _bad_day(text: bytes, path: str) -> str:
    """Which weekday of a table of hours the codec could not read: it says only that one of them it was."""
    head, dots, _ = path.partition("[...]")
    table = msgspec.json.decode(_walk(text, head)[-1]) if dots else {}
    return next((day for day, ranges in table.items() if not _is_hours(ranges)), "")


def _is_hours(value: Any) -> bool:
    try:
        msgspec.convert(value, tuple[HourRange, ...])
    except msgspec.ValidationError:
        return False
    return True


def _problem(kind: type[Any], passed: list[Raw], path: str, why: str, *, as_key: bool) -> Problem:
    value, of = passed[-1], _named(passed)
    if field := _FIELD.fullmatch(why):
        key = f"{path}.{field['field']}".lstrip(".")
        if field["what"] == "missing required":
            return Problem(key, UNSET, "it must be given", of)
        given = msgspec.json.decode(value, type=dict[str, Raw])
        return Problem(key, given[field["field"]], "this format has no such key: correct or remove it", of)
    if allowed := [*_allowed(kind, path, as_key=as_key)]:
        word = next(key for key in msgspec.json.decode(value) if key not in allowed) if as_key else value
        return Problem(path, word, f"use one of {', '.join(allowed)}", of)
    return Problem(path or "the file", value, _in_words(why), of)


def _in_words(why: str) -> str:
    if "encoded date" in why:
        return "write a date that exists, as 2026-11-24"
    return why[:1].lower() + why[1:].replace("`", "")


def _walk(text: bytes, path: str) -> list[Raw]:
    """The values that the path passes, from the whole to the one it names. Only what lies on the way is decoded."""
    passed = [Raw(text)]
    for step in _STEP.findall(path):
        if step.isdecimal():
            passed.append(msgspec.json.decode(passed[-1], type=list[Raw])[int(step)])
        else:
            passed.append(msgspec.json.decode(passed[-1], type=dict[str, Raw])[step])
    return passed


class _Named(Struct):
    """Whatever an object may be called by."""

    id: Any = None
    uid: Any = None
    kind: Any = None


def _named(passed: list[Raw]) -> str | None:
    """The id of the innermost object that has one."""
    names = (name for raw in reversed(passed) for name in _names(raw) if isinstance(name, str))
    return next(names, None)


def _names(raw: Raw) -> tuple[Any, ...]:
    try:
        named = msgspec.json.decode(raw, type=_Named)
    except msgspec.ValidationError:  # a list or a word
        return ()
    return named.id, named.uid, named.kind


def _allowed(kind: type[Any], path: str, *, as_key: bool) -> Iterator[str]:
    """The words that may stand at the path, or be a key there. None when it is not a matter of words."""
    node = inspect.type_info(kind)
    for step in _STEP.findall(path):
        node = _child(node, step)
    if as_key and isinstance(node, inspect.DictType):
        node = node.key_type
    if isinstance(node, inspect.LiteralType):
        yield from map(str, node.values)
    if isinstance(node, inspect.EnumType):
        yield from (str(word.value) for word in node.cls)


def _child(node: inspect.Type, step: str) -> inspect.Type:
    if isinstance(node, inspect.UnionType):
        return next(_child(kind, step) for kind in node.types if not isinstance(kind, inspect.NoneType))
    if isinstance(node, inspect.StructType):
        return next(field.type for field in node.fields if field.encode_name == step)
    if isinstance(node, inspect.DictType):
        return node.value_type
    if isinstance(node, inspect.TupleType):
        return node.item_types[int(step)]
    assert isinstance(node, inspect.VarTupleType)  # noqa: S101 - a bundle's type holds nothing else
    return node.item_type
