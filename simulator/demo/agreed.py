"""What do the demo's gardiens agree on by themselves? Each Tuesday one takes Wednesday's late evening, two swap theirs.

The evening is a gap until then: the server tells it at noon of the day before. Who comes to hold what is that of
`story`; the server hears of it by `press`, as of anybody who presses on /gardiens.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from flask import Flask
from msgspec.structs import replace
from sqlmodel import Session, select

from policy.bundle import Bundle, Role, RotaChange, Shift
from policy.terms import Instant
from server.audit import Decided
from server.changes.accounts import begin_session
from server.changes.rota import take
from server.changes.rota_swaps import accept, propose
from server.database.engine import Database
from server.models import Account
from server.queries.rota import asked
from server.web.sessions import COOKIE
from simulator.demo.casaco import TAKEN_LATE, WEEKS_AHEAD, WEEKS_BEFORE, works

TUESDAY = 1
PROPOSED, TAKES, ACCEPTED = time(13, 20), time(15, 40), time(17, 5)
"""Hours of a Tuesday; the gap is announced at noon."""
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


class What(StrEnum):
    """Where it is pressed."""

    TAKE = "/gardiens/take"
    PROPOSE = "/gardiens/swap"
    ACCEPT = "/gardiens/swap/accept"


@dataclass(frozen=True, slots=True)
class Press:
    """One press of a gardien on /gardiens. turn: which evening. against: of a swap, for which one; empty else."""

    at: Instant
    what: What
    who: str
    turn: str
    against: str = ""


@dataclass(frozen=True, slots=True)
class Week:
    """What is agreed on one Tuesday. gap: Wednesday's, and who takes it. swap: two shifts of that week."""

    on: date
    gap: RotaChange | None
    swap: tuple[Shift, Shift] | None


def presses(bundle: Bundle, start: date) -> Sequence[Press]:
    """In order of time, from the weeks before the demo's first day on. bundle: of simulator/demo/casaco.py."""
    return tuple(press for week in _weeks(bundle, start) for press in _pressed(bundle, week))


def story(bundle: Bundle, start: date) -> Bundle:
    """The site once all of it is agreed."""
    weeks = list(_weeks(bundle, start))
    swaps = [week.swap for week in weeks if week.swap is not None]
    holds = {one.id: two.gardien for swap in swaps for one, two in (swap, swap[::-1])}
    return replace(
        bundle,
        shifts=tuple(replace(one, gardien=holds.get(one.id, one.gardien)) for one in bundle.shifts),
        rota_changes=(*bundle.rota_changes, *(week.gap for week in weeks if week.gap is not None)),
    )


def press(app: Flask, database: Database, one: Press) -> int:
    """As in the browser of whoever presses; the page's answer, 303 where it is done."""
    with database.transaction() as session:
        account = session.exec(select(Account).where(Account.member == one.who)).one()
        token = begin_session(session, account, datetime.now(UTC), "demo")
        form = {"turn": one.turn, "against": one.against, "series": _series(session, one)}
    browser = app.test_client()
    browser.set_cookie(COOKIE, token)
    found = CSRF.search(browser.get("/gardiens").text)
    form["csrf_token"] = found[1] if found is not None else ""
    status = browser.post(one.what, data=form).status_code
    browser.post("/logout", data=form)
    return status


def agree(session: Session, one: Press, by: str) -> None:
    """The same in the weeks before, when no server ran. by: the login of whoever pressed."""
    decided = Decided(by, one.at)
    if one.what is What.TAKE:
        take(session, decided, one.turn, one.who)
    elif one.what is What.PROPOSE:
        propose(session, decided, one.turn, one.who, one.against)
    else:
        accept(session, decided, _series(session, one), one.who)


def _series(session: Session, one: Press) -> str:
    """Of the swap that somebody accepts; empty where it is not proposed any more."""
    swaps = asked(session).swaps if one.what is What.ACCEPT else ()
    return next((row.series for row in swaps if (row.turn, row.against) == (one.turn, one.against)), "")


def _pressed(bundle: Bundle, week: Week) -> Iterator[Press]:
    def at(hour: time) -> Instant:
        return round(datetime.combine(week.on, hour, ZoneInfo(bundle.site.timezone)).timestamp() * 1000)

    turns = tuple(f"shift:{shift.id}" for shift in week.swap or ())
    if week.swap is not None:
        yield Press(at(PROPOSED), What.PROPOSE, week.swap[0].gardien, *turns)
    if week.gap is not None:
        yield Press(at(TAKES), What.TAKE, str(week.gap.gardien), f"slot:{week.gap.rota}/{week.gap.date}")
    if week.swap is not None:
        yield Press(at(ACCEPTED), What.ACCEPT, week.swap[1].gardien, *turns)


def _weeks(bundle: Bundle, start: date) -> Iterator[Week]:
    """start is a Tuesday (simulator/demo/casaco.py:first_day)."""
    gardiens = [one.id for one in bundle.members if Role.GARDIEN in one.roles]
    for number in range(-WEEKS_BEFORE, WEEKS_AHEAD):
        on = start + timedelta(weeks=number)
        wednesday, thursday, friday = (on + timedelta(days=ahead) for ahead in (1, 2, 3))
        near = [one for one in bundle.shifts if on.isoformat() <= one.start < (friday + timedelta(1)).isoformat()]
        gap = _taken(gardiens[number % len(gardiens) :] + gardiens, near, wednesday) if works(wednesday) else None
        yield Week(on, gap, _swap(near, thursday, friday))


def _taken(gardiens: Sequence[str], near: Sequence[Shift], on: date) -> RotaChange:
    """By somebody who holds nothing else from that Tuesday to Friday, else nothing that day."""
    busy = {shift.gardien for shift in near}
    that_day = {shift.gardien for shift in near if shift.start.startswith(on.isoformat())}
    free = [one for one in gardiens if one not in busy] or [one for one in gardiens if one not in that_day]
    return RotaChange(TAKEN_LATE.id, on, gardien=free[0])


def _swap(near: Sequence[Shift], thursday: date, friday: date) -> tuple[Shift, Shift] | None:
    """Thursday's first shift against Friday's, where neither of the two holds another on those days."""
    one, other = ([shift for shift in near if shift.start.startswith(day.isoformat())] for day in (thursday, friday))
    holders = [shift.gardien for shift in (*one, *other)]
    return (one[0], other[0]) if one and other and len(set(holders)) == len(holders) else None
