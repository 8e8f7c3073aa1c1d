"""Whose new badge is read where? The one enrolment of a site that runs, kept in memory alone and forgotten soon.

A reader is ordered to wait (`Order.ENROL`); what its edge tells of the badge is opened here, and stored by nobody
before the desk has said that it is the right one.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from policy.terms import SECOND, Instant
from server.errors import OrderRefusedError
from server.publish.orders import Orders
from wire.enrolment import public_of, unseal
from wire.messages import COMMAND_LASTS, ENROL_LASTS, Laid, Reply
from wire.row import Order

ANSWERS_WITHIN: Instant = COMMAND_LASTS + SECOND
"""An edge that has not said by then that the reader waits does not make it wait any more."""
WAITS: Instant = round(ENROL_LASTS * SECOND)
ON_ITS_WAY: Instant = 2 * SECOND
"""A badge that was read at the last moment may be heard of so much later."""
CONFIRMED_WITHIN: Instant = 120 * SECOND
"""A number is forgotten that nobody has confirmed by then."""


class Phase(StrEnum):
    """How far an enrolment has come."""

    ASKED = "asked"
    WAITING = "waiting"
    FOUND = "found"
    ANOTHER = "another"
    """A badge was read, and it was not the one that was meant."""
    NOBODY = "nobody"
    """No badge came in time, or nobody confirmed it in time."""
    SILENT = "silent"
    """The edge did not answer."""
    REFUSED = "refused"


RUNNING = (Phase.ASKED, Phase.WAITING, Phase.FOUND)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """by: the account that enrols. only: the keyed hash of the badge that is meant, None for any that nobody has.

    waits: since when the reader waits. refused: why it does not, as its edge says. laid, holder: what was laid there
    last that it was not, and whose that is. uid: of the badge, hex; found: when it came.
    """

    nonce: str
    key: X25519PrivateKey
    edge: str
    member: str
    reader: str
    by: str
    asked: Instant
    only: str | None = None
    waits: Instant | None = None
    refused: str | None = None
    laid: Laid | None = None
    holder: str | None = None
    uid: str | None = None
    found: Instant | None = None

    def phase(self, now: Instant) -> Phase:
        if self.refused is not None:
            return Phase.REFUSED
        if self.found is not None:
            if self.uid is None:
                return Phase.ANOTHER
            return Phase.FOUND if now < self.found + CONFIRMED_WITHIN else Phase.NOBODY
        if self.waits is None:
            return Phase.ASKED if now < self.asked + ANSWERS_WITHIN else Phase.SILENT
        return Phase.WAITING if now < self.waits + WAITS + ON_ITS_WAY else Phase.NOBODY

    def seconds_left(self, now: Instant) -> int:
        """For how long the reader still waits."""
        return max(0, -((now - (self.waits or now) - WAITS) // SECOND))


class Enrolments:
    """From any thread. pseudonym: of a UID. changed: called when a page would show something else."""

    def __init__(
        self,
        orders: Orders,
        clock: Callable[[], Instant],
        pseudonym: Callable[[bytes], str],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._orders = orders
        self._clock = clock
        self._pseudonym = pseudonym
        self._changed = changed
        self._lock = Lock()
        self._latest: Enrolment | None = None
        self._stored: tuple[str, str, int] | None = None
        """Nonce, member and badge of the last one that was stored."""

    def latest(self) -> Enrolment | None:
        """The newest one, however far it has come; None since the start, and after one that was stored."""
        return self._latest

    def begin(self, member: str, reader: str, by: str, only: str | None = None) -> Enrolment:
        """Make a reader wait for a badge of the member. While another's runs, it is that one that comes back.

        Who begins anew ends their own, and its reader waits no more. Raises OrderRefusedError when the order cannot be
        sent, and DatabaseError.
        """
        with self._lock:  # an answer waits here for what it answers
            running = self._latest
            if running is not None and running.by != by and running.phase(self._clock()) in RUNNING:
                return running
            key = X25519PrivateKey.generate()
            given = self._orders.give(Order.ENROL, reader, by, key=public_of(key))
            self._latest = Enrolment(given.nonce, key, given.edge, member, reader, by, self._clock(), only)
            begun = self._latest
        if running is not None and running.edge != begun.edge:  # an edge puts a later order in the place of the first
            self._free(running, by)
        return begun

    def stop(self, nonce: str, by: str) -> None:
        """Wait no more, and forget what was read. One that is over, or was never, is none to stop. by: who presses.

        Raises DatabaseError when the order to the reader cannot be recorded.
        """
        with self._lock:
            it = self._latest
            if it is None or it.nonce != nonce:
                return
            self._latest = None
        self._changed()
        self._free(it, by)

    def answered(self, edge: str, reply: Reply) -> None:
        """An edge answers; only the one that was asked counts. Raises WireError for what is not sealed to the order."""
        with self._lock:
            it = self._latest
            if it is None or (it.edge, it.nonce) != (edge, reply.nonce) or it.found is not None:
                return
            self._latest = self._after(it, reply)
        self._changed()

    def end(self, nonce: str, badge: int = 0) -> None:
        """Forget it: the badge is stored, as this one of the table, or cannot be."""
        with self._lock:
            if self._latest is not None and self._latest.nonce == nonce:
                self._stored = (nonce, self._latest.member, badge) if badge else self._stored
                self._latest = None

    def stored(self, nonce: str, member: str) -> int | None:
        """The badge that this enrolment led to, if it was the last one: whoever confirms twice hears the same."""
        return self._stored[2] if self._stored is not None and self._stored[:2] == (nonce, member) else None

    def _free(self, it: Enrolment, by: str) -> None:
        """Tell its reader to wait no more. One that cannot be told ends by itself; its answer counts no more."""
        if it.phase(self._clock()) in (Phase.ASKED, Phase.WAITING):
            with suppress(OrderRefusedError):
                self._orders.give(Order.STOP_ENROL, it.reader, by)

    def _after(self, it: Enrolment, reply: Reply) -> Enrolment:
        now = self._clock()
        if reply.laid is None:
            if not reply.done:
                return replace(it, refused=reply.why)
            return replace(it, waits=it.waits or now)
        it = replace(it, waits=it.waits or now)
        if reply.laid is not Laid.NEW or reply.sealed is None:
            return replace(it, laid=reply.laid, holder=reply.member)
        uid = unseal(it.key, it.nonce, reply.sealed)
        meant = it.only is None or it.only == self._pseudonym(uid)
        return replace(it, found=now, uid=uid.hex().upper() if meant else None)
