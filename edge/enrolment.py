"""Whose badge is this, the desk asks: what is laid on one reader while an order to enrol runs?

For half a minute the next badge there that no member has is told to the server, sealed to the order; it is no tap, it
opens nothing, and no row names it. What else is laid there is what it always is, and the desk hears of it.
"""

from dataclasses import dataclass

from edge.actions import BadgeLaid
from edge.core import Core, Now
from edge.events import CardsCollided, CardSeen, Ordered, ReaderEvent
from edge.patterns import ENROLLED, OF_FAMILY, Signal
from policy.reasons import Family
from wire.credential import is_random
from wire.messages import ENROL_LASTS, Laid
from wire.row import Kind


@dataclass(frozen=True, slots=True)
class Enrolment:
    """nonce, key: of the order. until: monotonic seconds."""

    nonce: str
    key: str
    reader: str
    until: float


class Enroller:
    """The one enrolment that may run at an edge: a later order takes its place."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._running: Enrolment | None = None

    @property
    def deadline(self) -> float | None:
        """When it ends by itself, monotonic seconds."""
        return None if self._running is None else self._running.until

    def begin(self, event: Ordered) -> str | None:
        """Wait for a badge at the order's reader; or why not, in English."""
        if self._core.held is None:
            return "this edge has no rules yet, and so knows nobody's badge: see that the server reaches it"
        if self._core.state.lockdown:
            return "a lockdown holds: lift it first"
        self._run(Enrolment(event.nonce, event.key, event.place or "", event.mono + ENROL_LASTS))
        return None

    def stop(self, event: Ordered) -> None:
        """Wait no more at the order's reader; one that waits elsewhere goes on."""
        if self._core.enrols_at == event.place:
            self._run(None)

    def pass_time(self, now: Now) -> None:
        """Time ends it, and a lockdown."""
        if self._running is not None and (now.mono >= self._running.until or self._core.state.lockdown):
            self._run(None)

    def laid(self, now: Now, event: ReaderEvent, place: str) -> Signal | None:
        """What to show for a badge that is no tap, as it is enrolled or never can be; None for all that goes its way.

        place: of the reader. A row says that a badge was enrolled, and not which.
        """
        running = self._running
        if running is None or event.reader != running.reader or now.mono >= running.until:
            return None
        if isinstance(event, CardsCollided):
            self._tell(running, Laid.SEVERAL)
        if not isinstance(event, CardSeen):
            return None
        if is_random(event.uid):
            self._tell(running, Laid.RANDOM)
            return OF_FAMILY[Family.SEE_DESK]
        owner = self._owner(event.uid)
        if owner is not None:
            self._tell(running, Laid.TAKEN, member=owner)
            return None
        self._tell(running, Laid.NEW, uid=event.uid)
        self._run(None)
        self._core.row(now, Kind.ENROLLED, of=event, access_point=place, reader=event.reader, nonce=running.nonce)
        return ENROLLED

    def _owner(self, uid: bytes) -> str | None:
        held = self._core.held
        found = held.rules.credentials.get(self._core.pseudonym(uid)) if held else None
        return None if found is None else found.member

    def _tell(self, running: Enrolment, laid: Laid, uid: bytes | None = None, member: str | None = None) -> None:
        self._core.tell_laid(BadgeLaid(running.nonce, running.key, laid, uid, member))

    def _run(self, it: Enrolment | None) -> None:
        self._running = it
        self._core.enrols_at = None if it is None else it.reader
