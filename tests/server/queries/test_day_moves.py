"""The day's moves, kept between two questions, are what reading them all anew would give."""

import random

import pytest
from sqlmodel import col, update

from policy.terms import HOUR, MINUTE
from server.database.types import moment
from server.models import JournalRow
from server.queries import history
from server.queries.day_moves import DayMoves, Today, today
from tests.support_pages import Place
from tests.support_server import statements
from tests.support_site import at

START = at(4)


@pytest.mark.parametrize("seed", range(20))
def test_rows_in_any_order_count_as_in_their_own(seed: int) -> None:
    """Late ones too, and those of one instant; asked in between or not."""
    chance = random.Random(seed)
    rows = [
        (number, f"m{chance.randrange(6)}", moment(START + chance.randrange(300) * 2 * MINUTE), chance.random() < 0.6)
        for number in range(1, 80)
    ]
    end = START + 11 * HOUR
    kept = DayMoves(START)
    for row in rows:
        kept.add([row])
        if chance.random() < 0.3:
            kept.hours(end)
            kept.last_arrivals(3)
    anew = DayMoves(START)
    anew.add(sorted(rows, key=lambda row: (row[2], not row[3], row[0])))
    assert kept.hours(end) == anew.hours(end)
    assert kept.last_arrivals() == anew.last_arrivals()
    assert kept.last_arrivals(5) == anew.last_arrivals()[-5:]
    assert (kept.came, kept.different) == (anew.came, anew.different)
    assert sum(hour.came for hour in kept.hours(end)) == kept.came
    assert kept.came == sum(row[3] for row in rows)


def seen(place: Place, last: int = 10) -> Today:
    with place.database.reading() as session:
        found = today(session, START, place.now, last)
        assert found.hours == history.hours(session, START, place.now + 1)
        assert len(found.last) == len(history.arrivals(session, START, place.now + 1)[-last:])
        return found


def test_a_tap_costs_what_is_new(place: Place) -> None:
    before = seen(place)
    assert (before.came, before.different) == (5, 4)
    place.journal.enters(at(19, 11), "zoe")
    place.tell()
    with statements(place.database) as asked, place.database.reading() as session:
        after = today(session, START, place.now)
    assert after.came == before.came + 1
    (only,) = (sql for sql, _ in asked if "moved_at" in sql)
    assert "journal_row.id > " in only


def test_what_was_changed_afterwards_is_read_anew(place: Place) -> None:
    """A correction taken back, a clock set right, an edge revoked, a purge: whatever rewrites a row."""
    before = seen(place)
    with place.database.transaction() as session:
        session.exec(update(JournalRow).where(col(JournalRow.member) == "remy").values(inside=None, moved_at=None))
    assert seen(place).came == before.came - 1


def test_a_moment_before_the_last_move_is_told_without_it(place: Place) -> None:
    seen(place)
    with place.database.reading() as session:
        assert today(session, START, at(9, 20)).came == 2


def test_another_day_begins_empty(place: Place) -> None:
    seen(place)
    with place.database.reading() as session:
        assert today(session, START + 24 * HOUR, START + 25 * HOUR).came == 0
