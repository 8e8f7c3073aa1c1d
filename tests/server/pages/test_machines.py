"""The board of the machines: what is free now, as each of those who ask may know it, and never a stale yes."""

from random import Random

import pytest
from msgspec.structs import replace

from policy.bundle import Booking as Booked
from policy.bundle import Certification, LockOut, Role, Shift
from policy.instants import text
from policy.reasons import Reason
from policy.terms import DAY, MINUTE, Instant
from server.audit import Decided
from server.changes.bookings import Booked as Made
from server.changes.bookings import Wanted, book
from server.changes.bundle import put
from server.changes.lockdown import set_lockdown
from server.queries.bookings import holding
from server.queries.machine_week import week
from server.queries.machines import RUNS, State, views
from server.queries.now import SILENT, picture
from server.queries.site_state import machines_at
from server.queries.start import Asker
from server.text.machines import MARKS
from tests.support_accounts import account_of
from tests.support_bookings import join
from tests.support_lab import booked, furnish, lab_bundle, runs
from tests.support_pages import Place
from tests.support_server import DECIDED
from tests.support_site import at
from wire.messages import Status
from wire.row import Kind, Order

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lab(place: Place) -> Place:
    """It is 19:12, nobody uses a machine; the saw's hours are over."""
    furnish(place, lab_bundle())
    return place


def states(place: Place) -> dict[str, State]:
    current = place.publisher.current
    with place.database.reading() as session:
        seen = views(session, current, picture(session, current, place.now).opening, place.now)
    return {view.machine.id: view.state for view in seen}


def test_what_is_free_is_said_first_and_until_when(lab: Place) -> None:
    furnish(lab, lab_bundle(booked("b", "printer", "remy", "20:30", "21:00")))
    said = lab.page("/machines", account_of(lab, "brigitte"))
    assert "3 machines libres Découpe laser, jusqu’à 22 h. Imprimante 1, jusqu’à 20 h 30." in said
    assert "Ensuite réservée, 20 h 30 – 21 h" in said
    assert "Scie fermée Hors de ses heures, jusqu’à demain à 9 h" in said


def test_a_booking_whose_hour_has_begun_is_now_not_then(lab: Place) -> None:
    furnish(lab, lab_bundle(booked("b", "printer", "remy", "20:00", "21:00")))
    runs(lab, "printer", "brigitte", at(19), until=at(20))
    lab.now = at(20, 8)
    lab.speak()
    said = lab.page("/machines", account_of(lab, "brigitte"))
    assert "Maintenant réservée, 20 h – 21 h" in said
    assert "Maintenant à Rémy Q., 20 h – 21 h" in lab.page("/machines", lab.staff())
    assert "Ensuite" not in said


def test_a_session_until_the_next_booking_leaves_no_gap_that_would_be_free(lab: Place) -> None:
    tomorrow = Booked(id="b", machine="printer", member="remy", start="2026-11-25T10:00", end="2026-11-25T12:00")
    furnish(lab, lab_bundle(tomorrow))
    runs(lab, "printer", "brigitte", at(19), until=at(10) + DAY)
    said = lab.page("/machines", account_of(lab, "brigitte"))
    assert "Vous, jusqu’à demain à 10 h" in said
    assert "Ensuite libre" not in said
    assert "Imprimante 1 tourne jusqu’à demain à 10 h" in lab.page("/fermer", lab.staff())


def test_a_session_that_runs_stands_in_the_calendar_and_is_no_booking_to_cancel(lab: Place) -> None:
    runs(lab, "laser", "brigitte", at(19), until=at(20, 30))
    client = account_of(lab, "fabien")
    assert "Découpe laser 19 h – 20 h 30 Brigitte O. en marche" in lab.page("/calendar?machine=laser", client)
    assert "session-" not in client.get("/calendar?machine=laser").text


def test_a_session_is_shown_to_its_holder_to_members_and_to_fab_managers(lab: Place) -> None:
    runs(lab, "laser", "brigitte", at(19), until=at(20, 30))
    mine, other = lab.page("/machines", account_of(lab, "brigitte")), lab.page("/machines", account_of(lab, "remy"))
    assert "en marche Vous, jusqu’à 20 h 30" in mine
    assert "en marche Occupée jusqu’à 20 h 30 sous surveillance" in other
    for client in (account_of(lab, "fabien"), lab.staff()):
        assert "en marche Brigitte O., jusqu’à 20 h 30" in lab.page("/machines", client)
    assert "Brigitte" not in other
    assert "Brigitte" not in lab.page("/machines", account_of(lab, "gregoire")), "a gardien is told no names here"


@pytest.mark.parametrize(("now", "state", "words"), [
    (at(19, 54), State.RUNNING, "Occupée jusqu’à 20 h"),
    (at(19, 55), State.ENDING, "Encore 5 min"),
    (at(20), State.OVERRUN, "1 min de trop"),
    (at(21, 12), State.OVERRUN, "1 h 12 de trop devait finir à 20 h ; compté dans son temps"),
])  # fmt: skip
def test_a_machine_that_warns_ends_soon_and_then_overruns(lab: Place, now: int, state: State, words: str) -> None:
    runs(lab, "printer", "remy", at(19), until=at(20))
    lab.now = now
    lab.speak()
    assert states(lab)["printer"] is state
    assert words in lab.page("/machines", account_of(lab, "brigitte"))


def test_a_machine_that_cuts_is_free_at_until_heard_of_or_not(lab: Place) -> None:
    runs(lab, "laser", "remy", at(19), until=at(20))
    lab.now = at(20)
    lab.speak()
    assert states(lab)["laser"] is State.FREE


def test_a_booking_holds_the_machine_until_it_is_released(lab: Place) -> None:
    furnish(lab, lab_bundle(booked("b", "laser", "remy", "19:00", "21:00")))
    said = lab.page("/machines", account_of(lab, "brigitte"))
    assert "réservée Réservée, 19 h – 21 h rendue à 19 h 15 si personne ne badge" in said
    assert "Rémy Q., 19 h – 21 h" in lab.page("/machines", lab.staff())
    lab.now = at(19, 15)
    lab.speak()
    assert states(lab)["laser"] is State.FREE


def test_a_machine_that_is_not_heard_from_is_never_said_to_be_free(lab: Place) -> None:
    member = account_of(lab, "brigitte")
    runs(lab, "printer", "remy", at(18, 50), ended=at(19))
    lab.now = at(19, 12) + SILENT + 1
    said = lab.page("/machines", member)
    assert set(states(lab).values()) == {State.UNKNOWN}
    assert "Aucune machine libre On ne sait pas pour : Découpe laser, Imprimante 1" in said
    assert "État inconnu depuis 19 h 12" in said
    lab.speak()
    assert State.UNKNOWN not in states(lab).values()
    lab.desk.say(Status(False))
    assert set(states(lab).values()) == {State.UNKNOWN}, "the broker's word that it is gone counts at once"


def test_no_machine_is_free_while_the_place_is_locked_down(lab: Place) -> None:
    furnish(lab, lab_bundle(booked("b", "printer", "remy", "19:00", "21:00")))
    runs(lab, "laser", "brigitte", at(19), until=at(20))
    with lab.database.transaction() as session:
        set_lockdown(session, True, DECIDED)
    assert set(states(lab).values()) == {State.RUNNING, State.LOCKDOWN}, "what runs goes on"
    member = account_of(lab, "brigitte")
    said = lab.page("/machines", member)
    assert "Aucune machine libre Lieu confiné Contactez l’équipe." in said
    assert "Libre" not in said
    assert "La première" not in said
    assert "lieu confiné Lieu confiné Contactez l’équipe." in lab.page("/machines/printer-2", member)


def test_a_session_of_a_machine_that_is_not_heard_from_is_told_as_what_was(lab: Place) -> None:
    runs(lab, "printer", "remy", at(19), until=at(21))
    lab.now = at(19, 30)
    assert "Rémy Q. l’utilisait" in lab.page("/machines", lab.staff())
    assert "Vous l’utilisiez" in lab.page("/machines", lab.member("remy"))
    assert "en marche" not in lab.page("/machines", lab.staff())


def test_a_machine_without_an_edge_says_so(place: Place) -> None:
    furnish(place, lab_bundle(), owned=False)
    assert set(states(place).values()) == {State.UNKNOWN}
    assert "Son boîtier n’a encore rien dit" in place.page("/machines", place.staff())


def test_an_emergency_stop_says_who_used_it_and_what_helps(lab: Place) -> None:
    runs(lab, "laser", "brigitte", at(18), until=at(21), ended=at(19, 2))
    lab.journal.add(at(19, 2), Kind.ESTOP, access_point="laser")
    lab.tell()
    said = lab.page("/machines", account_of(lab, "fabien"))
    assert "arrêtée Arrêt d’urgence à 19 h 02 Brigitte O. l’utilisait Ce qui aide : aller voir, relever" in said
    assert "Arrêt d’urgence à 19 h 02 Vous l’utilisiez" in lab.page("/machines", account_of(lab, "brigitte"))
    other = lab.page("/machines", account_of(lab, "remy"))
    assert "Arrêt d’urgence à 19 h 02 Ce qui aide : prévenir l’équipe" in other
    lab.journal.add(at(19, 10), Kind.MACHINE_RESET, access_point="laser", member="fabien")
    lab.tell()
    assert states(lab)["laser"] is State.FREE


def test_a_stop_by_order_is_not_called_an_emergency(lab: Place) -> None:
    lab.journal.add(at(19, 2), Kind.COMMAND, access_point="laser", order=Order.LOCK_OUT, granted=True, nonce="n")
    lab.tell()
    said = lab.page("/machines", lab.staff())
    assert "arrêtée Arrêtée à distance à 19 h 02" in said
    assert "relever le bouton" not in said


def test_a_broken_reader_or_a_full_disk_is_said_and_a_running_session_goes_on(lab: Place) -> None:
    runs(lab, "printer", "remy", at(19))
    lab.desk.say(Status(True, readers={"laser-tap": "no answer", "printer-tap": "no answer"}))
    assert states(lab) == {
        "laser": State.FAULT, "printer": State.RUNNING, "printer-2": State.FREE, "saw": State.SHUT
    }  # fmt: skip
    assert "Son lecteur ne répond plus" in lab.page("/machines", lab.staff())
    lab.desk.say(Status(True, journal_fault="disk full"))
    assert states(lab)["printer-2"] is State.FAULT


def test_what_is_out_of_service_says_why_and_to_those_who_look_after_it_by_whom(lab: Place) -> None:
    furnish(lab, lab_bundle(out={"printer-2": LockOut(by="Fabien R.", why="buse bouchée")}))
    assert "Hors service Imprimante 2 · buse bouchée Remettre en service… Imprimante 2 par Fabien R." in lab.page(
        "/machines", lab.staff()
    )
    other = lab.page("/machines", account_of(lab, "remy"))
    assert "Imprimante 2 · buse bouchée" in other
    assert "Fabien" not in other
    runs(lab, "printer-2", "remy", at(19), until=at(21))
    assert "encore en marche" in lab.page("/machines", lab.staff()), "it waits for the session"


def test_when_none_is_free_the_first_to_be_is_named(lab: Place) -> None:
    for number, machine in enumerate(("laser", "printer", "printer-2")):
        runs(lab, machine, "remy", at(19, number), until=at(21) - number * 10 * MINUTE)
    said = lab.page("/machines", account_of(lab, "brigitte"))
    assert "Aucune machine libre La première : Imprimante 2, vers 20 h 40." in said


def test_a_site_without_machines_says_so(place: Place) -> None:
    assert "Aucune machine" in place.page("/machines", place.staff())


def test_the_public_is_asked_to_log_in(lab: Place) -> None:
    assert lab.client.get("/machines").headers["Location"].endswith("/login?next=/machines")


def test_each_state_has_its_colour_and_word() -> None:
    assert set(MARKS) == set(State)
    colours = {state: colour for state, (colour, _) in MARKS.items()}
    assert {state for state, colour in colours.items() if colour == "bad"} == {State.STOPPED, State.FAULT}
    assert {state for state, colour in colours.items() if colour == "good"} == {State.RUNNING, State.ENDING}


def test_a_free_machine_in_a_place_that_is_shut_says_from_when(lab: Place) -> None:
    lab.now = at(23, 30)
    lab.speak()
    said = lab.page("/machines", account_of(lab, "brigitte"))
    assert "3 machines libres, lieu fermé" in said
    assert "Libre quand le lieu ouvre : demain à 9 h" in said
    assert "Libre jusqu’à" not in said


def test_a_free_machine_waits_for_a_gardien_whose_shift_has_begun_and_not_for_the_next_one(lab: Place) -> None:
    with lab.database.transaction() as session:
        remy = next(one for one in lab.publisher.current.bundle.members if one.id == "remy")
        put(session, [replace(remy, roles=(Role.GARDIEN,))], DECIDED)
        for number, (start, end) in enumerate((("19:00", "20:00"), ("20:00", "21:00"))):
            put(session, [Shift(f"late{number}", "remy", f"2026-11-25T{start}", f"2026-11-25T{end}")], DECIDED)
    lab.publish()
    lab.now = at(19, 10) + DAY
    lab.speak()
    said = lab.page("/machines", account_of(lab, "brigitte"))
    assert "Libre dès qu’un gardien ouvre le lieu" in said
    assert "Libre quand" not in said


def test_what_is_out_of_service_promises_nobody_anything(place: Place) -> None:
    out = {"printer": LockOut(by="l’équipe", why="buse bouchée")}
    furnish(place, lab_bundle(booked("b", "printer", "remy", "20:30", "21:00"), out=out))
    assert "Ensuite réservée" not in place.page("/machines/printer", account_of(place, "brigitte"))


def test_a_passage_on_a_booking_says_the_booking_s_end_not_the_session_s(lab: Place) -> None:
    """Where nobody comes after, the session may go on until the machine's hours end: that is no longer the booking."""
    furnish(lab, lab_bundle(booked("b1", "saw", "remy", "16:00", "18:00")))
    for start, until in ((at(16, 5), at(19)), (at(17), at(17, 30))):
        told = {"access_point": "saw", "reader": "saw-tap", "member": "remy", "granted": True, "credential": "c" * 32}
        lab.journal.add(start, Kind.TAP, reason=Reason.BOOKING, until=text(until), **told)
    lab.tell()
    said = lab.page("/me", lab.member("remy")).replace("\N{NO-BREAK SPACE}", " ")
    assert "16 h 05 machine votre réservation, jusqu’à 18 h" in said
    assert "17 h machine votre réservation, jusqu’à 17 h 30" in said, "the quota ends before"


def test_board_machine_page_calendar_and_booking_answer_alike(lab: Place) -> None:
    """At random instants of random days: whether somebody else may have the laser from now on."""
    random, seen = Random(5), set()
    join(lab.database, "ada")
    with lab.database.transaction() as session:
        put(session, [Certification("ada", "laser")], DECIDED)
    quarter = 15 * MINUTE
    day = at(8) + DAY
    for number in range(6):
        start = day + random.randrange(8) * quarter
        slot = lab_books(lab, start, start + random.randint(2, 8) * quarter)
        begun = start + random.choice([0, 5 * MINUTE, 20 * MINUTE, -40 * MINUTE])
        ended = begun + random.randint(5, 90) * MINUTE if random.random() < 0.7 else None
        runs(lab, "laser", random.choice(["remy", "brigitte"]), begun, until=slot + number * quarter, ended=ended)
        day = slot + 3 * 60 * MINUTE
    lab.publish()
    for now in sorted(random.sample(range(at(8) + DAY, day, quarter), 30)):
        lab.now = now
        lab.speak()
        said = answers(lab, now, now + 2 * quarter)
        assert len(set(said)) == 1, (now, said)
        seen.add(said[0])
    assert seen == {True, False}


def lab_books(place: Place, start: Instant, end: Instant) -> Instant:
    """Rémy has the laser then; its end."""
    with place.database.transaction() as session:
        wanted = Wanted(("laser",), "remy", start, end)
        assert isinstance(book(session, Decided("test", start - DAY), wanted, by_rules=False), Made)
    return end


def answers(place: Place, now: Instant, end: Instant) -> list[bool]:
    """Of the board, the machine's page, the calendar's checks, its picture, and of booking."""
    current = place.publisher.current
    laser = current.machines["laser"]
    with place.database.transaction() as session:
        known = picture(session, current, now)
        state = next(one.state for one in views(session, current, known.opening, now) if one.machine.id == "laser")
        check = Asker(session, current, known.known, "ada").start(laser, now, end)
        week_ = week(current, known.known, machines_at(session, now), "laser", now)
        held = holding(session, now, "ada", now, end, machines=["laser"])
        wanted = Wanted(("laser",), "ada", now, end)
        tried = session.begin_nested()
        booked_ = isinstance(book(session, Decided("test", now), wanted), Made)
        tried.rollback()
    busy = state in RUNS or any(one.start < end and one.end > now for one in week_[0].bookings)
    free = state in (State.FREE, State.LEFT) and not any(one.start < end for one in week_[0].bookings)
    assert free is not busy, state
    return [free, check.bookable, not held, booked_]


def test_of_what_others_ran_long_ago_a_page_reads_nothing_of_ones_own_all_that_a_quota_counts(lab: Place) -> None:
    for member, days in (("brigitte", 10), ("brigitte", 1), ("ada", 10)):
        runs(lab, "laser", member, at(17) - days * DAY, ended=at(18) - days * DAY)
    runs(lab, "printer", "brigitte", at(9) - 20 * DAY, until=at(22))
    with lab.database.reading() as session:
        read = machines_at(session, lab.now, "ada").sessions
    assert sorted((one.member, (lab.now - one.start) // DAY) for one in read.of_machine("laser")) == [
        ("ada", 10),
        ("brigitte", 1),
    ]
    assert read.running("printer", lab.now) is not None
