"""Evenings swapped, one for one and as a series; an absence that offers them and gives them back."""

import re

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace
from sqlmodel import col, select

from policy.instants import instant
from policy.opening import Degree
from server.changes.bundle import put
from server.database.engine import Database
from server.models import RotaOffer
from tests.support_pages import Place
from tests.support_rota import FRIDAY, degree_at, holder_at, mails, plain, press, rota_bundle, rota_place, with_mail
from tests.support_server import DECIDED

pytestmark = pytest.mark.sqlite
WEDNESDAY, THURSDAY = "slot:mercredi/2026-12-02", "slot:jeudi/2026-12-03"


@pytest.fixture
def place(database: Database) -> Place:
    return rota_place(database)


def series(place: Place, client: FlaskClient) -> str:
    found = re.search(r'name="series" value="([0-9a-f]+)"', client.get("/gardiens").text)
    assert found is not None
    return found[1]


def propose(place: Place, odile: FlaskClient | None = None, **more: str) -> str:
    """Tarek wants Odile's Wednesday for his Friday."""
    status, page = press(place, place.member("tarek"), "swap", FRIDAY, against=WEDNESDAY, **more)
    assert (status, "Échange proposé à Odile M. : rien ne change avant son oui." in page) == (303, True)
    return series(place, odile or place.member("odile"))


def test_a_yes_swaps_both_at_once_and_nothing_changes_before(place: Place) -> None:
    odile = place.member("odile")
    with_mail(place, "odile")
    which = propose(place, odile)
    assert (holder_at(place, FRIDAY), holder_at(place, WEDNESDAY)) == ("tarek", "odile")
    page = plain(place.page("/gardiens", odile)).replace("\N{WORD JOINER}", "")
    assert "Non merci" in page
    team = plain(place.page("/gardiens", place.staff()))
    assert ("Refuser pour Odile M." in team, "Accepter pour Odile M." in team) == (True, True)
    assert "J’accepte" not in team
    mine = plain(place.page("/me", odile))
    assert "Mes gardes Votre prochaine garde : mer. 25 nov., 18 h – 22 h. Tarek B. propose un échange." in mine
    assert "propose un échange" not in place.page("/me", place.member("tarek")), "who proposed waits"
    assert "Tarek B. propose un échange. votre mer. 2 déc., 18 h – 22 h contre ven. 27 nov., 18 h – 22 h" in page
    assert press(place, place.member("gregoire"), "swap/accept", series=which)[0] == 409
    status, page = press(place, odile, "swap/accept", series=which)
    said = "C’est échangé : ven. 27 nov., 18 h – 22 h, c’est vous ; mer. 2 déc., 18 h – 22 h, c’est Tarek B."
    assert (status, said in plain(page)) == (303, True)
    assert (holder_at(place, FRIDAY), holder_at(place, WEDNESDAY)) == ("odile", "tarek")
    assert press(place, odile, "swap/accept", series=which)[0] == 409
    assert mails(place) == [("odile@exemple.org", "Tarek B. vous propose un échange de gardes")]
    friday, wednesday = (instant(f"{day}T17:30:00+01:00") for day in ("2026-11-27", "2026-12-02"))
    shifts = place.publisher.current.rules.shifts
    assert (friday in shifts["odile"], wednesday in shifts["tarek"], friday in shifts["tarek"]) == (True, True, False)


def test_a_no_or_a_second_thought_ends_it(place: Place) -> None:
    assert press(place, place.member("odile"), "swap/drop", series=propose(place))[0] == 303
    which = propose(place)
    assert press(place, place.member("tarek"), "swap/drop", series=which)[0] == 303
    assert press(place, place.member("odile"), "swap/accept", series=which)[0] == 409
    with place.database.reading() as session:
        assert [one.outcome for one in session.exec(select(RotaOffer).order_by(col(RotaOffer.id)))] == [
            "refused",
            "withdrawn",
        ]


def test_what_changed_hands_meanwhile_is_not_swapped(place: Place) -> None:
    which = propose(place)
    press(place, place.member("tarek"), "give-back", FRIDAY)
    press(place, place.member("gregoire"), "take", FRIDAY)
    assert "On vous demande" not in place.page("/gardiens", place.member("odile"))
    status, page = press(place, place.member("odile"), "swap/accept", series=which)
    assert (status, "Cet échange n’est plus possible" in page) == (409, True)
    assert (holder_at(place, FRIDAY), holder_at(place, WEDNESDAY)) == ("gregoire", "odile")


def test_a_series_swaps_evenings_one_for_one_or_none_of_them(place: Place) -> None:
    which, odile = propose(place, last="18/12/2026"), place.member("odile")
    status, page = press(place, odile, "swap/accept", series=which)
    assert (status, "C’est échangé : 3 soirées contre 3." in page) == (303, True)
    fridays = [f"slot:vendredi/{day}" for day in ("2026-11-27", "2026-12-04", "2026-12-11", "2026-12-18")]
    wednesdays = [f"slot:mercredi/{day}" for day in ("2026-11-25", "2026-12-02", "2026-12-09", "2026-12-16")]
    assert [holder_at(place, key) for key in fridays] == ["odile", "odile", "odile", "tarek"]
    assert [holder_at(place, key) for key in wednesdays] == ["odile", "tarek", "tarek", "tarek"]


def test_whoever_would_hold_two_at_once_is_told_before(place: Place) -> None:
    extra = replace(rota_bundle().rota[1], id="aussi", weekday="wed", start="20:00", end="23:00", gardien="tarek")
    with place.database.transaction() as session:
        put(session, [extra], DECIDED)
    place.publish()
    status, page = press(place, place.member("tarek"), "swap", FRIDAY, against=WEDNESDAY)
    assert (status, "la garde du mer. 2 déc., 20 h – 23 h est au même moment" in page) == (409, True)
    status, page = press(place, place.member("tarek"), "swap", FRIDAY, against=WEDNESDAY, last="31/12/2029")
    assert (status, "Une série demande" in page) == (409, True)
    status, page = press(place, place.member("tarek"), "swap", FRIDAY, against=WEDNESDAY, last="demain")
    assert (status, "Écrivez le dernier jour" in page) == (400, True)


def test_an_absence_offers_all_evenings_of_its_days_and_gives_back_what_nobody_took(place: Place) -> None:
    with_mail(place, "tarek")
    odile, gregoire = place.member("odile"), place.member("gregoire")
    next_one = instant("2026-12-09T19:00:00+01:00")
    status, page = press(place, odile, "absences", first="30/11/2026", last="13/12/2026")
    assert (status, "Noté. 2 gardes sont à reprendre." in page) == (303, True)
    assert mails(place) == [("tarek@exemple.org", "Odile M. s’absente : des gardes à reprendre")]
    assert (holder_at(place, WEDNESDAY), degree_at(place, next_one)) == ("odile", Degree.UNCERTAIN)
    assert degree_at(place, instant("2026-12-16T19:00:00+01:00")) is Degree.PROBABLE
    press(place, odile, "absences", first="30/11/2026", last="13/12/2026")
    assert len(mails(place)) == 1
    assert press(place, gregoire, "take", WEDNESDAY)[0] == 303
    found = re.search(r"/gardiens/absences/(\d+)/back", odile.get("/gardiens").text)
    assert found is not None
    assert press(place, gregoire, f"absences/{found[1]}/back")[0] == 409
    status, page = press(place, odile, f"absences/{found[1]}/back", who="odile")
    assert (status, "1 garde est de nouveau tenue" in page) == (303, True)
    assert (holder_at(place, WEDNESDAY), degree_at(place, next_one)) == ("gregoire", Degree.PROBABLE)


def test_an_absence_that_ends_before_it_begins_is_refused(place: Place) -> None:
    status, page = press(place, place.member("odile"), "absences", first="13/12/2026", last="30/11/2026")
    assert (status, "Il ne vient pas avant le premier" in page) == (400, True)
    assert press(place, place.member("odile"), "absences", first="13/12/2026", last="31/12/2036")[0] == 400
    assert press(place, place.member("odile"), "absences", first="", last="x")[0] == 400


def test_a_few_evenings_near_ones_own_are_offered_and_others_by_month(place: Place) -> None:
    tarek = place.member("tarek")

    def offered(more: str = "") -> list[str]:
        return re.findall(r'<option value="([^"]+)"', tarek.get(f"/gardiens/swap?turn={FRIDAY}{more}").text)

    near = offered()
    assert len(near) == 6
    assert "slot:mercredi/2026-11-25" in near
    january = offered("&month=2027-01")
    assert january
    assert {key[-10:-3] for key in january} == {"2027-01"}
    assert offered("&month=nonsense") == near
    assert "janvier 2027" in place.page(f"/gardiens/swap?turn={FRIDAY}", tarek)
