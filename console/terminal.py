"""What does a terminal show that has no letter for something? The nearest plain ones, never a traceback."""

import codecs
import io
import sys
import unicodedata

NEAREST = str.maketrans(
    {
        **dict.fromkeys("‘’", "'"),
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("–—‑·•", "-"),
        "→": "->",
        "×": "x",
        "µ": "u",
        "œ": "oe",
        "Œ": "OE",
        "æ": "ae",
        "Æ": "AE",
    }
)
"""What Unicode itself does not take apart into plain letters."""


def show_all() -> None:
    """Have all that is printed from now on shown somehow, whatever the terminal's encoding (LANG, PYTHONIOENCODING)."""
    codecs.register_error("loquet.nearest", _nearest)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="loquet.nearest")


def say(text: str) -> None:
    """Tell whoever sits at the terminal, at once."""
    print(text, flush=True)


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """For Python's codecs: what stands in for letters that cannot be encoded, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = unicodedata.normalize("NFKD", error.object[error.start : error.end].translate(NEAREST))
    plain = (letter if letter.isascii() else "?" for letter in letters if not unicodedata.combining(letter))
    return "".join(plain), error.end
