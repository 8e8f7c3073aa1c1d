"""A machine is booked, moved, cancelled: by the site's rules, one at a time, and whoever is late hears what is free."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from msgspec.structs import replace
from sqlmodel import select

from policy.booking_terms import Against, Rule
from policy.bundle import BookingTerms, Closure, Opening
from policy.instants import instant
from policy.terms import DAY, HOUR, MINUTE, Instant
from server.audit import verify
from server.changes.bookings import Booked, Cancelled, Taken
from server.changes.bundle import end, set_site
from server.changes.purge import purge
from server.database.engine import Database
from server.database.types import moment
from server.errors import MistakeError
from server.models import AuditRow, MachineBusy, MachineSession
from server.models import Booking as BookingRow
from server.publish.bundle import Exporter, export, held, site_said
from tests.support_bookings import CNC, PRINTERS, TERMS, Desk, furnish, join, tomorrow
from tests.support_server import DECIDED
from tests.support_site import at


@pytest.fixture
def desk(database: Database) -> Desk:
    furnish(database)
    return Desk(database)


def test_a_booking_is_stored_as_people_write_it_and_is_in_the_audit(desk: Desk) -> None:
    made = desk.has(tomorrow(14))
    with desk.database.reading() as session:
        [one] = held(session, "bookings")
        assert (one.id, one.machine, one.member) == (made.id, "cnc", "remy")
        assert (one.start, one.end) == ("2026-11-25T14:00", "2026-11-25T16:00")
        assert verify(session).broken is None
        assert session.exec(select(AuditRow.did).where(AuditRow.noun == "booking")).all() == ["added"]


def test_whoever_comes_second_hears_what_is_free_next(desk: Desk) -> None:
    desk.has(tomorrow(14))
    desk.has(tomorrow(16), tomorrow(17), who="brigitte")
    assert desk.next_of(tomorrow(15), who="alice") == (True, "cnc", tomorrow(17))
    assert desk.next_of(tomorrow(15), who="remy") == (False, "cnc", tomorrow(17))
    desk.has(tomorrow(19), tomorrow(21), who="alice")
    assert desk.next_of(tomorrow(18), tomorrow(21), who="alice") == (False, "cnc", tomorrow(9, days=2)), (
        "and not overnight"
    )


def test_who_booked_what_is_forgotten_as_the_use_of_machines_is(desk: Desk) -> None:
    desk.has(tomorrow(14))
    cancelled, ahead = desk.has(tomorrow(16)), desk.has(tomorrow(9, days=28))
    desk.cancel(cancelled.id, member="remy")
    exporter = Exporter()
    for now, ids in ((tomorrow(9, days=90), 3), (tomorrow(9, days=92), 1)):
        with desk.database.transaction() as session:
            purge(session, now, 90)
            left = session.exec(select(BookingRow.id)).all()
            assert len(left) == ids
            assert exporter(session) == export(session)
    assert left == [ahead.id]


def test_whoever_moves_a_booking_onto_another_hears_whose_that_is(desk: Desk) -> None:
    made = desk.has(tomorrow(14))
    desk.has(tomorrow(16), tomorrow(18), who="brigitte")
    met = desk.move(made.id, tomorrow(15), tomorrow(17), member="remy")
    assert isinstance(met, Taken)
    assert met.held_by_other, "it is not their own that is in their way"


def test_bookings_that_touch_do_not_overlap(desk: Desk) -> None:
    desk.has(tomorrow(14), tomorrow(16))
    desk.has(tomorrow(16), tomorrow(18), who="brigitte")
    desk.has(tomorrow(12), tomorrow(14), who="brigitte")


def test_of_a_kind_the_first_that_is_free_is_given(desk: Desk) -> None:
    both = "printer-1+printer-2"
    assert desk.has(tomorrow(14), what=both).machine == "printer-1"
    assert desk.has(tomorrow(14), what=both, who="brigitte").machine == "printer-2"
    assert desk.next_of(tomorrow(15), what=both, who="alice") == (True, "printer-1", tomorrow(16))


def test_many_at_one_instant_make_one(desk: Desk) -> None:
    people = [f"m{number}" for number in range(20)]
    join(desk.database, *people)
    with ThreadPoolExecutor(10) as pool:
        said = list(pool.map(lambda who: desk.book(tomorrow(14), who=who), people))
    taken = [one for one in said if isinstance(one, Taken)]
    assert (len(taken), sum(isinstance(one, Booked) for one in said)) == (19, 1)
    assert {(one.held_by_other, one.next_free) for one in taken} == {(True, ("cnc", tomorrow(16), tomorrow(18)))}


def test_postgresql_itself_takes_no_two_that_overlap(desk: Desk) -> None:
    made = desk.has(tomorrow(14))
    twice = BookingRow(
        id="x", position=9, machine="cnc", member="alice", start="", end="",
        start_at=moment(tomorrow(15)), end_at=moment(tomorrow(17)),
    )  # fmt: skip

    def sneak() -> None:
        with desk.database.transaction() as session:
            session.add(twice)

    if desk.database.url.get_backend_name() == "postgresql":
        with pytest.raises(MistakeError):
            sneak()
        desk.cancel(made.id)
    sneak()


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (tomorrow(14), tomorrow(14), Against(Rule.ORDER)),
        (tomorrow(14), tomorrow(13), Against(Rule.ORDER)),
        (at(19), at(21), Against(Rule.PAST)),
        (tomorrow(14, 10), tomorrow(15), Against(Rule.STEP, 15)),
        (tomorrow(14), tomorrow(14, 50), Against(Rule.STEP, 15)),
        (tomorrow(14) + 1000, tomorrow(15), Against(Rule.STEP, 15)),
        (tomorrow(14), tomorrow(14, 15), Against(Rule.SHORTEST, 30)),
        (tomorrow(14), tomorrow(18, 15), Against(Rule.LONGEST, 240)),
        (tomorrow(14, days=31), tomorrow(15, days=31), Against(Rule.AHEAD, 30)),
        (tomorrow(8, 45), tomorrow(10), Against(Rule.HOURS)),
        (tomorrow(20), tomorrow(21, 15), Against(Rule.HOURS)),
        (tomorrow(14, days=4), tomorrow(15, days=4), Against(Rule.HOURS)),
        (tomorrow(14, days=30), tomorrow(15, days=30), Against(Rule.CLOSED)),
    ],
)  # fmt: skip
@pytest.mark.sqlite
def test_each_of_the_sites_rules_refuses(desk: Desk, start: Instant, end: Instant, why: Against) -> None:
    assert desk.book(start, end) == why
    sure = why.rule in (Rule.ORDER, Rule.PAST, Rule.STEP)
    assert isinstance(desk.book(start, end, by_rules=False), Against if sure else Booked), "the team's maintenance"


@pytest.mark.sqlite
def test_how_many_at_once_how_much_a_week_and_how_late(database: Database) -> None:
    furnish(database, replace(TERMS, open=4, week_hours=5, notice=60))
    desk = Desk(database)
    assert desk.book(at(20), at(21)) == Against(Rule.NOTICE, 60)
    desk.has(at(20, 15), at(21))
    desk.has(tomorrow(9), tomorrow(13), what="printer-1")
    assert desk.book(tomorrow(14), tomorrow(14, 30)) == Against(Rule.WEEK, 5)
    desk.has(tomorrow(9, days=6), tomorrow(13, days=6))
    desk.has(tomorrow(14, days=6), tomorrow(15, days=6))
    assert desk.book(tomorrow(9, days=13), tomorrow(10, days=13)) == Against(Rule.OPEN, 4)
    desk.now = tomorrow(0)
    desk.has(tomorrow(9, days=13), tomorrow(10, days=13))


@pytest.mark.sqlite
def test_a_machine_may_have_terms_of_its_own_and_counts_alone_then(database: Database) -> None:
    own = replace(CNC, booking=BookingTerms(step=60, longest=60, shortest=60, open=1, ahead_days=2))
    furnish(database, machines=(own, *PRINTERS))
    desk = Desk(database)
    for hour in (9, 12, 15):
        desk.has(tomorrow(hour), what="printer-1")
    assert desk.book(tomorrow(18), what="printer-2") == Against(Rule.OPEN, 3)
    assert desk.book(tomorrow(14, 30), tomorrow(15, 30)) == Against(Rule.STEP, 60)
    desk.has(tomorrow(14), tomorrow(15))
    assert desk.book(tomorrow(16), tomorrow(17)) == Against(Rule.OPEN, 1)
    assert desk.next_of(tomorrow(14), tomorrow(15), who="alice") == (True, "cnc", tomorrow(15))


@pytest.mark.sqlite
def test_the_time_to_clean_up_is_not_for_others(database: Database) -> None:
    furnish(database, replace(TERMS, buffer=20))
    desk = Desk(database)
    desk.has(tomorrow(14), tomorrow(16))
    desk.has(tomorrow(16), tomorrow(17))
    assert desk.next_of(tomorrow(17), tomorrow(18), who="alice") == (True, "cnc", tomorrow(17, 30))
    assert desk.next_of(tomorrow(13), tomorrow(14), who="alice") == (True, "cnc", tomorrow(17, 30))
    desk.has(tomorrow(12), tomorrow(13, 30), who="alice")


@pytest.mark.sqlite
def test_an_opening_in_a_closure_may_be_booked(desk: Desk) -> None:
    day = date(2026, 12, 24)
    with desk.database.transaction() as session:
        site = site_said(session)
        assert site is not None
        openings = (*site.openings, Opening(day, (("10:00", "17:00"),)))
        set_site(session, replace(site, openings=openings, closures=(Closure(day, day),)), DECIDED)
    desk.has(tomorrow(14, days=30))


@pytest.mark.sqlite
def test_whoever_was_suspended_meanwhile_books_nothing(desk: Desk) -> None:
    assert desk.book(tomorrow(14), who="zoe") == Against(Rule.MEMBER)
    assert desk.book(tomorrow(14), who="nobody") == Against(Rule.MEMBER)
    with desk.database.transaction() as session:
        end(session, "machines", [("cnc",)], DECIDED)
    assert desk.book(tomorrow(14)) == Against(Rule.MACHINE)


def test_a_booking_is_moved_as_far_as_it_has_not_begun(desk: Desk) -> None:
    made, other = desk.has(tomorrow(14)), desk.has(tomorrow(18), who="brigitte")
    assert desk.move(made.id, tomorrow(15), tomorrow(17), member="alice") == Against(Rule.GONE)
    moved = desk.move(made.id, tomorrow(15), tomorrow(17), member="remy")
    assert isinstance(moved, Booked)
    assert (moved.slot.start, moved.slot.id) == (tomorrow(15), made.id)
    assert desk.move(made.id, at(14), at(15), member="remy") == Against(Rule.PAST)
    assert isinstance(desk.move(made.id, tomorrow(17), tomorrow(18, 30)), Taken)
    desk.now = tomorrow(15, 5)
    assert desk.move(made.id, tomorrow(16), tomorrow(17)) == Against(Rule.PAST), "its start is over"
    assert isinstance(desk.move(made.id, tomorrow(15), tomorrow(18)), Booked), "its end is not"
    desk.now = tomorrow(20)
    assert desk.move(made.id, tomorrow(15), tomorrow(21)) == Against(Rule.GONE)
    assert desk.cancel(other.id) == Against(Rule.GONE)


def test_cancelled_it_is_free_and_cancelled_late_it_is_noted(desk: Desk) -> None:
    early, late = desk.has(tomorrow(14)), desk.has(tomorrow(18))
    assert desk.cancel(early.id, member="alice") == Against(Rule.GONE)
    assert desk.cancel(early.id, member="remy") == Cancelled(early, late=False)
    assert desk.cancel(early.id, member="remy") == Against(Rule.GONE)
    desk.now = tomorrow(16, 30)
    assert desk.cancel(late.id, member="remy") == Cancelled(late, late=True)
    desk.has(tomorrow(18), who="alice")
    with desk.database.reading() as session:
        found = dict(session.exec(select(BookingRow.id, BookingRow.late)).all())
    assert (found[early.id], found[late.id]) == (False, True)


@pytest.mark.sqlite
def test_what_the_team_cancels_late_is_no_no_show(desk: Desk) -> None:
    made = desk.has(tomorrow(18))
    desk.now = tomorrow(17, 30)
    assert desk.cancel(made.id) == Cancelled(made, late=False)


def test_nobody_came_so_the_rest_is_free(desk: Desk) -> None:
    desk.has(tomorrow(14), tomorrow(17))
    desk.now = tomorrow(14, 10)
    assert isinstance(desk.book(tomorrow(14, 15), tomorrow(16), who="alice"), Taken)
    desk.now = tomorrow(14, 15)
    desk.has(tomorrow(14, 15), tomorrow(16), who="alice")
    assert isinstance(desk.book(tomorrow(14, 30), tomorrow(15, 30), who="brigitte"), Taken)


def test_whoever_ran_it_or_found_it_busy_keeps_it_and_whoever_ended_does_not(desk: Desk) -> None:
    desk.has(tomorrow(14), tomorrow(17))
    use = MachineSession(
        machine="cnc", started=moment(tomorrow(14, 5)), member="remy", kind="cnc", until=None, cuts=False,
        ended=None, edge="front", heard=moment(tomorrow(14, 5)),
    )  # fmt: skip
    with desk.database.transaction() as session:
        session.add(use)
    desk.now = tomorrow(15)
    assert isinstance(desk.book(tomorrow(15), tomorrow(16), who="alice"), Taken)
    with desk.database.transaction() as session:
        session.merge(MachineSession(**use.model_dump() | {"ended": moment(tomorrow(14, 50))}))
    desk.has(tomorrow(15), tomorrow(16), who="alice")
    desk.has(tomorrow(17), tomorrow(19), who="brigitte")
    with desk.database.transaction() as session:
        session.add(
            MachineBusy(
                machine="cnc", member="brigitte", at=moment(tomorrow(17, 3)), edge="front", heard=moment(tomorrow(18))
            )
        )
    desk.now = tomorrow(17, 30)
    assert isinstance(desk.book(tomorrow(17, 30), tomorrow(18), who="remy"), Taken)


AUTUMN, SPRING = instant("2026-10-25T00:00:00+02:00"), instant("2027-03-28T00:00:00+01:00")


@pytest.mark.sqlite
def test_across_the_hour_that_comes_twice_and_the_one_that_never_comes(desk: Desk) -> None:
    desk.now = AUTUMN - DAY
    twice = desk.has(AUTUMN + 2 * HOUR + 30 * MINUTE, AUTUMN + 3 * HOUR, what="printer-1")
    second = desk.has(AUTUMN + 3 * HOUR + 30 * MINUTE, AUTUMN + 4 * HOUR, what="printer-1", who="alice")
    with desk.database.reading() as session:
        said = {one.id: (one.start, one.end) for one in held(session, "bookings")}
    assert said[twice.id] == ("2026-10-25T02:30", "2026-10-25T02:00"), "an end means the second one"
    assert said[second.id] == ("2026-10-25T02:30+01:00", "2026-10-25T03:00")
    assert isinstance(desk.book(AUTUMN + HOUR, AUTUMN + 4 * HOUR, what="printer-1", who="brigitte"), Taken)
    desk.now = SPRING - DAY
    over = desk.has(SPRING + HOUR, SPRING + 3 * HOUR, what="printer-1")
    with desk.database.reading() as session:
        said = {one.id: (one.start, one.end) for one in held(session, "bookings")}
    assert said[over.id] == ("2027-03-28T01:00", "2027-03-28T04:00")


def test_what_is_told_to_the_machines_is_what_is_stored_however_little_changed(desk: Desk) -> None:
    told = Exporter()
    made = [desk.has(tomorrow(hour), what="printer-1") for hour in (9, 12, 15)]
    for change in (
        lambda: None,
        lambda: desk.move(made[1].id, tomorrow(17), tomorrow(18)),
        lambda: desk.cancel(made[0].id),
        lambda: desk.has(tomorrow(19), what="printer-1"),
    ):
        change()
        with desk.database.reading() as session:
            assert told(session) == export(session)
