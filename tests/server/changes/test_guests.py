"""Guests by agreement: noted in two presses, counted up to their days, inside like visitors, none followed."""

from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlmodel import col, select

from policy.terms import DAY
from server.changes.purge import purge
from server.database.engine import Database
from server.models import Agreement, AuditRow, GuestDay
from server.queries.guests import had
from tests.support_pages import Place
from tests.support_rota import plain, rota_place
from tests.support_site import at

pytestmark = pytest.mark.sqlite


@pytest.fixture
def place(database: Database) -> Place:
    found = rota_place(database)
    found.now = at(10)
    found.publish()
    staff = found.staff()
    assert send(found, staff, "/guests/agreements", name="La Tréso", days="2")[0] == 303
    return found


def send(place: Place, client: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    """The status, and the page that says what was done."""
    answer = client.post(path, data={"csrf_token": place.form_token(client, "/account")} | form)
    if answer.status_code == 303:
        return 303, plain(place.page(answer.headers["Location"], client))
    return answer.status_code, plain(place.words(answer))


def agreement(place: Place) -> str:
    with place.database.reading() as session:
        return str(session.exec(select(Agreement.id).where(col(Agreement.ended).is_(None))).one())


def days(place: Place) -> list[tuple[str, str, date]]:
    with place.database.reading() as session:
        row = GuestDay
        return list(session.exec(select(row.who, row.name, row.day).order_by(col(row.id))))


def test_a_guest_is_noted_by_the_gardien_counts_inside_and_once_a_day(place: Place) -> None:
    gardien, which = place.member("odile"), agreement(place)
    status, page = send(place, gardien, "/guests", agreement=which, name=" Camille  Roux ")
    assert (status, "Camille Roux est là : journée 1 sur 2 (La Tréso)." in page) == (303, True)
    assert "1 invité aujourd’hui" in page
    assert "1 · Camille Roux, La Tréso" in plain(place.page("/", place.staff()))
    status, page = send(place, gardien, "/guests", agreement=which, name="camille ROUX")
    assert (status, "est déjà noté·e aujourd’hui : 1 sur 2" in page) == (303, True)
    assert len(days(place)) == 1
    with place.database.reading() as session:
        assert not [row for row in session.exec(select(AuditRow)) if "Camille" in f"{row.before}{row.after}"]


def test_past_their_days_of_the_year_they_are_refused_and_a_new_year_brings_new_ones(place: Place) -> None:
    staff, which = place.staff(), agreement(place)
    for _ in range(2):
        assert send(place, staff, "/guests", agreement=which, name="Camille Roux")[0] == 303
        place.now += DAY
    staff = place.staff()
    status, page = send(place, staff, "/guests", agreement=which, name="Camille Roux")
    assert (status, "Pas noté : Camille Roux a eu ses 2 journées de 2026 (La Tréso)." in page) == (409, True)
    assert send(place, staff, "/guests", agreement=which, name="Sami Roux")[0] == 303
    assert "Camille" not in plain(place.page("/", staff)), "nobody is inside by a day that was refused"
    place.now += 40 * DAY
    assert send(place, place.staff(), "/guests", agreement=which, name="Camille Roux")[0] == 303


def test_a_day_noted_by_mistake_is_taken_back_today_alone(place: Place) -> None:
    staff, which = place.staff(), agreement(place)
    send(place, staff, "/guests", agreement=which, name="Camille Roux")
    with place.database.reading() as session:
        number = session.exec(select(GuestDay.id)).one()
    assert send(place, staff, f"/guests/{number}/back")[0] == 303
    assert (days(place), "Camille" in plain(place.page("/", staff))) == ([], False)
    send(place, staff, "/guests", agreement=which, name="Camille Roux")
    place.now += DAY
    assert send(place, place.staff(), f"/guests/{number}/back")[0] == 409
    assert send(place, place.staff(), "/guests/999/back")[0] == 409


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "days": "3"},
        {"name": "x", "days": "0"},
        {"name": "x", "days": "-1"},
        {"name": "x" * 201, "days": "3"},
    ],
)
def test_an_agreement_has_a_name_and_days(place: Place, form: dict[str, str]) -> None:
    assert send(place, place.staff(), "/guests/agreements", **form)[0] == 400


def test_an_agreement_that_cannot_be_names_what_was_typed_and_keeps_it(place: Place) -> None:
    for days, said in (
        ("367", "vous avez écrit « 367 ». Écrivez un nombre de journées, de 1 à 366."),
        ("", "combien de journées, de 1 à"),
    ):
        status, page = send(place, place.staff(), "/guests/agreements", name="Alter", days=days)
        assert (status, said in page.replace("\N{NO-BREAK SPACE}", " ")) == (400, True)
    status, page = send(place, place.staff(), "/guests/agreements", name="", days="5")
    assert (status, "écrivez avec qui est l’accord" in page) == (400, True)


def test_an_agreement_is_changed_by_its_name_ended_and_what_was_counted_stays(place: Place) -> None:
    staff, which = place.staff(), agreement(place)
    send(place, staff, "/guests/agreements", name="la tréso", days="5")
    assert agreement(place) == which
    send(place, staff, "/guests", agreement=which, name="=Camille")
    assert send(place, staff, "/guests", agreement=which, name="")[0] == 400
    assert send(place, staff, f"/guests/agreements/{which}/end")[0] == 303
    assert send(place, staff, f"/guests/agreements/{which}/end")[0] == 409
    assert send(place, staff, "/guests", agreement=which, name="Sami")[0] == 400
    file = staff.get("/guests/export").text
    assert file.splitlines()[1:] == ["la tréso;01/11/2026;1"]


def test_after_some_time_the_month_stays_and_after_the_year_no_name(place: Place) -> None:
    which = agreement(place)
    send(place, place.staff(), "/guests", agreement=which, name="Camille Roux")
    day = date(2026, 11, 24)
    for later, known in ((30, ("camille roux", "Camille Roux", day)), (120, ("", "", day.replace(day=1)))):
        with place.database.transaction() as session:
            purge(session, at(10) + later * DAY, 90)
        assert days(place) == [known]
    with place.database.transaction() as session:
        session.add(GuestDay(agreement=int(which), who="sami", name="Sami", day=date(2027, 2, 3), by="equipe"))
    with place.database.transaction() as session:
        purge(session, at(10) + 300 * DAY, 90)
        assert had(session, int(which), "sami", 2027) == 1
    assert days(place)[1] == ("sami", "Sami", date(2027, 2, 1))


def test_one_day_a_year_is_said_in_the_singular(place: Place) -> None:
    status, page = send(place, place.staff(), "/guests/agreements", name="La Réserve", days="1")
    assert (status, "Noté : La Réserve, 1 journée par personne et par an." in page) == (303, True)


@pytest.mark.sqlite
def test_guests_and_invitations_name_each_other(place: Place) -> None:
    assert 'href="/invitations"' in place.staff().get("/guests").text.partition("<main")[2]
    assert 'href="/guests"' in place.staff().get("/invitations").text.partition("<main")[2]
