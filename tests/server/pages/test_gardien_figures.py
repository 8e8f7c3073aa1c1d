"""Chiffres des gardes: who held how much, which evenings, how many came, and who found the door shut."""

import pytest

from policy.bundle import Shift
from policy.reasons import Reason
from policy.terms import DAY, MINUTE
from server.audit import Decided
from server.changes.bundle import put
from tests.support_pages import Place
from tests.support_site import at

pytestmark = pytest.mark.sqlite


def test_who_held_what_and_who_came_in_vain(place: Place) -> None:
    for number, who in enumerate(("alice", "brigitte", "remy")):
        place.journal.leaves(at(19, 20 + number), who)
        place.journal.enters(at(20, number), who)
        place.journal.tap_in(at(22, 20) + number * MINUTE, f"late {who}", Reason.OUTSIDE_HOURS, granted=False)
    place.journal.tap_in(at(23), "zoe", Reason.OUTSIDE_HOURS, granted=False)
    place.journal.leaves(at(22, 3), "gregoire")
    place.now = at(12) + 3 * DAY
    place.tell()
    page = place.page("/gardiens/chiffres", place.member("gregoire"))
    assert "1 soirée tenue sur 2" in page
    assert "novembre 2026 · 1 soirée tenue sur 2 jeu. 26 nov." in page, "folded by month"
    assert "Gardien nov. 2026 Ensemble" in page, "no column for the months before anybody held an evening"
    assert "Grégoire V. 3 h 55 3 h 55" in page
    assert "jeu. 26 nov. , 18 h – 20 h pas tenue Grégoire V. · personne" in page
    assert "mar. 24 nov. , 18 h – 22 h tenue Grégoire V., 3 h 55 · 3 personnes" in page
    assert "22 h 3 23 h moins de 3" in page
    file = place.member("gregoire").get("/gardiens/chiffres-csv").text
    assert "24/11/2026;18 h;22 h;Grégoire V.;235;3" in file.replace("\N{NO-BREAK SPACE}", " ")
    assert place.member("brigitte").get("/gardiens/chiffres").status_code == 403
    assert "Banque d’heures · Chiffres des gardes" in place.page("/gardiens", place.member("gregoire"))


def test_what_was_before_the_doors_told_anything_is_nobodys_fault(place: Place) -> None:
    """Whoever brings a rota of last month reads of no evening that nobody held."""
    with place.database.transaction() as session:
        put(
            session,
            [Shift(id="before", gardien="gregoire", start="2026-11-17T18:00", end="2026-11-17T20:00")],
            Decided("test", place.now),
        )
    place.publisher.publish()
    page = place.page("/gardiens/chiffres", place.member("gregoire"))
    assert ("17 nov." in page, "Aucune soirée ces quatre dernières semaines." in page) == (False, True)
