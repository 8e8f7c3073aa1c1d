"""*Fermer*: who is still inside is as the door's second tap has it; nothing closes while somebody waits."""

import re

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from policy.closing import left
from policy.reasons import Reason
from policy.state import SiteState
from policy.terms import Instant
from server.models import AuditRow, JournalRow
from server.queries import history
from server.queries.closing import SECOND_TAP
from tests.server.changes.test_corrections import corrected, last
from tests.server.changes.test_member_changes import post
from tests.server.pages.test_door_pages import pressed
from tests.server.pages.test_me import go, ines, me
from tests.support_pages import Place, plain
from tests.support_site import at
from wire.row import Kind

__all__ = ["ines"]
pytestmark = pytest.mark.sqlite


def heard(place: Place, when: Instant) -> None:
    """What the door wrote comes in, and it is so late."""
    place.now = when
    place.tell()
    go(place, when)


def closings(place: Place) -> list[str | None]:
    with place.database.reading() as session:
        return list(session.exec(select(JournalRow.member).where(JournalRow.kind == Kind.CLOSED)))


def test_the_gardien_who_holds_reads_who_waits_and_who_may_stay(place: Place) -> None:
    gardien = place.member("gregoire")
    assert re.search(r'id="to-closing" class="button"', gardien.get("/").text), "a press of thumb size"
    for page in ("/", "/me"):
        assert "Fermer le lieu…" in place.page(page, gardien)
        assert "Fermer le lieu…" not in place.page(page, place.member("brigitte"))
    said = place.page("/fermer", gardien)
    assert "1 personne notée dedans ne peut pas rester" in said, "others are inside, too, and may stay"
    assert "Vous tenez le lieu, au plus tard jusqu’à 22 h 15." in said
    assert said.index("Brigitte O") < said.index("à régler") < said.index("peut rester")
    assert "Encore 1 personne à régler." in said
    assert "Oui, je ferme" not in said
    with place.database.reading() as session:
        current = place.publisher.current
        state = SiteState(history.moves_since(session, current.rules.day_start(place.now)))
        assert left(current.rules, state, place.now, without="gregoire") == ("brigitte",)


def test_nothing_closes_while_somebody_waits(place: Place) -> None:
    gardien = place.member("gregoire")
    assert "Pas encore fermé" in pressed(place, gardien, "/fermer")
    assert closings(place) == []


def test_who_has_gone_is_a_correction_and_then_the_place_closes(place: Place) -> None:
    """No shift is changed by it: the gardien's own badge ends the evening."""
    gardien = place.member("gregoire")
    shifts = place.publisher.current.bundle.shifts
    said = pressed(place, gardien, "/fermer/brigitte", at=str(at(18)))
    assert "est noté·e parti·e" in said
    assert last(place, "brigitte") == (at(18), False)
    assert [row[:3] for row in corrected(place)] == [("brigitte", at(18), False)]
    assert "départ noté à 18 h" in said
    assert "Oui, je ferme" in said
    assert "Fermeture notée à 19 h 12." in pressed(place, gardien, "/fermer")
    assert closings(place) == ["gregoire"]
    assert place.publisher.current.bundle.shifts == shifts
    with place.database.reading() as session:
        assert session.exec(select(AuditRow).where(AuditRow.did == "closed")).one().account


def test_nobody_knows_when_is_now_and_said_so(place: Place) -> None:
    pressed(place, place.member("gregoire"), "/fermer/brigitte", at="")
    ((who, when, inside, why),) = corrected(place)
    assert (who, when, inside) == ("brigitte", place.now, False)
    assert "heure inconnue" in str(why)


@pytest.mark.parametrize("written", ["soon", "²", "1" * 40, str(at(12, 59)), str(at(23))])
def test_an_hour_that_cannot_be_is_refused_beside_the_name(place: Place, written: str) -> None:
    said = pressed(place, place.member("gregoire"), "/fermer/brigitte", at=written)
    assert "Choisissez une heure, après son arrivée" in said
    assert corrected(place) == []


def test_who_does_not_hold_the_place_closes_nothing(place: Place) -> None:
    brigitte = place.member("brigitte")
    assert brigitte.get("/fermer").status_code == 403
    assert "Fermer le lieu…" not in place.page("/", brigitte)


def test_a_place_that_its_gardien_closed_does_not_read_as_if_it_opened_again(ines: Place) -> None:
    ines.journal.closes(at(19, 24), "gregoire", "brigitte")
    heard(ines, at(19, 30))
    assert "Fermé depuis 19 h 24 " in ines.page()
    assert "Fermé par" not in ines.page(), "the public reads no name"
    assert "Fermé par Grégoire V. à 19 h 24 " in ines.page("/", ines.staff())
    said = me(ines)
    assert "Fermé par Grégoire V. à 19 h 24 – Prochaine ouverture pour vous : demain à 9 h" in said
    for seen in (ines.page(), ines.page("/", ines.staff()), said):
        assert "Garde prévue" not in seen
        assert "Personne ne tient" not in seen
        assert "Pas sûr" not in seen
    assert "Vous êtes sorti·e" not in me(ines, "gregoire"), "who may stay is none who was forgotten"


def test_a_closing_stands_until_a_gardien_comes_or_hours_begin(ines: Place) -> None:
    ines.journal.closes(at(19, 24), "gregoire", "brigitte")
    ines.journal.enters(at(19, 40), "gregoire", Reason.GARDIEN_GRACE)
    heard(ines, at(19, 41))
    assert "Ouvert jusqu’à 22 h" in ines.page()
    ines.journal.leaves(at(19, 50), "gregoire")
    heard(ines, at(19, 51))
    assert "Fermé depuis" not in ines.page()
    assert "Garde prévue jusqu’à 22 h" in ines.page()


def test_hours_that_begin_after_a_closing_end_it(ines: Place) -> None:
    ines.journal.closes(at(8), "gregoire")
    heard(ines, at(8, 30))
    assert "Fermé depuis 8 h " in ines.page()
    ines.journal.closes(at(17, 30), "gregoire")
    heard(ines, at(18, 1))
    assert "Fermé depuis" not in ines.page()


def test_whom_a_closing_checked_out_reads_it_and_so_does_the_team(ines: Place) -> None:
    ines.journal.closes(at(19, 24), "gregoire", "brigitte")
    heard(ines, at(19, 30))
    said = "Noté·e sorti·e par Grégoire V. à la fermeture, 19 h 24"
    assert said in me(ines, "brigitte")
    assert "à la fermeture" not in me(ines, "gregoire")
    staff = ines.staff()
    today = ines.page("/today", staff).replace("\N{NO-BREAK SPACE}", " ")
    assert "Lieu fermé par Grégoire V., 19 h 24" in today
    assert today.count(said) == 1
    assert "fermé par" not in ines.page("/today", ines.member("brigitte"))
    status, text = post(ines, "/members/brigitte/passages", staff, why="litige")
    assert status == 200
    assert said in plain(text).replace("\N{NO-BREAK SPACE}", " ")


def test_whom_a_closing_checked_out_is_to_be_checked_in_an_evacuation(ines: Place) -> None:
    ines.journal.closes(at(19, 24), "gregoire", "brigitte")
    heard(ines, at(19, 30))
    seen = ines.page("/evacuation", ines.staff()).replace("\N{NO-BREAK SPACE}", " ")
    assert "À vérifier · 1" in seen
    assert "Oudin Brigitte départ noté à 19 h 24" in seen


def test_somebody_left_inside_without_a_second_tap_is_an_alert(ines: Place) -> None:
    ines.journal.leaves(at(19, 20), "gregoire")
    heard(ines, at(19, 20) + SECOND_TAP)
    staff = ines.staff()
    alert = "Quelqu’un est resté dedans 1 personne, et plus de gardien depuis 19 h 20"
    assert alert not in said_on(ines, staff), "the second tap may come yet"
    heard(ines, at(19, 22))
    assert alert in said_on(ines, staff)
    assert "resté dedans" not in ines.page()
    ines.journal.closes(at(19, 23), "gregoire", "brigitte")
    heard(ines, at(19, 26))
    assert "resté dedans" not in said_on(ines, staff)


def test_who_left_while_another_holds_or_the_team_is_there_left_nobody_alone(ines: Place) -> None:
    ines.journal.leaves(at(19, 20), "gregoire")
    ines.journal.enters(at(19, 30), "gregoire", Reason.GARDIEN_GRACE)
    heard(ines, at(19, 40))
    assert "resté dedans" not in said_on(ines, ines.staff())


def said_on(place: Place, client: FlaskClient) -> str:
    return place.page("/", client).replace("\N{NO-BREAK SPACE}", " ")


def test_whom_the_gardien_has_seen_waits_to_badge_out(place: Place) -> None:
    gardien = place.member("gregoire")
    assert "à faire sortir" not in place.page("/fermer", gardien)
    said = pressed(place, gardien, "/fermer/brigitte", at="here")
    assert "à faire sortir" in said
    assert "Encore 1 personne à régler." in said
    assert last(place, "brigitte")[1], "nothing is written down"
    assert "à faire sortir" not in place.page("/fermer", place.staff())
