"""Which characters of a text are not what they seem? Look-alikes, marks that join, spaces that are none."""

import unicodedata

ALIKE = str.maketrans(
    "аАеЕоОрРсСуУхХіІјЈѕЅԁһВКМНТкмтαΑΒΕΖΗΙΚΜΝοΟρΡΤΥΧνι‘’ʼ´“”„«»‐‑‒–—−",
    'aAeEoOpPcCyYxXiIjJsSdhBKMHTkmtaABEZHIKMNoOpPTYXvi\'\'\'\'"""""------',
)
"""Letters of other scripts, quotes and dashes, and what they are taken for."""
_SEEMING = ("Cc", "Cf", "Mn", "Zl", "Zp", "Zs")
"""Controls, characters without a shape, marks that join, ends of lines, spaces other than that of the keyboard."""


def odd(text: str) -> str | None:
    """The first character that is not what it seems, in words; None where there is none."""
    foreign = [letter for letter in text if _is_of_another_script(letter)]
    seems_latin = any(letter.isascii() and letter.isalpha() for letter in text) or all(
        map(ALIKE.get, map(ord, foreign))
    )
    for number, letter in enumerate(text, 1):
        if is_odd(letter) or (seems_latin and letter in foreign):
            return f"its character {number} is {called(letter)}"
    return None


def _is_of_another_script(letter: str) -> bool:
    return not letter.isascii() and unicodedata.name(letter, "").startswith(("CYRILLIC", "GREEK"))


def is_odd(letter: str) -> bool:
    """Whether it is not what it seems in whatever company."""
    if letter.isascii():
        return not letter.isprintable()
    kind = unicodedata.category(letter)
    alike = ord(letter) in ALIKE and not letter.isalpha()
    return (
        alike
        or kind in _SEEMING
        or kind == "Zs"
        or unicodedata.decomposition(letter).startswith(("<wide>", "<narrow>"))
    )


def called(letter: str) -> str:
    """As U+0430 CYRILLIC SMALL LETTER A."""
    name = {"\t": "a tab", "\n": "an end of line", "\ufeff": "a byte order mark"}.get(letter)
    return f"U+{ord(letter):04X} {name or unicodedata.name(letter, 'a control character')}"


def looks_like(text: str) -> str:
    """The same for all texts that look the same."""
    plain = unicodedata.normalize("NFKC", text).translate(ALIKE)
    return " ".join("".join(c for c in plain if unicodedata.category(c) not in ("Cc", "Cf")).split()).casefold()
