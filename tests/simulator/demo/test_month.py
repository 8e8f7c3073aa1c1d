"""The weeks before the demo's first day: what the bank owes for them is what the people did, counted apart."""

from collections import defaultdict
from contextlib import closing
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, col, func, select

from server.audit import Decided
from server.changes.rota import ground
from server.database.engine import Database
from server.models import BankCount, BankEntry, CarnetEntry, JournalRow, PaidUnit, Pass
from server.publish.bundle import held as held_now
from server.queries.recurring import all_series, series_of
from simulator.demo import agreed, casaco, month
from simulator.demo.evenings import shifts as shifts_on
from simulator.demo.people import day
from simulator.demo.recount import recount

TUESDAY = date(2026, 11, 24)
FIRST = TUESDAY - timedelta(weeks=casaco.WEEKS_BEFORE)
SITE = casaco.bundle(TUESDAY)
BUNDLE = agreed.story(SITE, TUESDAY)
ZONE = ZoneInfo("Europe/Paris")
BREAKFAST = 1795503300000
"""07:55 that day."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    url = f"sqlite:///{tmp_path_factory.mktemp('month') / 'server.db'}"
    month.make(url, SITE, casaco.SEED, TUESDAY, ("front", "00" * 32), bytes(32), 90, BREAKFAST, "of a password")
    return Database(url)


def test_each_shift_earned_what_its_gardien_was_there_for(database: Database) -> None:
    """To the quarter of an hour, half of one rounded up; nobody of the demo holds less than half of a shift."""
    earned: dict[str, int] = defaultdict(int)
    with closing(database), database.reading() as session:
        for entry in shifts(session):
            earned["/".join(entry.source[1:])] += entry.minutes if entry.to_account == "member" else -entry.minutes
        assert session.exec(select(func.count(), func.sum(BankCount.off)).select_from(BankCount)).one() == (28, 0)
    meant = {
        shift.id: (held(shift.gardien, instant(shift.start), instant(shift.end)) + 450_000) // 900_000 * 15
        for offset in range(month.DAYS)
        for shift in shifts_on(BUNDLE, FIRST + timedelta(days=offset))
    }
    assert earned == meant
    assert len(meant) > 25
    assert min(meant.values()) > 0


def test_the_evening_whose_rows_came_late_was_booked_again(database: Database) -> None:
    with closing(database), database.reading() as session:
        countered = [entry for entry in shifts(session) if entry.counters is not None]
        assert len(countered) == 1
        again = [entry.minutes for entry in shifts(session) if entry.source == countered[0].source]
        assert again[:2] == [0, 0]
        assert again[2] > 0
        kinds = set(session.exec(select(JournalRow.kind)))
        assert kinds == {"tap", "closed", "checked_out"}, "no row was refused"


def test_the_gardiens_took_and_swapped_evenings_as_the_story_has_it(database: Database) -> None:
    """And nobody has the coming Wednesday's late one yet."""
    with closing(database), database.reading() as session:
        held = ground(session, Decided("test", BREAKFAST)).bundle
    for on in (FIRST + timedelta(days=offset) for offset in range(month.DAYS)):
        assert shifts_on(held, on) == shifts_on(BUNDLE, on)
    assert shifts_on(held, TUESDAY + timedelta(days=1)) != shifts_on(BUNDLE, TUESDAY + timedelta(days=1))
    assert {one.what for one in agreed.presses(SITE, TUESDAY) if one.at < BREAKFAST} == set(agreed.What)


def test_what_is_used_of_the_carnets_is_what_the_people_paid(database: Database) -> None:
    """Each on a day on which the team worked, half-days by when somebody came."""
    tiers = {member.id: member.tier for member in BUNDLE.members}
    meant = set()
    for on in (FIRST + timedelta(days=offset) for offset in range(month.DAYS)):
        for passage in recount(day(BUNDLE, casaco.SEED, on)).passages:
            if passage.inward and tiers[passage.who].startswith("carnet"):
                assert casaco.works(on)
                noon = datetime(on.year, on.month, on.day, 13, tzinfo=ZONE).timestamp() * 1000
                half = ("am", "pm")[passage.at >= noon] if tiers[passage.who] == "carnet-demi" else ""
                meant.add((passage.who, f"{on}{half}"))
    with closing(database), database.reading() as session:
        paid = {(one.member, one.unit) for one in session.exec(select(PaidUnit))}
    assert paid == meant
    assert len(paid) > 100


def test_the_desk_sold_each_the_last_of_their_carnets_on_a_day_of_the_team(database: Database) -> None:
    with closing(database), database.reading() as session:
        sold = session.exec(select(CarnetEntry).where(CarnetEntry.did == "sold").order_by(col(CarnetEntry.id))).all()
        there = session.exec(select(func.count()).select_from(Pass)).one()
    assert (there, {one.price for one in sold}) == (len(SITE.passes), {casaco.PRICE})
    assert {one.member for one in sold} == {one.member for one in SITE.passes}
    days = [one.at.date() for one in sold]
    assert days == sorted(days)
    assert all(casaco.works(on) and FIRST <= on < TUESDAY for on in days)
    assert len(set(days)) > 15


def test_the_talks_are_one_series_and_none_is_on_a_holiday(database: Database) -> None:
    with closing(database), database.reading() as session:
        [series] = all_series(session)
        events = held_now(session, "events")
    assert {series_of(event.id) for event in events} == {series.id}
    days = [date.fromisoformat(event.start[:10]) for event in events]
    assert all(on.weekday() == 3 and casaco.works(on) for on in days)
    assert len(days) > 40


def shifts(session: Session) -> list[BankEntry]:
    told = session.exec(select(BankEntry).order_by(col(BankEntry.id)))
    return [one for one in told if one.source[0] in ("shift", "rota")]


def instant(local: str) -> int:
    return round(datetime.fromisoformat(local).replace(tzinfo=ZONE).timestamp() * 1000)


def held(who: str, start: int, end: int) -> int:
    """ms of a shift for which a gardien was inside, by a porter's tally."""
    on = datetime.fromtimestamp(start / 1000, ZONE).date()
    came, total = None, 0
    for passage in recount(day(BUNDLE, casaco.SEED, on)).passages:
        if passage.who == who:
            total += 0 if came is None or passage.inward else max(0, min(passage.at, end) - max(came, start))
            came = passage.at if passage.inward else None
    return total
