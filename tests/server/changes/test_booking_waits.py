"""Whoever waits for a slot is offered it alone, in turn, for a quarter of an hour, whatever happens at one instant."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from msgspec.structs import replace
from sqlmodel import col, select

from policy.booking_terms import Against, Rule
from policy.bundle import LockOut
from policy.terms import HOUR, MINUTE, Instant
from server.audit import Decided, verify
from server.booking_news import BookingNews
from server.changes.booking_waits import leave, offer_due, take, wait
from server.changes.bookings import Booked, Taken, Wanted
from server.changes.bundle import put
from server.changes.purge import purge
from server.database.engine import Database
from server.errors import MistakeError
from server.models import BookingWait
from server.queries.booking_waits import Wait, waits
from tests.support_bookings import CNC, NOW, PRINTERS, Desk, furnish, join, tomorrow
from tests.support_pages import Place, plain
from tests.support_rota import mails, with_mail
from tests.support_site import at

QUARTER, TWO = 15 * MINUTE, tomorrow(14)


class Queue(Desk):
    """A desk that has a list of those who wait, too."""

    def wait(self, who: str, start: Instant = TWO, end: Instant | None = None, what: str = "cnc") -> Any:
        with self.database.transaction() as session:
            wanted = Wanted((what,), who, start, start + 2 * HOUR if end is None else end)
            return wait(session, Decided("tests", self.now), wanted)

    def take(self, one: Wait) -> Any:
        with self.database.transaction() as session:
            return take(session, Decided("tests", self.now), one.id, one.member)

    def leave(self, one: Wait) -> bool:
        with self.database.transaction() as session:
            return leave(session, Decided("tests", self.now), one.id, one.member)

    def tick(self) -> int:
        with self.database.transaction() as session:
            return offer_due(session, Decided("server", self.now))

    def offered(self) -> list[str]:
        with self.database.reading() as session:
            return [one.member for one in waits(session, self.now) if one.until is not None]

    def outcomes(self) -> list[tuple[str, str]]:
        with self.database.reading() as session:
            rows = session.exec(select(BookingWait).order_by(col(BookingWait.id)))
            return [(one.member, one.outcome) for one in rows]


@pytest.fixture
def desk(database: Database) -> Queue:
    furnish(database)
    return Queue(database)


def test_what_is_cancelled_is_offered_to_whoever_came_first_and_to_nobody_else(desk: Queue) -> None:
    booked = desk.has(tomorrow(14))
    first, second = desk.wait("brigitte"), desk.wait("alice", tomorrow(15), tomorrow(17))
    assert ((first.before, first.until), (second.before, second.until)) == ((0, None), (1, None))
    assert desk.take(first) == Against(Rule.GONE), "not offered yet"
    desk.cancel(booked.id, member="remy")
    assert desk.offered() == ["brigitte"]
    assert desk.next_of(tomorrow(14), who="remy") == (True, "cnc", tomorrow(16)), "kept for her"
    assert isinstance(desk.take(first), Booked)
    assert (desk.offered(), desk.outcomes()) == ([], [("brigitte", "taken"), ("alice", "")])
    with desk.database.reading() as session:
        assert verify(session).broken is None


def test_what_nobody_answers_falls_to_the_next_and_then_is_free(desk: Queue) -> None:
    booked = desk.has(tomorrow(14))
    first, second = desk.wait("brigitte"), desk.wait("alice")
    desk.cancel(booked.id)
    desk.now += QUARTER - 1
    assert (desk.tick(), desk.offered()) == (0, ["brigitte"])
    desk.now += 1
    assert desk.take(first) == Against(Rule.GONE)
    assert (desk.tick(), desk.offered()) == (1, ["alice"])
    assert desk.leave(second)
    assert desk.outcomes() == [("brigitte", "lapsed"), ("alice", "left")]
    desk.has(tomorrow(14))


def test_who_books_when_a_holder_does_not_come_comes_after_those_who_wait(desk: Queue) -> None:
    desk.has(tomorrow(14))
    first = desk.wait("brigitte")
    desk.now = tomorrow(14, 15)
    assert desk.next_of(tomorrow(14, 15), tomorrow(16), who="alice") == (True, "cnc", tomorrow(16))
    assert desk.offered() == ["brigitte"]
    desk.now += MINUTE
    taken = desk.take(first)
    assert isinstance(taken, Booked)
    assert (taken.slot.start, taken.slot.end) == (tomorrow(14, 30), tomorrow(16)), "what is left of it"


def test_who_may_not_have_it_is_passed_over_and_waits_on(desk: Queue) -> None:
    booked = desk.has(tomorrow(14))
    desk.wait("brigitte")
    desk.wait("alice")
    for day in (2, 3, 6):
        desk.has(tomorrow(14, days=day), who="brigitte")
    desk.cancel(booked.id)
    assert desk.offered() == ["alice"], "brigitte has as many as she may"


def test_what_nobody_can_wait_for(desk: Queue) -> None:
    desk.has(tomorrow(14))
    assert desk.wait("remy", tomorrow(15)) == Taken(held_by_other=False, next_free=None)
    assert desk.wait("brigitte", tomorrow(22)) == Against(Rule.HOURS)
    assert desk.wait("brigitte", at(12)) == Against(Rule.PAST)
    assert desk.wait("nobody") == Against(Rule.MEMBER)
    assert desk.wait("brigitte", what="anvil") == Against(Rule.MACHINE)
    once = desk.wait("brigitte")
    assert desk.wait("brigitte", tomorrow(15)).id == once.id, "she stays where she is"
    for number, start in enumerate((10, 12)):
        desk.has(tomorrow(start), what=PRINTERS[number].id)
        desk.wait("brigitte", tomorrow(start), what=PRINTERS[number].id)
    assert desk.wait("brigitte", tomorrow(18)) == Against(Rule.OPEN, 3)
    assert desk.outcomes() == [("brigitte", "")] * 3
    free = desk.wait("alice", tomorrow(18))
    assert free.until == desk.now + QUARTER, "what is free is offered at once"


def test_a_booking_made_otherwise_ends_the_waiting_and_so_does_the_time_itself(desk: Queue) -> None:
    booked = desk.has(tomorrow(14))
    desk.wait("brigitte")
    desk.wait("alice", tomorrow(15))
    desk.cancel(booked.id)
    desk.has(tomorrow(14), tomorrow(15), who="brigitte")
    assert desk.outcomes() == [("brigitte", ""), ("alice", "")]
    assert (desk.tick(), desk.offered()) == (1, ["alice"])
    desk.now = tomorrow(18)
    desk.tick()
    assert desk.outcomes() == [("brigitte", "taken"), ("alice", "over")]
    with desk.database.transaction() as session:
        purge(session, tomorrow(18, days=92), 90)
    assert desk.outcomes() == []


def test_at_one_instant_one_is_offered_it_and_nobody_slips_in(desk: Queue) -> None:
    """The holder cancels while those who wait press, others book, and the clock's thread looks."""
    people = [f"m{number}" for number in range(12)]
    join(desk.database, *people)
    booked = desk.has(tomorrow(14))
    waiting = [desk.wait(who) for who in people[:4]]
    acts = [lambda: desk.cancel(booked.id), desk.tick, desk.tick]
    acts += [lambda one=one: desk.take(one) for one in waiting]
    acts += [lambda who=who: desk.book(tomorrow(14), who=who) for who in people[4:]]
    with ThreadPoolExecutor(len(acts)) as pool:
        said = [one.result() for one in [pool.submit(act) for act in acts]]
    desk.tick()
    won = [one.slot.member for one in said if isinstance(one, Booked)]
    assert won in ([], ["m0"]), "whoever came first, or nobody yet"
    assert desk.offered() == ([] if won else ["m0"])
    with desk.database.reading() as session:
        assert [one.member for one in waits(session, desk.now)] == people[len(won) : 4]


def test_postgresql_itself_offers_no_slot_to_two(desk: Queue) -> None:
    booked = desk.has(tomorrow(14))
    desk.wait("brigitte")
    second = desk.wait("alice")
    desk.cancel(booked.id)

    def sneak() -> None:
        with desk.database.transaction() as session:
            row = session.get_one(BookingWait, second.id)
            row.offered = row.at
            session.add(row)

    if desk.database.url.get_backend_name() == "postgresql":
        with pytest.raises(MistakeError):
            sneak()
    else:
        sneak()
    assert desk.offered()[0] == "brigitte"


CHOICE = {"machine": "cnc", "start": "2026-11-25T14:00", "end": "2026-11-25T16:00"}


@pytest.mark.sqlite
def test_one_waits_is_written_to_and_takes_it_by_a_press(place: Place) -> None:
    furnish(place.database)
    place.publish()
    place.sends_mail = True
    desk = Queue(place.database)
    booked = desk.has(tomorrow(14), who="brigitte")
    client = place.member("remy")
    with_mail(place, "remy")
    chosen = "/calendar?day=2026-11-25&machine=cnc&start=2026-11-25T14:00&end=2026-11-25T16:00"
    assert "Attendre ce créneau : mer. 25 nov., 14 h – 16 h" in read(client, chosen)
    said = press(place, client, "/waits", back="calendar", day="2026-11-25", **CHOICE)
    assert "Vous attendez Fraiseuse CNC, mer. 25 nov., 14 h – 16 h : vous êtes la prochaine personne." in said
    for path in ("/me", "/machines/cnc", "/calendar"):
        assert "mer. 25 nov., 14 h – 16 h vous êtes la prochaine personne Ne plus attendre" in read(client, path)
    news = BookingNews(place.app, place.context())
    assert news.tick() == 0
    desk.cancel(booked.id)
    place.now += 5000
    assert (news.tick(), BookingNews(place.app, place.context()).tick()) == (1, 0), "once"
    assert mails(place) == [("remy@exemple.org", "À vous jusqu’à 19 h 27 : Fraiseuse CNC, mer. 25 nov., 14 h – 16 h")]
    assert "à vous jusqu’à 19 h 27 Réserver : Fraiseuse CNC, mer. 25 nov., 14 h – 16 h Non merci" in read(client, "/me")
    others = read(place.member("alice"), chosen)
    assert "✗ Elle est réservée" in others, "nobody else sees it as free"
    said = press(place, client, "/waits/1/take", back="machine", machine="cnc")
    assert "Réservée pour vous : Fraiseuse CNC, mer. 25 nov., 14 h – 16 h." in said
    assert [one.member for one in place.publisher.current.rules.bookings["cnc"]] == ["remy"], "the machine knows"
    assert "Ce créneau n’est plus à vous" in press(place, client, "/waits/1/take")


@pytest.mark.sqlite
def test_whoever_came_too_late_for_a_slot_may_wait_for_it(place: Place) -> None:
    furnish(place.database)
    place.publish()
    Desk(place.database, NOW).has(tomorrow(14), who="brigitte")
    client = place.member("remy")
    late = press(place, client, "/calendar", day="2026-11-25", **CHOICE)
    assert "Quelqu’un vient de réserver" in late
    assert "Attendre ce créneau : mer. 25 nov., 14 h – 16 h" in late
    press(place, client, "/waits", **CHOICE)
    assert "Vous n’attendez plus ce créneau." in press(place, client, "/waits/1/leave")
    assert "Ne plus attendre" not in read(client, "/me")


def read(client: Any, path: str) -> str:
    return plain(client.get(path).text).replace("\N{NO-BREAK SPACE}", " ")


def press(place: Place, client: Any, path: str, **data: str) -> str:
    answer = client.post(path, data={"csrf_token": place.form_token(client, "/calendar")} | data)
    if answer.status_code == 303:
        return read(client, answer.headers["Location"])
    return plain(answer.text).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.sqlite
def test_who_waits_for_a_machine_out_of_service_reads_it_and_keeps_their_turn(place: Place) -> None:
    furnish(place.database)
    queue = Queue(place.database)
    booked = queue.has(TWO)
    queue.wait("brigitte")
    place.publish()
    chosen = "/calendar?day=2026-11-25&machine=cnc&start=2026-11-25T14:00&end=2026-11-25T16:00"
    assert "vous êtes la prochaine personne" in place.page("/me", place.member("brigitte"))
    team = place.staff()
    form = {"why": "fraise", "when": "after", "until": "", "csrf_token": place.form_token(team, "/account")}
    asked = team.post("/machines/cnc/out", data=form)
    assert "1 personne attend un créneau : elle garde son tour" in place.words(asked)
    with place.database.transaction() as session:
        put(session, [replace(CNC, locked_out=LockOut("Fabien", "fraise"))], Decided("tests", NOW))
    place.publish()
    queue.cancel(booked.id, member="remy")
    assert queue.offered() == []
    for page in ("/me", "/machines/cnc", "/calendar"):
        said = place.page(page, place.member("brigitte"))
        assert "hors service : rien n’est proposé avant son retour, vous gardez votre tour" in said, page
    queue.has(TWO)
    assert "Elle est hors service : rien n’est proposé avant" in place.page(chosen, place.member("alice"))
    place.now = NOW
    with place.database.transaction() as session:
        put(session, [CNC], Decided("tests", NOW))
    place.publish()
    assert "proposé pendant 15 min à qui attend. 1 personne attend déjà." in place.page(chosen, place.member("alice"))
