"""Who holds the server together? It brings the database up to date, joins the broker, publishes and serves pages.

Threads: the web's, MQTT's, one that stores what edges say, one that publishes in time, one that sends messages, one
that reckons ahead what pages will ask. They meet at the database's one write connection and at Live.
"""

import gc
import logging
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread

from flask import Blueprint

from console.finding import Unreached
from policy.bundle import Bundle
from policy.instants import text
from policy.terms import Instant
from server import booking_news, carnet_mail, evening_news, rota_news
from server.ahead import Ahead
from server.app import create_app
from server.audit import Decided, last_link
from server.bank import Bookkeeper
from server.booking_news import BookingNews
from server.carnet_mail import CarnetNews
from server.changes.accounts import first_admin
from server.changes.bundle import Imported, import_bundle
from server.changes.purge import doubt, purge
from server.channels import carriers
from server.config import ServerConfig
from server.control import Control
from server.database import erased
from server.database.engine import Database
from server.database.schema import upgrade
from server.database.types import moment
from server.errors import MistakeError, ServerError
from server.evening_news import EveningNews
from server.exchange import Exchange
from server.health import measure
from server.ingest.messages import Message
from server.ingest.queue import MessageQueue
from server.link import Link
from server.outbox import Outbox
from server.publish.bundle import site_of
from server.queries.accounts import administrators, at_the_machine
from server.reminders import Reminders
from server.rota_news import RotaNews
from server.routine import Routine, Task
from server.stored_site import check_site, erase_again, store_site
from server.web.context import Context
from server.web.live import Live
from server.web.serve import Web
from wire.errors import WireError
from wire.topics import Topics

log = logging.getLogger("loquet.server")

LARGEST = 512 * 1024
"""Bytes of a message that is taken in."""
TICK = 0.2
"""Seconds between two looks at the clock; the site's own may run faster."""
MAIL_TICK = 2.0
"""Seconds between two looks at what is to be sent."""
AHEAD_TICK = 5.0
"""Seconds between two looks at whether there is something to reckon ahead."""
TURN = 0.0005
"""Seconds that a thread computes while another has something to do. With Python's own 5 ms the thread that made new
rules goes on with the state while MQTT's waits to send them."""


def wall_clock() -> Instant:
    return time.time_ns() // 1_000_000


@contextmanager
def tuned() -> Iterator[None]:
    """Python as it suits a server, once all is loaded."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(TURN)
    gc.collect()  # else what is garbage now would stay, too
    gc.freeze()  # modules and the first rules stay to the end: to look through them takes longer than to publish
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(usual)


class Server:
    """start() and stop(). Raises ServerError, BundleError.

    clock: the site's time; site_time: that of an instant of the wall clock. bundle: makes the site what it says, by:
    the account that wants it. Where that would end something that the site has, it raises WouldEndError, unless agreed.
    unblock: the UIDs of blocked badges that the bundle may make good again.
    """

    def __init__(
        self,
        config: ServerConfig,
        clock: Callable[[], Instant] = wall_clock,
        site_time: Callable[[datetime], datetime] = lambda at: at,
        *,
        bundle: Bundle | None = None,
        by: str = "installation",
        agreed: bool = False,
        unblock: Collection[str] = (),
        extra_blueprints: Sequence[Blueprint] = (),
        progress: Callable[[str], None] = log.info,
    ) -> None:
        self.config = config
        self.clock = clock
        self._site_time = site_time
        self.live = Live()
        self._stopping = Event()
        self._carriers = carriers(config)
        self._purged: Instant | None = None
        """The start of the site day on which all was forgotten whose time was over."""
        self._reconnected = Event()
        self._inbox = MessageQueue()
        self.database = Database(config.database)
        try:
            upgrade(self.database, progress)
            again = Decided(by, clock(), "restored")
            erase_again(
                self.database, erased.place(config.database, config.control), config.credential_key, again, progress
            )
            store_site(self.database, config, bundle, Decided(by, clock()), agreed=agreed, unblock=unblock)
            self.topics = topics = self._stored_topics()
            check_site(config.broker, topics.site)
            self.link = Link(config.broker, topics, self._received, self._reconnected.set)
            self.exchange = Exchange(
                self.database,
                topics,
                config.server_key,
                config.credential_key,
                clock,
                retain=self.link.retain,
                send=self.link.send,
                link_up=lambda: self.link.up,
                changed=self.live.changed,
            )
            self.exchange.start()
            self._bookkeeper = Bookkeeper(
                self.database,
                clock,
                lambda: self.exchange.publisher.current,
                self.exchange.site_changed,
                config.retention_days,
            )
            self._control = Control(config.control, self.exchange, self.invite_admin) if config.control else None
            self.app = create_app(self.context(), extra_blueprints)
            self._routine = Routine(clock, tuple(self._tasks()))
            self._web = Web(self.app, config.http_host, config.http_port, config.trusted_proxy)
        except BaseException:
            self.database.close()
            raise
        self._threads = [
            Thread(target=self._store, name="ingest", daemon=True),
            Thread(target=self._keep_time, name="publisher", daemon=True),
            Thread(target=self._reckon_ahead, name="figures", daemon=True),
            *([Thread(target=self._send_messages, name="outbox", daemon=True)] if self._carriers else ()),
        ]

    @property
    def address(self) -> str:
        """Where the pages are."""
        return f"http://{self.config.http_host}:{self._web.port}"

    def context(self) -> Context:
        """What the pages may ask."""
        return Context(
            database=self.database,
            clock=self.clock,
            site_time=self._site_time,
            current=lambda: self.exchange.publisher.current,
            troubles=self.exchange.troubles,
            live=self.live,
            link_up=lambda: self.link.up,
            site_changed=self.exchange.site_changed,
            orders=self.exchange.orders,
            presence_changed=self.exchange.presence_changed,
            lock_down=self.exchange.lock_down,
            enrolments=self.exchange.enrolments,
            address=self.config.address,
            channels=frozenset(self._carriers),
            retention_days=self.config.retention_days,
            erased=erased.place(self.config.database, self.config.control),
            oidc=self.config.oidc,
            health=lambda: measure(self.config, moment(self.clock()), None if self.link.up else Unreached()),
        )

    def start(self) -> None:
        """Join the broker and serve."""
        for thread in self._threads:
            thread.start()
        self.link.start()
        if self._control is not None:
            self._control.start()
        self._web.start()
        log.info("pages at %s", self.address)
        with self.database.reading() as session:
            log.info("the audit ends with %s", last_link(session) or "no link yet")
        if not self._administered():
            log.warning("nobody administers this server yet: %s", self.invite_admin("loquet server"))

    def stop(self) -> None:
        """Finish what has come in, then let go of everything."""
        self._stopping.set()
        if self._control is not None:
            self._control.stop()
        self.live.close()
        self._web.stop()
        self.link.stop()
        self._inbox.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self.database.close()

    def invite_admin(self, by: str) -> str:
        """A new link for the first administrator, said with what it is good for. Raises DatabaseError."""
        with self.database.transaction() as session:
            token = first_admin(session, at_the_machine(by), datetime.now(UTC))
        return f"open {self.config.address or self.address}/invitation/{token} within 24 h; it is good for once"

    def _administered(self) -> bool:
        with self.database.reading() as session:
            return bool(administrators(session))

    def import_bundle(self, bundle: Bundle, decided: Decided, unblock: Collection[str] = ()) -> Imported:
        """Make the site what the bundle says, and tell the edges. Raises BundleError, ServerError."""
        with self.database.transaction() as session:
            done = import_bundle(session, bundle, decided, unblock)
        self.exchange.site_changed()
        return done

    def _stored_topics(self) -> Topics:
        with self.database.reading() as session:
            site = site_of(session)
        assert site is not None  # noqa: S101 - there is one since _store_site
        return Topics(site.id)

    def _received(self, topic: str, payload: bytes) -> None:
        if len(payload) > LARGEST:
            self._drop(f"{topic}: dropped, {len(payload)} bytes; no honest message has more than {LARGEST}")
            return
        try:
            edge, _ = self.topics.edge_of(topic)
        except WireError as error:
            self._drop(f"dropped, {error}")
            return
        if why := self._inbox.put(edge, (topic, payload)):
            self._drop(f"{topic}: dropped, {why}; its edge sends rows again, nothing else")

    def _drop(self, why: str) -> None:
        self.exchange.troubles.note(None, self.clock(), why)

    def _store(self) -> None:
        """The thread that stores what edges say."""
        while messages := self._inbox.next_batch():
            if not self._stored(messages) and len(messages) > 1:
                for message in messages:  # one that cannot be stored holds up no other
                    self._stored([message])

    def _stored(self, messages: Sequence[Message]) -> bool:
        """False after a mistake of ours, which one of them alone may have brought about."""
        named = ", ".join(topic for topic, _ in messages)
        try:
            self.exchange.take_all(messages)
        except ServerError as error:
            log.error("%s: not stored and not acknowledged, sent again: %s", named, error)
            return not isinstance(error, MistakeError)
        except Exception:
            log.exception("%s: not stored and not acknowledged", named)
            return False
        return True

    def _send_messages(self) -> None:
        """The thread that hands messages to the servers of their channels."""
        outbox = Outbox(self.database, self._carriers, lambda: datetime.now(UTC))
        started = False
        while not self._stopping.wait(MAIL_TICK):
            try:
                if not started:
                    outbox.start()
                    started = True
                outbox.tick()
            except ServerError as error:
                log.error("messages wait: %s", error)
            except Exception:
                log.exception("messages wait")

    def _reckon_ahead(self) -> None:
        """The thread that counts the days of which figures are told before somebody asks for them."""
        ahead = Ahead(self.database, self.clock, lambda: self.exchange.publisher.current, self._stopping.is_set)
        while not self._stopping.wait(AHEAD_TICK):
            try:
                ahead.tick()
            except ServerError as error:
                log.error("figures are reckoned when they are asked for: %s", error)
            except Exception:
                log.exception("figures are reckoned when they are asked for")

    def _keep_time(self) -> None:
        """The thread that publishes in time, and does what else has its hour."""
        while not self._stopping.wait(TICK):
            self._routine.tick()

    def _tasks(self) -> Iterator[Task]:
        known, wall = self.context(), lambda: datetime.now(UTC)
        yield Task("rules and state", self._publish)
        yield Task("what is to be forgotten", self._purge)
        yield Task("news of the rota", RotaNews(self.app, known).tick, rota_news.EVERY)
        yield Task("news of the evening", EveningNews(self.app, known).tick, evening_news.EVERY)
        yield Task("offers of a slot", BookingNews(self.app, known).tick, booking_news.EVERY)
        if self._carriers:
            yield Task("reminders", Reminders(self.app, known, wall).tick)
            yield Task("carnets that run low", CarnetNews(self.app, known, wall).tick, carnet_mail.EVERY)
        yield Task("bank of hours", self._bookkeeper.tick)

    def _publish(self) -> None:
        if self._reconnected.is_set():
            self._reconnected.clear()
            self.exchange.connected()
        self.exchange.tick()

    def _purge(self) -> None:
        """Forget what is older than it may be kept, a step each time; with each site day it begins anew."""
        now = self.clock()
        today = self.exchange.publisher.current.rules.day_start(now)
        if self._purged == today:
            return
        with self.database.reading() as session:
            newest = doubt(session, now)
        if newest is not None:
            self._purged = today
            log.warning(
                "nothing is forgotten today: this clock says %s, and the newest passage is of %s. Where the clock is "
                "wrong, set it; where it is right, lay any badge on a reader: a passage of today confirms it",
                text(now),
                text(newest),
            )
            return
        with self.database.transaction() as session:
            done = purge(session, now, self.config.retention_days)
        if done is not None:
            log.info("forgotten, as its time is over: %s", done)
        elif self.database.wipe():
            self._purged = today
