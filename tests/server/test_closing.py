"""*Fermer*: who is still inside is as the door's second tap has it; nothing closes while somebody waits."""

import pytest
from sqlmodel import select

from policy.closing import left
from policy.state import SiteState
from server.models import AuditRow, JournalRow
from server.queries import history
from tests.server.test_corrections import corrected, last
from tests.server.test_door_pages import pressed
from tests.support_pages import Place
from tests.support_site import at
from wire.row import Kind

pytestmark = pytest.mark.sqlite


def closings(place: Place) -> list[str | None]:
    with place.database.reading() as session:
        return list(session.exec(select(JournalRow.member).where(JournalRow.kind == Kind.CLOSED)))


def test_the_gardien_who_holds_reads_who_waits_and_who_may_stay(place: Place) -> None:
    gardien = place.member("gregoire")
    assert "Fermer le lieu…" in place.page("/", gardien)
    said = place.page("/fermer", gardien)
    assert "1 personne est encore notée dedans" in said
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
