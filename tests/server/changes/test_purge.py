"""What is forgotten when its time is over, what stays, and that no byte is left."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime

import pytest
from sqlmodel import select

from policy.bundle import Pass as Carnet
from policy.reasons import Reason
from policy.terms import DAY, HOUR, ClockState, Instant
from server.audit import Change, Decided, record, verify
from server.changes.bundle import put
from server.changes.purge import doubt, first_kept, left_over, purge
from server.database.engine import Database, files
from server.database.types import moment
from server.models import (
    AuditRow,
    Credential,
    HourKept,
    JournalRow,
    MachineBusy,
    MachineSession,
    Member,
    Message,
    PaidUnit,
    Pass,
    Presence,
    Quota,
    TrainingSession,
    Visitor,
)
from server.publish.bundle import calendar_of
from server.queries.remains import found, unused
from tests.support_pages import CREDENTIAL_KEY
from tests.support_server import DECIDED, Desk, Journal
from tests.support_site import at
from wire.credential import pseudonym
from wire.row import Kind

KEPT = 90


def forget(database: Database, now: Instant, kept_for: int = KEPT) -> list[str]:
    """Step by step until nothing is left; what was said."""
    said = []
    for _ in range(20):
        with database.transaction() as session:
            if (done := purge(session, now, kept_for)) is None:
                return said
        said.append(done)
    raise AssertionError(f"it does not come to an end: {said[-1]}, again and again")


def kept(database: Database) -> list[JournalRow]:
    with database.reading() as session:
        return list(session.exec(select(JournalRow).order_by(JournalRow.id)))  # type: ignore[arg-type]


def test_a_site_day_goes_whole_and_its_hours_are_counted_first(desk: Desk, journal: Journal) -> None:
    for member, came in (("alice", at(9)), ("brigitte", at(9, 30))):
        journal.enters(came, member)
        journal.leaves(came + 3 * HOUR, member)
    journal.enters(at(9) + DAY, "alice")
    desk.now = at(10) + DAY
    desk.take(journal.rows)
    last = at(4) + KEPT * DAY
    assert forget(desk.database, last - 1) == []
    assert forget(desk.database, last) == ["who came and went on 2026-11-24", "1 older rows"], "where Brigitte was last"
    assert {row.at.day for row in kept(desk.database)} == {25}
    with desk.database.reading() as session:
        hours = {hour.start.hour: (hour.came, hour.peak) for hour in session.exec(select(HourKept))}
        assert left_over(session, first_kept(calendar_of(session), last, KEPT), last) == {}
    assert hours == {8: (2, 2), 9: (0, 2), 10: (0, 2), 11: (0, 2)}, "by UTC"


def test_of_an_hour_it_stays_how_many_were_guests(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "alice")
    journal.leaves(at(9, 50), "alice")
    desk.take(journal.rows)
    with desk.database.transaction() as session:
        stay = {"since": moment(at(9, 10)), "gone": moment(at(9, 40))}
        session.add(Visitor(name="atelier", people=5, more="", by="equipe", **stay))
    forget(desk.database, at(9) + (KEPT + 1) * DAY)
    with desk.database.reading() as session:
        [hour] = session.exec(select(HourKept))
        assert (hour.came, hour.peak, hour.guests) == (1, 6, 5)


def test_rows_that_come_when_their_day_is_counted_add_to_it(desk: Desk, journal: Journal) -> None:
    """As those of an edge that was away for months."""
    for member in ("alice", "brigitte"):
        journal.enters(at(9), member)
    desk.take(journal.rows)
    forget(desk.database, at(9) + KEPT * DAY)
    delivered = len(journal.rows)
    journal.enters(at(9, 30), "remy")
    desk.now = at(9) + KEPT * DAY
    desk.take(journal.rows[delivered:])
    forget(desk.database, desk.now)
    with desk.database.reading() as session:
        [first, *_] = session.exec(select(HourKept).order_by(HourKept.start))  # type: ignore[arg-type]
        assert (first.came, first.peak) == (3, 2)


def test_the_last_move_of_a_member_and_what_they_ran_is_forgotten_too(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "alice")
    desk.take(journal.rows)
    with desk.database.transaction() as session:
        named = {"machine": "cnc", "member": "alice", "edge": "garage", "heard": moment(at(9))}
        session.add(MachineSession(**named, started=moment(at(9)), kind="cnc", cuts=True, ended=moment(at(10))))
        session.add(MachineSession(**named, started=moment(at(11)), kind="cnc", cuts=True))
        session.add(MachineBusy(**named, at=moment(at(9))))
        session.add(Visitor(name="le plombier", people=1, more="", by="equipe", since=moment(at(9))))
        said = dict.fromkeys(("about", "by", "to", "subject", "body", "name"), "")
        instants = dict.fromkeys(("made", "due", "until", "ended"), moment(at(9)))
        session.add(Message(state="sent", **said, **instants))
        assert set(left_over(session, at(4) + DAY, at(9) + 40 * DAY)) == {
            "journal_row",
            "message",
            "presence",
            "machine_session",
            "machine_busy",
            "visitor",
        }
    assert len(forget(desk.database, at(9) + (KEPT + 1) * DAY)) == 2
    with desk.database.reading() as session:
        assert session.exec(select(Presence)).all() == session.exec(select(MachineBusy)).all() == []
        assert session.exec(select(Visitor)).all() == []
        assert [one.ended for one in session.exec(select(MachineSession))] == [None], "it runs"


@pytest.mark.parametrize(("period", "days"), [("week", 7), ("month", 31)])
def test_what_a_quota_still_counts_is_not_forgotten_before(desk: Desk, period: str, days: int) -> None:
    """Passages are kept for two days here: Alice would have her whole week's hours again on its third."""
    used, now = at(9), at(9) + days * DAY
    with desk.database.transaction() as session:
        session.add(Quota(kind="cnc", position=0, minutes=60, period=period))
        named = {"machine": "cnc", "member": "alice", "edge": "garage", "heard": moment(used), "cuts": True}
        for kind in ("cnc", "laser"):
            session.add(MachineSession(**named, kind=kind, started=moment(used), ended=moment(used + HOUR)))
            named["member"] = "brigitte"
        assert set(left_over(session, now - 2 * DAY, now)) == {"machine_session"}

    def kinds(now: Instant) -> list[str]:
        forget(desk.database, now, kept_for=2)
        with desk.database.reading() as session:
            return [one.kind for one in session.exec(select(MachineSession))]

    assert kinds(now) == ["cnc"], "of a laser no quota counts anything"
    assert kinds(now + 2 * DAY) == []


def test_who_held_a_training_session_is_forgotten_with_it(desk: Desk) -> None:
    with desk.database.transaction() as session:
        held = {"kind": "cnc", "start": moment(at(9)), "end": moment(at(11)), "places": 4}
        session.add(TrainingSession(id="s1", **held, trainer="alice"))
        assert left_over(session, at(4) + DAY, at(9)) == {"training_session": 1}
    forget(desk.database, at(9) + (KEPT - 1) * DAY)
    with desk.database.reading() as session:
        assert session.get_one(TrainingSession, "s1").trainer == "alice"
    forget(desk.database, at(9) + (KEPT + 1) * DAY)
    with desk.database.reading() as session:
        known = session.get_one(TrainingSession, "s1")
        assert (known.trainer, known.places) == (None, 4)
        assert left_over(session, at(4) + DAY, at(9) + (KEPT + 1) * DAY) == {}


def test_a_row_whose_clock_was_lost_counts_from_when_it_came(desk: Desk, journal: Journal) -> None:
    desk.now = at(9) + 200 * DAY
    journal.tap_in(at(9), "alice", granted=False)
    desk.take(journal.rows)
    with desk.database.transaction() as session:
        session.exec(select(JournalRow)).one().clock = ClockState.UNKNOWN.value
    assert forget(desk.database, desk.now + DAY) == []
    assert forget(desk.database, desk.now + KEPT * DAY) == ["who came and went on 2026-11-24"]
    assert kept(desk.database) == []


def test_a_day_paid_stays_without_its_minute(desk: Desk) -> None:
    with desk.database.transaction() as session:
        session.add(PaidUnit(member="alice", unit="2026-11-24am", edge="front", heard=moment(at(9, 13))))
    assert forget(desk.database, at(9) + 100 * DAY) == ["1 older rows"]
    with desk.database.reading() as session:
        [unit] = session.exec(select(PaidUnit))
        assert (unit.unit, unit.heard) == ("2026-11-24am", datetime(2026, 11, 24, tzinfo=UTC))


@pytest.mark.parametrize(
    ("carnets", "gone"),
    [
        ((), True),
        ((Carnet("old", "alice", "half_day", 9, valid_until=date(2015, 12, 31)),), True),
        ((Carnet("old", "alice", "half_day", 9, valid_until=date(2016, 1, 1)),), False),
        ((Carnet("old", "alice", "half_day", 9),), False),
        (
            (
                Carnet("old", "alice", "half_day", 9, valid_until=date(2015, 12, 31)),
                Carnet("new", "alice", "half_day", 9),
            ),
            False,
        ),
    ],
)
def test_a_day_paid_goes_with_its_accounts_once_no_carnet_counts_it(
    desk: Desk, carnets: tuple[Carnet, ...], gone: bool
) -> None:
    days = ("2015-12-31pm", "2016-01-01am", "2026-11-24am")
    with desk.database.transaction() as session:
        put(session, carnets, DECIDED)
        session.add_all(PaidUnit(member="alice", unit=day, edge="", heard=moment(at(9))) for day in days)
    forget(desk.database, at(9))
    with desk.database.reading() as session:
        assert sorted(session.exec(select(PaidUnit.unit))) == list(days[gone:])


def test_after_a_year_the_audit_keeps_what_accounts_stand_on(database: Database) -> None:
    with database.transaction() as session:
        changes = [Change(table, ("x",), "change", {"name": "a"}, {"name": "b"}) for table in (Member, Pass)]
        record(session, Decided("equipe", at(9), "la demande"), changes)
        before = verify(session)
    forget(database, at(9) + 365 * DAY)
    assert said(database, "pass") == said(database, "member") != []
    forget(database, at(9) + 366 * DAY)
    assert said(database, "member") == []
    assert said(database, "pass") != []
    with database.reading() as session:
        assert verify(session) == before


def test_who_was_given_a_role_and_when_is_kept_for_good(database: Database) -> None:
    """The bank of hours asks who was a gardien then."""
    with database.transaction() as session:
        for before, after in (([], ["gardien"]), (["gardien"], [])):
            change = Change(Member, ("x",), "changed", {"roles": before}, {"roles": after})
            record(session, Decided("equipe", at(9), "la demande"), [change])
        record(session, Decided("equipe", at(9), "la demande"), [Change(Member, ("y",), "added", None, {"roles": []})])
    forget(database, at(9) + 400 * DAY)
    assert len(said(database, "member")) == 2


def test_a_clock_that_is_years_ahead_is_doubted(desk: Desk, journal: Journal) -> None:
    with desk.database.reading() as session:
        assert doubt(session, at(9)) is None, "a new site has nothing to lose"
    journal.tap_in(at(9), "alice", granted=False)
    desk.take(journal.rows)
    with desk.database.reading() as session:
        assert doubt(session, at(9) + 30 * DAY) is None
        assert doubt(session, at(9) + 30 * DAY + 1) == at(9)
        assert doubt(session, at(9) + 2000 * DAY) == at(9)


def said(database: Database, noun: str) -> list[str]:
    with database.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.noun == noun, AuditRow.why == "la demande"))
        return [row.account for row in rows]


class Old:
    """Passages of one badge on one day, and where the files still hold a byte of them."""

    def __init__(self, desk: Desk, journal: Journal) -> None:
        self.desk = desk
        self.url = desk.database.url.render_as_string(hide_password=False)
        with desk.database.reading() as session:
            badge = session.exec(select(Credential)).first()
            assert badge is not None
        name = pseudonym(CREDENTIAL_KEY, bytes.fromhex(badge.uid))
        for _ in range(200):
            journal.add(
                at(9),
                Kind.TAP,
                reader="front-in",
                credential=name,
                member=badge.member,
                granted=False,
                reason=Reason.OUTSIDE_HOURS,
            )
        desk.take(journal.rows)
        assert len(self.found()) > len(journal.rows) // 2

    def found(self) -> list[str]:
        with self.desk.database.reading() as session:
            return list(found(files(self.url), unused(session, CREDENTIAL_KEY, at(4) + DAY)))


@pytest.mark.sqlite
def test_no_byte_of_who_came_is_left_in_the_files(desk: Desk, journal: Journal) -> None:
    old = Old(desk, journal)
    forget(desk.database, at(9) + 100 * DAY)
    assert desk.database.wipe()
    assert old.found() == []


@pytest.mark.sqlite
def test_what_sqlite_only_takes_off_its_list_is_found(desk: Desk, journal: Journal) -> None:
    """So the check can fail: without secure_delete the bytes stay."""
    old = Old(desk, journal)
    with closing(sqlite3.connect(desk.database.url.database or "")) as other:
        other.execute("PRAGMA secure_delete=OFF")
        other.execute("DELETE FROM journal_row")
        other.commit()
    assert desk.database.wipe()
    assert old.found()


@pytest.mark.sqlite
def test_nobody_who_writes_waits_for_a_reader_when_the_log_is_emptied(desk: Desk, journal: Journal) -> None:
    desk.take(journal.rows or [journal.add(at(9), Kind.REX)])
    with desk.database.reading() as session:
        session.exec(select(JournalRow)).all()
        with desk.database.transaction() as other:
            other.add(HourKept(start=moment(at(9)), came=1, peak=1))
        assert not desk.database.wipe()
    assert desk.database.wipe()
