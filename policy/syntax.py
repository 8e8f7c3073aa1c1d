"""Why is this text no JSON? Each character that may not stand where it stands, by its place, with the remedy.

Of a text that is no TOML the first.
"""

import re
from collections.abc import Iterator

from policy.errors import listing_of
from policy.letters import called, is_odd

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

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<text>"(?:[^"\\\n]|\\[^\n])*")
    |(?P<open>"[^\n]*)
    |(?P<comment>//[^\n]*|\#[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<single>'[^'\n]*'?)
    |(?P<curly>[“”„«»][^“”„«»"\n]*[“”„«»"]?)
    |(?P<mark>[{}\[\]:,])
    |(?P<number>-?[0-9][0-9.eE+-]*)
    |(?P<word>\w+)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_BYTE = re.compile(r"(?P<why>.*) \(byte (?P<byte>[0-9]+)\)", re.DOTALL)
_AT = re.compile(r"\(at line ([0-9]+), column [0-9]+\)")
_CONTROL = re.compile(r"[\x00-\x1f]")
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})?')
_PAIRS = {"{": "}", "[": "]"}
_QUOTES = "“”„«»‘’"
_WORDS = {"True": "true", "False": "false", "None": "null", "NULL": "null", "TRUE": "true", "FALSE": "false"}


def told(where: str, text: bytes, error: Exception) -> str:
    """What to say of a text of which the codec said this. where: the file's name."""
    if isinstance(error, RecursionError):
        return f"{where}: is nested too deeply: nothing in this format is more than a few levels deep"
    if found := _not_utf8(text):
        return f"{where}: is not UTF-8 text but {found}: save it as UTF-8"
    faults = [
        f"is not JSON: line {line}, column {column}: {why}" for line, column, why in sorted(_faults(text.decode()))
    ]
    return listing_of(where, faults or [f"is not JSON: {_with_line(text, str(error))}"])


def toml_told(text: bytes, error: Exception) -> str:
    """What to say of a text of which the reader of TOML said this."""
    if found := _not_utf8(text):
        return f"is not UTF-8 text but {found}: save it as UTF-8"
    at = _AT.search(str(error))
    lines = text.decode().splitlines()
    line = lines[int(at[1]) - 1] if at and int(at[1]) <= len(lines) else ""
    strange = next((letter for letter in line if letter != "\t" and (letter in _QUOTES or is_odd(letter))), None)
    stands = f"; in that line stands {strange} ({called(strange)})" if strange else ""
    return f"not TOML ({error}){stands}: mend that line"


def _not_utf8(text: bytes) -> str | None:
    """What was found instead, None for UTF-8."""
    if foreign := next((name for start, name in _FOREIGN.items() if text.startswith(start)), None):
        return foreign
    try:
        text.decode()
    except UnicodeDecodeError as error:
        line, column = _place(text[: error.start].decode())
        return f"has the byte 0x{text[error.start]:02x} at line {line}, column {column}"
    return None


def _with_line(text: bytes, error: str) -> str:
    """The codec's words, with line and column in place of its byte."""
    match = _BYTE.fullmatch(error)
    if match is None:
        return f"{error}: is the file whole?"
    line, column = _place(text[: int(match["byte"])].decode(errors="ignore"))
    return f"{match['why']} at line {line}, column {column}"


def _place(before: str) -> tuple[int, int]:
    """Line and column of what follows, both from 1."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _faults(text: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and what is wrong there."""
    last = ""
    last_at = 0
    line, start = 1, 0
    opened: list[tuple[str, int, int]] = []
    for match in _TOKEN.finditer(text):
        kind, token = str(match.lastgroup), match[0]
        for at, why in _of_token(kind, token):
            yield line, match.start() - start + at + 1, why
        if kind not in ("space", "comment"):
            sound = kind in ("text", "mark", "number") or token in ("true", "false", "null")
            if sound and (missing := _between(last, token)):
                yield *_place(text[: last_at if last == "," else match.start()]), missing
            last, last_at = token if sound else "", match.start()
        if kind == "mark" and (wrong := _bracket(opened, token, line, match.start() - start + 1)):
            yield line, match.start() - start + 1, wrong
        if "\n" in token:
            line, start = line + token.count("\n"), match.start() + token.rfind("\n") + 1
    for bracket, there, spot in opened:
        yield there, spot, f"this {bracket} is never closed: is the file whole?"


def _bracket(opened: list[tuple[str, int, int]], token: str, line: int, column: int) -> str | None:
    """What is wrong with a bracket after those that are open."""
    if token in "{[":
        opened.append((token, line, column))
    elif token in "}]":
        if not opened:
            return f"nothing is open that this {token} could close: remove it"
        bracket, there, spot = opened.pop()
        if _PAIRS[bracket] != token:
            return f"{token} closes the {bracket} of line {there}, column {spot}: write {_PAIRS[bracket]}"
    return None


def _of_token(kind: str, token: str) -> Iterator[tuple[int, str]]:
    """Offset in the token, and what is wrong there."""
    if kind == "comment":
        yield 0, f"{token[:2] if token[0] == '/' else '#'} begins a comment, and JSON has none: remove it"
    elif kind == "single":
        yield 0, '\' is no quote in JSON: write texts between " and "'
    elif kind == "curly":
        yield 0, f'{token[0]} ({called(token[0])}) is no quote in JSON: write texts between straight ones, " and "'
    elif kind == "open":
        curly = next((letter for letter in token if letter in _QUOTES), None)
        end = f", but {curly} ({called(curly)})" if curly else ""
        yield 0, f'the text that begins here has no " at its end{end}: close it with a straight " on the same line'
    elif kind == "text":
        yield from _in_text(token)
    elif kind == "word" and token not in ("true", "false", "null"):
        meant = f": write {_WORDS[token]}" if token in _WORDS else ': write texts between " and "'
        yield 0, f"{token[:40]} stands without quotes{meant}"
    elif kind == "number" and not re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", token):
        yield 0, f'{token[:40]} is no number in JSON: write it without leading zeros, or as a text between " and "'
    elif kind == "other":
        yield 0, _foreign(token)


def _in_text(token: str) -> Iterator[tuple[int, str]]:
    for match in _CONTROL.finditer(token):
        yield match.start(), f"a text holds {called(match[0])}: write a space, or \\t for a tab"
    for match in _ESCAPE.finditer(token):
        if match[0] == "\\":
            yield match.start(), "a \\ stands before something that it cannot change: write \\\\ for one \\"


def _foreign(letter: str) -> str:
    if is_odd(letter) and not letter.isascii():
        return f"here stands {called(letter)}, which JSON does not know outside of texts: write a space, or nothing"
    return f"here stands {called(letter)}, which is no part of JSON: remove it"


def _between(last: str, token: str) -> str | None:
    """What is wrong with one after the other."""
    if last == "," and token in ("}", "]"):
        return f"a comma before {token}: remove it"
    if last == "," and token == ",":
        return "two commas in a row: remove one"
    if last and last not in "{[,:" and token not in ",:}]":
        return "before this a comma is missing, or a colon after a key: write it"
    return None
