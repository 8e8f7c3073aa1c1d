"""What gardiens offer each other reaches the edges, whose screen says *pas sûr* as the server's pages do."""

import html
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.screen import Screen, Shown, page
from policy.degrees import OFFERS_FROM, Known
from policy.instants import instant
from policy.presence import Presence
from policy.ruleset import RuleSet
from policy.state import SiteState
from policy.terms import DAY, MINUTE
from server.database.engine import Database
from server.database.types import moment
from server.models import Edge
from tests.support_pages import SERVER_KEY, Place
from tests.support_rota import FRIDAY, press, rota_place
from tests.support_server import TOPICS
from wire.envelope import unseal
from wire.messages import Rules, decode
from wire.ruleset import unpack

START, END = instant("2026-11-27T18:00:00+01:00"), instant("2026-11-27T22:00:00+01:00")
PARIS = Screen(Path("unused"), "Casaco", ZoneInfo("Europe/Paris"))


@pytest.fixture
def place(database: Database) -> Place:
    return rota_place(database)


def told(place: Place) -> RuleSet:
    return unpack(body(place))


def body(place: Place) -> bytes:
    sealed = place.published[TOPICS.rules]
    return decode(Rules, unseal(SERVER_KEY.public_key(), "server", TOPICS.rules, sealed), "rules").body


def on_screen(place: Place) -> str:
    """What a screen shows on that Friday while the server is down."""
    rules, at = told(place), START - 30 * MINUTE
    state = SiteState(Presence(), not_after=at + DAY)
    known = Known(rules, rules.planned_shifts, state, at, offered=rules.offered)
    return html.unescape(page(PARIS, Shown(at, known))).replace("\N{NO-BREAK SPACE}", " ")


def test_an_offer_is_in_the_rules_until_it_is_taken_back_and_no_name_with_it(place: Place) -> None:
    tarek = place.member("tarek")
    assert "18 h – 22 h probable" in on_screen(place)
    press(place, tarek, "offer", FRIDAY)
    assert told(place).offered == {"tarek": (START, END)}
    assert "18 h – 22 h pas sûr / not sure" in on_screen(place)
    assert "arek" not in on_screen(place)
    before = body(place)
    place.now += MINUTE
    place.publisher.publish()
    assert body(place) == before
    press(place, tarek, "keep", FRIDAY)
    assert told(place).offered == {}
    assert "18 h – 22 h probable" in on_screen(place)


def test_an_absence_and_a_shift_given_back_late_are_in_doubt_there_too(place: Place) -> None:
    tarek = place.member("tarek")
    press(place, tarek, "absences", first="27/11/2026", last="29/11/2026")
    assert told(place).offered["tarek"] == (START, END)
    place.now = START - 60 * MINUTE
    gregoire = place.member("gregoire")
    press(place, gregoire, "take", FRIDAY)
    assert "probable" in on_screen(place)
    press(place, gregoire, "give-back", FRIDAY)
    assert told(place).offered["gregoire"] == (START, END)
    assert "pas sûr" in on_screen(place)


def test_edges_of_the_version_before_are_told_nothing_that_they_could_not_read(place: Place) -> None:
    with place.database.transaction() as session:
        front = session.get_one(Edge, "front")
        front.speaks, front.last_seen = OFFERS_FROM - 1, moment(place.now)
    press(place, place.member("tarek"), "offer", FRIDAY)
    assert (told(place).speaks, told(place).offered) == (OFFERS_FROM - 1, {})
    assert "18 h – 22 h probable" in on_screen(place), "as it was with that version"
