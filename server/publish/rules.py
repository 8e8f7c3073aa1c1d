"""What do the edges get to know? The compiled rules, a new version when they changed; and each hour that they hold.

No Flask and no MQTT here: `retain` takes a topic and a payload that the broker is to keep.
"""

import logging
from collections.abc import Callable
from functools import lru_cache, partial
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct
from sqlmodel import Session, select

from policy.bundle import Bundle
from policy.calendar import Calendar
from policy.compile import EdgeKey, compile_rules
from policy.instants import text
from policy.spans import Spans
from policy.terms import DAY, HOUR, SECOND, Instant
from server.database.engine import Database
from server.errors import DatabaseError, ImportRefusedError
from server.models import Edge, Versioned
from server.publish.bundle import Exporter
from server.publish.versions import number
from server.queries.current import Current
from server.queries.forms import spoken
from server.queries.public_holidays import holidays_of
from server.queries.rota import offered
from wire.credential import pseudonym
from wire.envelope import seal
from wire.errors import TooLargeError
from wire.messages import Fresh, Rules, encode
from wire.ruleset import pack
from wire.topics import Topics

log = logging.getLogger("loquet.server")

SERVER = "server"
FRESH_EVERY = HOUR
RETRY = 10 * SECOND
"""From a `publish` that failed to the next try."""
MOST_NAMES = 1 << 17
"""UIDs whose pseudonyms are remembered: those of the largest site."""


class Publisher:
    """`publish` after every change, `confirm` at every connect, `tick` now and then. Any thread may call.

    bundle: what the tables hold, for whoever knows it already.
    """

    def __init__(
        self,
        database: Database,
        key: Ed25519PrivateKey,
        credential_key: bytes,
        clock: Callable[[], Instant],
        retain: Callable[[str, bytes], None],
        bundle: Callable[[Session], Bundle | None] | None = None,
    ) -> None:
        self._database = database
        self._bundle = bundle or Exporter()
        self._key = key
        self._pseudonym = lru_cache(MOST_NAMES)(partial(pseudonym, credential_key))
        self._clock = clock
        self._retain = retain
        self._one_at_a_time = Lock()
        self._memory: dict[str, dict[str, Any]] = {}
        self._current: Current | None = None
        self._failed_at: Instant | None = None
        """When the last `publish` failed, None when it did not."""
        self._confirmed_at: Instant = 0

    @property
    def current(self) -> Current:
        """Raises RuntimeError before the first `publish`."""
        if self._current is None:
            raise RuntimeError("nothing is published yet: call publish first")
        return self._current

    def publish(self) -> Current:
        """Compile; when the rules changed, give them the next version.

        Raises ImportRefusedError, DatabaseError: then `tick` tries it again.
        """
        with self._one_at_a_time:
            now = self._failed_at = self._clock()
            with self._database.transaction() as session:
                compiled = self._compile(session, now)
            if self._current is None or self._current.version != compiled.version:
                log.info("rules: version %d", compiled.version)
            self._current = compiled
            self._send(compiled, now)
            self._failed_at = None
            return compiled

    def confirm(self) -> None:
        """Say the rules again, and that they hold: an edge that connects gets both."""
        with self._one_at_a_time:
            self._send(self.current, self._clock())

    def tick(self) -> None:
        """Compile once in a site day and confirm once an hour, whichever way the clock went."""
        now = self._clock()
        rules = self.current.rules
        again = self._failed_at is not None and abs(now - self._failed_at) >= RETRY
        if again or rules.day_start(now) != rules.day_start(self.current.at):
            self.publish()
        elif abs(now - self._confirmed_at) >= FRESH_EVERY:
            self.confirm()

    def _compile(self, session: Session, now: Instant) -> Current:
        bundle = self._bundle(session)
        if bundle is None:
            raise DatabaseError("the database holds no site yet: start once with --bundle FILE")
        zone = ZoneInfo(bundle.site.timezone)
        rules = compile_rules(
            bundle,
            zone=zone,
            holidays=holidays_of(bundle.site.holidays, kept=True),
            pseudonym=self._pseudonym,
            edges=_edge_keys(session),
            at=now,
            speaks=spoken(session),
            offered=_offered(session, bundle, zone, now),
        )
        body = pack(rules)
        return Current(
            at=now,
            version=number(session, Versioned.RULES, body, now),
            rules=rules,
            body=body,
            bundle=bundle,
            zone=zone,
            pseudonym=self._pseudonym,
            memory=self._memory,
        )

    def _send(self, current: Current, now: Instant) -> None:
        topics = Topics(current.rules.site)
        issued, not_after = text(now), text(now + current.bundle.site.offline_days * DAY)
        rules = Rules(current.version, issued, not_after, current.body)
        self._seal(topics.rules, rules)
        self._seal(topics.fresh, Fresh(current.version, rules.hash, issued, not_after))
        self._confirmed_at = now

    def _seal(self, topic: str, message: Struct) -> None:
        try:
            sealed = seal(self._key, SERVER, topic, encode(message))
        except TooLargeError as error:
            raise ImportRefusedError(f"{error}: the site is too large") from None
        self._retain(topic, sealed)


def _offered(session: Session, bundle: Bundle, zone: ZoneInfo, now: Instant) -> dict[str, Spans]:
    """Those of this site day that are over, too: on one day the rules stay the same while nothing changes."""
    calendar = Calendar(zone, bundle.site.day_cutoff)
    return offered(session, bundle, calendar.day_start(calendar.day_at(now)))


def _edge_keys(session: Session) -> dict[str, EdgeKey]:
    edges = session.exec(select(Edge.id, Edge.public_key, Edge.access_points))
    return {edge: EdgeKey(public_key, tuple(places)) for edge, public_key, places in edges}
