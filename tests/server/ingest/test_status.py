"""What an edge says of itself is kept on its line."""

import pytest
from sqlmodel import select

from policy.instants import text
from policy.terms import ClockState
from server.database.engine import Database
from server.database.types import moment
from server.models import Edge
from tests.support_server import FRONT_KEY, GARAGE_KEY, TOPICS, Desk, statements
from tests.support_site import at
from wire.envelope import seal
from wire.messages import Status, encode
from wire.row import DETAIL


def edge_row(desk: Desk) -> Edge:
    with desk.database.reading() as session:
        row = session.get(Edge, "front")
    assert row is not None
    return row


def test_a_status_is_kept(desk: Desk) -> None:
    readers = {"front-in": None, "front-out": "silent"}
    said = Status(
        True,
        at=text(at(9)),
        software="0.1.0",
        rules_version=4,
        clock=ClockState.RTC,
        readers=readers,
        unacknowledged=7,
        journal_fault="disk full",
        temperature=51.5,
        free_disk=812,
    )
    desk.say(said)
    row = edge_row(desk)
    assert (row.online, row.since, row.last_seen) == (True, moment(at(9)), moment(at(9)))
    assert (row.software, row.rules_version, row.clock, row.readers) == ("0.1.0", 4, "rtc", readers)
    assert (row.unacknowledged, row.journal_fault, row.temperature, row.free_disk) == (7, "disk full", 51.5, 812)


def test_since_when_an_edge_is_gone(desk: Desk) -> None:
    desk.say(Status(True, at=text(at(9)), software="0.1.0"))
    desk.say(Status(True, at=text(at(9, 30)), software="0.1.0"))
    assert edge_row(desk).since == moment(at(9))
    desk.now = at(10)
    desk.say(Status(False, at=text(at(9))))
    row = edge_row(desk)
    assert (row.online, row.since, row.last_seen, row.software) == (False, moment(at(10)), moment(at(9, 30)), "0.1.0")


def test_a_status_from_the_future_is_of_now(desk: Desk) -> None:
    desk.say(Status(True, at="2999-01-01T00:00:00.000Z"))
    assert edge_row(desk).last_seen == moment(desk.now)


def test_a_status_without_an_instant_is_refused(desk: Desk) -> None:
    desk.say(Status(True, at="yesterday"))
    assert edge_row(desk).online is None
    assert desk.troubles.count("front") == 1


def test_a_status_from_before_all_time_is_refused(desk: Desk) -> None:
    desk.say(Status(True, at="0001-01-01T00:00:00+14:00", software="0.1"))
    assert desk.troubles.count("front") == 1


def test_a_lost_clock_says_nothing_of_when_an_edge_was_there(desk: Desk) -> None:
    desk.say(Status(True, at="1970-01-01T00:00:10.000Z", clock=ClockState.UNKNOWN))
    with desk.database.reading() as session:
        assert session.get_one(Edge, "front").last_seen == moment(desk.now)


def test_an_edge_says_something_of_its_own_readers_only_and_no_more_than_a_page_can_show(desk: Desk) -> None:
    faults: dict[str, str | None] = {"front-in": "x" * 5000, **{f"reader {n}": "dirty" for n in range(1000)}}
    desk.say(Status(True, software="y" * 5000, journal_fault="z" * 5000, readers=faults))
    with desk.database.reading() as session:
        edge = session.get_one(Edge, "front")
    assert edge.readers == {"front-in": "x" * DETAIL}
    assert (edge.software, edge.journal_fault) == ("y" * DETAIL, "z" * DETAIL)


@pytest.mark.sqlite
def test_what_is_asked_of_the_database_for_one_edge_is_asked_for_all_that_speak_at_once(database: Database) -> None:
    """Each edge speaks when the rules are new, and the next change waits until they were heard."""
    desk = Desk(database)
    keys = {"front": FRONT_KEY, "garage": GARAGE_KEY}

    def said(edge: str, hour: int) -> tuple[str, bytes]:
        status = Status(True, at=text(at(hour)), software=f"0.1.{hour}", rules_version=1, state_version=1)
        return TOPICS.status(edge), seal(keys[edge], edge, TOPICS.status(edge), encode(status))

    desk.ingest.take_all([said("front", 8), said("garage", 8)])
    with statements(database) as for_one:
        desk.ingest.take_all([said("front", 9)])
    with statements(database) as for_two:
        desk.ingest.take_all([said("front", 10), said("garage", 10)])
    assert len(for_two) == len(for_one)
    with database.reading() as session:
        assert set(session.exec(select(Edge.software))) == {"0.1.10"}
