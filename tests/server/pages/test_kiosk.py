"""The screen at the door says what Maintenant says, with no name, and the week by how sure it is."""

import re
from html import unescape

import pytest
from msgspec.structs import replace

from policy.bundle import Event
from policy.terms import DAY
from server.audit import Decided
from server.changes.bundle import import_bundle
from server.changes.lockdown import set_lockdown
from tests.support_pages import Place
from tests.support_server import DECIDED, small_bundle
from tests.support_site import at

pytestmark = pytest.mark.sqlite
NB, JOINER = "\N{NO-BREAK SPACE}", "\N{WORD JOINER}"


def said(place: Place, query: str = "") -> str:
    return place.page(f"/kiosque{query}").replace(NB, " ").replace(JOINER, "")


def headline(page: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page)
    assert found is not None
    return unescape(found[1])


def days(place: Place) -> list[str]:
    page = place.client.get("/kiosque").text.replace(NB, " ").replace(JOINER, "")
    cells = re.findall(r"<li class=\"[^\"]*\">(<b>.*?)</li>", page)
    return [" ".join(re.sub(r"<[^>]+>", " ", unescape(cell)).split()) for cell in cells]


def with_events(place: Place, *events: Event) -> None:
    with place.database.transaction() as session:
        import_bundle(session, replace(small_bundle(), events=events), DECIDED)
    place.publish()


@pytest.mark.parametrize("now", [at(19, 12), at(22, 5), at(23), at(10) + DAY, at(18, 20) + 2 * DAY, at(7) + 5 * DAY])
def test_the_screen_answers_what_the_first_page_answers(place: Place, now: int) -> None:
    place.now = now
    place.publisher.publish()
    place.speak()
    assert headline(place.client.get("/kiosque").text) == headline(place.client.get("/").text)


def test_an_evening_that_a_gardien_holds(place: Place) -> None:
    page = said(place)
    assert "Ouvert jusqu’à 22 h Un gardien tient le lieu." in page
    assert "mar. 24 nov., 19 h 12" in page
    assert "personnes dans les murs, sur 100." in page


def test_nobody_is_named_whoever_is_logged_in_on_it(place: Place) -> None:
    page = place.staff().get("/kiosque").text
    assert not [name for one in small_bundle().members for name in one.name.split() if name in page]


def test_fewer_than_three_are_not_counted(place: Place) -> None:
    place.journal.leaves(at(19, 11), "remy")
    place.tell()
    assert "Moins de 3 personnes dans les murs" in said(place)


def test_the_week_says_how_sure_each_opening_is(place: Place) -> None:
    assert days(place) == [
        "ce soir jusqu’à 22 h",
        "mer. 25 9 h – 18 h",
        "jeu. 26 9 h – 18 h 18 h – 20 h probable",
        "ven. 27 9 h – 18 h",
        "sam. 28 10 h – 17 h",
        "dim. 29 fermé",
        "lun. 30 9 h – 18 h",
    ]


def test_a_gardien_who_does_not_come_leaves_the_evening_unsure(place: Place) -> None:
    place.now = at(18, 20) + 2 * DAY
    place.publisher.publish()
    place.speak()
    assert days(place)[0] == "ce soir jusqu’à 20 h pas sûr"


def test_after_midnight_it_is_still_the_day_that_began_before(place: Place) -> None:
    place.now = at(1) + DAY
    place.publisher.publish()
    place.speak()
    assert days(place)[:2] == ["ce soir fermé", "mer. 25 9 h – 18 h"]


def test_a_lockdown_opens_nothing_this_week_and_asks_nobody_to_badge(place: Place) -> None:
    with place.database.transaction() as session:
        set_lockdown(session, True, Decided("equipe", place.now))
    page = said(place)
    assert "Lieu confiné" in page
    assert "Badgez" not in page
    assert all(cell.endswith("fermé") for cell in days(place))


def test_events_for_everybody_are_announced_and_those_of_members_are_not(place: Place) -> None:
    talk = Event(id="talk", title="Causerie", start="2026-11-26T18:30", end="2026-11-26T19:30", audience="public")
    night = replace(talk, id="night", title="Nuit blanche", start="2026-11-27T22:00", end="2026-11-27T23:00")
    over = replace(talk, id="over", title="Hier", start="2026-11-23T18:00", end="2026-11-23T19:00")
    board = replace(talk, id="board", title="Bureau", audience="members")
    with_events(place, night, talk, over, board)
    page = said(place)
    assert "jeu. 26 nov., 18 h 30 – 19 h 30 Causerie ouvert à tous ven. 27 nov." in page
    assert "Nuit blanche ouvert à tous, si un gardien vient" in page
    assert "Hier" not in page
    assert "Bureau" not in page


def test_without_a_script_it_asks_again_by_itself_and_the_code_leads_to_the_page(place: Place) -> None:
    page = place.client.get("/kiosque", headers={"Host": "loquet.example"}).text
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "loquet.example" in page
    assert re.search(r'<svg [^>]*viewBox="[^"]*"[^>]*class="qr"', page)


def test_the_team_finds_it_in_the_menu(place: Place) -> None:
    assert 'href="/kiosque"' in place.staff().get("/").text
    assert 'href="/kiosque"' not in place.client.get("/").text
