"""What is in this JSON? A value of a type, and each thing in which the text does not fit it: key, value and remedy."""

from contextlib import suppress
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from policy import doubles, syntax
from policy.errors import BundleError, Problem, listing
from policy.misfits import Fitting

T = TypeVar("T")

FORMATS = {
    "loquet.bundle/1": "a bundle: `loquet bundle check` reads it, and a scenario names it under `bundle`",
    "loquet.scenario/1": "a scenario: `loquet replay` plays it; the bundle in it stands under `bundle`",
}
_MARK = "\ufeff".encode()
"""Editors on Windows write it before UTF-8."""


class Decoded(Struct, Generic[T], frozen=True):
    """value: with stand-ins at the places in `unfit`, of which nothing more is to be said, or without those left out.

    whole: the JSON as it is.
    """

    value: T
    problems: tuple[Problem, ...] = ()
    unfit: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    whole: Any = None


def decode(kind: type[T], text: bytes, where: str) -> T:
    """The value of this type in a JSON text in UTF-8. Raises BundleError. where: the file's name."""
    decoded = read(kind, text, where)
    if decoded.problems:
        raise BundleError(listing(where, decoded.problems, decoded.whole))
    return decoded.value


def read(kind: type[T], text: bytes, where: str) -> Decoded[T]:
    """The value, and what is wrong with the text. Raises BundleError for what is no JSON at all."""
    text = text.removeprefix(_MARK)
    try:
        value = _quick(kind, text)
        whole, twice = doubles.read(text)
        if value is not None:
            return Decoded(value, tuple(twice), whole=whole)
        with suppress(msgspec.ValidationError):  # a number too large: its place says so
            msgspec.json.decode(text)  # the standard library takes as JSON what is none
        fitting = Fitting()
        fitted = fitting.fit(kind, whole)
    except (ValueError, RecursionError) as error:
        raise BundleError(syntax.told(where, text, error)) from None
    _same_format(kind, whole, where)
    mended = msgspec.json.decode(msgspec.json.encode(fitted), type=kind)
    unfit, left_out = frozenset(fitting.unfit), frozenset(fitting.left_out)
    return Decoded(mended, (*twice, *fitting.problems), unfit, left_out, whole)


def _same_format(kind: type[Any], whole: Any, where: str) -> None:
    """Raises BundleError for a file of the other format."""
    said = whole.get("format") if isinstance(whole, dict) else None
    if (
        isinstance(said, str)
        and said in FORMATS
        and f"'{said}'" not in str(kind.__annotations__.get("format", f"'{said}'"))
    ):
        raise BundleError(f"{where}: is {FORMATS[said]}")


def _quick(kind: type[T], text: bytes) -> T | None:
    """The value, None where something in the text does not fit."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        return None
