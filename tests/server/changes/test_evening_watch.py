"""*Préviens-moi si ce soir change*: each change is told once, and by morning nobody knows who asked."""

import pytest
from sqlmodel import select

from policy.terms import MINUTE, Instant
from server.database.engine import Database
from server.database.types import moment
from server.evening_news import EveningNews
from server.models import EveningWatch, Shift
from tests.support_pages import Place
from tests.support_rota import mails, plain, press, rota_place, with_mail
from tests.support_site import at

pytestmark = pytest.mark.sqlite
ASKS, KNOWN = "Préviens-moi si ce soir change", "Vous serez prévenu·e si ce soir change."


@pytest.fixture
def place(database: Database) -> Place:
    """The team is there until 18 h, then Grégoire is to hold it until 22 h."""
    found = rota_place(database)
    with_mail(found, "brigitte", "gregoire", "odile")
    go(found, at(17))
    return found


def go(place: Place, now: Instant) -> None:
    place.now = now
    place.tell()
    place.speak()
    place.publish()


def look(place: Place, *now: Instant) -> list[str]:
    """What is written to Brigitte by the end of these looks, each by a server started anew."""
    before = len(to_brigitte(place))
    for one in now:
        go(place, one)
        EveningNews(place.app, place.context()).tick()
    return to_brigitte(place)[before:]


def to_brigitte(place: Place) -> list[str]:
    return [subject for to, subject in mails(place) if to.startswith("brigitte") and subject.startswith("Ce soir")]


def watch(place: Place, which: str = "/me/tonight") -> str:
    client = place.member_at("brigitte@exemple.org")
    token = place.form_token(client, "/me")
    answer = client.post(which, data={"csrf_token": token, "from": "now"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    return plain(place.page("/", client))


def test_each_change_of_the_evening_is_told_once(place: Place) -> None:
    assert "C’est noté" in watch(place)
    assert look(place, at(17, 30), at(18), at(18, 14)) == []
    assert look(place, at(18, 15), at(18, 16), at(18, 20)) == [
        "Ce soir : pas sûr pour l’instant, le gardien n’est pas là"
    ]
    place.journal.enters(at(18, 21), "gregoire")
    assert look(place, at(18, 22), at(18, 23)) == ["Ce soir : ouvert jusqu’à 22 h"]
    place.journal.closes(at(20, 30), "gregoire")
    assert look(place, at(20, 31), at(20, 50), at(22, 5)) == ["Ce soir : le lieu a fermé à 20 h 30"]


def test_a_gardien_who_is_out_for_a_moment_is_no_change(place: Place) -> None:
    place.journal.enters(at(17, 40), "gregoire")
    go(place, at(18, 30))
    watch(place)
    place.journal.leaves(at(19), "gregoire")
    assert look(place, at(19), at(19, 9)) == []
    place.journal.enters(at(19, 9), "gregoire")
    assert look(place, at(19, 10), at(19, 40)) == []
    place.journal.leaves(at(20), "gregoire")
    assert look(place, at(20), at(20, 9), at(20, 10), at(20, 11)) == ["Ce soir : probablement ouvert jusqu’à 22 h"]


def test_a_shift_that_is_offered_taken_and_a_lockdown(place: Place) -> None:
    watch(place)
    gregoire = place.member_at("gregoire@exemple.org")
    assert press(place, gregoire, "offer", "shift:s1")[0] == 303
    assert look(place, at(17, 2)) == ["Ce soir : 18 h – 22 h, pas sûr"]
    assert press(place, place.member_at("odile@exemple.org"), "take", "shift:s1")[0] == 303
    assert look(place, at(17, 4), at(17, 5)) == ["Ce soir : 18 h – 22 h, probable"]
    with place.database.transaction() as session:
        session.get_one(Shift, "s1").ended = moment(place.now)
    assert look(place, at(17, 5), at(17, 6)) == ["Ce soir : plus personne pour ouvrir, 18 h – 22 h"]
    place.lock_down(True, "equipe")
    assert look(place, at(17, 7), at(17, 8)) == ["Ce soir : le lieu est confiné"]


def test_it_is_taken_back_and_forgotten_by_morning(place: Place) -> None:
    assert KNOWN in watch(place)
    assert ASKS in watch(place, "/me/tonight/end")
    assert look(place, at(18, 20)) == []
    go(place, at(17, 50))
    watch(place)
    place.now = at(23, 59)
    look(place, at(23, 59))
    with place.database.reading() as session:
        assert session.exec(select(EveningWatch)).all() != []
    look(place, at(28) + MINUTE)
    with place.database.reading() as session:
        assert session.exec(select(EveningWatch)).all() == []


def test_whoever_cannot_be_written_to_is_not_offered_it(place: Place) -> None:
    """An account that is no address, the team's own, and nobody's."""
    assert ASKS in plain(place.page("/me", place.member_at("brigitte@exemple.org")))
    assert ASKS not in plain(place.page("/me", place.member("remy")))
    assert ASKS not in plain(place.page("/", place.staff()))
    assert ASKS not in plain(place.page("/"))
    staff = place.staff()
    assert staff.post("/me/tonight", data={"csrf_token": place.form_token(staff, "/account")}).status_code == 400
