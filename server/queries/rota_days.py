"""What does the rota look like day by day? Each evening with who holds it, and what hangs on one that nobody holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session

from policy.calendar import resolve, staff_hours
from policy.degrees import Known, seen_since
from policy.terms import Instant
from server.models import RotaOffer
from server.queries.bookings import Slot
from server.queries.current import Current
from server.queries.now import picture
from server.queries.public_holidays import holidays_of
from server.queries.rota import AHEAD, Asked, Kind, Turn, may_take, turns
from server.queries.start import without_gardien


@dataclass(frozen=True, slots=True)
class Evening:
    """A turn. offer: by which it may be taken from its gardien. able: whether its gardien can hold it. begun: whether
    its gardien has been inside since its lead began.

    events: titles and starts; waiting: bookings that hang on it.
    """

    turn: Turn
    offer: RotaOffer | None
    able: bool
    begun: bool
    events: tuple[tuple[str, Instant], ...]
    waiting: tuple[Slot, ...]

    @property
    def gap(self) -> bool:
        """Nobody will open: no gardien, or one who cannot."""
        return self.turn.gardien is None or not self.able

    @property
    def in_doubt(self) -> bool:
        return not self.gap and self.offer is not None

    @property
    def stays(self) -> bool:
        """Whether it is its gardien's as long as nobody takes it."""
        return self.offer is not None and self.offer.kind != Kind.ABSENCE


@dataclass(frozen=True, slots=True)
class Day:
    """staffed: whether the team is there. waiting: bookings for which no evening is planned at all."""

    date: date
    staffed: bool
    evenings: tuple[Evening, ...]
    waiting: tuple[Slot, ...]


def days(session: Session, known: Known, current: Current, asked: Asked, first: date, number: int) -> list[Day]:
    """So many days from the first on. What is over is left out; what runs since the day before stands with the first.
    known: the place now."""
    at = known.at
    last, calendar = first + timedelta(days=number - 1), current.calendar
    near = turns(current.bundle, first - timedelta(days=1), last)
    all_ = [one for one in near if one.end > at and (one.day >= first or one.start <= at)]
    since, until = max(at, calendar.midnight(first)), calendar.midnight(last + timedelta(days=1))
    then = known if since == at else picture(session, current, since).known
    waiting = without_gardien(session, current, then, until) if since < until else []
    events = _events_near(current, first, last)
    evenings = [_evening(known, current, asked, one, events, waiting) for one in all_]
    placed = {slot.id for one in evenings for slot in one.waiting}
    free: dict[date, list[Slot]] = {}
    for slot in waiting:
        if slot.id not in placed:
            free.setdefault(calendar.date_at(slot.start), []).append(slot)
    holidays = holidays_of(current.bundle.site.holidays, kept=True)
    found = []
    for day in (first + timedelta(days=ahead) for ahead in range(number)):
        of_day = tuple(one for one in evenings if one.turn.day == day or (day == first and one.turn.day < first))
        staffed = bool(staff_hours(current.bundle.site, holidays(day.year), day))
        found.append(Day(day, staffed, of_day, tuple(free.get(day, ()))))
    return found


def own_turns(current: Current, member: str, at: Instant) -> tuple[Turn | None, Turn | None]:
    """The one that runs and that the member holds, and the next one."""
    today = current.calendar.date_at(at)
    coming = turns(current.bundle, today - timedelta(days=1), today + timedelta(days=AHEAD))
    theirs = [one for one in coming if one.gardien == member and one.end > at]
    return next((one for one in theirs if one.start <= at), None), next((one for one in theirs if one.start > at), None)


def before(current: Current, turn: Turn) -> Turn | None:
    """The turn of somebody else from which this one takes over."""
    grace = current.rules.shift_grace
    near = turns(current.bundle, turn.day - timedelta(days=1), turn.day)
    over = [one for one in near if one.gardien not in (None, turn.gardien) and 0 <= turn.start - one.end <= grace]
    return over[-1] if over else None


def gardiens(current: Current, day: date) -> list[str]:
    """Who may hold an evening of that day, A to Z."""
    return [one.id for one in current.people.gardiens if may_take(one, day)]


def _evening(
    known: Known,
    current: Current,
    asked: Asked,
    turn: Turn,
    events: Sequence[tuple[Instant, Instant, str]],
    waiting: Sequence[Slot],
) -> Evening:
    holder = current.people.people.get(turn.gardien or "")
    able = holder is not None and may_take(holder.member, turn.day)
    then = tuple((title, start) for start, end, title in events if start < turn.end and end > turn.start)
    hang = tuple(one for one in waiting if turn.start <= one.start < turn.end)
    lead = turn.start - current.rules.shift_lead
    begun = turn.gardien is not None and known.at >= lead and seen_since(known, turn.gardien, lead)
    return Evening(turn, asked.offer_of(turn), able, begun, then, hang)


def _events_near(current: Current, first: date, last: date) -> list[tuple[Instant, Instant, str]]:
    """Start, end and title of those that may touch these days, by their start."""
    since, until = (first - timedelta(days=2)).isoformat(), (last + timedelta(days=2)).isoformat()
    return sorted(
        (resolve(one.start, current.zone), resolve(one.end, current.zone, last=True), one.title)
        for one in current.bundle.events
        if since <= one.end and one.start < until
    )
