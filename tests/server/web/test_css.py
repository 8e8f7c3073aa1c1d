"""The style sheet: what is said of one component is not said of another that bears the same word."""

import re
from pathlib import Path

import server.web

CSS = (Path(server.web.__file__).parents[1] / "static" / "loquet.css").read_text("utf-8")


def test_what_kind_of_answer_it_is_has_no_style_of_its_own() -> None:
    """`.step {` made the answer that waits for a badge a circle of 24 px, as it does a number in a line of steps."""
    kinds = set(re.findall(r"\.answer\.([a-z-]+)", CSS))
    alone = set(re.findall(r"^\.([a-z-]+) \{", CSS, re.MULTILINE))
    assert "step" in kinds
    assert kinds & alone == set()
