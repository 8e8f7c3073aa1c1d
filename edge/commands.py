"""Is a command carried out, here and now? It is judged, noted on the disk, and only then given to the controller.

So none is carried out twice, whatever is repeated, reordered, restarted or set back. None is carried out late: the
controller looks at the monotonic clock once more before it acts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from edge.config import Config
from edge.events import Event, Hold, Ordered
from edge.journal_writer import JournalWriter
from edge.machine import MachineSetup
from edge.message_verifier import RefusalLog
from edge.ports import Clock
from edge.server_time import ServerTime
from policy.instants import instant
from policy.terms import HOUR as HOUR_MS
from policy.terms import SECOND, ClockState, Instant
from wire.errors import WireError
from wire.messages import COMMAND_LASTS, LONGEST_UNLOCK, Command
from wire.row import Kind, Order, Row

REMEMBERED = 1000
"""Commands, by when they were issued; what was issued before those is refused with them."""
AHEAD: Instant = 10 * SECOND
"""So much may the server's clock be ahead of the edge's."""
REFUSALS, HOUR = 100, 3600.0
"""Rows that refused commands may leave in so many seconds: whoever repeats old commands must not fill the disk."""
LONGEST_NONCE = 64
SEEN, FORGOTTEN = "command/", "commands forgotten"
"""Names of what is kept: SEEN and a nonce, when it was issued (ms); and up to when commands are forgotten."""


@dataclass(frozen=True, slots=True)
class Places:
    """What a command may be about at this edge."""

    doors: frozenset[str]
    machines: frozenset[str]
    readers: frozenset[str]

    @classmethod
    def of(cls, config: Config) -> "Places":
        machines = {place.machine for place in config.places if isinstance(place, MachineSetup)}
        doors = {place.access_point for place in config.places if not isinstance(place, MachineSetup)}
        return cls(frozenset(doors), frozenset(machines), frozenset(config.readers))

    def fault(self, order: Order, place: str | None) -> str | None:
        """Why the order does not fit the place; None when it does."""
        match order:
            case Order.OPEN | Order.UNLOCK | Order.RELOCK:
                known, kind = self.doors, "access point"
            case Order.LOCK_OUT | Order.EXTEND | Order.END:
                known, kind = self.machines, "machine"
            case Order.SOUND | Order.ENROL | Order.STOP_ENROL:
                known, kind = self.readers, "reader"
            case _:
                return None
        return None if place in known else f"{place!r} is no {kind} of this edge"


@dataclass(frozen=True, slots=True)
class Dated:
    """A command and its instants."""

    command: Command
    issued: Instant
    not_after: Instant
    until: Instant | None = None
    began: Instant | None = None


def dated(command: Command) -> Dated:
    """Raises WireError for a command that no honest server writes."""
    if not 0 < len(command.nonce) <= LONGEST_NONCE:
        raise WireError(f"command: a nonce of {len(command.nonce)} characters; 1 to {LONGEST_NONCE} are expected")
    if (command.order is Order.ENROL) != (command.key is not None):
        have = "without" if command.key is None else "with"
        raise WireError(f"command {command.nonce}: {command.order} {have} a key")
    try:
        issued, not_after = instant(command.issued), instant(command.not_after)
        until = None if command.until is None else instant(command.until)
        meant = command.asked if command.order in (Order.EXTEND, Order.END) else None
        began = None if meant is None else instant(meant)
    except (ValueError, OverflowError) as error:
        raise WireError(f"command {command.nonce}: issued, not_after, until or asked is no instant ({error})") from None
    return Dated(command, issued, not_after, until, began)


def judge(it: Dated, now: Instant | None, earliest: Instant, places: Places) -> str | None:
    """Why a command that was not seen before is not carried out; None when it is.

    now: None while the edge's clock is not trusted. earliest: it is not earlier than this, whatever the clock says.
    """
    if now is None:
        return "the clock of this edge is not trusted"
    if max(now, earliest) > it.not_after:
        return f"too late, by {(max(now, earliest) - it.not_after) / 1000:.0f} s: see network and clocks"
    if it.issued > now + AHEAD:
        return f"issued {(it.issued - now) / 1000:.0f} s from now: see the clocks of server and edge"
    if it.not_after > it.issued + COMMAND_LASTS:
        return f"holds for more than {COMMAND_LASTS // SECOND} s"
    return places.fault(it.command.order, it.command.place) or _unlock_fault(it, max(now, earliest))


def _unlock_fault(it: Dated, now: Instant) -> str | None:
    """What is wrong with how long a door is to be kept unlocked."""
    if it.command.order is not Order.UNLOCK:
        return None
    if it.until is None or it.until <= now:
        return "unlock: until is missing, or over"
    if it.until > it.issued + LONGEST_UNLOCK:
        return f"unlock: for more than {LONGEST_UNLOCK // HOUR_MS} h"
    return None


class SeenCommands:
    """The commands that were seen, on the disk too."""

    def __init__(self, kept: Mapping[str, bytes] | None = None) -> None:
        kept = kept or {}
        self._issued = {name.removeprefix(SEEN): _number(kept[name]) for name in kept if name.startswith(SEEN)}
        self._forgotten = _number(kept.get(FORGOTTEN, b""))

    def note_done(self, nonce: str, at: Instant) -> None:
        """A command was done, or refused, at this instant."""
        self._issued.setdefault(nonce, at)

    def forget(self, until: Instant) -> None:
        """What was issued until then may have been seen, and nobody knows any more: it is not done again."""
        self._forgotten = max(self._forgotten, until)

    def knows(self, it: Dated) -> bool:
        return it.command.nonce in self._issued or it.issued <= self._forgotten

    def note(self, it: Dated) -> dict[str, bytes | None]:
        """Remember it; what is to be kept on the disk for that."""
        self._issued[it.command.nonce] = it.issued
        keep: dict[str, bytes | None] = {SEEN + it.command.nonce: b"%d" % it.issued}
        while len(self._issued) > REMEMBERED:
            oldest = min(self._issued, key=self._issued.__getitem__)
            self._forgotten = max(self._forgotten, self._issued.pop(oldest))
            keep |= {SEEN + oldest: None, FORGOTTEN: b"%d" % self._forgotten}
        return keep


def _number(kept: bytes) -> Instant:
    """-1 for what is none."""
    return int(kept) if kept.isdigit() else -1


class CommandHandler:
    """The commands to one edge. tell: gives an event to the controller."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        writer: JournalWriter,
        time: ServerTime,
        tell: Callable[[Event], None],
        refusals: RefusalLog,
    ) -> None:
        self._places = Places.of(config)
        self._clock = clock
        self._writer = writer
        self._time = time
        self._tell = tell
        self._refusals = refusals
        self._seen = SeenCommands()
        self._refused: list[float] = []

    def load(self, kept: Mapping[str, bytes]) -> None:
        """Take up what lies on the disk."""
        self._seen = SeenCommands(kept)

    def noting_commands(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows of this edge, unchanged; what they say of commands is known from then on."""
        for row in rows:
            if row.kind is Kind.COMMAND and row.nonce is not None:
                self._seen.note_done(row.nonce, instant(row.at))
            yield row

    def doubt(self, last_at: Instant) -> None:
        """Some of what was seen may be lost. last_at: the newest instant that this edge's own rows tell."""
        self._seen.forget(last_at + AHEAD)

    def handle(self, command: Command) -> None:
        """A genuine command came. Raises WireError for one that no honest server writes."""
        it = dated(command)
        if self._seen.knows(it):
            self._refusals.add("command again", f"command {command.nonce} came again; it is done once or never")
            return
        why = self._fault(it)
        if why is not None and not self._may_refuse():
            self._refusals.add("command refused", f"command {command.nonce}: {why}; too many for a row each")
            return
        kept = self._writer.keep(self._seen.note(it))
        if why is None and not kept and command.order is not Order.SET_CLOCK:
            why = "the disk of this edge does not take it: see its journal"
        self._order(it, why)

    def _fault(self, it: Dated) -> str | None:
        """Why it is not carried out. For an answer about the time its question decides, which is good for once."""
        if it.command.order is Order.SET_CLOCK:
            return self._time.answered(it.command.asked, it.issued)
        trusted = self._clock.state() is not ClockState.UNKNOWN
        return judge(it, self._clock.now() if trusted else None, self._time.earliest, self._places)

    def _order(self, it: Dated, why: str | None) -> None:
        now, mono, command = self._clock.now(), self._clock.monotonic(), it.command
        known = max(now, self._time.earliest)
        until = mono + (it.not_after - known) / 1000
        hold = None if it.until is None else Hold(it.until, mono + min(it.until - known, LONGEST_UNLOCK) / 1000)
        key = command.key or ""
        nonce, order, place, by = command.nonce, command.order, command.place, command.by
        self._tell(Ordered(now, mono, nonce, order, place, by, until, why, key, hold, it.began))

    def _may_refuse(self) -> bool:
        """Whether a refusal may leave a row."""
        now = self._clock.monotonic()
        self._refused = [mono for mono in self._refused if now - mono < HOUR]
        if len(self._refused) >= REFUSALS:
            return False
        self._refused.append(now)
        return True
