"""A badge that nobody has was laid somewhere: it is listed, its owner is picked, and that badge alone is taken."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from policy.reasons import Reason
from policy.terms import DAY, SECOND
from tests.server.publish.test_enrolment import NEW, SHORT, badges, confirm, lays, order, waits, words
from tests.support_pages import CREDENTIAL_KEY, Place
from wire.credential import pseudonym
from wire.row import Kind


@pytest.fixture
def place(place: Place) -> Place:
    place.speak()
    return place


def laid_lately(place: Place, uid: bytes = NEW, reader: str = "front-in") -> None:
    """Somebody laid a badge that nobody has on a reader; the edge has told."""
    out, hashed = reader == "front-out", pseudonym(CREDENTIAL_KEY, uid)
    why = Reason.EGRESS if out else Reason.UNKNOWN_CREDENTIAL
    place.journal.add(place.now, Kind.TAP, reader=reader, credential=hashed, granted=out, reason=why)
    place.tell()


def test_unknown_badges_are_listed_with_time_and_reader_each_once(place: Place) -> None:
    client = place.staff()
    assert listed(place, client) == ["Posé à 19 h 08 au lecteur d’entrée, front"]
    laid_lately(place)
    place.now += 60 * SECOND
    laid_lately(place)
    assert listed(place, client)[0] == "Posé à 19 h 13 au lecteur d’entrée, front"
    assert len(listed(place, client)) == 2
    assert pseudonym(CREDENTIAL_KEY, NEW) not in client.get("/members").text
    place.now += DAY
    assert listed(place, client) == []
    assert "Badges inconnus" not in place.page("/members", client)


def listed(place: Place, client: FlaskClient) -> list[str]:
    """The unknown badges of the members' page."""
    return re.findall(r"(Posé [^<]+?) C’est le sien…", words(client.get("/members").text))


def pick(place: Place, client: FlaskClient, member: str = "zoe") -> str:
    """From the list to the page on which this member's enrolment of that badge begins."""
    found = re.search(r'href="([^"]+badge=\d+)">C’est le sien', client.get("/members").text)
    assert found is not None
    listed = client.get(unescape(found[1])).text
    assert "À qui est ce badge" in listed
    link = re.search(rf'href="(/members/{member}/enrolment[^"]+)"', listed)
    assert link is not None
    return unescape(link[1])


def press_pick(place: Place, client: FlaskClient, path: str) -> tuple[int, str]:
    page = client.get(path).text
    found = re.search(r'name="badge" value="(\d+)"', page)
    assert found is not None
    data = {"csrf_token": place.form_token(client, path), "badge": found[1]}
    answer = client.post("/members/zoe/enrolment", data=data)
    return answer.status_code, answer.headers.get("Location", "") or words(answer.text)


def test_an_unknown_badge_becomes_whose_it_is_by_being_laid_there_once_more(place: Place) -> None:
    client = place.staff()
    laid_lately(place, reader="front-out")
    path = pick(place, client)
    assert "Ce badge-là, et aucun autre, est à poser encore une fois" in words(client.get(path).text)
    status, where = press_pick(place, client, path)
    assert status == 303
    assert order(place).place == "front-out"
    waits(place)
    lays(place)
    page = words(client.get(where).text)
    assert "Badge lu : son numéro finit par ···5566" in page
    assert confirm(place, client)[0] == 303
    assert badges(place) == [NEW.hex().upper()]
    assert listed(place, client) == ["Posé à 19 h 08 au lecteur d’entrée, front"], "it is somebody's now"


def test_another_badge_is_not_taken_for_it(place: Place) -> None:
    client = place.staff()
    laid_lately(place)
    _, where = press_pick(place, client, pick(place, client))
    waits(place)
    lays(place, SHORT)
    page = words(client.get(where).text)
    assert "Un autre badge a été posé, pas celui-là" in page
    assert "BEEF" not in page
    assert confirm(place, client)[0] == 409
    assert badges(place) == []


def test_a_badge_that_is_not_listed_any_more_is_not_waited_for(place: Place) -> None:
    client = place.staff()
    laid_lately(place)
    path = pick(place, client)
    page = client.get(path).text
    found = re.search(r'name="badge" value="(\d+)"', page)
    assert found is not None
    data = {"csrf_token": place.form_token(client, path), "badge": found[1], "reader": "front-in"}
    place.now += DAY + 60 * SECOND
    answer = client.post("/members/zoe/enrolment", data=data)
    assert (answer.status_code, "n’est plus parmi les inconnus" in words(answer.text)) == (409, True)
    assert place.commands == []
