"""What happens at a door or a machine and moves neither strike nor relay? It is recorded, and shown on the lamp."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from edge.core import Core, Now
from edge.events import (
    CardGone,
    CardsCollided,
    CardUnreadable,
    Event,
    InputSteady,
    InputUnsteady,
    ReaderEvent,
    ReaderFault,
    ReaderRecovered,
    ReadThroughWall,
)
from edge.hourly_count import HourlyCount
from edge.patterns import TRY_AGAIN, TWO_CARDS, Player
from policy.instants import text
from policy.sessions import Session
from wire.row import Kind


class Reports:
    """Of one place: badges that cannot be read, faults of its readers, inputs that flutter.

    lamps: by reader. prefix: what stands before the names of the place's inputs, and in no row.
    """

    def __init__(self, place: str, core: Core, lamps: Mapping[str, Player], prefix: str) -> None:
        self.faulty: set[str] = set()
        """The readers that do not answer."""
        self._place = place
        self._core = core
        self._lamps = lamps
        self._prefix = prefix
        self._counted: defaultdict[tuple[Kind, str], HourlyCount] = defaultdict(HourlyCount)

    def handle(self, now: Now, event: Event) -> None:
        """Take one event."""
        HANDLERS[type(event)](self, now, event)

    def _cards_collided(self, now: Now, event: CardsCollided) -> None:
        self._lamps[event.reader].play(TWO_CARDS, now.mono)
        self._row(now, Kind.CARDS_COLLIDED, of=event, reader=event.reader)

    def _card_unreadable(self, now: Now, event: CardUnreadable) -> None:
        self._lamps[event.reader].play(TRY_AGAIN, now.mono)
        self._count(now, event, Kind.CARD_UNREADABLE)

    def _read_through_wall(self, now: Now, event: ReadThroughWall) -> None:
        """Nobody leaves: the badge is outside. Leaving is mechanical, so nobody is kept in either."""
        self._count(now, event, Kind.READ_THROUGH_WALL)

    def _count(self, now: Now, event: ReaderEvent, kind: Kind) -> None:
        times = self._counted[kind, event.reader].happened(event.mono)
        if times is not None:
            self._row(now, kind, of=event, reader=event.reader, detail=times)

    def _card_gone(self, now: Now, event: CardGone) -> None:
        """Nothing to do: a badge left lying was one tap, and a session goes on without its badge."""

    def _reader_fault(self, now: Now, event: ReaderFault) -> None:
        self.faulty.add(event.reader)
        self._row(now, Kind.READER_FAULT, of=event, reader=event.reader, detail=event.why)

    def _reader_recovered(self, now: Now, event: ReaderRecovered) -> None:
        self.faulty.discard(event.reader)
        self._row(now, Kind.READER_RECOVERED, of=event, reader=event.reader)

    def _input_unsteady(self, now: Now, event: InputUnsteady) -> None:
        self._row(now, Kind.INPUT_UNSTEADY, of=event, detail=event.name.removeprefix(self._prefix))

    def _input_steady(self, now: Now, event: InputSteady) -> None:
        name = event.name.removeprefix(self._prefix)
        self._row(now, Kind.INPUT_STEADY, of=event, detail=f"{name}: {event.changes} changes")

    def _row(self, now: Now, kind: Kind, **fields: Any) -> None:
        self._core.row(now, kind, access_point=self._place, **fields)


HANDLERS: dict[type[Event], Callable[[Reports, Now, Any], None]] = {
    CardsCollided: Reports._cards_collided,
    CardUnreadable: Reports._card_unreadable,
    ReadThroughWall: Reports._read_through_wall,
    CardGone: Reports._card_gone,
    ReaderFault: Reports._reader_fault,
    ReaderRecovered: Reports._reader_recovered,
    InputUnsteady: Reports._input_unsteady,
    InputSteady: Reports._input_steady,
}


def of_session(session: Session) -> dict[str, Any]:
    """The fields by which a row speaks of a session."""
    return {
        "member": session.member,
        "started": text(session.start),
        "until": None if session.until is None else text(session.until),
        "machine_kind": session.kind,
        "cuts": session.cuts,
    }
