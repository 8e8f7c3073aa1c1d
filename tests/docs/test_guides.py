"""The guides say what the pages say: sheets as tools/guides writes them, pictures there, each quoted word on a page."""

import re
from pathlib import Path

import pytest

from server.text.catalogue import translated
from server.text.guides import GUIDES, LOUD
from server.text.lamps import AT_THE_DOOR
from tests.docs.guide_sheets import files, pictures

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(("file", "content"), files().items(), ids=list(files()))
def test_the_sheet_is_the_guide(file: str, content: str) -> None:
    assert (ROOT / file).read_text("utf-8") == content, "run tools/guides"


def test_each_picture_is_there_and_no_other() -> None:
    there = {file.stem for file in (ROOT / "server/static/guides").iterdir()}
    assert there == {picture.file for picture in pictures()}, "run tools/guides --pictures"


def test_what_a_guide_quotes_stands_on_a_page() -> None:
    """A press that was renamed is not looked for in vain in an emergency."""
    pages = {re.sub(r"\s+", " ", str(text)) for message in translated() for text in _forms(message.id)}
    quoted = {
        word
        for guide in GUIDES.values()
        for part in guide.parts
        for line in part.lines
        for word in LOUD.findall(line.do)
    }
    assert {word for word in quoted if word not in pages} == set()


def test_each_lamp_of_a_guide_is_told_on_the_sheet_of_lamps() -> None:
    told = {signal for guide in GUIDES.values() for part in guide.parts for signal in part.signals}
    assert told <= {lamp.signal for lamp in AT_THE_DOOR}
    assert {"people_inside", "closed", "call_gardien"} <= told


def _forms(message: object) -> tuple[object, ...]:
    return message if isinstance(message, tuple) else (message,)
