"""From a press on the page to the strike and back: the real pages, exchange and edge, in virtual time."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from policy.terms import SECOND
from server.app import create_app
from server.changes import accounts
from server.queries.accounts import at_the_machine
from simulator.world import World
from tests.support_pages import CHEAP_HASH, plain
from tests.support_server import small_bundle
from tests.support_site import ALICE, GREGOIRE, at
from wire.row import Kind


@dataclass
class Evening:
    """The small site's evening: Grégoire's shift runs."""

    world: World
    app: Flask

    def account(self, member: str) -> FlaskClient:
        now = datetime.now(UTC)
        with self.world.server.database.transaction() as session:
            token = accounts.invite(session, at_the_machine("root"), now, login=member, member=member)
            begun = accounts.take_up(session, token, now, password_hash=CHEAP_HASH, device="")
        client = self.app.test_client()
        client.set_cookie("loquet", begun)
        return client

    def badges(self, uid: bytes, reader: str) -> None:
        """Somebody lays a badge on, and passes."""
        edge = self.world.edges["front"]
        edge.readers[reader].lay(uid)
        self.world.settle()
        edge.readers[reader].take(uid)
        edge.pins.put("contact", active=True)
        self.world.settle()
        edge.pins.put("contact", active=False)
        self.waits(10)

    def waits(self, seconds: float) -> None:
        self.world.run_until(self.world.clock.now() + round(seconds * SECOND), lambda: None, lambda _: None)
        self.world.settle()

    def press(self, client: FlaskClient, path: str, **form: str) -> str:
        """What the page says once the door has answered."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
        assert token is not None
        answer = client.post(path, data={"csrf_token": token[1], **form})
        assert answer.status_code == 303, plain(answer.text)
        self.world.settle()
        return plain(client.get(answer.headers["Location"]).text)

    @property
    def unlocked(self) -> bool:
        return self.world.edges["front"].pins.is_active("strike")


@pytest.fixture
def evening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Evening]:
    """One thread plays everybody: nobody answers while a page waits."""
    monkeypatch.setattr("server.pages.doors.ANSWER_WITHIN", 0)
    world = World(small_bundle(), tmp_path, at(19), {"front": "front"})
    with closing(world):
        yield Evening(world, create_app(world.server.context()))


def test_the_gardien_at_night_opens_for_somebody_from_the_page(evening: Evening) -> None:
    client = evening.account("gregoire")
    assert "Ouvrir…" not in plain(client.get("/").text)
    evening.badges(GREGOIRE, "front-in")
    assert "Ouvrir…" in plain(client.get("/").text)
    assert "la porte s’est déverrouillée." in evening.press(client, "/doors/front/open")
    assert evening.unlocked
    evening.waits(6)
    assert not evening.unlocked
    evening.badges(GREGOIRE, "front-out")
    assert client.get("/doors/front/open").status_code == 403


def test_the_team_keeps_a_door_unlocked_until_somebody_locks_it_down(evening: Evening) -> None:
    client = evening.account("alice")
    evening.badges(ALICE, "front-in")
    said = evening.press(client, "/doors/front/unlock", minutes="15")
    assert "la porte est tenue ouverte jusqu’à 19 h 15." in said
    assert "tenue ouverte jusqu’à 19 h 15 porte" in plain(client.get("/").text), "in the line of the door, too"
    evening.waits(600)
    assert evening.unlocked
    assert "Lieu confiné" in evening.press(client, "/lockdown", on="1")
    assert not evening.unlocked
    assert "tenue ouverte" not in plain(client.get("/").text)
    assert "la porte a refusé" in evening.press(client, "/doors/front/unlock", minutes="15")
    evening.press(client, "/lockdown", on="")
    assert not evening.unlocked
    evening.press(client, "/doors/front/unlock", minutes="15")
    assert evening.unlocked
    assert "la porte est verrouillée." in evening.press(client, "/doors/front/relock")
    assert not evening.unlocked


def test_the_last_of_the_team_who_leaves_locks_the_door(evening: Evening) -> None:
    client = evening.account("alice")
    evening.badges(ALICE, "front-in")
    evening.press(client, "/doors/front/unlock", until="21:00")
    assert evening.unlocked
    evening.badges(ALICE, "front-out")
    assert not evening.unlocked
    rows = evening.world.edges["front"].edge.storage.writer.journal.rows()  # type: ignore[union-attr]
    assert [row.detail for row in rows if row.kind is Kind.RELOCKED] == ["the last who answers for the place has left"]
