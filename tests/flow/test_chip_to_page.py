"""A tap from the chip to the page: every part is the real one, over the embedded broker, a real mosquitto, and TLS."""

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
from flask.testing import FlaskClient
from msgspec import structs

from benches.reader import door_folder
from edge.config import load
from edge.observer import Nobody
from edge.runtime import Edge
from edge.start import Platform, compose
from keys.keyring import Keyring
from loquet.main import main
from policy.bundle import Bundle, Credential, Member
from proofs.mosquitto import Mosquitto
from server.config import BrokerConfig, EdgeConfig, ServerConfig
from server.identity import Identity
from server.main import Server
from server.passwords import hash_token
from simulator.card import Card
from simulator.emulated_edge import emulated
from simulator.pace import Pace, PacedClock
from tests.support_broker import BROKERS, PATIENCE
from tests.support_pages import CHEAP_HASH, PASSWORD, STAFF, TOKEN, plain
from tests.support_server import small_bundle
from tests.support_site import UNKNOWN, at
from wire.row import Row

SEVEN = bytes.fromhex("0461AABBCC0001")
PORT = re.compile(r"port = \d+")
ACCOUNT = re.compile(r"port = \d+\nusername = .*\npassword_file = .*")


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

    def __init__(self, file: Path, broker: BrokerConfig, stack: ExitStack) -> None:
        """file: the edge.toml, with the keys beside it. broker: as the server is told of it."""
        self.config = load(file)
        pace = Pace.starting(at(10))
        self.server = Server(self._server_config(file.parent, broker), pace.now, bundle=self._bundle())
        stack.callback(self.server.stop)
        self.server.start()
        self.watch = Watch()
        clock = PacedClock(pace)
        platform, self.board = emulated(self.config, clock)
        clock.fall_silent()
        self.edge = self._edge(platform, clock)
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

    def _server_config(self, folder: Path, broker: BrokerConfig) -> ServerConfig:
        keys = Keyring.open(folder / "keys")
        return ServerConfig(
            database=f"sqlite:///{folder / 'server.db'}",
            server_key=keys.server_key,
            credential_key=keys.credential_key,
            broker=broker,
            edges=(EdgeConfig("front", keys.public_hex("front"), ("front",)),),
            staff_name=STAFF,
            staff_password_hash=CHEAP_HASH,
            api_token_hash=hash_token(TOKEN),
            http_port=0,
        )

    def _edge(self, platform: Platform, clock: PacedClock) -> Edge:
        return compose(self.config, replace(platform, observer=self.watch, real_timeout=clock.real_timeout))

    def get(self, path: str) -> str:
        """What the server answers over HTTP to whoever has the token."""
        request = urllib.request.Request(self.server.address + path, headers={"Authorization": f"Bearer {TOKEN}"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return str(answer.read().decode())

    def page(self) -> str:
        """The front page as the staff sees it."""
        return plain(self.staff().get("/").text)

    def staff(self) -> FlaskClient:
        """Whoever is logged in at the desk."""
        client = self.server.app.test_client()
        self.press(client, "/login", "/login", name=STAFF, password=PASSWORD)
        return client

    def press(self, client: FlaskClient, page: str, path: str, **data: str) -> str:
        """Send a form of a page; the address that the answer leads to."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
        assert token is not None
        answer = client.post(path, data={"csrf_token": token[1]} | data)
        assert answer.status_code == 303
        return answer.headers["Location"]

    def confirmed(self, client: FlaskClient, address: str, said: str) -> None:
        """Until the page says so."""
        end = time.monotonic() + PATIENCE
        while said not in plain(client.get(address).text).replace("\N{NO-BREAK SPACE}", " "):
            assert time.monotonic() < end, "the door has not said that it knows"

    def rules_arrive(self) -> None:
        """Until the edge tells the server that it goes by the first rules."""
        end = time.monotonic() + PATIENCE
        while [edge["rules_version"] for edge in json.loads(self.get("/api/v1/now"))["edges"]] != [1]:
            assert time.monotonic() < end, "no rules arrived"

    def lockdown_arrives(self) -> None:
        """Until the edge knows of it."""
        end = time.monotonic() + PATIENCE
        while not self.edge.control.controller.core.state.lockdown:
            assert time.monotonic() < end, "no lockdown arrived"

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


@pytest.fixture(params=[*sorted(BROKERS), "tls"])
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Door]:
    with ExitStack() as stack:
        file = door_folder(tmp_path)
        if request.param == "tls":
            yield Door(file, over_tls(file, stack), stack)
        else:
            yield Door(file, with_passwords(file, request.param, stack), stack)


def with_passwords(file: Path, name: str, stack: ExitStack) -> BrokerConfig:
    """A broker on this machine, for the edge of this edge.toml and for the server."""
    password = (file.parent / "keys" / "front.password").read_text().strip()
    (file.parent / "broker").mkdir()
    users = {"server": "server-password", "front": password}
    port = stack.enter_context(BROKERS[name](users, file.parent / "broker"))
    file.write_text(PORT.sub(f"port = {port}", file.read_text()))
    return BrokerConfig("127.0.0.1", port, "server", users["server"])


def over_tls(file: Path, stack: ExitStack) -> BrokerConfig:
    """The same with a certificate for each, as `loquet keys` makes them."""
    ring = Keyring.open(file.parent / "keys")
    port = stack.enter_context(Mosquitto(ring)).port
    ours = 'ca = "keys/edges/front/ca.crt"\ncertificate = "keys/edges/front/tls.crt"\nkey = "keys/edges/front/tls.key"'
    file.write_text(ACCOUNT.sub(f"port = {port}\n{ours}", file.read_text()))
    server = Identity(ring.server / "ca.crt", ring.server / "tls.crt", ring.server / "tls.key")
    return BrokerConfig("127.0.0.1", port, "server", "", server)


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
    assert "Badge inconnu refusé ce badge n’est à personne" in page
    assert "1 personne dans les murs, sur 100" in page
    assert "Au plus 1 personne à la fois." in page


def test_the_server_s_command_line_opens_the_door_once(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    door.rules_arrive()
    control = door.server.config.control
    assert main(["server", "open", "front", "--socket", str(control)]) == 0
    assert capsys.readouterr().out == "front: done by edge 'front'\n"
    assert door.watch.strike.get(timeout=PATIENCE) is True
    assert main(["server", "open", "cellar", "--socket", str(control)]) == 2
    assert "known are front" in capsys.readouterr().err
    assert main(["server", "lockdown", "on", "--socket", str(control)]) == 0
    assert "only staff is let in" in capsys.readouterr().out
    door.lockdown_arrives()
    assert door.lay(SEVEN).reason == "lockdown"
    assert "Lieu confiné" in door.page()


def test_a_badge_that_the_desk_declares_lost_opens_nothing_and_another_does(door: Door) -> None:
    """From the press on the member's page to the lamp, and back: the page says that the door knows."""
    door.rules_arrive()
    client = door.staff()
    found = re.search(r"/members/lea/badges/[0-9]+", client.get("/members/lea").text)
    assert found is not None
    lost = door.press(client, "/members/lea", found[0], seen="active", status="lost")
    door.confirmed(client, lost, "Badge ···0001 déclaré perdu. Il n’ouvre plus rien : 1 porte sur 1 le sait.")
    assert door.lay(SEVEN).reason == "credential_blocked"
    given = door.press(client, "/members/lea", "/members/lea/badges", uid="DE:AD:BE:EF")
    door.confirmed(client, given, "1 porte sur 1 le sait.")
    granted = door.lay(UNKNOWN)
    assert (granted.granted, granted.member) == (True, "lea")


def test_without_a_server_the_command_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", "open", "front", "--socket", str(tmp_path / "none.control")]) == 2
    assert "no server answers there (No such file or directory): start it" in capsys.readouterr().err
    for words, said in (
        (["open"], "open: of what?"),
        (["lockdown"], "say on or off"),
        (["lockdown", "maybe"], "on or off"),
    ):
        assert main(["server", *words, "--socket", str(tmp_path / "none.control")]) == 2
        assert said in capsys.readouterr().err
