"""A tap from the chip to the page: every part is the real one, over the embedded broker and over a real mosquitto."""

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import pytest
from msgspec import structs

from edge.config import load
from edge.observer import Nobody
from edge.runtime import Edge
from loquet.benches.reader import door_folder
from loquet.edge import Site, compose, emulated
from loquet.keyring import Keyring
from loquet.secret_files import make_folder, make_password, write_secret
from policy.bundle import Bundle, Credential, Member
from server.config import BrokerConfig, EdgeConfig, ServerConfig
from server.main import Server
from server.secrets import hash_token
from simulator.card import Card
from simulator.pace import Pace, PacedClock
from tests.support_broker import BROKERS, PATIENCE
from tests.support_pages import CHEAP_HASH, PASSWORD, STAFF, TOKEN, plain
from tests.support_server import small_bundle
from tests.support_site import UNKNOWN, at
from wire.row import Row

SEVEN = bytes.fromhex("0461AABBCC0001")
PORT = re.compile(r"port = \d+")


class Watch(Nobody):
    """Tells what was decided, what the server has, and which outputs moved."""

    def __init__(self) -> None:
        self.taps: SimpleQueue[Row] = SimpleQueue()
        self.acknowledged_rows: SimpleQueue[int] = SimpleQueue()
        self.strike: SimpleQueue[bool] = SimpleQueue()

    def decided(
        self, row: Row, chip_seconds: float, chip_transfers: int, decision_seconds: float, actuator_seconds: float
    ) -> None:
        assert chip_transfers > 0
        assert min(chip_seconds, decision_seconds, actuator_seconds) > 0
        self.taps.put(row)

    def acknowledged(self, seq: int, seconds: float) -> None:
        assert seconds >= 0
        self.acknowledged_rows.put(seq)

    def output(self, name: str, active: bool) -> None:
        if name == "strike":
            self.strike.put(active)


class Door:
    """Broker, server and edge of one door, running."""

    def __init__(self, folder: Path, broker_port: int, stack: ExitStack) -> None:
        file = door_folder(folder)
        file.write_text(PORT.sub(f"port = {broker_port}", file.read_text()))
        self.config = load(file)
        pace = Pace.starting(at(10))
        self.server = Server(self._server_config(folder, broker_port), pace.now, bundle=self._bundle())
        stack.callback(self.server.stop)
        self.server.start()
        self.watch = Watch()
        clock = PacedClock(pace)
        site, self.board = emulated(self.config, clock)
        clock.fall_silent()
        self.edge = self._edge(site, clock)
        stack.callback(self.edge.stop)
        self.edge.start()
        assert self.watch.strike.get(timeout=PATIENCE) is False

    def _bundle(self) -> Bundle:
        site = small_bundle()
        lea = Member(id="lea", name="Léa Lambert", tier="nomad")
        return structs.replace(
            site,
            members=(*site.members, lea),
            credentials=(*site.credentials, Credential(uid=SEVEN.hex(), member="lea")),
        )

    def _server_config(self, folder: Path, broker_port: int) -> ServerConfig:
        keys = Keyring.open(folder / "keys")
        return ServerConfig(
            database=f"sqlite:///{folder / 'server.db'}",
            server_key=keys.server_key,
            credential_key=keys.credential_key,
            broker=BrokerConfig("127.0.0.1", broker_port, "server", "server-password"),
            edges=(EdgeConfig("front", keys.public_hex("front"), ("front",)),),
            staff_name=STAFF,
            staff_password_hash=CHEAP_HASH,
            api_token_hash=hash_token(TOKEN),
            http_port=0,
        )

    def _edge(self, site: Site, clock: PacedClock) -> Edge:
        return compose(self.config, replace(site, observer=self.watch, real_timeout=clock.real_timeout))

    def get(self, path: str) -> str:
        """What the server answers over HTTP to whoever has the token."""
        request = urllib.request.Request(self.server.address + path, headers={"Authorization": f"Bearer {TOKEN}"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return str(answer.read().decode())

    def page(self) -> str:
        """The front page as the staff sees it."""
        client = self.server.app.test_client()
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
        assert token is not None
        client.post("/login", data={"name": STAFF, "password": PASSWORD, "csrf_token": token[1]})
        return plain(client.get("/").text)

    def rules_arrive(self) -> None:
        """Until the edge tells the server that it goes by the first rules."""
        end = time.monotonic() + PATIENCE
        while [edge["rules_version"] for edge in json.loads(self.get("/api/v1/now"))["edges"]] != [1]:
            assert time.monotonic() < end, "no rules arrived"

    def lay(self, uid: bytes) -> Row:
        """Lay a badge on the reader outside and take it away once it was read."""
        field, card = self.board.chip(0, 0).field, Card(uid)
        field.lay(card)
        row = self.watch.taps.get(timeout=PATIENCE)
        field.take(card)
        return row

    def stored(self, seq: int) -> None:
        """Until the server has acknowledged the row."""
        while self.watch.acknowledged_rows.get(timeout=PATIENCE) < seq:
            pass


@pytest.fixture(params=sorted(BROKERS))
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Door]:
    with ExitStack() as stack:
        (tmp_path / "broker").mkdir()
        (tmp_path / "site").mkdir()
        password = make_password(tmp_path / "site" / "front.password")
        users = {"server": "server-password", "front": password}
        port = stack.enter_context(BROKERS[request.param](users, tmp_path / "broker"))
        make_folder(tmp_path / "site" / "keys")
        write_secret(tmp_path / "site" / "keys" / "front.password", password.encode())
        yield Door(tmp_path / "site", port, stack)


def test_a_tap_travels_from_the_chip_to_the_page(door: Door) -> None:
    door.rules_arrive()
    refused = door.lay(UNKNOWN)
    assert (refused.granted, refused.reason) == (False, "unknown_credential")
    granted = door.lay(SEVEN)
    assert (granted.granted, granted.reason, granted.member, granted.pending) == (True, "staffed_hours", "lea", True)
    assert door.watch.strike.get(timeout=PATIENCE) is True
    contact = next(spec for spec in door.config.inputs if spec.name == "contact")
    door.board.drive(contact.line, int(not contact.active_low))
    door.stored(granted.seq + 1)
    passages = json.loads(door.get("/api/v1/passages"))["items"]
    assert [(item["name"], item["granted"], item["reason"]) for item in passages] == [
        (None, False, "unknown_credential"),
        ("Léa Lambert", True, "staffed_hours"),
    ]
    page = door.page()
    assert re.search("Léa L. entrée .*l’équipe est là", page)
    assert re.search("ce badge n’est à personne.*passez à l’accueil", page)
    assert "1 personne dans les murs, sur 100" in page
