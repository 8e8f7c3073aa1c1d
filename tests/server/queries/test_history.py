"""Answers about days, their edges, and through which index they are found."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from policy.instants import of
from policy.reasons import Reason
from policy.terms import DAY, HOUR, MINUTE, SECOND
from server.database.engine import Database
from server.database.types import moment
from server.models import Visitor
from server.queries import history
from server.queries.day_moves import HourCount, today
from server.queries.history import Arrival
from tests.support_server import Desk, Journal
from tests.support_site import at
from wire.row import Kind

START = at(4)


def test_arrivals_with_their_departures(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "brigitte")
    journal.leaves(at(12), "brigitte")
    journal.enters(at(13), "brigitte")
    desk.take(journal.rows)
    with desk.database.reading() as session:
        found = history.arrivals(session, START, START + DAY)
    name, tier = "Brigitte Oudin", "nomad"
    assert found == [
        Arrival(at(9, 0, 2), "brigitte", name, tier, at(12), inside=False),
        Arrival(at(13, 0, 2), "brigitte", name, tier, None, inside=True),
    ]


def test_two_entries_without_leaving_between(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "brigitte")
    journal.enters(at(13), "brigitte")
    desk.take(journal.rows)
    with desk.database.reading() as session:
        found = history.arrivals(session, START, START + DAY)
        hours = history.hours(session, START, START + DAY)
    assert [(arrival.left, arrival.inside) for arrival in found] == [(None, False), (None, True)]
    assert max(hour.peak for hour in hours) == 1


def test_a_day_begins_and_ends_at_the_cutoff(desk: Desk, journal: Journal) -> None:
    for when, member in (
        (START - 3 * SECOND, "alice"),
        (START - 2 * SECOND, "remy"),
        (START + DAY - 2 * SECOND, "zoe"),
    ):
        journal.enters(when, member)
    desk.now = at(23) + 2 * DAY
    desk.take(journal.rows)
    with desk.database.reading() as session:
        assert [a.member for a in history.arrivals(session, START, START + DAY)] == ["remy"]
        assert [a.member for a in history.arrivals(session, START + DAY, START + 2 * DAY)] == ["zoe"]


def test_an_hour_counts_who_was_there_at_its_fullest(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9, 10), "alice")
    journal.enters(at(9, 20), "remy")
    journal.leaves(at(9, 50), "alice")
    journal.leaves(at(11, 30), "remy")
    desk.take(journal.rows)
    with desk.database.reading() as session:
        found = history.hours(session, at(8), at(13))
    counted = ((0, 0), (2, 2), (1, 0), (1, 0), (0, 0))
    assert found == [HourCount(at(8 + n), peak, came) for n, (peak, came) in enumerate(counted)]


def test_guests_count_in_the_hours_in_which_they_were_there(desk: Desk, journal: Journal) -> None:
    """A group until its adult leaves, others until somebody says that they are gone; all until the day ends."""
    journal.enters(at(9, 10), "alice")
    journal.leaves(at(10, 30), "alice")
    journal.enters(at(11, 10), "remy")
    desk.take(journal.rows)
    with desk.database.transaction() as session:
        named = {"name": "atelier", "more": "", "by": "equipe"}
        session.add(Visitor(**named, people=4, since=moment(at(9, 20)), member="alice"))
        session.add(Visitor(**named, people=2, since=moment(at(9, 30)), gone=moment(at(9, 40))))
        session.add(Visitor(**named, people=3, since=moment(at(11, 30))))
    with desk.database.reading() as session:
        found = history.hours(session, at(8), at(13))
        day = today(session, at(4), at(13))
    counted = ((0, 0, 0), (7, 1, 6), (5, 0, 4), (4, 1, 3), (4, 0, 3))
    assert found == [HourCount(at(8 + n), *one) for n, one in enumerate(counted)]
    assert (day.hours[5:9], day.guests) == (found[1:], 9)


@pytest.mark.parametrize(("date", "hours"), [((2026, 10, 24), 25), ((2027, 3, 27), 23)])
def test_a_day_on_which_the_clocks_change(database: Database, date: tuple[int, int, int], hours: int) -> None:
    paris = ZoneInfo("Europe/Paris")
    year, month, day = date
    start = of(datetime(year, month, day, 4, tzinfo=paris))
    end = of(datetime(year, month, day + 1, 4, tzinfo=paris))
    with database.reading() as session:
        assert len(history.hours(session, start, end)) == hours


def test_refusals_and_collisions_newest_first(desk: Desk, journal: Journal) -> None:
    for minute in range(3):
        journal.tap_in(at(9, minute), "zoe", Reason.MEMBER_SUSPENDED, granted=False)
    journal.add(at(9, 30), Kind.CARDS_COLLIDED, reader="front-in")
    journal.tap_in(at(10), None, Reason.UNKNOWN_CREDENTIAL, granted=False)
    journal.enters(at(10, 1), "remy")
    journal.tap_in(at(3), "remy", Reason.OUTSIDE_HOURS, granted=False)
    desk.take(journal.rows)
    with desk.database.reading() as session:
        found = history.refusals(session, START, START + DAY, 3)
        assert history.count_refusals(session, START, START + DAY) == 5
    assert [one.at for one in found] == [at(10), at(9, 30), at(9, 2)]
    assert found[1] == history.Collision(at(9, 30), "front-in")
    assert isinstance(found[2], history.Passage)
    assert (found[2].name, found[2].reason) == ("Zoé Wibaux", Reason.MEMBER_SUSPENDED)


def test_last_passages_by_the_time_of_the_tap_not_of_arrival(desk: Desk, journal: Journal) -> None:
    journal.enters(at(12), "alice")
    desk.take(journal.rows, "j2")
    late = Journal()
    late.enters(at(9), "remy")
    desk.take(late.rows, "j1")
    with desk.database.reading() as session:
        assert [p.member for p in history.last_passages(session, 5, desk.now)] == ["alice", "remy"]
        assert [p.member for p in history.passages_after(session, 0, 5)] == ["alice", "remy"]


def test_a_grant_lapses_only_when_no_door_opened(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "alice")
    journal.tap_in(at(10), "remy", Reason.ALWAYS)
    journal.leaves(at(11), "alice")
    desk.take(journal.rows)
    with desk.database.reading() as session:
        found = {p.seq: p.lapsed for p in history.last_passages(session, 5, desk.now)}
        fresh = history.last_passages(session, 5, at(10) + MINUTE)
    assert list(found.values()) == [False, True, False]
    assert not any(p.lapsed for p in fresh)


def test_who_moved_before_the_day_is_not_asked_for(desk: Desk, journal: Journal) -> None:
    journal.enters(START - HOUR, "alice")
    journal.enters(at(9), "remy")
    desk.take(journal.rows)
    with desk.database.reading() as session:
        assert set(history.moves_since(session, START).moves) == {"remy"}


@pytest.mark.sqlite
def test_no_question_reads_the_whole_journal(desk: Desk, journal: Journal) -> None:
    """What EXPLAIN QUERY PLAN says of each statement: no scan of the journal, no sorting of it by hand, no list of all
    members."""
    journal.enters(at(9), "alice")
    desk.take(journal.rows)
    statements: list[tuple[str, object]] = []

    def note(_c: object, _k: object, statement: str, parameters: object, *_more: object) -> None:
        statements.append((statement, parameters))

    event.listen(desk.database._readers, "before_cursor_execute", note)
    with desk.database.reading() as session:
        history.arrivals(session, START, START + DAY)
        history.hours(session, START, START + DAY)
        history.refusals(session, START, START + DAY, 10)
        history.count_refusals(session, START, START + DAY)
        history.last_passages(session, 10, desk.now)
        history.passages_after(session, 5, 10)
        history.moves_since(session, START)
        event.remove(desk.database._readers, "before_cursor_execute", note)
        asked = [s for s in statements if "FROM journal_row" in s[0] or "FROM presence" in s[0]]
        for statement, parameters in asked:
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [row[3] for row in plan]
            whole = [step for step in steps if step.startswith(("SCAN journal_row", "SCAN member"))]
            assert not whole, (statement, steps)
    assert len(asked) == 9


steps = st.lists(
    st.tuples(st.integers(0, 20 * 60), st.sampled_from(["alice", "remy", "zoe"]), st.booleans()), max_size=30
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=steps)
def test_hours_agree_with_a_count_by_hand(database: Database, moves: list[tuple[int, str, bool]]) -> None:
    with database.transaction() as session:
        for table in ("journal_row", "position", "presence"):
            session.connection().exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - our own names
    journal, desk = Journal(), Desk(database, START + DAY)
    for minute, member, comes in sorted(moves):
        reader, reason = ("front-in", Reason.ALWAYS) if comes else ("front-out", Reason.EGRESS)
        fields = {"reader": reader, "credential": "c", "member": member, "granted": True, "reason": reason}
        journal.add(START + minute * MINUTE, Kind.TAP, **fields)
    for first in range(0, len(journal.rows), 7):
        desk.take(journal.rows[first : first + 7])
    with database.reading() as session:
        found = history.hours(session, START, START + DAY)
    assert [hour.peak for hour in found] == by_hand(moves)


def by_hand(moves: list[tuple[int, str, bool]]) -> list[int]:
    """Minute by minute: who comes is there before who leaves has gone."""
    inside: set[str] = set()
    peaks: list[int] = []
    for minute in range(24 * 60):
        if minute % 60 == 0:
            peaks.append(len(inside))
        inside |= {member for at_, member, comes in moves if at_ == minute and comes}
        peaks[-1] = max(peaks[-1], len(inside))
        inside -= {member for at_, member, comes in moves if at_ == minute and not comes}
    return peaks
