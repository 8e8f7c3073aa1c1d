"""Messages that were refused are all counted; a flood of them does not fill the log."""

import logging

import pytest

from server.troubles import Trouble, Troubles


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
