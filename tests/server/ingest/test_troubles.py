"""Messages that were refused are all counted; a flood of them does not fill the log."""

import logging

import pytest

from policy.terms import MINUTE
from server.troubles import STARTS_KEPT, TWINS_TOLD, Trouble, Troubles


@pytest.mark.parametrize("edge", ["front", None])
def test_a_flood_is_counted_whole_and_logged_ever_more_rarely(
    edge: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    troubles = Troubles()
    with caplog.at_level(logging.WARNING):
        for number in range(1, 1001):
            troubles.note(edge, number, f"message {number} is forged")
    assert (troubles.count("front") if edge else troubles.elsewhere) == 1000
    said = [record.message for record in caplog.records]
    assert len(said) == 10
    assert said[0] == "refused: message 1 is forged (1 so far)"
    assert said[-1] == "refused: message 512 is forged (512 so far)"


def test_the_last_one_is_kept_for_the_page() -> None:
    troubles = Troubles()
    troubles.note("front", 1, "cut off")
    troubles.note("front", 2, "too large")
    troubles.note("garage", 3, "forged")
    assert troubles.of_edge("front") == Trouble(2, 2, "too large")
    assert troubles.of_edge("attic") is None
    assert (troubles.count("garage"), troubles.count("attic"), troubles.elsewhere) == (1, 0, 0)


def test_two_machines_that_speak_as_one_edge_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """A start that is over never speaks again, unless there are two machines."""
    troubles = Troubles()
    for minute, start in enumerate(("one", "two", "one", "two", "one")):
        troubles.heard("front", start, minute * MINUTE)
        assert troubles.twins("front", minute * MINUTE) is (minute >= 2)
    assert caplog.text.count("edge 'front': two machines speak as it in turn (starts two and one)") == 1
    assert "docs/keys.md" in caplog.text
    assert not troubles.twins("garage", 0)
    assert not troubles.twins("front", 4 * MINUTE + TWINS_TOLD)


def test_an_edge_that_starts_again_and_again_is_one(caplog: pytest.LogCaptureFixture) -> None:
    troubles = Troubles()
    for start in range(3 * STARTS_KEPT):
        for _ in range(2):
            troubles.heard("front", str(start), start)
            troubles.heard("garage", "its only one", start)
    assert not troubles.twins("front", 0)
    assert caplog.text == ""
