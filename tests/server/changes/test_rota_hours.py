"""*Je serai en retard*, *Je pars plus tôt*: that date's hours alone, at the door, on the page and in the bank."""

import pytest
from msgspec.structs import replace

from policy.bundle import TimeBank
from policy.opening import Degree
from policy.terms import DAY, HOUR, MINUTE, Instant
from server.database.engine import Database
from server.queries.bank_tonight import counted
from server.queries.rota import turn_of
from tests.server.changes.test_rota_longer import FRIDAY_AT_22, end_of, holding
from tests.support_pages import Place
from tests.support_rota import FRIDAY, degree_at, mails, plain, press, rota_bundle, rota_place, with_mail
from tests.support_site import at

pytestmark = pytest.mark.sqlite
TONIGHT, LATER, EARLIER = "shift:s1", "Je serai en retard…", "Je pars plus tôt…"


def starts(place: Place, key: str = TONIGHT) -> Instant:
    turn = turn_of(place.publisher.current.bundle, key)
    assert turn is not None
    return turn.start


def of_tonight(place: Place, start: str) -> list[str]:
    return sorted(to.partition("@")[0] for to, subject in mails(place) if subject.startswith(start))


def test_who_is_late_begins_later_and_the_others_are_told(database: Database) -> None:
    place = rota_place(database)
    with_mail(place, "gregoire", "odile", "tarek", "alice", "brigitte")
    place.now = at(17, 50)
    place.publish()
    place.speak()
    gregoire = place.member_at("gregoire@exemple.org")
    assert LATER in plain(place.page("/gardiens", gregoire))
    form = plain(place.page(f"/gardiens/later?turn={TONIGHT}", gregoire))
    assert "En retard, garde du mar. 24 nov., 18 h – 22 h ?" in form.replace("\N{NO-BREAK SPACE}", " ")
    assert "30 min, vers 18 h 30" in form
    status, page = press(place, gregoire, "later", TONIGHT, to=str(at(18, 30)))
    assert (status, "la garde commence plus tard" in page) == (303, True)
    assert starts(place) == at(18, 30)
    assert degree_at(place, at(18, 10)) is Degree.NOBODY
    assert degree_at(place, at(18, 30)) is Degree.PROBABLE
    assert place.publisher.current.rules.on_duty(at(18, 0)) == ("gregoire",), "known half an hour before"
    assert place.publisher.current.rules.on_duty(at(17, 59)) == ()
    assert of_tonight(place, "Commence plus tard") == ["alice", "odile", "tarek"]


@pytest.mark.parametrize("to", ["", "abc", "9" * 20, str(at(17)), str(at(22)), str(at(18) + DAY), str(at(17, 40))])
def test_an_hour_that_is_none_of_the_evening_is_refused(database: Database, to: str) -> None:
    place = holding(rota_place(database), "gregoire", at(18, 40))
    gregoire = place.member("gregoire")
    for what in ("later", "earlier"):
        assert press(place, gregoire, what, TONIGHT, to=to)[0] == 409
    assert press(place, place.member("odile"), "later", TONIGHT, to=str(at(19)))[0] == 409
    assert (starts(place), end_of(place, TONIGHT)) == (at(18), at(22))


def test_who_is_there_is_not_late_and_may_go_earlier(database: Database) -> None:
    """Of a pattern that date alone is another, and whoever is inside is told."""
    now = FRIDAY_AT_22 - 2 * HOUR
    place = holding(rota_place(database), "tarek", now)
    place.journal.enters(now - 30 * MINUTE, "brigitte")
    place.tell()
    with_mail(place, "tarek", "odile", "brigitte")
    tarek = place.member_at("tarek@exemple.org")
    page = plain(place.page("/gardiens", tarek))
    assert (LATER in page, EARLIER in page) == (False, True)
    assert "à 20 h 30" in plain(place.page(f"/gardiens/earlier?turn={FRIDAY}", tarek))
    assert press(place, tarek, "earlier", FRIDAY, to=str(now + 30 * MINUTE))[0] == 303
    assert end_of(place, FRIDAY) == now + 30 * MINUTE
    assert end_of(place, "slot:vendredi/2026-12-04") == FRIDAY_AT_22 + 7 * DAY
    assert of_tonight(place, "Finit plus tôt") == ["brigitte", "odile"]
    assert press(place, tarek, "prolong", FRIDAY)[0] == 303, "and longer again where nobody follows"


@pytest.mark.parametrize(("leaves", "minutes"), [(at(20, 8), 135), (at(18, 20), 0)])
def test_fermer_says_what_the_evening_counts_for(database: Database, leaves: Instant, minutes: int) -> None:
    """From 17:53 on: two hours and eight minutes of four hours are 135 minutes, in steps of fifteen."""
    bundle = rota_bundle()
    place = rota_place(database, replace(bundle, site=replace(bundle.site, time_bank=TimeBank(min_share=50))))
    place.now = leaves
    place.journal.enters(at(17, 53), "gregoire")
    place.tell()
    place.speak()
    place.publish()
    with database.reading() as session:
        assert counted(session, place.publisher.current, "gregoire", leaves) == minutes
        assert counted(session, place.publisher.current, "odile", leaves) is None
    said = plain(place.page("/fermer", place.member("gregoire")))
    assert ("Votre soirée comptera 2 h 15." in said, "Votre soirée ne comptera pas" in said) == (
        bool(minutes),
        not minutes,
    )
