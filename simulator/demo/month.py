"""What happened before the demo's first day? Four weeks at the front door, told to the server as its edge tells them.

The people are those of simulator/demo/people.py, the rows those of a door without a contact. Each who pays by carnets
buys the last of theirs at the desk in those weeks. One evening's rows came in two days late. The bank of hours is what
the server's own bookkeeping makes of all that, night after night.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Raw
from msgspec.structs import replace
from sqlmodel import Session

from policy.bundle import Bundle, Pass, Role
from policy.instants import text
from policy.reasons import Reason
from policy.terms import DAY, HOUR, ClockState, Direction, Instant
from server.audit import Decided
from server.changes.bank import book
from server.changes.bundle import import_bundle
from server.changes.carnets import Sale, sell
from server.changes.events import one, save_series
from server.changes.planned import made
from server.database.engine import Database
from server.database.schema import upgrade
from server.database.types import moment
from server.ingest.rows import number
from server.ingest.store import Batch, store_batches
from server.queries.known_edges import KnownEdge
from server.queries.recurring import AHEAD
from server.queries.site_state import known
from simulator.demo import agreed, casaco
from simulator.demo.agreed import Press
from simulator.demo.casaco import FRONT, SITE, WEEKS_BEFORE
from simulator.demo.cast import GRANTED, IN, OUT, Intent
from simulator.demo.logins import everybodys, login_of
from simulator.demo.logins import make as open_accounts
from simulator.demo.people import day
from wire.credential import pseudonym
from wire.row import Kind, Row, encode

DAYS = 7 * WEEKS_BEFORE
BEGINS = time(5)
"""Local hour at which the site was first described: before anybody came."""
LATE_DAY, LATE = DAYS - 9, 2 * DAY
"""The number of a day whose rows came in so much later: the link was down."""
BEFORE = 2 * HOUR
"""A day's rows are all in so long before BEGINS of the next: the site day has not ended yet."""
SOLD_AFTER = 6 * HOUR
"""After BEGINS: the desk sells before noon."""
EVERY_ROW = 10**6
JOURNAL = "mois-d-avant"


def make(
    url: str,
    bundle: Bundle,
    seed: int,
    start: date,
    edge: tuple[str, str],
    key: bytes,
    retention: int,
    now: Instant,
    password_hash: str,
) -> int:
    """How many rows came in. url: of a database that is not there yet. start: the demo's first day, now: in it.

    edge: the door's id and public key, hex. key: the site's credential key. retention: days for which rows are kept.
    password_hash: everybody's. Whoever sold or agreed on something had an account: nobody gets one later under a login
    that has done something.
    """
    zone = ZoneInfo(bundle.site.timezone)
    first = start - timedelta(days=DAYS)
    front = KnownEdge(edge[0], edge[1], frozenset({FRONT.id}), frozenset({FRONT.id}), _readers())
    logins = login_of(bundle, start)
    database = Database(url)
    try:
        upgrade(database, lambda _: None)
        with database.transaction() as session:
            sales = deque(_sales(bundle, first, zone))
            there = tuple(one for one in bundle.passes if one not in {sale.carnet for sale in sales})
            import_bundle(session, replace(bundle, passes=there), Decided("installation", _at(first, zone)))
            open_accounts(session, everybodys(bundle, start), password_hash)
            _talks(session, Decided("installation", _at(first, zone)), start, first)
            site, stored = known(session), 0
            agreed_on = deque(press for press in agreed.presses(bundle, start) if press.at <= now)
            people = agreed.story(bundle, start)
            for received, rows in _days(people, seed, first, key, zone):
                _agree(session, agreed_on, received, logins)
                _sell(session, sales, received, logins[next(m.id for m in bundle.members if Role.STAFF in m.roles)])
                told = number([Raw(encode(row)) for row in rows], JOURNAL, b"")
                batch = Batch(front, JOURNAL, stored, told)
                store_batches(session, [batch], moment(received), site, lambda _: EVERY_ROW)
                stored += len(rows)
            _agree(session, agreed_on, now, logins)
            book(session, _at(start, zone), retention)
        return stored
    finally:
        database.close()


def _talks(session: Session, decided: Decided, start: date, today: date) -> None:
    """The bundle's talks are times of one series, without the days on which nobody works."""
    series = casaco.talks(start)
    save_series(session, decided, None, series, today)
    for time_ in casaco.cancelled(series, today, today + AHEAD):
        made(session, decided, one(time_, None, today))


def _agree(session: Session, waiting: deque[Press], until: Instant, logins: Mapping[str, str]) -> None:
    """What the gardiens have agreed on until then, in order."""
    while waiting and waiting[0].at <= until:
        press = waiting.popleft()
        agreed.agree(session, press, logins[press.who])


class Sold(NamedTuple):
    """A carnet that the desk sells. on: its first day."""

    at: Instant
    on: date
    carnet: Pass


def _sales(bundle: Bundle, first: date, zone: ZoneInfo) -> Iterator[Sold]:
    """The last carnet of each member, some on each day on which the team works, in order."""
    lasts = list({one.member: one for one in bundle.passes}.values())
    days = [one for one in (first + timedelta(days=number) for number in range(DAYS)) if casaco.works(one)]
    for place, carnet in enumerate(lasts):
        on = days[place * len(days) // len(lasts)]
        yield Sold(_at(on, zone) + SOLD_AFTER, on, carnet)


def _sell(session: Session, waiting: deque[Sold], until: Instant, by: str) -> None:
    """What the desk has sold until then."""
    while waiting and waiting[0].at <= until:
        at, on, carnet = waiting.popleft()
        sale = Sale(carnet.total, casaco.PRICE, on, carnet.valid_until)
        sell(session, Decided(by, at), carnet.member, sale, on, carnet.id)


def _at(on: date, zone: ZoneInfo) -> Instant:
    return round(datetime.combine(on, BEGINS, zone).timestamp() * 1000)


def _readers() -> dict[str, Direction | None]:
    return {IN: Direction.IN, OUT: Direction.OUT}


def _days(bundle: Bundle, seed: int, first: date, key: bytes, zone: ZoneInfo) -> Iterator[tuple[Instant, list[Row]]]:
    """Of each day when its rows came in, and the rows; those of the late day wait, and all behind them."""
    units = {member.id: casaco.UNIT[member.tier] for member in bundle.members if member.tier in casaco.UNIT}
    seq, waiting, due = 1, list[Row](), 0
    for number_ in range(DAYS):
        on = first + timedelta(days=number_)
        intents = day(bundle, seed, on)
        pays = {it.at: _paid(on, units[it.who], it.at, zone) for it in intents if it.inward and it.who in units}
        rows = list(_rows(intents, pays, seq, key, _at(first, zone)))
        seq, waiting = seq + len(rows), waiting + rows
        ends = _at(on + timedelta(days=1), zone) - BEFORE
        if number_ == LATE_DAY:
            due = ends + LATE
        if ends >= due and waiting:
            yield ends, waiting
            waiting = []
    if waiting:
        yield due, waiting


def _paid(on: date, unit: str, at: Instant, zone: ZoneInfo) -> str:
    """The day, or the half of it, that an entry paid."""
    afternoon = f"{datetime.fromtimestamp(at / 1000, zone):%H:%M}" >= SITE.half_day_split
    return f"{on}{('am', 'pm')[afternoon]}" if unit == "half_day" else f"{on}"


def _rows(
    intents: Iterable[Intent], pays: Mapping[Instant, str], seq: int, key: bytes, powered: Instant
) -> Iterator[Row]:
    """A tap of each who laid one badge on a reader of the front door, and the closings; nobody badges for the handle.

    pays: what each entry of a carnet paid, by its instant.
    powered: since when the edge has had power without a break.
    """
    for intent in intents:
        if intent.reader not in (IN, OUT) or len(intent.uids) != 1 or intent.expect is None:
            continue
        for row in (_tap(intent, key, pays.get(intent.at)), *_closing(intent)):
            yield replace(row, seq=seq, mono_ms=intent.at - powered)
            seq += 1


def _tap(intent: Intent, key: bytes, paid: str | None) -> Row:
    granted = intent.expect in GRANTED
    opens = intent.second and intent.inward
    return replace(
        _row(intent, Kind.TAP, intent.who),
        reader=intent.reader,
        credential=pseudonym(key, intent.uids[0]),
        granted=granted,
        reason=Reason(intent.expect or ""),
        rules_version=1,
        pending=granted and intent.inward and not intent.pushes,
        pays=paid if granted else None,
        adhoc_until=text(intent.at + SITE.adhoc_hours * HOUR) if opens else None,
    )


def _closing(intent: Intent) -> Iterator[Row]:
    """What a gardien's second tap on the way out is told by, beside the tap."""
    if intent.second and not intent.inward:
        yield _row(intent, Kind.CLOSED, intent.who)
        for who in intent.closes:
            yield replace(_row(intent, Kind.CHECKED_OUT, who), by=intent.who)


def _row(intent: Intent, kind: Kind, member: str | None) -> Row:
    """seq and mono_ms are told where the rows are counted."""
    return Row(
        seq=0,
        at=text(intent.at),
        mono_ms=0,
        boot=JOURNAL,
        clock=ClockState.SYNCED,
        kind=kind,
        access_point=FRONT.id,
        member=member,
    )
