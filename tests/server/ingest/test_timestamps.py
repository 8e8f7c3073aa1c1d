"""Rows written while a clock was lost get their true instants as soon as a row of the same boot tells them."""

from itertools import accumulate

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.instants import instant, text
from policy.reasons import Reason
from policy.terms import DAY, HOUR, MINUTE, ClockState
from server.database.engine import Database
from server.database.types import moment
from tests.support_history import presence, rows_of
from tests.support_server import Desk, Journal
from tests.support_site import at
from wire.row import Kind, Order, Row

BOOTED = at(8)
"""When the monotonic clock of the tests' boot stood at nought."""


def lost(row: Row, *, boot: str = "b2") -> Row:
    """As an edge writes it that has no idea of the time."""
    return replace(row, boot=boot, clock=ClockState.UNKNOWN, mono_ms=_ms(row), at=text(_ms(row)))


def trusted(row: Row, *, boot: str = "b2") -> Row:
    return replace(row, boot=boot, mono_ms=_ms(row))


def _ms(row: Row) -> int:
    return instant(row.at) - BOOTED


def evening(journal: Journal) -> list[Row]:
    """Grégoire comes at nine in doubt and leaves at ten, Rémy comes at half past ten; at eleven the clock is set."""
    journal.enters(at(9), "gregoire", Reason.GARDIEN_GRACE)
    journal.leaves(at(10), "gregoire")
    journal.enters(at(10, 30), "remy", Reason.ALWAYS)
    doubtful = [lost(row) for row in journal.rows]
    return [*doubtful, trusted(journal.add(at(11), Kind.CLOCK_SET, access_point=None))]


TRUE = {"gregoire": (at(10), False), "remy": (at(10, 30, 2), True)}


def test_in_one_batch(desk: Desk, journal: Journal) -> None:
    desk.take(evening(journal))
    assert presence(desk) == TRUE
    assert next(row.at for row in rows_of(desk)) == moment(at(9))


def test_rows_that_came_before_are_dated_when_the_clock_is_set(desk: Desk, journal: Journal) -> None:
    rows = evening(journal)
    desk.take(rows[:-1])
    assert {at_ for at_, _ in presence(desk).values()} == {desk.now}, "at receipt, as long as nothing else is known"
    desk.take(rows)
    assert presence(desk) == TRUE
    assert [row.moved_at for row in rows_of(desk) if row.moved_at] == [
        moment(at(9, 0, 2)),
        moment(at(10)),
        moment(at(10, 30, 2)),
    ]


def test_rows_that_come_after_a_trusted_one_of_their_boot_are_dated_by_it(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "remy", Reason.ALWAYS)
    rows = [trusted(journal.rows[0]), *(lost(row) for row in journal.rows[1:])]
    desk.take(rows[:1])
    desk.take(rows)
    assert presence(desk) == {"remy": (at(9, 0, 2), True)}


def test_another_boot_dates_nothing(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "remy", Reason.ALWAYS)
    rows = [lost(row) for row in journal.rows]
    desk.take(rows)
    desk.take([*rows, trusted(journal.add(at(11), Kind.CLOCK_SET, access_point=None), boot="b3")])
    assert presence(desk) == {"remy": (desk.now, True)}


def test_who_moved_since_stays_where_they_are(desk: Desk, journal: Journal) -> None:
    rows = evening(journal)
    desk.take(rows[:-1])
    desk.now += MINUTE
    other = Journal()
    other.leaves(desk.now, "remy")
    desk.take(other.rows, "j2")
    desk.take(rows)
    assert presence(desk) == {"gregoire": (at(10), False), "remy": (desk.now, False)}


def test_no_row_is_dated_later_than_it_was_received(desk: Desk, journal: Journal) -> None:
    rows = evening(journal)
    desk.now = at(9, 30)
    desk.take(rows[:-1])
    desk.take(rows)
    assert presence(desk) == {"gregoire": (at(9, 30), False), "remy": (at(9, 30), True)}


def test_a_monotonic_clock_that_cannot_be_holds_up_nothing(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "remy", Reason.ALWAYS)
    wild = [replace(lost(row), mono_ms=2**52) for row in journal.rows]
    desk.take(wild)
    answer = desk.take([*wild, trusted(journal.add(at(11), Kind.CLOCK_SET, access_point=None))])
    assert answer is not None
    assert answer.ack.seq == 4
    assert presence(desk) == {"remy": (desk.now, True)}


# A trusted clock that was wrong


def morning(journal: Journal, ahead: int) -> list[Row]:
    """Rémy comes at nine by a clock that is wrong; it is set right at half past, and he leaves at ten."""
    journal.enters(at(9), "remy", Reason.ALWAYS)
    wrong = [replace(trusted(row), at=text(instant(row.at) + ahead)) for row in journal.rows]
    was_set = trusted(journal.add(at(9, 30), Kind.CLOCK_SET, access_point=None))
    journal.leaves(at(10), "remy")
    return [*wrong, was_set, trusted(journal.rows[-1])]


@pytest.mark.parametrize("ahead", [-400 * DAY, -DAY, -HOUR, -5 * MINUTE, 5 * MINUTE, HOUR, DAY, 400 * DAY])
@pytest.mark.parametrize("sizes", [(5,), (3, 5), (3, 4, 5), (1, 2, 3, 4, 5)])
def test_who_left_is_out_however_wrong_the_clock_was(
    desk: Desk, journal: Journal, ahead: int, sizes: tuple[int, ...]
) -> None:
    rows = morning(journal, ahead)
    assert len(rows) == 5
    for upto in sizes:
        desk.take(rows[:upto])
    assert presence(desk) == {"remy": (at(10), False)}
    moves = [row.moved_at for row in rows_of(desk) if row.moved_at]
    assert moves == [moment(at(9, 0, 2)), moment(at(10))], "as the clock that was set right says"
    first = rows_of(desk)[0]
    assert (first.said or first.at) == moment(at(9) + ahead), "what it said then stays"


def test_a_clock_that_was_wrong_for_a_while_leaves_who_was_there_before(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "remy", Reason.ALWAYS)
    right = [trusted(row) for row in journal.rows]
    desk.take(right)
    wrong = replace(trusted(journal.add(at(9, 30), Kind.CLOCK_SET, access_point=None)), at=text(at(9) - 400 * DAY))
    desk.take([*right, wrong])
    mended = trusted(journal.add(at(9, 40), Kind.CLOCK_SET, access_point=None))
    desk.take([*right, wrong, mended])
    assert presence(desk) == {"remy": (at(9, 0, 2), True)}


@pytest.mark.parametrize("by", [-400 * DAY, -DAY, -HOUR, HOUR])
@pytest.mark.parametrize("together", [False, True])
def test_a_clock_that_lies_dates_nobody_who_was_told_of_at_once(
    desk: Desk, journal: Journal, by: int, together: bool
) -> None:
    """Rémy comes while the link is down; what Grégoire does arrives at once; then the clock is set wrong."""
    journal.enters(at(9), "remy", Reason.ALWAYS)
    journal.enters(at(9, 30), "gregoire", Reason.GARDIEN_GRACE)
    right = [trusted(row) for row in journal.rows]
    was_set = trusted(journal.add(at(9, 30, 3), Kind.CLOCK_SET, access_point=None))
    desk.now = at(9, 30, 3)
    if not together:
        desk.take(right)
    desk.now = at(9, 30, 4)
    desk.take([*right, replace(was_set, at=text(at(9, 30, 3) + by))])
    assert presence(desk) == {"remy": (at(9, 0, 2), True), "gregoire": (at(9, 30, 2), True)}


def test_a_clock_that_was_never_seen_right_is_believed_when_it_is_set(desk: Desk, journal: Journal) -> None:
    rows = morning(journal, DAY)
    desk.now = at(12)
    desk.take(rows)
    assert presence(desk) == {"remy": (at(10), False)}


def test_who_came_by_a_clock_that_lied_is_dated_once_it_is_right_again(desk: Desk, journal: Journal) -> None:
    desk.now = at(9)
    desk.take([trusted(journal.add(at(9), Kind.STARTED, access_point=None))])
    lies = journal.add(at(9, 10), Kind.CLOCK_SET, access_point=None)
    journal.enters(at(9, 20), "remy", Reason.ALWAYS)
    wrong = [replace(trusted(row), at=text(instant(row.at) - DAY)) for row in journal.rows[lies.seq - 1 :]]
    desk.now = at(9, 20, 3)
    desk.take([journal.rows[0], *wrong])
    right = trusted(journal.add(at(9, 30), Kind.CLOCK_SET, access_point=None))
    desk.now = at(11)
    desk.take([journal.rows[0], *wrong, right])
    assert presence(desk) == {"remy": (at(9, 20, 2), True)}


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(("ahead", "stays"), [(1500, True), (2000, True), (-2000, True), (2001, False), (-2001, False)])
def test_only_a_jump_dates_who_came_by_a_trusted_clock(
    desk: Desk, journal: Journal, ahead: int, stays: bool, together: bool
) -> None:
    rows = morning(journal, ahead)[:-1]
    if not together:
        desk.take(rows[:-1])
    desk.take(rows)
    assert presence(desk) == {"remy": (at(9, 0, 2) + (ahead if stays else 0), True)}


@pytest.mark.parametrize("kind", ["by network time", "by the server"])
def test_rows_of_several_boots_are_dated_each_by_its_own(desk: Desk, journal: Journal, kind: str) -> None:
    """Two power cuts without a clock; only the second boot learns the time, by NTP or by an order."""
    journal.enters(at(9), "remy", Reason.ALWAYS)
    first = [lost(row, boot="b1") for row in journal.rows]
    journal.enters(at(10), "gregoire", Reason.GARDIEN_GRACE)
    second = [lost(row) for row in journal.rows[len(first) :]]
    told = [trusted(journal.add(at(11), Kind.CLOCK_SET, access_point=None))]
    if kind == "by the server":
        answered = journal.add(at(11), Kind.COMMAND, access_point=None)
        told.append(replace(trusted(answered), nonce="n1", order=Order.SET_CLOCK, granted=True))
    rows = [*first, *second, *told]
    for upto in (len(first), len(first) + 1, len(rows)):
        desk.take(rows[:upto])
    assert presence(desk) == {"remy": (desk.now, True), "gregoire": (at(10, 0, 2), True)}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 4), min_size=8, max_size=8))
def test_however_the_batches_are_cut_the_history_is_the_same(database: Database, sizes: list[int]) -> None:
    with database.transaction() as session:
        for table in ("journal_row", "position", "presence"):
            session.connection().exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - our own names
    desk, rows = Desk(database), evening(Journal())
    for upto in accumulate(sizes):
        desk.take(rows[:upto])
    desk.take(rows)
    assert presence(desk) == TRUE
    assert [row.at for row in rows_of(desk)] == [moment(BOOTED + row.mono_ms) for row in rows]
