"""Who holds which evening, what is open, and what is in doubt? The turns of the rota and the single shifts beside it.

A turn is a slot of a pattern on one date (`slot:<pattern>/<date>`) or a single shift (`shift:<id>`). They are worked
out from the bundle for the dates that are asked about; what gardiens ask of each other stands in RotaOffer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from policy.bundle import Bundle, Member, Role, Shift
from policy.calendar import Calendar, resolve
from policy.rota import Rota, Slot, rota_of, slot_on, slots
from policy.spans import Spans, spans
from policy.terms import Instant
from server.models import RotaOffer
from server.queries.public_holidays import holidays_of

DAYS = 14
"""Days that the page shows at once."""
AHEAD = 62
"""Days within which one's next shift is looked for, and within which absences put shifts in doubt."""
_SLOT, _SHIFT = "slot:", "shift:"


class Kind(StrEnum):
    """What a row of RotaOffer is."""

    OFFERED = "offered"
    """It stays its gardien's until somebody takes it."""
    GIVEN_BACK = "given_back"
    """The same, of one that was given back too late to become a gap (Site.rota_notice)."""
    SWAP = "swap"
    ABSENCE = "absence"
    """All shifts of the member from the first to the last day are offered while it stands."""
    TAKEN = "taken"
    """A turn was taken, for a few minutes in which that can be undone."""
    ASKED = "asked"
    """A gap was offered to one gardien in their turn."""
    TOLD = "told"
    """Something was announced: of `series`."""


class Outcome(StrEnum):
    """How a row ended."""

    TAKEN = "taken"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OVER = "over"
    """It can come to nothing any more: its shift is over, or somebody else's."""


OFFERS = (Kind.OFFERED, Kind.GIVEN_BACK)


@dataclass(frozen=True, slots=True)
class Turn:
    """An evening, without lead and grace. pattern: its id, empty for a single shift. day: on which it starts.

    gardien: who has it, None for a gap.
    """

    key: str
    pattern: str
    day: date
    gardien: str | None
    start: Instant
    end: Instant

    def meets(self, other: "Turn") -> bool:
        """Whether nobody can hold both."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands open between gardiens. offers: by turn, and absences by member; swaps: in the order they came."""

    offers: Mapping[str, RotaOffer]
    absences: Sequence[RotaOffer]
    swaps: Sequence[RotaOffer]
    turns_of: Sequence[RotaOffer]
    """Gaps that are offered to one gardien at this moment."""

    def offer_of(self, turn: Turn) -> RotaOffer | None:
        """By which the turn may be taken from its gardien; None where it may not, and for a gap."""
        if turn.gardien is None:
            return None
        offer = self.offers.get(turn.key)
        if offer is not None and offer.member == turn.gardien:
            return offer
        return next((one for one in self.absences if one.member == turn.gardien and _within(one, turn.day)), None)


def turns(bundle: Bundle, first: date, last: date) -> list[Turn]:
    """Those that start on these dates, both included, in their order."""
    rota = rota_known(bundle)
    found = [_of_slot(slot) for slot in slots(rota, first, last) if slot.start < slot.end]
    since, until = (first - timedelta(days=1)).isoformat(), (last + timedelta(days=2)).isoformat()
    singles = [_of_shift(one, rota.calendar) for one in bundle.shifts if since <= one.start < until]
    found += [one for one in singles if first <= one.day <= last and one.start < one.end]
    return sorted(found, key=lambda one: (one.start, one.end, one.key))


def turn_of(bundle: Bundle, key: str) -> Turn | None:
    """The turn as it stands; None for one that is not there, or no more."""
    rota = rota_known(bundle)
    if key.startswith(_SHIFT):
        found = (one for one in bundle.shifts if f"{_SHIFT}{one.id}" == key)
        return next((_of_shift(one, rota.calendar) for one in found), None)
    which, _, day = key.removeprefix(_SLOT).rpartition("/")
    pattern = next((one for one in bundle.rota if one.id == which), None)
    if pattern is None or not key.startswith(_SLOT):
        return None
    try:
        on = date.fromisoformat(day)
    except ValueError:
        return None
    slot = slot_on(rota, pattern, on)
    return None if slot is None or slot.start >= slot.end else _of_slot(slot)


def single(key: str) -> str:
    """The id of a single shift; empty for a slot."""
    return key.removeprefix(_SHIFT) if key.startswith(_SHIFT) else ""


def may_take(member: Member, day: date) -> bool:
    """Whether a shift of theirs on that day would hold the place once they are inside."""
    begun = member.valid_from is None or member.valid_from <= day
    ended = member.valid_until is not None and member.valid_until < day
    return Role.GARDIEN in member.roles and member.status == "active" and begun and not ended


def asked(session: Session) -> Asked:
    """What is not over."""
    row = RotaOffer
    rows = session.exec(select(row).where(col(row.ended).is_(None)).order_by(col(row.id))).all()
    return Asked(
        {one.turn: one for one in rows if one.kind in OFFERS},
        [one for one in rows if one.kind == Kind.ABSENCE],
        [one for one in rows if one.kind == Kind.SWAP],
        [one for one in rows if one.kind == Kind.ASKED],
    )


def offered(session: Session, bundle: Bundle, at: Instant) -> dict[str, Spans]:
    """When shifts are in doubt because their gardien offers them, by gardien; of those that are not over."""
    known = asked(session)
    calendar = Calendar(ZoneInfo(bundle.site.timezone), bundle.site.day_cutoff)
    found: dict[str, list[tuple[Instant, Instant]]] = {}
    for turn in _in_doubt(bundle, known, calendar.date_at(at)):
        if turn.gardien is not None and turn.end > at and known.offer_of(turn) is not None:
            found.setdefault(turn.gardien, []).append((turn.start, turn.end))
    return {gardien: spans(times) for gardien, times in sorted(found.items())}


def _in_doubt(bundle: Bundle, known: Asked, today: date) -> Iterator[Turn]:
    for key in known.offers:
        turn = turn_of(bundle, key)
        if turn is not None:
            yield turn
    if known.absences:
        first = max(today - timedelta(days=1), min(_first(one) for one in known.absences))
        last = min(today + timedelta(days=AHEAD), max(_last(one) for one in known.absences))
        yield from turns(bundle, first, last) if first <= last else ()


def overlapping(all_: Iterable[Turn], turn: Turn, member: str) -> Turn | None:
    """A turn of the member's that they would have to hold at the same time."""
    return next((one for one in all_ if one.gardien == member and one.key != turn.key and one.meets(turn)), None)


def near(bundle: Bundle, turn: Turn) -> list[Turn]:
    """All that may overlap a turn: those of its day and of the two beside it."""
    return turns(bundle, turn.day - timedelta(days=2), turn.day + timedelta(days=2))


def _within(one: RotaOffer, day: date) -> bool:
    return _first(one) <= day <= _last(one)


def _first(one: RotaOffer) -> date:
    return one.first or date.min


def _last(one: RotaOffer) -> date:
    return one.last or date.max


def _of_slot(slot: Slot) -> Turn:
    return Turn(f"{_SLOT}{slot.rota}/{slot.date}", slot.rota, slot.date, slot.gardien, slot.start, slot.end)


def _of_shift(shift: Shift, calendar: Calendar) -> Turn:
    start, end = resolve(shift.start, calendar.zone), resolve(shift.end, calendar.zone, last=True)
    return Turn(f"{_SHIFT}{shift.id}", "", calendar.date_at(start), shift.gardien, start, end)


def rota_known(bundle: Bundle) -> Rota:
    """All that its turns follow from."""
    return rota_of(bundle, ZoneInfo(bundle.site.timezone), holidays_of(bundle.site.holidays, kept=True))
