"""The server whole: an edge speaks through a broker, the page shows it, the edge is told that it is on disk."""

import gc
import re
import socket
import sys
import urllib.request
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue
from threading import Event
from time import monotonic
from typing import Any

import msgspec
import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from sqlmodel import select

from policy.facts import Fact, Ran
from policy.instants import text
from policy.ruleset import Reader
from policy.terms import DAY, HOUR, SECOND, ClockState
from proofs.postgres import Postgres
from server.changes.accounts import take_up
from server.config import BrokerConfig, EdgeConfig, ServerConfig
from server.control import DONE, Request, ask
from server.database.engine import Database
from server.database.types import moment
from server.errors import DatabaseError, MistakeError, ServerError
from server.ingest.messages import Message
from server.ingest.queue import EACH
from server.main import TURN, Server, tuned, wall_clock
from server.models import Presence
from server.passwords import hash_token
from server.queries.first_start import offered
from tests.support_broker import BROKERS
from tests.support_pages import CHEAP_HASH, CREDENTIAL_KEY, SERVER_KEY, STAFF, TOKEN
from tests.support_server import DECIDED, FRONT_KEY, TOPICS, Desk, Journal, events, public, small_bundle, whole_bundle
from tests.support_site import at
from wire import snapshot
from wire.envelope import seal, unseal
from wire.messages import Ack, Command, Fresh, Reply, Rules, State, Status, decode, encode
from wire.row import Kind, Order
from wire.ruleset import unpack

PATIENCE = 10.0
USERS = {"server": "server-password", "front": "front-password"}
BROKER = BROKERS.get("mosquitto", BROKERS["embedded"])


def config(folder: Path, broker_port: int = 1, http_port: int = 0) -> ServerConfig:
    return ServerConfig(
        database=f"sqlite:///{folder}/loquet.db",
        server_key=SERVER_KEY,
        credential_key=CREDENTIAL_KEY,
        broker=BrokerConfig("127.0.0.1", broker_port, "server", "server-password"),
        edges=(EdgeConfig("front", public(FRONT_KEY), ("front",)),),
        staff_name=STAFF,
        staff_password_hash=CHEAP_HASH,
        api_token_hash=hash_token(TOKEN),
        http_port=http_port,
    )


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a broker."""
    with BROKER(USERS, tmp_path_factory.mktemp("broker")) as port:
        yield port


class Edge:
    """An edge's MQTT client: puts what it hears into a queue."""

    def __init__(self, port: int) -> None:
        self.heard: Queue[tuple[str, bytes]] = Queue()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="front", protocol=MQTTv311)
        self.client.username_pw_set("front", "front-password")
        self.client.on_message = self._hear
        self.client.on_connect = lambda client, *_rest: client.subscribe("loquet/casaco/#", 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _hear(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self.heard.put((message.topic, bytes(message.payload)))

    def waits_for(self, topic: str, fits: Callable[[bytes], bool] = bool) -> bytes:
        """The first body on the topic, signed by the server, that fits."""
        return self.waits_for_all({topic: fits})[topic]

    def waits_for_all(self, wanted: dict[str, Callable[[bytes], bool]]) -> dict[str, bytes]:
        """The first body on each topic that fits, in whatever order they come: two threads of the server publish."""
        found: dict[str, bytes] = {}
        while set(found) != set(wanted):
            topic, payload = self.heard.get(timeout=PATIENCE)
            if topic in wanted and topic not in found:
                body = unseal(SERVER_KEY.public_key(), "server", topic, payload)
                if wanted[topic](body):
                    found[topic] = body
        return found

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310 - our own server
        return str(answer.read().decode())


def test_from_the_edge_to_the_page(broker: int, tmp_path: Path) -> None:
    server = Server(config(tmp_path, broker), lambda: at(19, 12), bundle=small_bundle())
    edge = Edge(broker)
    try:
        server.start()
        rules = decode(Rules, edge.waits_for(TOPICS.rules), "rules")
        confirmed = decode(Fresh, edge.waits_for(TOPICS.fresh), "fresh")
        assert confirmed.hash == rules.hash
        journal = Journal()
        for member in ("alice", "remy", "gregoire"):
            journal.enters(at(18, 10), member)
        edge.client.publish(TOPICS.events("front"), events(journal.rows), 1)
        assert decode(Ack, edge.waits_for(TOPICS.ack("front")), "ack") == Ack("j1", 9)
        assert "Ouvert jusqu’à 22" in get(server.address)
        assert '"inside":3' in get(f"{server.address}/api/v1/now").replace(" ", "")
        assert '"broker":true' in get(f"{server.address}/health").replace(" ", "")
        suspended = msgspec.structs.replace(small_bundle(), credentials=())
        server.import_bundle(suspended, DECIDED)
        edge.waits_for(TOPICS.rules, lambda body: decode(Rules, body, "rules").version == 2)
    finally:
        edge.close()
        server.stop()


def test_what_is_retained_comes_again_after_a_restart(broker: int, tmp_path: Path) -> None:
    """The broker needs no memory, the server keeps its acknowledgements and its version."""
    first = Server(config(tmp_path), lambda: at(19, 12), bundle=small_bundle())
    journal = Journal()
    journal.enters(at(18), "remy")
    first.exchange.take(TOPICS.events("front"), events(journal.rows))
    first.stop()
    edge = Edge(broker)
    second = Server(config(tmp_path, broker), lambda: at(19, 12))
    try:
        second.start()
        assert decode(Ack, edge.waits_for(TOPICS.ack("front")), "ack") == Ack("j1", 3)
        assert second.exchange.publisher.current.version == 1
    finally:
        edge.close()
        second.stop()


def test_without_a_broker_pages_are_served(tmp_path: Path) -> None:
    server = Server(config(tmp_path), bundle=small_bundle())
    server.start()
    try:
        assert '"broker":false' in get(f"{server.address}/health").replace(" ", "")
    finally:
        server.stop()


def test_it_forgets_what_is_too_old_once_a_site_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [at(12)]
    server = Server(config(tmp_path), lambda: clock[0], bundle=small_bundle())
    wiped = Event()
    monkeypatch.setattr(server.database, "wipe", lambda: wiped.set() or True)
    old(server, "alice", at(12) - 90 * DAY)
    old(server, "remy", at(12) - 89 * DAY)
    server.start()
    try:
        assert wiped.wait(PATIENCE)
        assert presences(server) == ["remy"]
        server._purge()
        old(server, "alice", at(12) - 90 * DAY)
        server._purge()
        assert presences(server) == ["alice", "remy"], "it was done that day"
        wiped.clear()
        clock[0] += DAY
        assert wiped.wait(PATIENCE)
        assert presences(server) == []
    finally:
        server.stop()


def test_a_clock_that_is_far_ahead_has_nothing_forgotten(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = at(12) + 3000 * DAY
    server = Server(config(tmp_path), lambda: now, bundle=small_bundle())
    wiped = Event()
    monkeypatch.setattr(server.database, "wipe", lambda: wiped.set() or True)
    journal, desk = Journal(), Desk(server.database, now)
    journal.tap_in(at(12), "remy", granted=False)
    desk.take(journal.rows)
    old(server, "remy", at(12))
    server.start()
    try:
        server._purge()
        assert presences(server) == ["remy"]
        [said] = {one.getMessage() for one in caplog.records if "forgotten" in one.getMessage()}
        assert "this clock says 2035-02-10" in said
        assert "the newest passage is of 2026-11-24" in said
        assert "lay any badge on a reader" in said
        journal.tap_in(now, "alice", granted=False)
        desk.take(journal.rows[1:])
        server._purged = None
        assert wiped.wait(PATIENCE)
        assert presences(server) == []
    finally:
        server.stop()


def old(server: Server, member: str, moved: int) -> None:
    with server.database.transaction() as session:
        session.add(Presence(member=member, at=moment(moved), inside=False))


def presences(server: Server) -> list[str]:
    with server.database.reading() as session:
        return sorted(session.exec(select(Presence.member)))


def test_a_live_page_does_not_hold_up_the_end(tmp_path: Path) -> None:
    server = Server(config(tmp_path), bundle=small_bundle())
    server.start()
    with urllib.request.urlopen(f"{server.address}/live", timeout=PATIENCE) as stream:  # noqa: S310 - our own server
        assert stream.readline() == b"retry: 5000\n"
        server.live.changed()
        heard = b"".join(stream.readline() for _ in range(3))
        assert b"event: changed" in heard
        server.stop()


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=f"http port {port} on 127.0.0.1: .*; stop the program that uses it"):
            Server(config(tmp_path, http_port=port), bundle=small_bundle())
    Server(config(tmp_path)).stop()


def test_two_servers_on_one_database(tmp_path: Path) -> None:
    server = Server(config(tmp_path), bundle=small_bundle())
    with pytest.raises(ServerError, match="another Loquet process"):
        Server(config(tmp_path))
    server.stop()


def test_a_server_on_postgresql_takes_orders_where_its_configuration_says(postgres: Postgres, tmp_path: Path) -> None:
    named = replace(config(tmp_path), database=postgres.create("orders"), socket=tmp_path / "orders")
    server = Server(named, bundle=small_bundle())
    server.start()
    try:
        assert named.control == tmp_path / "orders"
        assert ask(tmp_path / "orders", Request("lockdown_on")).said.endswith(
            "offline, hears of it when it connects: front"
        )
    finally:
        server.stop()
    assert not (tmp_path / "orders").exists()


def test_without_a_site_it_starts_and_is_to_be_described(tmp_path: Path) -> None:
    """Twice: what was not finished is taken up again, and the edges' places are offered."""
    for _ in range(2):
        server = Server(config(tmp_path))
        try:
            bundle = server.exchange.publisher.current.bundle
            assert (bundle.site.id, bundle.access_points, server.topics.site) == ("site", (), "site")
            with server.database.reading() as session:
                assert [each.id for each in offered(session, bundle)] == ["front"]
        finally:
            server.stop()
    server = Server(config(tmp_path), bundle=small_bundle())
    assert server.topics.site == "casaco", "a bundle says it all"
    server.stop()


def test_the_whole_bundle_is_taken_and_published(tmp_path: Path) -> None:
    server = Server(config(tmp_path), bundle=whole_bundle())
    rules = server.exchange.publisher.current.rules
    assert set(rules.machines) == {"laser", "printer"}
    assert (rules.adhoc, rules.full_denies, rules.anti_passback) == (3 * HOUR, True, "soft")
    server.stop()


def test_an_edge_that_leaves_the_configuration_is_not_heard(tmp_path: Path) -> None:
    Server(config(tmp_path), bundle=small_bundle()).stop()
    server = Server(replace(config(tmp_path), edges=()))
    journal = Journal()
    journal.enters(at(18), "remy")
    assert server.exchange.ingest.take(TOPICS.events("front"), events(journal.rows)) is None
    assert server.exchange.publisher.current.rules.edges == {}
    server.stop()


def test_a_place_that_the_site_has_not(tmp_path: Path) -> None:
    lost = replace(config(tmp_path), edges=(EdgeConfig("front", public(FRONT_KEY), ("back",)),))
    has = "front, garage, laser, printer"
    with pytest.raises(ServerError, match=f"edge 'front': 'back' is neither a door nor a machine .* has {has}:"):
        Server(lost, bundle=whole_bundle())


def test_a_place_or_an_edge_that_is_nearly_called_as_a_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    misspelt = replace(config(tmp_path), edges=(EdgeConfig("front", public(FRONT_KEY), ("frnt",)),))
    with pytest.raises(ServerError, match=r"edge 'front': 'frnt' is neither .* of the site \(front\?\), which has"):
        Server(misspelt, bundle=whole_bundle())
    nearly = replace(config(tmp_path), edges=(EdgeConfig("frnt", public(FRONT_KEY), ("front",)),))
    Server(nearly, bundle=whole_bundle()).stop()
    (warned,) = [record.getMessage() for record in caplog.records if "must be called" in record.getMessage()]
    assert warned.startswith("edge 'frnt' (front?): ")
    caplog.clear()
    Server(config(tmp_path)).stop()
    assert "must be called" not in caplog.text


@pytest.mark.parametrize("places", [("front", "laser"), ("printer", "laser")], ids="+".join)
def test_an_edge_with_a_machine_is_served(broker: int, tmp_path: Path, places: tuple[str, ...]) -> None:
    """It owns the machine's reader in the rules, its sessions are stored and told, and it takes orders for it."""
    mixed = replace(config(tmp_path, broker), edges=(EdgeConfig("front", public(FRONT_KEY), places),))
    server = Server(mixed, evening(), bundle=whole_bundle())
    edge = Edge(broker)
    try:
        server.start()
        rules = unpack(decode(Rules, edge.waits_for(TOPICS.rules), "rules").body)
        assert rules.readers["laser-tap"] == Reader("laser", None, "front")
        status = Status(True, text(at(19, 12)), clock=ClockState.SYNCED)
        edge.client.publish(TOPICS.status("front"), sealed(TOPICS.status("front"), status), 1)
        run = {"started": text(at(19)), "until": text(at(20)), "machine_kind": "laser", "cuts": True}
        journal = Journal()
        journal.add(at(19), Kind.SESSION_STARTED, access_point="laser", member="brigitte", **run)
        edge.client.publish(TOPICS.events("front"), events(journal.rows), 1)
        heard = edge.waits_for_all({TOPICS.ack("front"): bool, TOPICS.state: says_that_one_ran})
        assert decode(Ack, heard[TOPICS.ack("front")], "ack") == Ack("j1", 1)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ask, tmp_path / "loquet.db.control", Request("lock_out", "laser"))
            order = decode(Command, edge.waits_for(TOPICS.command("front")), "command")
            done = sealed(TOPICS.reply("front"), Reply(order.nonce, done=True))
            edge.client.publish(TOPICS.reply("front"), done, 1)
            assert (order.order, order.place, asked.result().status) == (Order.LOCK_OUT, "laser", DONE)
    finally:
        edge.close()
        server.stop()


def evening() -> Callable[[], int]:
    """A clock that goes on from 19:12: what is to be said a moment after something else never is while time stands."""
    begun = monotonic()
    return lambda: at(19, 12) + round((monotonic() - begun) * SECOND)


def says_that_one_ran(body: bytes) -> bool:
    """A state with a session on a machine."""
    return any(isinstance(fact, Ran) for fact in known(body))


def sealed(topic: str, message: Status | Reply) -> bytes:
    """As edge `front` says it."""
    return seal(FRONT_KEY, "front", topic, encode(message))


def known(body: bytes) -> tuple[Fact, ...]:
    """What a state says."""
    return snapshot.unpack(decode(State, body, "state").body).facts


def test_the_wall_clock_is_in_milliseconds() -> None:
    assert 1_700_000_000_000 < wall_clock() < 10_000_000_000_000


def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With a full disk the message is let go: its edge has no answer and sends it again."""
    server = Server(config(tmp_path), lambda: at(19, 12), bundle=small_bundle())
    journal = Journal()
    for minute in range(40):
        journal.enters(at(18, minute), "remy" + "x" * 900)
    with server.database.transaction() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count={pages}")
    server._received(TOPICS.events("front"), events(journal.rows))
    server.start()
    server.stop()
    assert "not stored and not acknowledged, sent again" in caplog.text
    assert "free space on the disk" in caplog.text
    assert TOPICS.ack("front") not in server.link._retained


def test_messages_that_cannot_wait_are_let_go(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = Server(config(tmp_path), bundle=small_bundle())
    for _ in range(EACH + 1):
        server._received(TOPICS.events("front"), b"rubbish")
    assert f"dropped, {EACH} messages of this edge wait already; its edge sends rows again, nothing else" in caplog.text
    server.start()
    server.stop()
    assert server.exchange.troubles.count("front") == EACH


def test_a_message_of_nobody_is_let_go(tmp_path: Path) -> None:
    server = Server(config(tmp_path), bundle=small_bundle())
    server._received("loquet/casaco/edge", b"rubbish")
    assert server.exchange.troubles.elsewhere == 1
    server.start()
    server.stop()


@pytest.mark.parametrize("mistake", [ZeroDivisionError("a mistake of ours"), MistakeError("refused")], ids=repr)
def test_a_message_that_cannot_be_stored_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mistake: Exception
) -> None:
    server = Server(config(tmp_path), bundle=small_bundle())
    poisoned, stored = TOPICS.events("garden"), server.exchange.take_all

    def take_all(messages: Sequence[Message]) -> None:
        if any(topic == poisoned for topic, _ in messages):
            raise mistake
        stored(messages)

    monkeypatch.setattr(server.exchange, "take_all", take_all)
    journal = Journal()
    journal.enters(at(9), "remy")
    server._received(poisoned, events(journal.rows))
    server._received(TOPICS.events("front"), events(journal.rows))
    server.start()
    server.stop()
    assert TOPICS.ack("front") in server.link._retained


def test_what_the_database_refuses_is_not_tried_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup that holds it for long would be waited for as often as there are edges."""
    server = Server(config(tmp_path), bundle=small_bundle())
    taken: list[int] = []

    def refused(messages: Sequence[Message]) -> None:
        taken.append(len(messages))
        raise DatabaseError("locked")

    monkeypatch.setattr(server.exchange, "take_all", refused)
    for edge in ("front", "garden", "workshop"):
        server._received(TOPICS.events(edge), b"rubbish")
    server.start()
    server.stop()
    assert taken == [3]


def test_python_is_tuned_for_as_long_as_the_server_runs() -> None:
    usual = sys.getswitchinterval()
    with tuned():
        assert sys.getswitchinterval() == pytest.approx(TURN)
        assert gc.get_freeze_count() > 0
    assert sys.getswitchinterval() == pytest.approx(usual)
    assert gc.get_freeze_count() == 0


def test_what_is_garbage_when_the_server_starts_does_not_stay() -> None:
    class Loop:
        def __init__(self) -> None:
            self.itself = self

    gc.disable()
    try:
        garbage = weakref.ref(Loop())
        assert garbage() is not None
        with tuned():
            assert garbage() is None
    finally:
        gc.enable()


def test_the_first_start_says_a_link_until_somebody_administers(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Without [staff] in server.toml: there is no default password."""
    told = replace(config(tmp_path), staff_name="", staff_password_hash="", address="https://loquet.example.org")
    links: list[str] = []
    for bundle in (small_bundle(), None):
        server = Server(told, lambda: at(19, 12), bundle=bundle)
        with caplog.at_level("WARNING", "loquet.server"):
            server.start()
        try:
            [link] = re.findall(r"open https://loquet\.example\.org(/invitation/\S+) within 24 h", caplog.text)
            links.append(f"{server.address}{link}")
            assert "identifiant admin" in get(links[-1])
        finally:
            server.stop()
            caplog.clear()
    assert links[0].rpartition("/")[2] != links[1].rpartition("/")[2], "only hashes are kept, so it is another one"
    with closing(Database(told.database)) as database, database.transaction() as session:
        take_up(session, links[1].rpartition("/")[2], datetime.now(UTC), password_hash=CHEAP_HASH, device="")
    server = Server(told, lambda: at(19, 12))
    with caplog.at_level("WARNING", "loquet.server"):
        server.start()
    server.stop()
    assert "administers" not in caplog.text
