"""Doors opened from the page of the place: who may, what is sent, and what is said to have become of it."""

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from policy.instants import text
from server.models import AccountSession, Lockdown
from server.queries.orders import TOLD_FOR
from tests.support_accounts import account_of
from tests.support_pages import PASSWORD, Place
from tests.support_site import at
from wire.messages import Status
from wire.row import Order

pytestmark = pytest.mark.sqlite


@pytest.fixture
def there(place: Place) -> Place:
    """It is 19:12 and the front door's edge is there."""
    place.speak()
    return place


def pressed(place: Place, client: FlaskClient, path: str, **form: str) -> str:
    """The page that a press leads to, in words."""
    answer = client.post(path, data={"csrf_token": place.form_token(client, "/account"), **form}, follow_redirects=True)
    return place.words(answer)


def test_staff_opens_a_door_and_is_told_what_became_of_it(there: Place) -> None:
    staff = there.staff()
    first = there.page("/", staff).partition("Dans les murs")[0]
    assert "Ouvrir une porte…" in first, "before the list of all who are inside, on a phone"
    assert "Ouvrir une porte…" not in there.page("/")
    asked = there.page("/doors/front/open", staff)
    assert "Ouvrir la porte « front » ?" in asked
    assert "Oui, ouvrir" in asked
    assert not there.commands, "to ask opens nothing"
    assert "la porte s’est déverrouillée." in pressed(there, staff, "/doors/front/open")
    (command,) = there.commands
    assert (command.order, command.place, command.until) == (Order.OPEN, "front", None)
    assert command.by.startswith("account "), "a login may be somebody's address"


@pytest.mark.parametrize("form", [{"minutes": "15"}, {"until": "19:27"}, {"until": "19 h 27"}])
def test_a_door_is_kept_unlocked_and_says_until_when(there: Place, form: dict[str, str]) -> None:
    staff = there.staff()
    said = pressed(there, staff, "/doors/front/unlock", **form)
    assert "la porte est tenue ouverte jusqu’à 19 h 27." in said
    (command,) = there.commands
    assert (command.order, command.until) == (Order.UNLOCK, text(at(19, 27)))
    there.desk.say(Status(True, at=text(there.now), unlocked={"front": text(at(19, 27))}))
    assert "tenue ouverte jusqu’à 19 h 27 " in there.page("/", staff)
    there.now = at(19, 28)
    assert "tenue ouverte" not in there.page("/", staff), "its edge locks in time, heard or not"


def test_after_midnight_an_hour_is_tomorrow_s(there: Place) -> None:
    there.now = at(22)
    pressed(there, there.staff(), "/doors/front/unlock", until="01:30")
    assert [command.until for command in there.commands] == [text(at(25, 30))]


@pytest.mark.parametrize("until", ["23:13", "19:12", "", "soon", "25:00", "minuit"])
def test_no_longer_than_four_hours_and_an_hour_that_is_one(there: Place, until: str) -> None:
    staff = there.staff()
    assert "Une heure avant 23 h 12" in pressed(there, staff, "/doors/front/unlock", until=until)
    assert not there.commands


def test_relock_is_one_press(there: Place) -> None:
    assert "la porte est verrouillée." in pressed(there, there.staff(), "/doors/front/relock")
    assert [command.order for command in there.commands] == [Order.RELOCK]


def test_a_door_that_does_not_answer_is_said_to(there: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.pages.doors.ANSWER_WITHIN", 0)
    there.obeys = None
    staff = there.staff()
    answer = staff.post("/doors/front/open", data={"csrf_token": there.form_token(staff, "/account")})
    told = answer.headers["Location"]
    assert "la porte n’a pas encore répondu." in there.page(told, staff)
    there.now += 10_001
    assert "la porte ne répond pas." in there.page(told, staff)
    there.now += TOLD_FOR
    assert "la porte ne répond pas." not in there.page(told, staff)


def test_a_door_that_refuses_is_said_to(there: Place) -> None:
    there.obeys = False
    staff = there.staff()
    assert "la porte a refusé." in pressed(there, staff, "/doors/front/open")
    answer = staff.post(
        "/doors/front/open?lang=en", data={"csrf_token": there.form_token(staff, "/account")}, follow_redirects=True
    )
    assert "(the strike is loose)" in there.words(answer)


def test_nothing_is_sent_to_a_door_that_is_not_there(place: Place) -> None:
    assert "Rien n’a été envoyé" in pressed(place, place.staff(), "/doors/front/open")
    place.speak()
    place.link_up = False
    assert "Rien n’a été envoyé" in pressed(place, place.staff(), "/doors/front/relock")


def test_a_door_that_is_none_is_not_found(there: Place) -> None:
    staff = there.staff()
    token = there.form_token(staff, "/account")
    for path in ("/doors/back/open", "/doors/back/unlock", "/doors/back/relock"):
        assert staff.post(path, data={"csrf_token": token}).status_code == 404
    assert staff.get("/doors/back/open").status_code == 404


def unconfirmed(place: Place) -> None:
    """All sessions showed their password long ago."""
    with place.database.transaction() as session:
        for known in session.exec(select(AccountSession)):
            known.confirmed = datetime(2020, 1, 1, tzinfo=UTC)
            session.add(known)


def test_opening_asks_for_the_password_and_locking_does_not(there: Place) -> None:
    staff = there.staff()
    unconfirmed(there)
    assert "C’est bien vous ?" in pressed(there, staff, "/doors/front/unlock", minutes="15")
    assert "C’est bien vous ?" in pressed(there, staff, "/doors/front/open", again="wrong")
    assert not there.commands
    assert "est verrouillée." in pressed(there, staff, "/doors/front/relock")
    assert "Le lieu est confiné." in pressed(there, staff, "/lockdown", on="1")
    assert "Contactez l’équipe" not in there.page("/", staff), "they are the team"
    assert 'name="again"' in staff.get("/doors/front/open").text
    assert "la porte s’est déverrouillée." in pressed(there, staff, "/doors/front/open", again=PASSWORD)


def test_the_gardien_who_holds_the_place_opens_and_locks(there: Place) -> None:
    client = account_of(there, "gregoire")
    seen = there.page("/", client)
    assert "Grégoire" in seen
    assert "Ouvrir…" in seen
    assert "Ouvrir 15 min…" not in seen
    assert "Confiner" not in seen
    assert "Derniers passages" not in seen
    assert "la porte s’est déverrouillée." in pressed(there, client, "/doors/front/open")
    assert "est verrouillée." in pressed(there, client, "/doors/front/relock")
    for path in ("/doors/front/unlock", "/lockdown"):
        assert client.post(path, data={"csrf_token": there.form_token(client, "/account")}).status_code == 403


def test_in_a_lockdown_the_team_alone_opens(there: Place) -> None:
    """A gardien who holds the place lets nobody in whom no badge lets in."""
    gardien, staff = account_of(there, "gregoire"), there.staff()
    pressed(there, staff, "/lockdown", on="1")
    assert "seule l’équipe ouvre une porte" in pressed(there, gardien, "/doors/front/open")
    assert not there.commands
    pressed(there, staff, "/doors/front/open")
    assert [command.order for command in there.commands] == [Order.OPEN]


def test_a_gardien_who_is_gone_or_not_on_shift_opens_nothing(there: Place) -> None:
    client = account_of(there, "gregoire")
    there.journal.leaves(at(19, 11), "gregoire")
    there.tell()
    assert "Ouvrir…" not in there.page("/", client)
    assert client.get("/doors/front/open").status_code == 403
    assert "Vous ne tenez pas le lieu" in pressed(there, client, "/doors/front/open"), "the page was open when he left"
    there.now = at(36)
    there.journal.enters(at(35), "gregoire")
    there.tell()
    assert client.get("/doors/front/open").status_code == 403, "inside, and no shift of his covers the morning"


def test_a_member_who_holds_nothing_sees_no_door(there: Place) -> None:
    client = account_of(there, "remy")
    assert client.get("/doors/front/open").status_code == 403
    assert "Ouvrir…" not in there.page("/", client)
    assert "Dans les murs" not in there.page("/", client)


def test_lockdown_in_two_presses_and_its_end(there: Place) -> None:
    staff = there.staff()
    assert "Confiner le lieu ?" in there.page("/lockdown", staff)
    assert "Le lieu est confiné." in pressed(there, staff, "/lockdown", on="1")
    assert "Lieu confiné" in there.page("/", there.app.test_client())
    assert "Lever le confinement…" in there.page("/", staff)
    assert "Lever le confinement ?" in there.page("/lockdown", staff)
    assert "Le confinement est levé." in pressed(there, staff, "/lockdown", on="")
    with there.database.reading() as session:
        assert session.get_one(Lockdown, 1).on is False
