"""What stays in numbers when names go: the same as was counted while they were there, and nobody alone."""

from datetime import date

import pytest
from msgspec.structs import replace
from sqlmodel import select

from policy.bundle import Member
from policy.reasons import Reason
from policy.terms import DAY, HOUR, ClockState, Instant
from server.changes.bundle import put
from server.database.engine import Database
from server.database.types import moment
from server.models import CountKept, JournalRow, MachineSession, Visitor
from server.publish.bundle import calendar_of, export
from server.queries.counts import Days, Numbers, What, apart, by_month
from server.queries.past_days import Part
from tests.server.changes.test_purge import KEPT, forget
from tests.support_server import DECIDED, Desk, Journal
from tests.support_site import at

NOVEMBER = date(2026, 11, 1)


def months(database: Database, now: Instant) -> dict[date, Numbers]:
    with database.reading() as session:
        bundle = export(session)
        assert bundle is not None
        days = Days(session, bundle, calendar_of(session), date(2026, 1, 1), date(2027, 6, 30), now)
        return by_month(days)


@pytest.fixture
def lived(desk: Desk, journal: Journal) -> Desk:
    """A Tuesday: four nomads, a gardien in the evening among them, and one each of three tiers; Brigitte next day, too.

    One of them uses a machine, a gardien holds their shift and leaves the next to itself.
    """
    new = [Member(id=who, name=who, tier="nomad") for who in ("luc", "mia")]
    with desk.database.transaction() as session:
        put(session, new, DECIDED)
        used = {
            "machine": "cnc",
            "member": "remy",
            "kind": "cnc",
            "cuts": True,
            "edge": "front",
            "heard": moment(at(9)),
        }
        session.add(MachineSession(**used, started=moment(at(10)), ended=moment(at(11))))
        session.add(Visitor(name="le plombier", people=3, more="", by="equipe", since=moment(at(9))))
    for number, member in enumerate(("alice", "brigitte", "luc", "mia", "zoe", "remy")):
        for hour in (9, 11):  # twice in one morning is one visit
            journal.enters(at(hour, number), member)
            journal.leaves(at(hour, 30 + number), member)
    for when, who, hours in ((at(19), "gregoire", 2), (at(9) + DAY, "brigitte", 3), (at(14) + DAY, "brigitte", 3)):
        journal.enters(when, who)
        journal.leaves(when + hours * HOUR, who)
    for hour in (22, 23):
        journal.tap_in(at(hour) + DAY, "remy", Reason.OUTSIDE_HOURS, granted=False)
    desk.now = at(23) + 3 * DAY
    desk.take(journal.rows)
    return desk


LIVED = {
    (What.FIRST, ""): 24,
    (What.LAST, ""): 30,
    (What.PEOPLE, ""): 7,
    (What.PEOPLE, "nomad"): 4,
    (What.VISITS, "nomad"): 6,
    (What.VISITS, ""): 3,
    (What.STAFFED, ""): (5 * 9 + 7) * 60,
    (What.HELD, ""): 119,
    (What.EVENING_HELD, ""): 1,
    (What.EVENING_LEFT, ""): 1,
    (What.IN_VAIN, ""): 1,
    (What.MACHINE, "cnc"): 3600,
    (What.USERS, "cnc"): 1,
    (What.VISITORS, ""): 3,
    (What.DAYS, ""): 2,
    (What.SEATS, Part.MORNING): 9 + 1,
    (What.SEATS, Part.AFTERNOON): 3 + 1,
    (What.SEATS, Part.EVENING): 4,
}


def test_the_numbers_of_a_month_stay_as_they_were_when_its_names_go(lived: Desk) -> None:
    now = at(23) + 8 * DAY
    before = months(lived.database, now)
    assert before[NOVEMBER] == LIVED
    assert forget(lived.database, now + KEPT * DAY)
    with lived.database.reading() as session:
        assert not session.exec(select(JournalRow.id)).all()
        assert {
            (row.what, row.of): row.count for row in session.exec(select(CountKept)) if row.month == NOVEMBER
        } == LIVED
    assert months(lived.database, now)[NOVEMBER] == LIVED


def test_of_a_month_whose_first_names_go_before_its_last_came_nobody_knows_how_many_people(lived: Desk) -> None:
    """Kept for two days, the month is counted in pieces: each half-day once, and no tier apart."""
    now = at(23) + 3 * DAY
    for day in range(4):
        forget(lived.database, now - (3 - day) * DAY, kept_for=2)
    pieces = months(lived.database, at(23) + 8 * DAY)[NOVEMBER]
    unknown = (
        (What.PEOPLE, ""),
        (What.PEOPLE, "nomad"),
        (What.VISITS, "nomad"),
        (What.VISITS, ""),
        (What.USERS, "cnc"),
    )
    assert pieces == {key: LIVED[key] for key in LIVED if key not in unknown} | {(What.VISITS, ""): 9}


def test_rows_that_come_when_their_day_is_counted_add_to_the_month(lived: Desk, journal: Journal) -> None:
    forget(lived.database, now := at(23) + KEPT * DAY)
    delivered = len(journal.rows)
    journal.enters(at(14), "luc")
    lived.now = now
    lived.take(journal.rows[delivered:])
    for _ in range(2):  # a second night adds nothing
        forget(lived.database, now)
        assert months(lived.database, at(23) + 8 * DAY)[NOVEMBER][What.VISITS, "nomad"] == 7


def test_a_refusal_of_a_lost_clock_is_of_no_day_and_so_counts_on_none(lived: Desk, journal: Journal) -> None:
    """Its row stays when those of the day that it names go; that day would have it again with each that comes late."""
    lived.now = now = at(23) + KEPT * DAY
    for hour, clock in ((19, ClockState.UNKNOWN), (20, ClockState.SYNCED)):
        delivered = len(journal.rows)
        journal.tap_in(at(hour), "luc", Reason.OUTSIDE_HOURS, granted=False)
        lived.take([replace(journal.rows[delivered], clock=clock)])
    forget(lived.database, now)
    with lived.database.reading() as session:
        assert ClockState.UNKNOWN in session.exec(select(JournalRow.clock).where(JournalRow.at < moment(at(23)))).all()
    forget(lived.database, now + KEPT * DAY)
    assert months(lived.database, at(23) + 8 * DAY)[NOVEMBER][What.IN_VAIN, ""] == LIVED[What.IN_VAIN, ""] + 1


@pytest.mark.parametrize(
    ("people", "told"),
    [
        ({"nomad": 4, "resident": 2, "team": 1}, {"nomad"}),
        ({"nomad": 4, "resident": 3, "team": 2}, {"nomad"}),
        ({"nomad": 4, "team": 2}, set()),
        ({"nomad": 3, "resident": 3}, {"nomad", "resident"}),
        ({}, set()),
    ],
    ids=["the rest are three", "the smallest joins the rest", "the rest would be known", "no rest", "nobody"],
)
@pytest.mark.sqlite
def test_no_tier_is_told_of_that_is_too_small_or_gives_another_away(people: dict[str, int], told: set[str]) -> None:
    assert apart(people) == told
