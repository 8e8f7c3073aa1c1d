"""What a revoked edge told leaves the state, from the instant given on; what it told before stays."""

from msgspec import Raw
from msgspec.structs import replace

from policy.facts import Busy, Moved, Opened, Paid, Ran, Stopped
from policy.sessions import Session as MachineUse
from policy.terms import MINUTE, SECOND, Instant
from server.changes.revoked import forget
from server.database.engine import Database
from server.database.types import moment
from server.ingest.facts import ToldBy, store
from server.models import DoorState, JournalRow
from server.queries.site_state import facts_since, state_at, stops
from tests.support_history import presence, rows_of
from tests.support_server import GARAGE_KEY, TOPICS, Desk, Journal
from tests.support_site import at
from wire.envelope import seal
from wire.messages import Events, encode
from wire.row import Kind
from wire.row import encode as encode_row

STOLEN = at(18)
OLD, NEW = ToldBy("lab", moment(at(17))), ToldBy("lab", moment(at(19)))
RUNS, ENDED = MachineUse("laser", "laser", "remy", at(16)), MachineUse("laser", "laser", "remy", at(15), end=at(16))


def since(database: Database) -> list[object]:
    with database.reading() as session:
        return [*facts_since(session, at(20)), *stops(session)]


def revoke(database: Database, edge: str, when: Instant = STOLEN) -> None:
    with database.transaction() as session:
        forget(session, edge, when)


def test_what_it_told_before_stays_and_its_running_session_leaves(database: Database) -> None:
    before = [
        Paid("zoe", "2026-11-24am"),
        Opened("gregoire", at(16), at(22)),
        Ran(ENDED),
        Busy("laser", "remy", at(16)),
    ]
    with database.transaction() as session:
        store(session, [*before, Stopped("laser", stopped=True), Ran(RUNS)], OLD)
    revoke(database, "lab")
    assert since(database) == [*before, Stopped("laser", stopped=True)]


def test_all_it_told_since_leaves(database: Database) -> None:
    late = MachineUse("laser", "laser", "zoe", at(12), end=at(13))
    told = [Paid("zoe", "2026-11-24pm"), Opened("gregoire", at(12), at(22)), Ran(late), Busy("laser", "remy", at(12))]
    with database.transaction() as session:
        store(session, [*told, Stopped("laser", stopped=True)], NEW)
    revoke(database, "lab")
    assert since(database) == []


def test_what_another_told_stays_whoever_told_it_first(database: Database) -> None:
    honest = ToldBy("front", moment(at(19)))
    for first, second in ((NEW, honest), (honest, NEW)):
        with database.transaction() as session:
            store(session, [Paid("zoe", "2026-11-24am"), Opened("gregoire", at(16), at(22))], first)
            store(session, [Paid("zoe", "2026-11-24am"), Opened("gregoire", at(16), at(23))], second)
        revoke(database, "lab")
        assert since(database)[0] == Paid("zoe", "2026-11-24am")
        assert len(since(database)) == 2


def test_a_session_that_is_over_by_itself_is_no_running_one(database: Database) -> None:
    over = MachineUse("laser", "laser", "remy", at(15), until=at(16), cuts=True)
    with database.transaction() as session:
        store(session, [Ran(over)], OLD)
    revoke(database, "lab")
    assert since(database) == [Ran(over)]


def garage(desk: Desk, when: Instant, member: str, seq: int) -> None:
    """Edge `garage` says that somebody came in, and when."""
    row = Journal().add(when, Kind.DOOR_OPENED, access_point="garage", member=member)
    body = encode(Events("g", (Raw(encode_row(replace(row, seq=seq))),)))
    desk.ingest.take(TOPICS.events("garage"), seal(GARAGE_KEY, "garage", TOPICS.events("garage"), body))


def test_who_came_and_left_is_as_the_others_say(desk: Desk, journal: Journal) -> None:
    desk.now = STOLEN - 2 * MINUTE
    journal.enters(at(9), "brigitte")
    desk.take(journal.rows)
    garage(desk, at(10), "alice", 1)
    desk.now = STOLEN + MINUTE
    garage(desk, at(11), "alice", 2)
    garage(desk, at(17), "brigitte", 3)
    garage(desk, at(12), "remy", 4)
    journal.leaves(at(17, 30), "brigitte")
    desk.take(journal.rows)
    for _ in range(2):
        revoke(desk.database, "garage")
        assert presence(desk) == {"alice": (at(10), True), "brigitte": (at(17, 30), False)}
    assert len(rows_of(desk)) == len(journal.rows) + 4, "the rows stay"


def test_twenty_thousand_inventions_leave_as_one(desk: Desk) -> None:
    with desk.database.transaction() as session:
        told = {"edge": "garage", "mono_ms": 0, "boot": "b", "clock": "synced", "kind": "door_opened", "pending": False}
        none = dict.fromkeys(JournalRow.__table__.c.keys(), None) | {"received": moment(STOLEN + SECOND)}  # type: ignore[attr-defined]
        rows = [
            none
            | told
            | {"id": n, "seq": n, "journal": "g", "at": moment(at(12)), "moved_at": moment(at(12))}
            | {"member": f"nobody {n}", "inside": True}
            for n in range(1, 40_001)
        ]
        session.connection().execute(JournalRow.__table__.insert(), rows)  # type: ignore[attr-defined]
    revoke(desk.database, "garage")
    with desk.database.reading() as session:
        assert state_at(session, at(19)).presence.moves == {}
        assert Moved not in {type(fact) for fact in facts_since(session, at(19))}


def test_its_fire_alarm_and_its_forced_door_leave_the_page(desk: Desk, journal: Journal) -> None:
    def door() -> tuple[object, ...]:
        with desk.database.reading() as session:
            known = session.get_one(DoorState, "front")
        return known.kind, known.fire, known.forced_at

    desk.now = STOLEN - MINUTE
    journal.add(at(17), Kind.FIRE)
    journal.add(at(17), Kind.DOOR_FORCED)
    desk.take(journal.rows)
    revoke(desk.database, "front")
    assert door() == (Kind.DOOR_FORCED, True, moment(at(17))), "what it told before stays"
    desk.now = STOLEN + MINUTE
    journal.add(STOLEN, Kind.FIRE)
    journal.add(STOLEN, Kind.DOOR_FORCED)
    desk.take(journal.rows)
    revoke(desk.database, "garage")
    assert door() == (Kind.DOOR_FORCED, True, moment(STOLEN))
    revoke(desk.database, "front")
    assert door() == (None, False, None)
