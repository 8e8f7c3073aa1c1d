"""Whose booking falls hears of it, by mail or by whoever decides, and is offered another machine of the kind."""

import pytest
from flask.testing import FlaskClient
from sqlmodel import col, select

from server.database.engine import Database
from server.models import Account, Message
from server.queries.bookings import Slot, slots
from tests.support_accounts import account_of
from tests.support_lab import booked, furnish, lab_bundle
from tests.support_pages import Place

pytestmark = pytest.mark.sqlite
OUT = {"why": "buse bouchée", "when": "after", "until": "", "sure": "1"}


@pytest.fixture
def lab(database: Database) -> Place:
    """Rémy's account is an address, Brigitte's is none; the second of Rémy's bookings is weeks away."""
    place = Place(database, sends_mail=True)
    far = booked("far", "printer", "remy", "10:00", "11:00")
    furnish(
        place,
        lab_bundle(
            booked("b", "printer", "remy", "20:30", "21:00"),
            booked("c", "printer", "brigitte", "21:00", "21:30"),
            type(far)("far", "printer", "remy", "2026-12-15T10:00", "2026-12-15T11:00"),
        ),
    )
    return place


def remy(place: Place) -> FlaskClient:
    client = account_of(place, "remy")
    with place.database.transaction() as session:
        row = session.exec(select(Account).where(Account.member == "remy")).one()
        row.login = "remy@exemple.org"
        session.add(row)
    return client


def pressed(place: Place, client: FlaskClient, path: str, **form: str) -> str:
    token = place.form_token(client, "/account")
    return place.words(client.post(path, data=form | {"csrf_token": token}, follow_redirects=True))


def mails(place: Place) -> list[tuple[str, str, str]]:
    with place.database.reading() as session:
        rows = session.exec(select(Message).order_by(col(Message.id))).all()
        return [
            (
                row.to,
                *(
                    said.replace("\N{NO-BREAK SPACE}", " ").replace("\N{WORD JOINER}", "")
                    for said in (row.subject, row.body)
                ),
            )
            for row in rows
        ]


def held(place: Place, member: str) -> list[Slot]:
    with place.database.reading() as session:
        return slots(session, place.now, member=member)


def test_a_lock_out_is_told_to_those_whose_booking_falls_soon(lab: Place) -> None:
    remy(lab)
    said = pressed(lab, account_of(lab, "fabien"), "/machines/printer/out", **OUT)
    assert "À prévenir vous-même, faute de courriel : Brigitte" in said
    ((to, subject, body),) = mails(lab)
    assert (to, subject) == ("remy@exemple.org", "Votre réservation : Imprimante 1 est hors service")
    assert "« buse bouchée »" in body
    assert "mar. 24 nov., 20 h 30 – 21 h" in body


def test_until_a_day_that_is_known_all_of_them_are_told(lab: Place) -> None:
    remy(lab)
    pressed(lab, account_of(lab, "fabien"), "/machines/printer/out", **OUT | {"until": "31/12/2026"})
    assert len(mails(lab)) == 2


def test_another_machine_of_the_kind_is_taken_in_one_press(lab: Place) -> None:
    client = remy(lab)
    assert "à la place" not in lab.page("/me", client)
    pressed(lab, account_of(lab, "fabien"), "/machines/printer/out", **OUT)
    assert "Prendre Imprimante 2 à la place" in lab.page("/me", client)
    said = pressed(lab, client, "/bookings/b/instead", machine="printer-2")
    assert "Réservée pour vous : Imprimante 2, mar. 24 nov., 20 h 30 – 21 h." in said
    assert [(one.id, one.machine) for one in held(lab, "remy")] == [("b", "printer-2"), ("far", "printer")]
    assert [one.member for one in lab.publisher.current.rules.bookings["printer-2"]] == ["remy"], "its edge knows"


def test_one_that_is_taken_or_somebody_elses_is_not(lab: Place) -> None:
    client = remy(lab)
    pressed(
        lab,
        account_of(lab, "brigitte"),
        "/calendar",
        machine="printer-2",
        start="2026-11-24T20:30",
        end="2026-11-24T21:30",
    )
    pressed(lab, account_of(lab, "fabien"), "/machines/printer/out", **OUT)
    assert "à la place" not in lab.page("/me", client)[: lab.page("/me", client).index("15 déc.")]
    assert "Quelqu’un vient de réserver ce créneau." in pressed(lab, client, "/bookings/b/instead", machine="printer-2")
    assert "finie ou annulée" in pressed(lab, client, "/bookings/c/instead", machine="printer-2")
    assert {one.machine for one in held(lab, "remy")} == {"printer"}


def test_a_booking_that_a_fab_manager_cancels_is_told_and_ones_own_is_not(lab: Place) -> None:
    client = remy(lab)
    pressed(lab, client, "/bookings/far/cancel")
    assert mails(lab) == []
    fabien = account_of(lab, "fabien")
    said = pressed(lab, fabien, "/bookings/b/cancel")
    assert "À prévenir" not in said
    assert [subject for _, subject, _ in mails(lab)] == ["Votre réservation est annulée : Imprimante 1"]
    assert "À prévenir vous-même, faute de courriel : Brigitte" in pressed(lab, fabien, "/bookings/c/cancel")
