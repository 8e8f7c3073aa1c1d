"""A booking ends when its holder ends their session by their own badge: at the machine, on the pages and in the API."""

import pytest

from policy.bookings import covering
from policy.instants import text
from policy.reasons import Reason
from policy.terms import SECOND, Instant
from server.booking_news import BookingNews
from server.queries.bookings import Slot, slots
from tests.support_accounts import account_of
from tests.support_lab import booked, furnish, lab_bundle, runs
from tests.support_pages import Place
from tests.support_site import at
from wire.messages import Status
from wire.row import Kind

pytestmark = pytest.mark.sqlite
BEGAN = at(18, 5)


@pytest.fixture
def lab(place: Place) -> Place:
    """It is 19:12. Rémy has the laser from 18:00 to 22:00, and has run it since 18:05."""
    furnish(place, lab_bundle(booked("b", "laser", "remy", "18:00", "22:00")))
    return place


def stops(place: Place, when: Instant, started: Instant = BEGAN, *, by_badge: bool = True) -> None:
    if by_badge:
        taps(place, when, Reason.SESSION_ENDED)
    runs(place, "laser", "remy", started, until=at(22), ended=when)


def taps(place: Place, when: Instant, reason: Reason) -> None:
    told = {"access_point": "laser", "reader": "laser-tap", "member": "remy", "credential": "c" * 32}
    place.journal.add(when, Kind.TAP, granted=True, reason=reason, **told)
    place.tell()


def tick(place: Place) -> list[Slot]:
    """The bookings of the laser that hold after the server looked."""
    BookingNews(place.app, place.context()).tick()
    place.publish()
    with place.database.reading() as session:
        return slots(session, at(0), at(23), machines=["laser"])


def covers(place: Place) -> bool:
    return bool(list(covering(place.publisher.current.rules, "laser", place.now)))


def test_what_its_holder_gives_back_is_free_for_whoever_walks_up(lab: Place) -> None:
    stops(lab, at(19, 10) + 30 * SECOND)
    assert covers(lab)
    assert [(one.start, one.end) for one in tick(lab)] == [(at(18), at(19, 10))]
    assert not covers(lab), "the machine lets in whoever comes"
    lab.speak()
    said = lab.page("/machines", account_of(lab, "brigitte"))
    assert "Découpe laser libre" in said
    assert "personne n’y était" not in lab.page("/me", lab.member("remy"))


def test_a_session_that_ended_otherwise_takes_nothing_from_its_holder(lab: Place) -> None:
    taps(lab, BEGAN, Reason.BOOKING)
    stops(lab, at(19, 10), by_badge=False)
    assert [one.end for one in tick(lab)] == [at(22)]
    assert covers(lab)
    assert "à reprendre" in lab.page("/machines", account_of(lab, "brigitte"))


def test_while_the_end_of_the_session_has_not_arrived_the_booking_stays(lab: Place) -> None:
    runs(lab, "laser", "remy", BEGAN, until=at(22))
    taps(lab, at(19, 10), Reason.SESSION_ENDED)
    assert [one.end for one in tick(lab)] == [at(22)]
    stops(lab, at(19, 10), by_badge=False)
    assert [one.end for one in tick(lab)] == [at(19, 10)]


def test_who_runs_it_again_keeps_it_and_so_does_who_was_cut_off_after_that(lab: Place) -> None:
    stops(lab, at(18, 30))
    runs(lab, "laser", "remy", at(18, 31), until=at(22))
    assert [one.end for one in tick(lab)] == [at(22)]
    runs(lab, "laser", "remy", at(18, 31), until=at(22), ended=at(19, 5))
    assert [one.end for one in tick(lab)] == [at(22)]


def test_a_session_of_before_the_booking_gives_nothing_back(lab: Place) -> None:
    stops(lab, at(17, 30), at(17))
    lab.now = at(18, 10)
    assert [one.end for one in tick(lab)] == [at(22)]


def test_whoever_is_done_in_the_first_minute_keeps_that_and_is_not_told_that_nobody_came(lab: Place) -> None:
    lab.now = at(18) + 40 * SECOND
    stops(lab, at(18) + 30 * SECOND, at(17, 50))
    kept = tick(lab)
    assert [(one.start, one.end) for one in kept] == [(at(18), at(18, 1))]
    assert "personne n’y était" not in lab.page("/me", lab.member("remy"))
    changed = lab.publisher.current.version
    assert tick(lab) == kept
    assert lab.publisher.current.version == changed
    lab.now = at(18, 1)
    assert not covers(lab)


def test_what_arrives_late_waits_until_its_edge_has_nothing_more_to_tell(lab: Place) -> None:
    """An edge that was cut off sends 200 rows at a time: who ended in the first of them may be back in the second."""
    speaks(lab, unacknowledged=300)
    stops(lab, at(18, 30))
    speaks(lab, unacknowledged=100)
    lab.now += SECOND
    assert [one.end for one in tick(lab)] == [at(22)]
    runs(lab, "laser", "remy", at(18, 31), until=at(22))
    assert [one.end for one in tick(lab)] == [at(22)], "they are back"
    runs(lab, "laser", "remy", at(18, 31), until=at(22), ended=at(19))
    taps(lab, at(19), Reason.SESSION_ENDED)
    assert [one.end for one in tick(lab)] == [at(22)]
    lab.now += SECOND
    speaks(lab, unacknowledged=0)
    assert [one.end for one in tick(lab)] == [at(19)]


def speaks(place: Place, unacknowledged: int) -> None:
    place.desk.now = place.now
    place.desk.say(Status(True, at=text(place.now), unacknowledged=unacknowledged))
