"""Chiffres des machines: hours by machine and month, how sessions ended, who did not come, what waits for whom."""

import re
from collections.abc import Callable
from datetime import date
from itertools import product

import pytest
from msgspec.structs import replace
from sqlalchemy import event

from policy.bundle import Booking as Booked
from policy.calendar import Calendar
from policy.reasons import Reason
from policy.terms import DAY, HOUR, MINUTE, Instant
from server.changes.bundle import import_bundle
from server.database.types import moment
from server.models import Booking, MachineOut
from server.queries.machine_figures import figures
from tests.support_accounts import account_of
from tests.support_lab import booked, furnish, lab_bundle, runs
from tests.support_pages import Place
from tests.support_server import DECIDED, statements
from tests.support_site import at
from wire.row import Kind, Order

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lab(place: Place) -> Place:
    furnish(place, lab_bundle())
    return place


def test_hours_people_and_how_sessions_ended_by_machine_and_month(lab: Place) -> None:
    for number, who in enumerate(("brigitte", "remy", "fabien")):
        runs(lab, "printer", who, at(9 + number), until=at(9 + number, 30), ended=at(9 + number, 20))
    runs(lab, "printer", "remy", at(13), until=at(14), ended=at(14, 12))
    runs(lab, "laser", "brigitte", at(13), until=at(14), ended=at(14))
    lab.journal.add(at(15, 10), Kind.ESTOP, access_point="laser")
    runs(lab, "laser", "brigitte", at(15), until=at(16), ended=at(15, 10))
    lab.journal.add(at(17, 10), Kind.COMMAND, access_point="laser", order=Order.END)
    runs(lab, "laser", "brigitte", at(17), until=at(18), ended=at(17, 10))
    lab.journal.add(
        at(18), Kind.TAP, access_point="laser", reader="laser-tap", granted=False, reason=Reason.NOT_CERTIFIED,
        credential="c" * 32,
    )  # fmt: skip
    lab.tell()
    fabien = account_of(lab, "fabien")
    said = lab.page("/machines/chiffres", fabien)
    assert "3 h 32 de machines 7 sessions, 3 personnes, 1 dépassement" in said
    assert "Imprimante 1 2 h 12 3 4 3 avant l’heure, 1 après l’heure 12 min – – –" in said
    assert "Découpe laser 1 h 20 moins de 3 3 1 à l’heure, 1 par un responsable, 1 arrêt d’urgence – – 1 –" in said
    assert "Imprimante 2 – – – – – – – –" in said
    assert "Chiffres des machines" in lab.page("/machines", fabien)
    assert "Chiffres des machines" not in lab.page("/machines", account_of(lab, "remy"))


def test_a_session_over_the_turn_of_a_month_counts_in_both(lab: Place) -> None:
    turn = at(0) + 7 * DAY
    lab.now = turn + 2 * HOUR
    runs(lab, "printer", "remy", turn - HOUR)
    fabien = account_of(lab, "fabien")
    assert "Imprimante 1 – – 1 h 2 h" in (said := lab.page("/machines/chiffres", fabien))
    assert "2 h de machines sept. 2026" in said, "no session began this month"
    assert "Aucune machine n’a tourné" in lab.page("/machines/chiffres?month=2026-10", fabien)
    then = lab.page("/machines/chiffres?month=2026-11", fabien)
    assert "1 h de machines 1 session, moins de 3 personnes" in then
    assert "1 en cours" in then
    assert "2 h de machines" in lab.page("/machines/chiffres?month=1999-01", fabien), "the newest where none is known"


def test_a_booking_to_which_nobody_came_is_no_fault_of_a_machine_that_was_out(lab: Place) -> None:
    came, out = booked("came", "laser", "remy", "12:00", "13:00"), booked("out", "saw", "remy", "09:00", "10:00")
    noon = [booked(f"b{hour}", "printer", "remy", f"{hour}:00", f"{hour}:30") for hour in (10, 11, 12)]
    furnish(lab, lab_bundle(*noon, booked("late", "printer", "remy", "19:00", "20:00"), came, out))
    runs(lab, "laser", "remy", at(12, 10), ended=at(12, 40))
    with lab.database.transaction() as session:
        one = {"machine": "saw", "by": "x", "name": "Fabien R.", "why": "lame", "urgent": False}
        session.add(MachineOut(since=moment(at(8)), back=moment(at(11)), **one))
    fabien = account_of(lab, "fabien")
    said = lab.page("/machines/chiffres", fabien)
    assert "3 réservations sans personne" in said, "the fourth may still come"
    assert "Rémy Q. 3 fois en 30 jours" in said
    lab.now = at(19, 15)
    assert "4 réservations sans personne" in lab.page("/machines/chiffres", fabien)


def test_who_comes_late_to_a_booking_over_the_turn_of_a_month_did_come(lab: Place) -> None:
    turn = at(0) + 7 * DAY
    furnish(lab, lab_bundle(Booked("b", "printer", "remy", start="2026-11-30T23:50", end="2026-12-01T01:00")))
    runs(lab, "printer", "remy", turn + 5 * MINUTE, ended=turn + HOUR)
    lab.now = turn + 40 * DAY
    said = lab.page("/machines/chiffres?month=2026-11", account_of(lab, "fabien"))
    assert not re.search(r"\d réservations? sans personne", said), (
        "the session is of the month after, and longer ago than the last 30 days"
    )


def test_what_waits_for_a_gardien_and_what_members_reported(lab: Place) -> None:
    friday = Booked(id="b", machine="printer", member="brigitte", start="2026-11-27T20:00", end="2026-11-27T21:00")
    furnish(lab, lab_bundle(friday))
    fabien = account_of(lab, "fabien")
    assert (
        "Personne pour ouvrir Imprimante 1 · ven. 27 nov. à 20 h attend un gardien Brigitte O., 20 h – 21 h"
        in lab.page("/machines/chiffres", fabien)
    )
    form = {"what": "buse bouchée", "csrf_token": lab.form_token(fabien, "/account")}
    fabien.post("/machines/laser/faults", data=form)
    said = lab.page("/machines/chiffres", fabien)
    assert "Signalé par les membres Découpe laser · buse bouchée à voir Fabien R., 19 h 12" in said
    assert "Découpe laser – – – – – – – 1" in said


def test_of_many_bookings_that_wait_for_a_gardien_the_first_ones_are_listed(lab: Place) -> None:
    late = [
        Booked(
            id=f"b{n}", machine="printer", member="brigitte", start=f"2026-11-27T{h}:{m}", end=f"2026-11-27T{h}:{m + 1}"
        )
        for n, (h, m) in enumerate(product((20, 21), range(10, 26)))
    ]
    furnish(lab, lab_bundle(*late))
    said = lab.page("/machines/chiffres", account_of(lab, "fabien"))
    assert said.count("attend un gardien") == 30
    assert "21 h 23 attend un gardien Brigitte O., 21 h 23 – 21 h 24 et d’autres, plus tard · Voir les gardes" in said


def test_no_booking_is_made_an_object_for_the_figures(lab: Place) -> None:
    """A year of bookings on 20 machines is twenty thousand: they are counted as the columns that count."""
    furnish(lab, lab_bundle(*(booked(f"b{h}", "printer", "remy", f"{h}:00", f"{h}:30") for h in range(10, 14))))
    fabien, made = account_of(lab, "fabien"), list[object]()
    listener: Callable[..., None] = lambda one, _: made.append(one)  # noqa: E731 - it is taken off again
    event.listen(Booking, "load", listener)
    try:
        assert "4 réservations sans personne" in lab.page("/machines/chiffres", fabien)
    finally:
        event.remove(Booking, "load", listener)
    assert not made


def test_of_the_months_that_are_not_asked_for_no_booking_is_read(lab: Place) -> None:
    """But for those of the last 30 days, of which it is said who did not come often."""
    lab.now = at(12) + 60 * DAY
    fabien = account_of(lab, "fabien")
    with statements(lab.database) as asked:
        lab.page("/machines/chiffres?month=2026-11", fabien)
    month, lately = (told for sql, told in asked if "booking.late" in sql and "booking.end_at" in sql)
    assert {"2026-10-31 23:00:00.000000", "2026-11-30 23:00:00.000000"} < {str(one) for one in month}
    assert str(moment(lab.now - 30 * DAY).date()) in str(lately)


def test_the_list_for_a_spreadsheet_has_each_machine_in_each_month(lab: Place) -> None:
    runs(lab, "printer", "remy", at(13), until=at(14), ended=at(14, 12))
    answer = account_of(lab, "fabien").get("/machines-csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="machines-2026-11.csv"'
    head, *rows = answer.text.removeprefix("\ufeff").replace("\N{NO-BREAK SPACE}", " ").splitlines()
    assert head == (
        "Mois;Machine;Minutes;Sessions;Personnes;Fin : à l’heure;Fin : avant l’heure;Fin : après l’heure;"
        "Fin : par un responsable;Fin : arrêt d’urgence;Fin : en cours;Minutes de trop;Absences;Refus;Soucis signalés"
    )
    assert "01/11/2026;Imprimante 1;72;1;moins de 3;0;0;1;0;0;0;12;0;0;0" in rows
    assert len(rows) == 4 * len({row.split(";")[0] for row in rows})


def test_the_calendar_is_asked_as_often_whatever_ran(lab: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was asked for each month of each session, and for each refusal: most of what the page took."""
    asked: list[Instant | date] = []
    for name in ("local", "midnight"):
        once = getattr(Calendar, name)
        monkeypatch.setattr(Calendar, name, lambda self, when, once=once: (asked.append(when), once(self, when))[1])

    def times() -> int:
        asked.clear()
        with lab.database.reading() as session:
            figures(session, lab.publisher.current, lab.now, 400)
        return len(asked)

    before = times()
    for number in range(40):
        runs(lab, "printer", "remy", at(9) + number * 5 * MINUTE, ended=at(9) + number * 5 * MINUTE + MINUTE)
        refused = {"access_point": "laser", "reader": "laser-tap", "granted": False, "credential": "c" * 32}
        lab.journal.add(at(9) + number * MINUTE, Kind.TAP, reason=Reason.NOT_CERTIFIED, **refused)
    lab.tell()
    assert times() == before


def test_a_machine_removed_while_it_ran_keeps_its_hours_and_is_on_no_board(lab: Place) -> None:
    fabien = account_of(lab, "fabien")
    runs(lab, "printer", "remy", at(18))
    bundle = lab_bundle()
    left = tuple(one for one in bundle.machines if one.id != "printer")
    with lab.database.transaction() as session:
        import_bundle(session, replace(bundle, machines=left), DECIDED)
    lab.publish()
    said = lab.page("/machines/chiffres", fabien)
    assert "1 h 12 de machines 1 session" in said
    assert "printer 1 h 12 moins de 3 1 1 en cours" in said
    assert "Imprimante 1" not in lab.page("/machines", fabien)
    assert fabien.get("/machines/printer").status_code == 404
