"""What is there to announce of the rota by itself, and whom is a gap offered to next? Each is said once.

The day before at noon an evening that nobody holds; a quarter of an hour after its start a gardien who is not there. A
gap of the next two weeks is offered to one gardien after another, those who hold least first, for three hours each;
whoever said no, or nothing, is not asked again. What can come to nothing any more is closed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session, col, select

from policy.degrees import LATE, Known, seen_since
from policy.instants import of
from policy.terms import HOUR, MINUTE, Instant
from server.audit import Decided
from server.changes.rota import Ground, close, ground, note
from server.database.types import moment
from server.models import RotaOffer
from server.queries.rota import DAYS, Kind, Outcome, Turn, may_take, near, overlapping, turn_of, turns

NOON = 12
"""Hour of the site at which the next day's gaps are told."""
FROM, UNTIL = 9, 21
"""Hours of the site between which somebody is asked."""
ASKED_FOR: Instant = 3 * HOUR
COUNTED = timedelta(days=60)
"""Of so many days back it is counted who holds how much, and of the evenings to come that are looked at."""
GAP, HERE_LATE = "gap", "late"
"""What was announced, in RotaOffer.series."""


@dataclass(frozen=True, slots=True)
class News:
    """gaps: of tomorrow, or today; others: later ones of the two weeks. late: whose gardien is not there.

    asks: gaps, and whom each is offered to. over: rows that can come to nothing any more.
    """

    gaps: tuple[Turn, ...]
    others: tuple[Turn, ...]
    late: tuple[Turn, ...]
    asks: tuple[tuple[Turn, str], ...]
    over: tuple[RotaOffer, ...]

    @property
    def any(self) -> bool:
        return bool(self.gaps or self.late or self.asks or self.over)


def news(session: Session, decided: Decided, known: Known) -> News:
    """known: the place at that instant."""
    here, at = ground(session, decided), decided.at
    local = here.calendar.local(at)
    today = local.date()
    coming = turns(here.bundle, today - timedelta(days=1), today + timedelta(days=DAYS - 1))
    live = [one for one in coming if one.end > at]
    gaps = [one for one in live if _holder(here, one) is None]
    told = _told(session, [one.key for one in live])
    soon = [one for one in gaps if at >= _noon_before(here, one) and (GAP, one.key) not in told]
    over = tuple(_over(here, today))
    asks = tuple(_asks(here, gaps, over)) if FROM <= local.hour < UNTIL else ()
    return News(
        tuple(soon),
        tuple(one for one in gaps if one not in soon) if soon else (),
        tuple(one for one in live if (HERE_LATE, one.key) not in told and _is_late(here, known, one)),
        asks,
        over,
    )


def keep(session: Session, decided: Decided, found: News) -> None:
    """It is said, and asked: in the same transaction as the messages."""
    here, at = ground(session, decided), moment(decided.at)
    for row in found.over:
        close(here, [session.get_one(RotaOffer, row.id)], Outcome.OVER)
    for what, told in ((GAP, found.gaps), (HERE_LATE, found.late)):
        for turn in told:
            note(here, RotaOffer(kind=Kind.TOLD, turn=turn.key, series=what, at=at, by=decided.by), over=True)
    for turn, who in found.asks:
        note(here, RotaOffer(kind=Kind.ASKED, turn=turn.key, member=who, at=at, by=decided.by))


def _noon_before(here: Ground, turn: Turn) -> Instant:
    return here.calendar.midnight(turn.day - timedelta(days=1)) + NOON * HOUR


def _holder(here: Ground, turn: Turn) -> str | None:
    """None for a gap, and where its gardien cannot hold it."""
    member = next((one for one in here.bundle.members if one.id == turn.gardien), None)
    return turn.gardien if member is not None and may_take(member, turn.day) else None


def _is_late(here: Ground, known: Known, turn: Turn) -> bool:
    who, lead = _holder(here, turn), here.bundle.site.shift_lead * MINUTE
    return who is not None and known.at >= turn.start + LATE and not seen_since(known, who, turn.start - lead)


def _told(session: Session, keys: Iterable[str]) -> set[tuple[str, str]]:
    row = RotaOffer
    asked = select(row.series, row.turn).where(row.kind == Kind.TOLD, col(row.turn).in_(list(keys)))
    return set(session.exec(asked))


def _over(here: Ground, today: date) -> Iterator[RotaOffer]:
    """Rows that are open and can come to nothing any more."""
    at = here.decided.at
    for row in (*here.asked.offers.values(), *here.asked.swaps, *here.asked.turns_of):
        keys = (row.turn, row.against) if row.against else (row.turn,)
        found = [turn_of(here.bundle, key) for key in keys]
        late = row.kind == Kind.ASKED and of(row.at) + ASKED_FOR <= at
        if late or any(one is None or one.end <= at for one in found):
            yield row
    for row in here.asked.absences:
        if row.last is not None and row.last < today - timedelta(days=1):
            yield row


def _asks(here: Ground, gaps: Iterable[Turn], over: Iterable[RotaOffer]) -> Iterator[tuple[Turn, str]]:
    """Whom each gap is offered to now that nobody is asked about."""
    ended = {row.id for row in over}
    open_ = [row for row in here.asked.turns_of if row.id not in ended]
    busy, held = {row.turn for row in open_}, _held(here)
    for row in open_:
        held[row.member or ""] = held.get(row.member or "", 0) + 1
    for turn in gaps:
        if turn.gardien is not None or turn.key in busy or turn.start <= here.decided.at:
            continue
        asked = _were_asked(here.session, turn.key)
        may = [one.id for one in here.bundle.members if may_take(one, turn.day) and one.id not in asked]
        around = near(here.bundle, turn)
        free = [who for who in may if overlapping(around, turn, who) is None and not _away(here, who, turn)]
        if free:
            who = min(free, key=lambda one: (held.get(one, 0), one))
            held[who] = held.get(who, 0) + turn.end - turn.start
            yield turn, who


def _held(here: Ground) -> dict[str, Instant]:
    """How long each gardien holds, has held or is to hold."""
    today = here.calendar.date_at(here.decided.at)
    found: dict[str, Instant] = {}
    for one in turns(here.bundle, today - COUNTED, today + timedelta(days=DAYS)):
        if one.gardien is not None:
            found[one.gardien] = found.get(one.gardien, 0) + one.end - one.start
    return found


def _were_asked(session: Session, key: str) -> set[str | None]:
    """Who was asked about the gap before, or gave it back."""
    row = RotaOffer
    kinds = (Kind.ASKED, Kind.GIVEN_BACK)
    return set(session.exec(select(row.member).where(row.turn == key, col(row.kind).in_(kinds))))


def _away(here: Ground, who: str, turn: Turn) -> bool:
    return any(
        one.member == who and one.first is not None and one.last is not None and one.first <= turn.day <= one.last
        for one in here.asked.absences
    )


def decline(session: Session, decided: Decided, key: str, member: str) -> bool:
    """Whoever is asked says no, for good. Whether they were asked."""
    here = ground(session, decided)
    rows = [one for one in here.asked.turns_of if (one.turn, one.member) == (key, member)]
    close(here, rows, Outcome.REFUSED)
    return bool(rows)
