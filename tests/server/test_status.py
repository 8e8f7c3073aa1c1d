"""What an edge says of itself is kept on its line."""

from policy.instants import text
from policy.terms import ClockState
from server.database.types import moment
from server.models import Edge
from tests.support_server import Desk
from tests.support_site import at
from wire.messages import Status
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
