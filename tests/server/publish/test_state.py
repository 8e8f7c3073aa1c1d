"""What the edges are told of the site: what the server knows, up to the rows that it has, once for each change."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from policy.facts import Moved, Opened, Paid, Ran, Stopped, apply
from policy.sessions import Session as MachineUse
from policy.state import SiteState
from policy.terms import DAY, MINUTE, Instant
from server.audit import Decided
from server.changes.lockdown import set_lockdown
from server.database.engine import Database
from server.database.types import moment
from server.errors import DatabaseError
from server.ingest.facts import ToldBy as By
from server.ingest.facts import store
from server.models import Edge, Member, Pass, Position, Quota
from server.publish.state import ENVELOPE, GAP, JOURNALS, StatePublisher, snapshot
from server.queries.site_state import state_at
from tests.support_pages import EVENING, SERVER_KEY
from tests.support_server import TOPICS, Desk, Journal, statements
from tests.support_site import at
from wire.envelope import unseal
from wire.messages import State, decode
from wire.snapshot import Snapshot, unpack


class ToldBy:
    """A state publisher whose clock the test sets, and all that it said."""

    def __init__(self, database: Database, now: Instant = EVENING) -> None:
        self.now = now
        self.said: list[State] = []
        self.publisher = StatePublisher(database, SERVER_KEY, lambda: self.now, self._retain)

    def _retain(self, topic: str, payload: bytes) -> None:
        assert topic == TOPICS.state
        self.said.append(decode(State, unseal(SERVER_KEY.public_key(), "server", topic, payload), topic))

    @property
    def versions(self) -> list[int]:
        return [message.version for message in self.said]

    @property
    def last(self) -> Snapshot:
        return unpack(self.said[-1].body)


@pytest.fixture
def teller(database: Database) -> ToldBy:
    return ToldBy(database)


def test_what_the_server_knows_and_up_to_which_row(desk: Desk, journal: Journal, teller: ToldBy) -> None:
    journal.enters(at(18), "remy")
    journal.enters(at(18, 1), "alice")
    desk.take(journal.rows)
    desk.take(journal.rows[:2], journal="j2")
    teller.publisher.publish()
    told = teller.last
    assert told.facts == (Moved("alice", at(18, 1, 2), inside=True), Moved("remy", at(18, 0, 2), inside=True))
    assert told.positions == {"front": {"j1": 6, "j2": 2}}
    assert not told.lockdown


def test_everything_that_matters_is_in_it(database: Database, teller: ToldBy) -> None:
    use = MachineUse("laser", "laser", "remy", at(18), at(20), cuts=True)
    with database.transaction() as session:
        session.add(Quota(kind="laser", position=0, minutes=60, period="week"))
        store(
            session,
            [Paid("zoe", "2026-11-24am"), Opened("gregoire", at(18), at(21)), Ran(use), Stopped("saw", stopped=True)],
            FRONT,
        )
        set_lockdown(session, True, Decided("equipe", at(18)))
    teller.publisher.publish()
    assert teller.last.lockdown
    assert teller.last.facts == (
        Paid("zoe", "2026-11-24am"),
        Opened("gregoire", at(18), at(21)),
        Ran(use),
        Stopped("saw", stopped=True),
    )
    state = SiteState(not_after=at(19), lockdown=True)
    for fact in teller.last.facts:
        apply(state, fact)
    with database.reading() as session:
        known = state_at(session, at(19))
    assert (state.units, state.adhoc, state.stopped) == (known.units, known.adhoc, known.stopped)


FRONT = By("front", moment(at(8)))


def move(database: Database, when: Instant, member: str = "remy") -> None:
    with database.transaction() as session:
        store(session, [Moved(member, when, inside=True)], FRONT)


def test_a_change_is_said_at_once_when_it_is_quiet(database: Database, teller: ToldBy) -> None:
    move(database, at(18))
    teller.publisher.changed()
    assert teller.versions == [1]
    assert teller.publisher.due is None


def test_many_changes_become_one(database: Database, teller: ToldBy) -> None:
    for second in range(5):
        move(database, at(18, 0, second))
        teller.publisher.changed()
        assert teller.publisher.due == (None if second == 0 else EVENING + GAP)
    teller.now += GAP - 1
    teller.publisher.tick()
    assert teller.versions == [1]
    teller.now += 1
    teller.publisher.tick()
    assert teller.versions == [1, 2]
    assert teller.last.facts == (Moved("remy", at(18, 0, 4), inside=True),)
    assert teller.publisher.due is None


def test_a_clock_that_was_set_back_holds_nothing_up(database: Database, teller: ToldBy) -> None:
    teller.publisher.publish()
    teller.now -= DAY
    move(database, at(18) - DAY)
    teller.publisher.changed()
    assert teller.versions == [1, 2]


def test_nothing_is_said_when_nothing_changed(teller: ToldBy) -> None:
    teller.publisher.publish()
    for _ in range(3):
        teller.now += MINUTE
        teller.publisher.changed()
        teller.publisher.tick()
    assert teller.versions == [1]


def test_at_a_connect_it_is_said_again_under_its_version(teller: ToldBy) -> None:
    teller.publisher.publish()
    teller.now += MINUTE
    teller.publisher.publish()
    assert teller.versions == [1, 1]
    assert teller.said[0].body == teller.said[1].body


def test_the_version_outlives_the_server(database: Database, teller: ToldBy) -> None:
    move(database, at(18))
    teller.publisher.publish()
    after = ToldBy(database, at(20))
    after.publisher.publish()
    move(database, at(19))
    after.now += MINUTE
    after.publisher.changed()
    assert teller.versions + after.versions == [1, 1, 2]


def test_what_changed_while_the_server_was_down_is_said_at_its_start(database: Database, teller: ToldBy) -> None:
    teller.publisher.publish()
    move(database, at(18))
    after = ToldBy(database)
    after.publisher.publish()
    assert after.versions == [2]


def test_a_database_that_fails_leaves_it_waiting(teller: ToldBy, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise DatabaseError("full")

    with monkeypatch.context() as patched:
        patched.setattr("server.publish.state.told", fail)
        with pytest.raises(DatabaseError):
            teller.publisher.changed()
    teller.now = teller.publisher.due or 0
    teller.publisher.tick()
    assert teller.versions == [1]


def test_without_a_site_there_is_nobody_to_tell(database: Database, teller: ToldBy) -> None:
    with database.transaction() as session:
        session.connection().execute(text("DELETE FROM site"))
    with pytest.raises(DatabaseError, match="no site yet"):
        teller.publisher.publish()


def test_facts_and_positions_are_of_one_moment(desk: Desk, journal: Journal, teller: ToldBy) -> None:
    """What is stored while the server looks waits for the next look, facts and positions alike."""
    journal.enters(at(18), "remy")
    with desk.database.reading() as session:
        assert snapshot(session, at(19)) == Snapshot(False, (), {})
        desk.take(journal.rows)
        assert snapshot(session, at(19)) == Snapshot(False, (), {})
    teller.publisher.publish()
    assert (len(teller.last.facts), teller.last.positions) == (1, {"front": {"j1": 3}})


def test_the_newest_journals_of_the_edges_that_there_are(database: Database, teller: ToldBy) -> None:
    with database.transaction() as session:
        session.add(Edge(id="third", public_key="", access_points=[], readers={}))
        for number in range(JOURNALS + 3):
            session.add(Position(edge="front", journal=f"j{number}", seq=1, updated=moment(at(1) + number)))
            session.add(Position(edge="gone", journal=f"j{number}", seq=1, updated=moment(at(1))))
        session.add(Position(edge="third", journal="old", seq=7, updated=moment(at(1) - 400 * DAY)))
    teller.publisher.publish()
    assert teller.last.positions == {
        "front": {f"j{number}": 1 for number in range(3, JOURNALS + 3)},
        "third": {"old": 7},
    }


# What it costs

YEAR = 365


def a_year(database: Database) -> None:
    """148 members, 40 of them with carnets and 100 half-days paid; a year of arrivals, units and sessions."""
    days = [EVENING - day * DAY for day in range(YEAR)]
    with database.transaction() as session:
        for n in range(148):
            session.add(Member(id=f"m{n:03}", position=n, name="", tier="nomad", roles=[], status="active",
                               valid_from=None, valid_until=None))  # fmt: skip
        session.flush()
        for n in range(40):
            session.add(Pass(id=f"p{n}", position=n, member=f"m{n:03}", unit="half_day", total=100, used=[],
                             given_back=[], valid_until=None))  # fmt: skip
        fill(session, "presence", [{"member": f"m{n:03}", "at": days[n % 9], "inside": n % 2 == 1} for n in range(148)])
        fill(session, "paid_unit", [{"member": f"m{n:03}", "unit": half(day)} for n in range(40) for day in days[:100]])
        fill(session, "paid_unit", [{"member": f"m{n:03}", "unit": half(day)} for n in range(40, 60) for day in days])
        uses = [(day, day + n * MINUTE, n) for day in days for n in range(8)]
        fill(session, "machine_session", [
            {"machine": f"laser{n}", "started": start, "member": f"m{n:03}", "kind": "", "cuts": True, "ended": end}
            for start, end, n in uses
        ])  # fmt: skip


def fill(session: Session, table: str, rows: list[dict[str, Any]]) -> None:
    """Rows in a table, their instants as the database keeps them."""
    written = [{k: db(v) if k in INSTANTS else v for k, v in row.items()} for row in rows]
    names = list(rows[0])
    values = ", ".join(f":{name}" for name in names)
    session.connection().execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})"), written)  # noqa: S608


def half(when: Instant) -> str:
    """A half-day of the day of an instant."""
    return f"{moment(when).date()}pm"


INSTANTS = ("at", "started", "ended")


def db(when: Instant) -> str:
    """An instant as the database keeps it."""
    return moment(when).strftime("%Y-%m-%d %H:%M:%S.%f")


@pytest.mark.sqlite
def test_a_year_of_history_makes_no_difference(database: Database, teller: ToldBy) -> None:
    """As many questions as on the first day, and none that looks through a table that grows with the years."""
    with statements(database) as on_the_first_day:
        teller.publisher.publish()
    a_year(database)
    with statements(database) as after_a_year:
        teller.publisher.publish()
    assert len(after_a_year) == len(on_the_first_day)
    with database.reading() as session:
        connection = session.connection()
        for statement, parameters in after_a_year:
            if statement.startswith("SELECT"):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                scans = {row[3].split()[1] for row in plan if row[3].startswith("SCAN")}
                assert not scans & GROWING, statement


GROWING = {"paid_unit", "adhoc_shift", "machine_session", "machine_busy", "journal_row", "given_order"}


def test_it_is_small(database: Database, teller: ToldBy) -> None:
    a_year(database)
    teller.publisher.publish()
    assert len(teller.said[-1].body) < 16_000


def test_members_and_kinds_that_the_site_has_not_are_left_out(database: Database, teller: ToldBy) -> None:
    known_use = MachineUse("laser", "laser", "remy", at(18))
    with database.transaction() as session:
        session.add(Quota(kind="laser", position=0, minutes=60, period="week"))
        facts = [
            Moved("remy", at(18), True),
            Paid("zoe", "2026-11-24am"),
            Opened("gregoire", at(18), at(21)),
            Ran(known_use),
        ]
        invented = [
            Moved("nobody", at(18), True),
            Paid("nobody", "2026-11-24am"),
            Opened("nobody", at(18), at(21)),
            Ran(MachineUse("laser", "laser", "nobody", at(18))),
            Ran(MachineUse("laser", "k" * 200, "remy", at(17))),
        ]
        store(session, [*facts, *invented], FRONT)
    teller.publisher.publish()
    assert teller.last.facts == tuple(facts)


def test_what_is_too_large_is_said_without_the_edge_that_told_most(database: Database, teller: ToldBy) -> None:
    refused: list[tuple[str, str]] = []
    publisher = StatePublisher(
        database,
        SERVER_KEY,
        lambda: EVENING,
        teller._retain,
        lambda *said: refused.append(said),
        largest=ENVELOPE + 2000,
    )
    with database.transaction() as session:
        store(session, [Paid("zoe", half(at(4) - n * DAY)) for n in range(2000)], By("garage", moment(at(8))))
        store(session, [Moved("remy", at(18), True), Paid("zoe", half(at(4) + DAY))], FRONT)
        set_lockdown(session, True, Decided("equipe", at(18)))
        for edge in ("front", "garage"):
            session.add(Position(edge=edge, journal="j1", seq=2000, updated=moment(at(18))))
    publisher.publish()
    assert teller.last.lockdown
    assert teller.last.facts == (Moved("remy", at(18), True), Paid("zoe", half(at(4) + DAY)))
    assert teller.last.positions == {"front": {"j1": 2000}}, "what is left out must be held by whoever heard it"
    [(edge, why)] = refused
    assert edge == "garage"
    assert "told 2000 things, too many for one message" in why


def test_a_site_that_is_too_large_by_itself_is_said_to_be(database: Database, teller: ToldBy) -> None:
    publisher = StatePublisher(database, SERVER_KEY, lambda: EVENING, teller._retain, largest=ENVELOPE)
    with pytest.raises(DatabaseError, match="the site is too large"):
        publisher.publish()
