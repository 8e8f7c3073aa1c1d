"""A session goes on by its holder’s press, and is ended by a fab manager’s second one; no page starts one."""

import pytest
from flask.testing import FlaskClient

from policy.instants import text
from policy.terms import MINUTE
from tests.support_accounts import account_of
from tests.support_lab import booked, furnish, lab_bundle, runs
from tests.support_pages import Place
from tests.support_site import at
from wire.messages import Status
from wire.row import Kind, Order

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lab(place: Place) -> Place:
    furnish(place, lab_bundle(booked("b", "printer", "brigitte", "19:15", "21:00")))
    return place


def pressed(place: Place, client: FlaskClient, path: str, **form: str) -> str:
    token = place.form_token(client, "/account")
    return place.words(client.post(path, data=form | {"csrf_token": token}, follow_redirects=True))


def test_the_holder_lets_it_go_on_from_its_page_and_from_their_own(lab: Place) -> None:
    runs(lab, "laser", "remy", at(19), at(19, 30))
    remy = account_of(lab, "remy")
    assert "Prolonger" in lab.page("/machines/laser", remy)
    assert "Terminer…" not in lab.page("/machines/laser", remy)
    mine = lab.page("/me", remy)
    assert "Je m’en sers Découpe laser en marche jusqu’à 19 h 30 Prolonger" in mine
    assert mine.index("Je m’en sers") < mine.index("les jours suivants"), "what runs now comes before other days"
    said = pressed(lab, remy, "/machines/laser/extend", **{"from": "me"})
    assert "Pas plus long : elle peut déjà tourner jusqu’à 19 h 30." in said
    assert "Je m’en sers" in said, "back to where the press stood"
    (command,) = lab.commands
    assert (command.order, command.place, command.asked) == (Order.EXTEND, "laser", text(at(19)))
    lab.obeys = False
    assert "Rien de changé : la session finit comme prévu." in pressed(lab, remy, "/machines/laser/extend")


def test_nobody_elses_session_goes_on_but_for_a_fab_manager(lab: Place) -> None:
    runs(lab, "laser", "remy", at(19), at(19, 30))
    brigitte, fabien = account_of(lab, "brigitte"), account_of(lab, "fabien")
    assert "Prolonger" not in lab.page("/machines/laser", brigitte)
    assert "Découpe laser : aucune session n’y tourne." in pressed(lab, brigitte, "/machines/laser/extend")
    assert not lab.commands
    pressed(lab, fabien, "/machines/laser/extend")
    assert [one.order for one in lab.commands] == [Order.EXTEND]


def test_a_line_of_the_rules_that_forbids_it_is_said_before_anything_is_ordered(lab: Place) -> None:
    runs(lab, "printer", "remy", at(19), at(19, 15))
    lab.now = at(19, 20)
    remy = account_of(lab, "remy")
    said = lab.page("/me", remy)
    assert "dépasse devait finir à 19 h 15 ; compté dans votre temps" in said
    assert "Prolonger" not in said + lab.page("/machines/printer", remy), "it would change nothing: Brigitte has it"
    lab.desk.say(Status(False))
    assert "n’est pas parti" in pressed(lab, remy, "/machines/printer/extend")


def test_an_overrun_into_a_booking_is_told_to_whoever_has_booked(lab: Place) -> None:
    runs(lab, "printer", "remy", at(18), at(19, 15))
    brigitte = account_of(lab, "brigitte")
    assert "encore prise" not in lab.page("/me", brigitte)
    lab.now = at(19, 20)
    assert "encore prise : la session d’avant dépasse de 5 min" in lab.page("/me", brigitte)
    assert "encore prise" not in lab.page("/me", account_of(lab, "remy"))


def test_a_fab_manager_ends_a_session_in_two_steps_and_the_one_that_was_meant_alone(lab: Place) -> None:
    runs(lab, "laser", "remy", at(19), at(19, 30))
    fabien = account_of(lab, "fabien")
    asked = lab.page("/machines/laser/end", fabien)
    assert "Terminer la session : Découpe laser ? Rémy Q. l’utilise depuis 19 h." in asked
    assert not lab.commands, "to ask changes nothing"
    said = pressed(lab, fabien, "/machines/laser/end", began=text(at(19) - MINUTE))
    assert "aucune session n’y tourne" in said
    said = pressed(lab, fabien, "/machines/laser/end", began=text(at(19)))
    assert "Découpe laser : la session est finie, le courant est coupé." in said
    (command,) = lab.commands
    assert (command.order, command.asked) == (Order.END, text(at(19)))
    lab.obeys = False
    assert "pas coupée, son boîtier a refusé." in pressed(lab, fabien, "/machines/laser/end", began=text(at(19)))
    assert "aucune session n’y tourne" in pressed(lab, fabien, "/machines/saw/end", began=text(at(19)))
    assert "Terminer la session" in pressed(lab, fabien, "/machines/laser/end", began="yesterday")


def test_no_longer_because_of_a_booking_names_the_booking(lab: Place) -> None:
    """Brigitte has the printer from 19 h 15 to 21 h."""
    runs(lab, "printer", "remy", at(18, 30), at(19, 15))
    remy = account_of(lab, "remy")
    assert "Prolonger" not in lab.page("/me", remy)
    said = pressed(lab, remy, "/machines/printer/extend")
    assert "Pas plus long que jusqu’à 19 h 15 : elle est réservée ensuite, 19 h 15 – 21 h." in said


def test_what_the_edge_did_is_waited_for_where_its_answer_comes_before_its_rows(
    lab: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(lab, "laser", "remy", at(19), at(19, 30))
    remy, laser = account_of(lab, "remy"), {"access_point": "laser", "member": "remy", "started": text(at(19))}
    laser |= {"until": text(at(22)), "machine_kind": "laser"}

    def arrives(_seen: int, _seconds: float) -> None:
        lab.journal.add(lab.now, Kind.SESSION_EXTENDED, cuts=True, **laser)
        lab.tell_of(lab.commands[-1])

    lab.tells = False
    monkeypatch.setattr(lab.live, "wait", arrives)
    assert "C’est prolongé : jusqu’à 22 h." in pressed(lab, remy, "/machines/laser/extend")
    monkeypatch.setattr(lab.live, "wait", lambda _seen, _seconds: None)
    monkeypatch.setattr("server.pages.machine_session.ANSWER_WITHIN", 0.0)
    assert "regardez dans un instant jusqu’à quand elle tourne" in pressed(lab, remy, "/machines/laser/extend")
