"""What rows leave behind beside who moved: units paid, shifts of two taps, sessions, refusals of a busy machine."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlmodel import select

from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, Stopped, apply
from policy.instants import text
from policy.presence import Move
from policy.reasons import Reason
from policy.sessions import Session as MachineUse
from policy.state import SiteState
from policy.terms import DAY, HOUR
from server import models
from server.audit import Decided
from server.changes.lockdown import set_lockdown
from server.database.engine import Database
from server.database.types import moment
from server.ingest.facts import ToldBy, store, store_moves
from server.queries.site_state import DAYS_BACK, REACH, facts_since, is_locked_down, state_at
from tests.support_history import kinds, presence, rows_of
from tests.support_server import Desk, Journal
from tests.support_site import at
from wire.row import Kind

FRONT = ToldBy("front", moment(at(8)))
RUN = MachineUse("laser", "laser", "brigitte", at(10), at(11), cuts=True)
ENDED = replace(RUN, end=at(10, 30))
FACTS: tuple[Fact, ...] = (
    Moved("alice", at(9), inside=True),
    Moved("alice", at(12), inside=False),
    Paid("zoe", "2026-11-24am"),
    Opened("gregoire", at(20), at(22)),
    Ran(RUN),
    Ran(ENDED),
    Busy("laser", "remy", at(10, 5)),
)


def told(database: Database, *facts: Fact, when: int = at(23)) -> SiteState:
    with database.transaction() as session:
        store(session, facts, FRONT)
    with database.reading() as session:
        return state_at(session, when)


def known(state: SiteState) -> tuple[object, ...]:
    sessions = sorted(map(str, state.sessions.of_machine("laser")))
    return state.presence.moves, dict(state.units), dict(state.adhoc), sessions, dict(state.busy)


def lived(facts: tuple[Fact, ...]) -> SiteState:
    state = SiteState()
    for fact in facts:
        apply(state, fact)
    return state


def empty(database: Database) -> None:
    with database.transaction() as session:
        for table in ("presence", "paid_unit", "adhoc_shift", "machine_session", "machine_busy"):
            session.connection().exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - our own names


def test_what_is_stored_is_what_an_edge_would_know(database: Database) -> None:
    state = told(database, *FACTS)
    assert known(state) == known(lived(FACTS))
    assert state.presence.moves == {"alice": Move(at(12), inside=False)}
    assert list(state.sessions.of_machine("laser")) == [ENDED]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.sampled_from(FACTS), max_size=20))
def test_any_order_and_any_repetition_leave_the_same(database: Database, order: list[Fact]) -> None:
    empty(database)
    assert known(told(database, *order, *FACTS)) == known(lived(FACTS))


def test_of_two_ends_the_earlier_one_counts(database: Database) -> None:
    for order in permutations((Ran(RUN), Ran(ENDED), Ran(replace(RUN, end=at(10, 40))))):
        empty(database)
        (use,) = told(database, *order).sessions.of_machine("laser")
        assert use.end == at(10, 30)


def test_a_session_is_read_back_whole(database: Database) -> None:
    endless = MachineUse("printer", "printer", "remy", at(8))
    state = told(database, Ran(endless))
    assert state.sessions.running("printer", at(22)) == endless


def test_what_is_too_old_to_matter_is_not_read(database: Database) -> None:
    endless = MachineUse("printer", "printer", "remy", at(8))
    unheard = MachineUse("laser", "laser", "remy", at(8), at(9), cuts=True)
    told(database, *FACTS, Paid("remy", "2026-11-24am"), Ran(endless), Ran(unheard))
    assert {type(fact) for fact in since(database, at(23))} == {Moved, Paid, Opened, Ran, Busy}
    in_days = since(database, at(23) + (DAYS_BACK + 1) * DAY)
    assert in_days == [Paid("zoe", "2026-11-24am"), Ran(unheard), Ran(ENDED), Ran(endless)]
    in_months = since(database, at(23) + (DAYS_BACK + 1) * DAY + REACH)
    assert in_months == [Paid("zoe", "2026-11-24am"), Ran(endless)], "a pass is charged with all that was ever paid"


def since(database: Database, when: int) -> list[Fact]:
    with database.reading() as session:
        return facts_since(session, when)


def test_who_moved_on_the_site_day_before_is_told(database: Database) -> None:
    """At its last moment; a site day may have 25 hours."""
    told(database, Moved("remy", at(4), inside=True))
    assert since(database, at(4) + DAY + 25 * HOUR - 1) == [Moved("remy", at(4), inside=True)]


def test_the_last_word_on_an_emergency_stop_counts(database: Database) -> None:
    for stopped in (True, False, True):
        assert told(database, Stopped("laser", stopped)).stopped == ({"laser"} if stopped else set())


def test_a_lockdown_is_remembered(database: Database) -> None:
    for on in (True, False, True):
        with database.transaction() as session:
            set_lockdown(session, on, Decided("equipe", at(10)))
        with database.reading() as session:
            assert is_locked_down(session) is on
            assert state_at(session, at(11)).lockdown is on


def test_who_declared_a_lockdown_first_is_remembered(database: Database) -> None:
    with database.transaction() as session:
        set_lockdown(session, True, Decided("alice", at(10)))
        set_lockdown(session, True, Decided("gregoire", at(11)))
    with database.reading() as session:
        row = session.get(models.Lockdown, 1)
    assert row is not None
    assert (row.on, row.since, row.by) == (True, moment(at(10)), "alice")


def test_before_anybody_said_so_there_is_none(database: Database) -> None:
    with database.reading() as session:
        assert not is_locked_down(session)


# From rows


@pytest.fixture
def fab(desk: Desk) -> Desk:
    """A laser at the edge of the front door."""
    with desk.database.transaction() as session:
        session.add(models.Machine(id="laser", position=0, kind="laser", reader="laser-tap", hours={}, min_people=0,
                                   on_end="cut", attended=None, locked_out=None))  # fmt: skip
        edge = session.get(models.Edge, "front")
        assert edge is not None
        edge.access_points = ["front", "laser"]
    desk.ingest.reload()
    return desk


def machine_tap(journal: Journal, when: int, member: str, reason: Reason, *, granted: bool = True) -> None:
    journal.add(
        when,
        Kind.TAP,
        access_point="laser",
        reader="laser-tap",
        credential=f"hash of {member}",
        member=member,
        granted=granted,
        reason=reason,
    )


def session_row(journal: Journal, when: int, kind: Kind, **fields: object) -> None:
    journal.add(
        when,
        kind,
        **{
            "access_point": "laser",
            "member": "brigitte",
            "started": text(at(10)),
            "until": text(at(11)),
            "machine_kind": "laser",
            "cuts": True,
        }
        | fields,
    )


def state(desk: Desk) -> SiteState:
    with desk.database.reading() as session:
        return state_at(session, desk.now)


def test_taps_at_a_machine_move_nobody(fab: Desk, journal: Journal) -> None:
    machine_tap(journal, at(10), "brigitte", Reason.WALK_UP)
    machine_tap(journal, at(10, 5), "remy", Reason.MACHINE_BUSY, granted=False)
    machine_tap(journal, at(10, 30), "brigitte", Reason.SESSION_ENDED)
    machine_tap(journal, at(10, 40), "alice", Reason.MACHINE_RESET)
    fab.take(journal.rows)
    assert kinds(fab) == ["tap"] * 4
    assert presence(fab) == {}
    assert [(row.inside, row.moved_at, row.direction) for row in rows_of(fab)] == [(None, None, None)] * 4
    assert state(fab).busy == {"laser": {("remy", at(10, 5))}}


def test_a_session_begins_and_ends(fab: Desk, journal: Journal) -> None:
    session_row(journal, at(10), Kind.SESSION_STARTED)
    fab.take(journal.rows)
    assert state(fab).sessions.running("laser", at(10, 1)) == RUN
    session_row(journal, at(10, 30), Kind.SESSION_ENDED, ended=text(at(10, 30)))
    fab.take(journal.rows)
    assert list(state(fab).sessions.of_machine("laser")) == [ENDED]


def test_a_unit_is_paid_when_the_entry_takes_effect_and_once(desk: Desk, journal: Journal) -> None:
    tap = journal.tap_in(at(9), "zoe")
    journal.rows[-1] = replace(tap, pays="2026-11-24am")
    desk.take(journal.rows)
    assert not state(desk).units
    journal.add(at(9, 0, 2), Kind.DOOR_OPENED, member="zoe", settles=tap.seq, pays="2026-11-24am")
    journal.add(at(9, 1), Kind.DOOR_OPENED, member="zoe", settles=tap.seq, pays="2026-11-24am")
    desk.take(journal.rows)
    assert state(desk).units == {"zoe": {"2026-11-24am"}}


@pytest.mark.parametrize(
    "said",
    [{"kind": Kind.DOOR_OPENED}, {"pays": "2026-11-24am"}, {"adhoc_until": text(at(22))}],
    ids=lambda said: next(iter(said)),
)
def test_nobody_goes_in_at_a_machine(fab: Desk, journal: Journal, said: dict[str, Any]) -> None:
    machine_tap(journal, at(10), "brigitte", Reason.WALK_UP)
    journal.rows[-1] = replace(journal.rows[-1], **said)
    fab.take(journal.rows)
    assert kinds(fab) == ["refused"]
    assert presence(fab) == {}


def test_a_shift_of_two_taps_is_remembered(desk: Desk, journal: Journal) -> None:
    tap = journal.tap_in(at(20), "gregoire", Reason.OWN_SHIFT)
    journal.rows[-1] = replace(tap, adhoc_until=text(at(22)))
    desk.take(journal.rows)
    assert state(desk).adhoc == {"gregoire": {(at(20), at(22))}}


WRONG: dict[str, dict[str, object]] = {
    "no start": {"started": None},
    "no kind": {"machine_kind": None},
    "nobody": {"member": None},
    "no instant": {"ended": "soon"},
    "no offset": {"started": "2026-11-24T10:00"},
    "another edge's machine": {"access_point": "saw"},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_session_that_cannot_be_believed_is_kept_and_holds_up_nothing(fab: Desk, journal: Journal, case: str) -> None:
    session_row(journal, at(10), Kind.SESSION_STARTED, **WRONG[case])
    journal.enters(at(11), "remy")
    answer = fab.take(journal.rows)
    assert answer is not None
    assert answer.ack.seq == 4
    assert kinds(fab)[0] == "refused"
    assert list(state(fab).sessions.of_machine("laser")) == []
    assert "remy" in presence(fab)


@pytest.mark.parametrize("field", ["pays", "adhoc_until"])
def test_a_tap_with_an_instant_that_is_none_is_kept(desk: Desk, journal: Journal, field: str) -> None:
    tap = journal.tap_in(at(9), "zoe")
    journal.rows[-1] = replace(tap, pending=False, **{field: "soon"})
    desk.take(journal.rows)
    assert kinds(desk) == ["refused"]
    assert presence(desk) == {}


def test_the_same_batches_in_pieces_leave_the_same(fab: Desk, journal: Journal) -> None:
    session_row(journal, at(10), Kind.SESSION_STARTED)
    machine_tap(journal, at(10, 5), "remy", Reason.MACHINE_BUSY, granted=False)
    session_row(journal, at(10, 30), Kind.SESSION_ENDED, ended=text(at(10, 30)))
    for rows in (journal.rows[:1], journal.rows[:2], journal.rows, journal.rows):
        fab.take(rows)
    with fab.database.reading() as session:
        assert len(session.exec(select(models.MachineSession)).all()) == 1
        assert len(session.exec(select(models.MachineBusy)).all()) == 1


@pytest.mark.parametrize("order", [(True, False), (False, True)])
@pytest.mark.parametrize("together", [True, False])
def test_of_in_and_out_at_one_instant_the_out_counts(desk: Desk, order: tuple[bool, ...], together: bool) -> None:
    """However they come, as policy/presence.py has it."""
    moves = [("remy", moment(at(9)), inside) for inside in order]
    for batch in [moves] if together else [[move] for move in moves]:
        with desk.database.transaction() as session:
            store_moves(session, batch)
    assert presence(desk) == {"remy": (at(9), False)}
