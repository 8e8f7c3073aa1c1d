"""A server without a site starts, and leads its first administrator through what the site has to be told."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlmodel import select
from werkzeug.test import TestResponse

from policy.terms import ClockState
from server.audit import Decided
from server.changes.first_start import begin, zones
from server.database.engine import Database
from server.database.schema import upgrade
from server.models import AuditRow, Edge
from server.text.first_start import countries
from tests.support_pages import EVENING, Place
from tests.support_server import FRONT_KEY, public
from wire.messages import Status

pytestmark = pytest.mark.sqlite
FACTS = {"name": "La Passerelle", "timezone": "Europe/Paris", "country": "FR", "region": "57", "capacity": "40"}


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Place]:
    """A server whose edge looks after a door and a laser, and nobody has said anything yet."""
    database = Database(f"sqlite:///{tmp_path / 'bare.db'}")
    upgrade(database, lambda _said: None)
    with database.transaction() as session:
        begin(session, "passerelle", Decided("installation", EVENING))
        session.add(Edge(id="front", public_key=public(FRONT_KEY), access_points=["front", "laser"], readers={}))
    place = Place(database)
    place.desk.say(Status(True, clock=ClockState.SYNCED, readers={"front-in": None, "front-out": None, "laser": None}))
    yield place
    database.close()


def send(place: Place, client: FlaskClient, step: str, **fields: str) -> int:
    return answered(place, client, step, **fields).status_code


def answered(place: Place, client: FlaskClient, step: str, **fields: str) -> TestResponse:
    page = client.get("/start").text
    was = re.search(rf'action="/start/{step}">.*?name="was" value="([^"]*)"', page, re.DOTALL)
    kept = {"was": was[1].replace("&#34;", '"')} if was and step != "tiers" else {}
    token = place.form_token(client, "/start")
    return client.post(f"/start/{step}", data=kept | fields | {"csrf_token": token})


def rows(place: Place, client: FlaskClient) -> dict[str, str]:
    """What the form of doors and machines offers, as a browser would send it."""
    page = client.get("/start").text.partition('action="/start/places"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'name="([a-z]+-\d+)" value="([^"]*)"', page))
    chosen = re.findall(r'<select id="[^"]+" name="([^"]+)">.*?value="(\w+)" selected', page)
    return fields | dict(chosen)


def test_who_administers_is_led_there_and_nobody_is_let_in_yet(bare: Place) -> None:
    client = bare.app.test_client()
    answer = client.post(
        "/login", data={"name": "equipe", "password": "correct horse", "csrf_token": bare.form_token(client)}
    )
    assert answer.location == "/start"
    assert "Il reste 5 choses à dire" in bare.page("/start", client)
    for path in ("/", "/today", "/members", "/hours", "/evacuation", "/machines"):
        assert client.get(path).status_code == 200, path
    assert bare.publisher.current.bundle.access_points == ()


def test_each_step_is_kept_and_the_last_leaves_nothing_to_say(bare: Place) -> None:
    client = bare.staff()
    assert send(bare, client, "facts", **FACTS) == 303
    site = bare.publisher.current.bundle.site
    assert (site.name, site.holidays, site.capacity) == ("La Passerelle", "FR-57", 40)
    offered = rows(bare, client)
    assert (offered["what-0"], offered["reader-0"], offered["out-0"]) == ("door", "front-in", "front-out")
    assert (offered["what-1"], offered["reader-1"]) == ("machine", "laser")
    assert send(bare, client, "places", **offered | {"name-0": "Entrée", "name-1": "Découpe laser"}) == 303
    bundle = bare.publisher.current.bundle
    assert [(door.id, door.name, door.readers.out) for door in bundle.access_points] == [
        ("front", "Entrée", "front-out")
    ]
    assert [(machine.id, machine.reader) for machine in bundle.machines] == [("laser", "laser")]
    assert [(kind.id, kind.name) for kind in bundle.kinds] == [("laser", "Découpe laser")]
    assert send(bare, client, "tiers", preset="both") == 303
    assert send(bare, client, "tiers", preset="fablab") == 303, "again: nothing is there twice"
    tiers = [tier.id for tier in bare.publisher.current.bundle.tiers]
    assert tiers == ["equipe", "resident", "nomade", "carnet-demi", "fabriqueur", "carnet-jour"]
    assert client.get("/").status_code == 200
    with bare.database.reading() as session:
        assert {row.account for row in session.exec(select(AuditRow))} >= {"equipe", "installation"}
    again = bare.page("/start", client)
    assert "Il reste 2 choses à dire" in again, "hours and people have pages of their own"


def test_an_empty_database_in_place_of_the_right_one_takes_no_rules_from_edges(bare: Place) -> None:
    def published_once_an_edge_is_ahead() -> int:
        bare.desk.say(Status(True, clock=ClockState.SYNCED, rules_version=57))
        bare.publish()
        return bare.publisher.current.version

    assert published_once_an_edge_is_ahead() < 57, "the edge refuses it, and goes on with its own"
    client = bare.staff()
    assert send(bare, client, "places", **rows(bare, client)) == 303
    assert published_once_an_edge_is_ahead() == 58, "whoever described it means it"


def test_what_cannot_be_is_named_and_nothing_is_kept(bare: Place) -> None:
    client = bare.staff()
    for field, value, said in (
        ("name", "", "Écrivez le nom"),
        ("name", "x" * 10_000, "Écrivez le nom"),
        ("timezone", "Paris", "Choisissez un fuseau"),
        ("timezone", "localtime", "Choisissez un fuseau"),
        ("region", "ZZ", "Ce pays n’a pas cette région"),
        ("capacity", "beaucoup", "Écrivez un nombre"),
        ("capacity", "9" * 400, "Écrivez un nombre"),
    ):
        answer = answered(bare, client, "facts", **FACTS | {field: value})
        assert (answer.status_code, said in bare.words(answer)) == (400, True), field
    twice = rows(bare, client) | {"reader-1": "front-in"}
    assert send(bare, client, "places", **twice) == 400
    assert send(bare, client, "tiers", preset="hotel") == 400
    assert bare.publisher.current.bundle.access_points == ()


def test_two_who_answer_at_once_do_not_overwrite_each_other(bare: Place) -> None:
    client = bare.staff()
    was = re.findall(r'name="was" value="([^"]*)"', client.get("/start").text)[0].replace("&#34;", '"')
    assert send(bare, client, "facts", **FACTS) == 303
    assert send(bare, client, "facts", **FACTS | {"name": "Le Pont", "was": was}) == 409
    assert bare.publisher.current.bundle.site.name == "La Passerelle"


def test_each_country_is_offered_once_by_its_name_a_to_z() -> None:
    codes, names = zip(*countries("FRA"), strict=True)
    assert {"FR", "FRA"} <= set(codes), "and the one that the site has, however it is written"
    assert [code for code in codes if len(code) != len("FR")] == ["FRA"]
    assert names.index("Émirats arabes unis") < names.index("France") < names.index("Zimbabwe")


def test_zones_are_those_of_places_and_the_one_that_the_site_has() -> None:
    """Not the machine's own: a door and the server may have two."""
    assert {"Europe/Paris", "America/Cayenne", "UTC"} <= zones()
    assert not {"localtime", "Factory", "CET"} & zones()
    assert "CET" in zones("CET")
