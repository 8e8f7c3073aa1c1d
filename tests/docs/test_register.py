"""The register of processing says what the server does: its figures are those of the page."""

from edge.journal import KEEP
from policy.terms import DAY
from server.text.kept import EDGES_KEEP
from tests.docs.register import FILE, table


def test_its_table_is_the_page_s_own() -> None:
    assert table() in FILE.read_text("utf-8"), "run python -m tests.docs.register"


def test_a_door_s_box_keeps_as_long_as_it_says() -> None:
    assert EDGES_KEEP * DAY == KEEP
