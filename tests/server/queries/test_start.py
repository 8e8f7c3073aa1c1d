"""Before one books it is said whether machine and door will let one in, and what helps where they will not."""

from datetime import date

import pytest
from msgspec.structs import replace

from policy.bundle import Certification, Credential, LockOut, Machine, Member, Pass, Quota
from policy.case import Tap
from policy.machine import decide
from policy.presence import Move
from policy.reasons import Reason
from policy.terms import HOUR, MINUTE, Instant
from server.changes.bundle import end, put
from server.changes.lockdown import set_lockdown
from server.database.types import moment
from server.models import MachineSession, PaidUnit
from server.queries.now import picture
from server.queries.start import WEEK, About, Asker, Sign, Start, without_gardien
from tests.support_bookings import CNC, PRINTERS, Desk, furnish, tomorrow
from tests.support_pages import CREDENTIAL_KEY, Place
from tests.support_server import DECIDED
from tests.support_site import REMY, at
from wire.credential import pseudonym

pytestmark = pytest.mark.sqlite
EVENING = tomorrow(18, 30)


@pytest.fixture
def fab(place: Place) -> Place:
    furnish(place.database)
    place.publish()
    return place


def change(place: Place, *parts: object) -> None:
    with place.database.transaction() as session:
        put(session, list(parts), DECIDED)  # type: ignore[arg-type]
    place.publish()


def asked(place: Place, who: str, start: Instant, hours: int = 1, machine: Machine = CNC) -> Start:
    with place.database.reading() as session:
        known = picture(session, place.publisher.current, place.now).known
        return Asker(session, place.publisher.current, known, who).start(machine, start, start + hours * HOUR)


def trained(who: str) -> Certification:
    return Certification(who, "cnc")


def signs(start: Start) -> dict[About, Sign]:
    return {check.about: check.sign for check in start.checks}


def reason(start: Start, about: About) -> Reason | None:
    return next(check.reason for check in start.checks if check.about is about)


def test_all_is_well(fab: Place) -> None:
    start = asked(fab, "remy", tomorrow(14))
    assert signs(start) == dict.fromkeys((About.MACHINE, About.DOOR, About.TRAINING), Sign.GOOD)
    assert (start.bookable, start.sure) == (True, True)


def test_an_evening_without_a_gardien_is_said_and_may_be_booked(fab: Place) -> None:
    change(fab, Credential(uid="04B10000", member="brigitte"))
    assert asked(fab, "brigitte", tomorrow(14)).sure
    start = asked(fab, "brigitte", EVENING)
    assert (signs(start)[About.DOOR], reason(start, About.DOOR)) == (Sign.BAD, Reason.OUTSIDE_HOURS)
    assert (start.bookable, start.sure) == (True, False)
    thursday = EVENING + 24 * HOUR
    assert asked(fab, "brigitte", thursday).sure, "Grégoire holds the place then"
    desk = Desk(fab.database)
    lonely = desk.has(EVENING, who="brigitte")
    desk.has(thursday, who="brigitte")
    desk.has(EVENING, who="remy", what="printer-1")
    current = fab.publisher.current
    with fab.database.reading() as session:
        now = picture(session, current, fab.now).known
        found = without_gardien(session, current, now, fab.now + 7 * 24 * HOUR)
        begun = without_gardien(session, current, picture(session, current, EVENING + MINUTE).known, EVENING + HOUR)
    assert found == [lonely], "whoever may come at any hour waits for nobody"
    assert begun == [], "nobody need be asked any more"
    later = desk.has(EVENING + WEEK, who="brigitte")
    with fab.database.reading() as session:
        three = without_gardien(session, current, now, fab.now + 3 * WEEK)
        one = without_gardien(session, current, now, later.start)
    assert (three, one) == ([lonely, later], [lonely]), "each once, though it is read a week at a time"


def test_training_that_is_missing_or_over_by_then(fab: Place) -> None:
    assert reason(asked(fab, "gregoire", tomorrow(14)), About.TRAINING) is Reason.NOT_CERTIFIED
    change(fab, Certification("remy", "cnc", until=date(2026, 11, 25)))
    assert asked(fab, "remy", tomorrow(14)).sure
    late = asked(fab, "remy", tomorrow(14, days=2))
    assert (reason(late, About.TRAINING), late.bookable) == (Reason.CERTIFICATION_EXPIRED, True)


def test_the_quota_is_as_it_will_be_with_the_other_bookings(fab: Place) -> None:
    change(fab, Quota("cnc", 180, "week"))
    start = asked(fab, "remy", tomorrow(14), hours=2)
    [check] = [one for one in start.checks if one.about is About.QUOTA]
    assert (check.sign, check.before, check.after) == (Sign.GOOD, 180 * 60, 60 * 60)
    Desk(fab.database).has(tomorrow(9), tomorrow(11))
    [check] = [one for one in asked(fab, "remy", tomorrow(14), hours=2).checks if one.about is About.QUOTA]
    assert (check.sign, check.before, check.after) == (Sign.WARN, 60 * 60, 0)
    Desk(fab.database).has(tomorrow(12), tomorrow(13))
    used = asked(fab, "remy", tomorrow(14))
    assert (reason(used, About.QUOTA), used.bookable) == (Reason.QUOTA_EXHAUSTED, True)
    assert asked(fab, "remy", tomorrow(14, days=6)).sure, "a new week"
    assert About.QUOTA not in signs(asked(fab, "alice", tomorrow(14))), "staff have none"


def test_company_is_wanted_and_nobody_knows_who_comes(fab: Place) -> None:
    change(fab, replace(CNC, min_people=2))
    start = asked(fab, "remy", tomorrow(14), machine=replace(CNC, min_people=2))
    assert (signs(start)[About.COMPANY], start.sure) == (Sign.WARN, True)


def test_what_cannot_be_mended_cannot_be_booked(fab: Place) -> None:
    assert not asked(fab, "remy", tomorrow(7)).bookable, "outside the machine's hours"
    assert not asked(fab, "remy", tomorrow(14, days=30)).bookable, "in a closure"
    Desk(fab.database).has(tomorrow(14), who="alice")
    start = asked(fab, "remy", tomorrow(15))
    [check] = [one for one in start.checks if one.about is About.MACHINE]
    assert (start.bookable, check.own) == (False, False)
    assert check.free == ("cnc", tomorrow(16), tomorrow(17))


def test_no_badge_no_door(fab: Place) -> None:
    with fab.database.transaction() as session:
        end(session, "credentials", [(REMY.hex(),)], DECIDED)
    fab.publish()
    assert reason(asked(fab, "remy", tomorrow(14)), About.DOOR) is Reason.UNKNOWN_CREDENTIAL


def test_a_lockdown_of_now_is_none_of_tomorrow(fab: Place) -> None:
    with fab.database.transaction() as session:
        set_lockdown(session, True, DECIDED)
    assert asked(fab, "remy", tomorrow(14)).sure


def test_a_carnet_that_is_used_up_by_then_opens_no_door(fab: Place) -> None:
    carnet = Pass("c1", "zoe", "half_day", 1)
    change(fab, Member("zoe", "Zoé", "carnet"), carnet, Credential(uid="04B20000", member="zoe"), trained("zoe"))
    assert asked(fab, "zoe", tomorrow(14)).sure
    with fab.database.transaction() as session:
        session.add(PaidUnit(member="zoe", unit="2026-11-24am", edge="front", heard=moment(fab.now)))
    assert reason(asked(fab, "zoe", tomorrow(14)), About.DOOR) is Reason.PASS_EXHAUSTED


def test_whoever_is_suspended_cannot_mend_it(fab: Place) -> None:
    change(fab, Member("remy", "Rémy", "resident", status="suspended"))
    start = asked(fab, "remy", tomorrow(14))
    assert (signs(start)[About.DOOR], reason(start, About.DOOR)) == (Sign.NEVER, Reason.MEMBER_SUSPENDED)


def test_a_booking_is_not_in_its_own_way(fab: Place) -> None:
    """Of three it is the last that the site's terms allow; asked of one of them, that is no matter."""
    made = [Desk(fab.database).has(tomorrow(hour)) for hour in (10, 12, 14)][-1]
    with fab.database.reading() as session:
        known = picture(session, fab.publisher.current, fab.now).known
        start = Asker(session, fab.publisher.current, known, "remy").start(CNC, made.start, made.end, but=made.id)
    assert (start.sure, set(signs(start).values())) == (True, {Sign.GOOD})


def test_what_runs_now_is_used_up_by_then(fab: Place) -> None:
    change(fab, Quota("cnc", 180, "week"))
    since = moment(fab.now - HOUR)
    use = MachineSession(
        machine="cnc", started=since, member="remy", kind="cnc", until=None, cuts=False, ended=moment(fab.now),
        edge="front", heard=since,
    )  # fmt: skip
    with fab.database.transaction() as session:
        session.add(use)
    [check] = [one for one in asked(fab, "remy", tomorrow(14)).checks if one.about is About.QUOTA]
    assert check.before == 120 * 60
    Desk(fab.database, at(17)).has(at(18), at(20))
    [check] = [one for one in asked(fab, "remy", tomorrow(14)).checks if one.about is About.QUOTA]
    assert check.before == (120 - 48) * 60, "of a booking that has begun what is left of it"


def test_out_of_service_is_said_and_may_be_booked(fab: Place) -> None:
    change(fab, replace(CNC, locked_out=LockOut(by="Fabien", why="lame")))
    start = asked(fab, "remy", tomorrow(14))
    assert (signs(start)[About.MACHINE], reason(start, About.MACHINE)) == (Sign.BAD, Reason.MACHINE_LOCKED_OUT)
    assert (start.bookable, start.sure) == (True, False)


def test_what_is_said_beforehand_is_what_the_machine_says_then(fab: Place) -> None:
    """Its own decide, with whoever is let in by the door inside."""
    printer, said = PRINTERS[0], set()
    tap = Tap(printer.reader, pseudonym(CREDENTIAL_KEY, REMY))
    for then in (tomorrow(hour, days=day) for day in range(1, 8) for hour in (3, 8, 12, 19)):
        start = asked(fab, "remy", then, machine=printer)
        with fab.database.reading() as session:
            state = picture(session, fab.publisher.current, fab.now).known.state
        state.presence.apply("remy", Move(then, inside=True))
        state.not_after = then
        assert start.sure == decide(fab.publisher.current.rules, state, tap, then).granted
        said.add(start.sure)
    assert said == {True}
