"""The pages of a small site for tests: a Flask client, a clock to set, an edge that tells what happened."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.test import TestResponse

from console.finding import Unreached
from policy.instants import text
from policy.terms import ClockState, Instant
from server.app import create_app
from server.audit import Decided
from server.changes.configured import take_over_account, take_over_token
from server.changes.lockdown import set_lockdown
from server.config import OidcConfig
from server.database import erased
from server.database.engine import Database
from server.health import Health
from server.models import Account
from server.passwords import hash_token
from server.publish.enrolments import Enrolments
from server.publish.orders import Orders
from server.publish.rules import Publisher
from server.queries.accounts import by_login
from server.web.context import Context
from server.web.live import Caps, Live
from tests.support_server import TOPICS, Desk, Journal
from tests.support_site import at
from wire.credential import pseudonym
from wire.envelope import unseal
from wire.messages import Command, Reply, Status, decode
from wire.row import Kind, Order

STAFF, PASSWORD, TOKEN = "equipe", "correct horse", "token-of-the-tests-0123456789"
EVENING = at(19, 12)
CHEAP_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
SERVER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
CREDENTIAL_KEY = bytes(range(3, 35))


class Compiled(BytecodeCache):
    """Templates compiled once for all tests, as in the one process of a server."""

    def __init__(self) -> None:
        self.code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.code:
            bucket.bytecode_from_string(self.code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code[bucket.key] = bucket.bytecode_to_string()


TEMPLATES = Compiled()
ADDRESS = "http://localhost"
"""Of the pages, as Flask's test client asks for them."""


@dataclass
class Place:
    """now: what the site's clock says. link_up: whether the broker is reached. commands: those that were sent.
    tells: whether the row of a session that goes on comes before the answer.

    control: the server's socket, by which its list of erasures lies. oidc: the provider by which people may log in.
    """

    database: Database
    now: Instant = EVENING
    link_up: bool = True
    sends_mail: bool = False
    health: Health = field(default_factory=Health)
    channels: frozenset[str] = frozenset()
    live: Live = field(default_factory=lambda: Live(Caps(places=2), keep_alive=0.05, pause=0.0))
    published: dict[str, bytes] = field(default_factory=dict)
    journal: Journal = field(default_factory=Journal)
    commands: list[Command] = field(default_factory=list)
    obeys: bool | None = True
    tells: bool = True
    control: Path | None = None
    oidc: OidcConfig | None = None
    site_time: Callable[[datetime], datetime] = lambda at: at

    def __post_init__(self) -> None:
        self.orders = Orders(self.database, TOPICS, SERVER_KEY, lambda: self.now, self._send)
        self.desk = Desk(self.database, self.now)
        self.publisher = Publisher(
            self.database, SERVER_KEY, CREDENTIAL_KEY, lambda: self.now, self.published.__setitem__
        )
        self.publisher.publish()
        self.enrolments = Enrolments(self.orders, lambda: self.now, lambda uid: pseudonym(CREDENTIAL_KEY, uid))
        configure(self.database)
        self.app: Flask = create_app(self.context())
        self.app.jinja_env.bytecode_cache = TEMPLATES
        self.client: FlaskClient = self.app.test_client()

    def context(self) -> Context:
        return Context(
            database=self.database,
            clock=lambda: self.now,
            site_time=lambda at: self.site_time(at),
            current=lambda: self.publisher.current,
            troubles=self.desk.troubles,
            live=self.live,
            link_up=lambda: self.link_up,
            site_changed=self.publish,
            orders=self.orders,
            presence_changed=lambda: None,
            lock_down=self.lock_down,
            enrolments=self.enrolments,
            health=lambda: replace(
                self.health,
                broker=None if self.link_up else Unreached(),
                mail="" if self.sends_mail else None,
            ),
            address=ADDRESS if self.oidc else "",
            oidc=self.oidc,
            erased=erased.place(str(self.database.url), self.control),
            channels=self.channels | ({"mail"} if self.sends_mail else set()),
        )

    def lock_down(self, on: bool, by: str) -> list[str]:
        with self.database.transaction() as session:
            set_lockdown(session, on, Decided(by, self.now))
        return []

    def _send(self, topic: str, payload: bytes) -> bool:
        """The door answers at once as `obeys` says; None: not at all."""
        command = decode(Command, unseal(SERVER_KEY.public_key(), "server", topic, payload), topic)
        self.commands.append(command)
        if self.obeys and self.tells and command.order is Order.EXTEND:
            self.tell_of(command)
        if self.obeys is not None:
            self.orders.answered("front", Reply(command.nonce, self.obeys, "" if self.obeys else "the strike is loose"))
        return self.link_up

    def tell_of(self, command: Command) -> None:
        """The row of an order that was carried out."""
        about = {"access_point": command.place, "nonce": command.nonce, "order": command.order, "granted": True}
        self.journal.add(self.now, Kind.COMMAND, **about)
        self.tell()

    def publish(self) -> None:
        """Members or hours are others."""
        self.publisher.publish()

    def tell(self) -> None:
        """The edge delivers its journal."""
        self.desk.now = self.now
        self.desk.take(self.journal.rows)

    def speak(self, **said: Any) -> None:
        """The edge says that it is there. said: more of its status."""
        self.desk.now = self.now
        self.desk.say(Status(True, at=text(self.now), clock=ClockState.SYNCED, **said))

    def page(self, path: str = "/", client: FlaskClient | None = None) -> str:
        """The text of a page, without its tags."""
        answer = (client or self.client).get(path)
        assert answer.status_code == 200
        return plain(answer.text)

    @staticmethod
    def words(answer: TestResponse) -> str:
        """The text of an answer, whatever its status."""
        return plain(answer.text)

    def form_token(self, client: FlaskClient, path: str = "/login") -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
        assert found is not None
        return found[1]

    def staff(self) -> FlaskClient:
        """A client that is logged in."""
        client = self.app.test_client()
        answer = client.post(
            "/login", data={"name": STAFF, "password": PASSWORD, "csrf_token": self.form_token(client)}
        )
        assert answer.status_code == 303
        return client

    def member(self, which: str) -> FlaskClient:
        """A client that is logged in with this member's account, made where there is none."""
        login = f"{which}.compte"
        with self.database.transaction() as session:
            if by_login(session, login) is None:
                session.add(Account(login=login, member=which, password_hash=CHEAP_HASH, made=datetime.now(UTC)))
        return self.member_at(login)

    def member_at(self, login: str) -> FlaskClient:
        """A client that is logged in with this account."""
        client = self.app.test_client()
        answer = client.post(
            "/login", data={"name": login, "password": PASSWORD, "csrf_token": self.form_token(client)}
        )
        assert answer.status_code == 303
        return client


def configure(database: Database) -> None:
    """The staff's account and the token, as a server takes them over from its server.toml."""
    with database.transaction() as session:
        take_over_account(session, datetime.now(UTC), STAFF, CHEAP_HASH)
        take_over_token(session, datetime.now(UTC), hash_token(TOKEN))


def plain(html: str) -> str:
    """What a reader sees, blanks made single and joiners left out."""
    text = re.sub(r"<[^>]+>", " ", html).replace("\N{WORD JOINER}", "").replace("&#39;", "'").replace("&amp;", "&")
    return " ".join(text.split())


@contextmanager
def broken(database: Database) -> Iterator[None]:
    """The database cannot be read while the block runs."""
    path = database.url.database or ""
    database._readers.dispose()
    with open(path, "r+b") as file:
        head = file.read(16)
        file.seek(0)
        file.write(b"not a database !")
        file.flush()
        try:
            yield
        finally:
            file.seek(0)
            file.write(head)
            file.flush()
            database._readers.dispose()
