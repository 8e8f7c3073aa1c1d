"""How does the next page say what was just done? In a sentence that the browser keeps for it, at the top."""

from flask import flash


def tell(sentence: str) -> None:
    """In the reader's language; shown once, by base.html."""
    flash(sentence)
