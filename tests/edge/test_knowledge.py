"""What an edge knows, merged in any order and any number of times: it ends in what the server reads."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.knowledge import MOST_HEARD, Knowledge, Receipt
from policy.facts import Busy, Fact, Moved, Opened, Paid, Ran, Stopped, apply
from policy.instants import instant
from policy.presence import Move
from policy.reasons import Reason
from policy.sessions import Session
from policy.state import SiteState
from policy.terms import HOUR, SECOND, ClockState, Instant
from tests.support_rows import tap, telling
from tests.support_site import at
from wire.facts import facts_for_others, facts_of
from wire.row import Row
from wire.snapshot import Snapshot

NOON = Receipt(at(12))


def known(state: SiteState) -> tuple[Any, ...]:
    """Of a state what comes from facts."""
    machines = ("laser", "saw")
    sessions = {name: sorted(state.sessions.of_machine(name), key=str) for name in machines}
    sets = ({who: found for who, found in table.items() if found} for table in (state.units, state.adhoc, state.busy))
    return (state.presence.moves, *sets, {name: found for name, found in sessions.items() if found}, state.stopped)


def reading(facts: Iterable[Fact]) -> tuple[Any, ...]:
    state = SiteState()
    for fact in facts:
        apply(state, fact)
    return known(state)


def snapshot(*facts: Fact, **positions: dict[str, int]) -> Snapshot:
    return Snapshot(False, facts, positions)


def moves(knowledge: Knowledge) -> dict[str, Move]:
    return knowledge.state.presence.moves


# One at a time


def test_nothing_is_known_at_first() -> None:
    assert known(Knowledge().state) == reading(())


def test_a_snapshot_that_takes_a_unit_back_takes_it_back() -> None:
    knowledge = Knowledge()
    knowledge.replace_snapshot(1, snapshot(Paid("alice", "2026-11-24am")), None)
    knowledge.replace_snapshot(2, snapshot(), None)
    assert not knowledge.state.units["alice"]


def test_a_snapshot_that_dates_a_move_anew_dates_it_anew() -> None:
    knowledge = Knowledge()
    knowledge.add_heard("garden", "g1", tap(1, "alice", at=0, clock=ClockState.UNKNOWN), NOON)
    assert moves(knowledge) == {"alice": Move(at(12), True)}
    knowledge.replace_snapshot(1, snapshot(Moved("alice", at(9), True), garden={"g1": 1}), None)
    assert moves(knowledge) == {"alice": Move(at(9), True)}


@pytest.mark.parametrize("version", [5, 4, 0, -1])
def test_a_snapshot_that_is_no_newer_changes_nothing(version: int) -> None:
    knowledge = Knowledge()
    knowledge.replace_snapshot(5, snapshot(Moved("alice", at(9), True)), None)
    knowledge.add_own(3, [Moved("remy", at(10), True)])
    before = known(knowledge.state)
    knowledge.replace_snapshot(version, replace(snapshot(Moved("zoe", at(9), True)), lockdown=True), 3)
    assert (known(knowledge.state), knowledge.version, knowledge.state.lockdown) == (before, 5, False)


def test_what_facts_do_not_say_outlives_a_snapshot() -> None:
    knowledge = Knowledge()
    state = knowledge.state
    state.link_up, state.not_after, state.clock_trusted = False, at(20), False
    knowledge.replace_snapshot(1, replace(snapshot(), lockdown=True), None)
    assert knowledge.state is state
    assert (state.link_up, state.not_after, state.clock_trusted, state.lockdown) == (False, at(20), False, True)


def test_where_the_server_knows_nothing_of_this_journal_own_rows_stay() -> None:
    knowledge = Knowledge()
    knowledge.add_own(3, [Moved("remy", at(10), True)])
    knowledge.replace_snapshot(1, snapshot(), None)
    assert moves(knowledge) == {"remy": Move(at(10), True)}
    knowledge.replace_snapshot(2, snapshot(), 3)
    assert moves(knowledge) == {}


def test_machines_are_stopped_by_the_snapshot_and_by_own_rows_after_it_in_their_order() -> None:
    knowledge = Knowledge()
    knowledge.add_own(1, [Stopped("laser", True)])
    knowledge.add_own(2, [Stopped("laser", False)])
    knowledge.replace_snapshot(1, snapshot(Stopped("laser", True)), 1)
    assert not knowledge.state.stopped
    knowledge.replace_snapshot(2, snapshot(Stopped("saw", True)), 2)
    assert knowledge.state.stopped == {"saw"}


def test_refusals_and_stops_of_others_are_nobody_else_s_business() -> None:
    knowledge = Knowledge()
    knowledge.add_heard("garden", "g1", telling(Busy("laser", "alice", at(9)), 1), NOON)
    knowledge.add_heard("garden", "g1", telling(Stopped("laser", True), 2), NOON)
    assert known(knowledge.state) == reading(())


def test_a_flood_from_one_edge_drops_the_oldest_of_that_edge() -> None:
    knowledge = Knowledge()
    knowledge.add_heard("garden", "g1", tap(1, "brigitte", at=at(9)), NOON)
    for seq in range(1, MOST_HEARD + 4):
        knowledge.add_heard("stolen", "s1", tap(seq, f"m{seq}", at=at(9)), NOON)
    knowledge.rebuild()
    assert knowledge.dropped == 3
    inside = set(moves(knowledge))
    assert len(inside) == MOST_HEARD + 1
    assert {"brigitte", "m4"} <= inside
    assert "m3" not in inside


def test_an_edge_that_the_rules_do_not_name_any_more_is_forgotten() -> None:
    knowledge = Knowledge()
    knowledge.add_heard("stolen", "s1", tap(1, "alice", at=at(9)), NOON)
    knowledge.add_heard("garden", "g1", tap(1, "remy", at=at(9)), NOON)
    knowledge.keep_only({"garden", "front"})
    assert set(moves(knowledge)) == {"remy"}


# A clock in doubt


def test_what_is_seen_here_without_a_clock_comes_after_what_was_heard() -> None:
    """Back from a cut the edge believes that it is still nine; Rémy, who came at eleven, goes out by it."""
    knowledge = Knowledge()
    knowledge.replace_snapshot(1, snapshot(Moved("remy", at(11), True)), None)
    knowledge.add_own(8, [Moved("remy", at(9), False)], mono=60.0)
    assert not moves(knowledge)["remy"].inside
    knowledge.add_own(9, [Moved("remy", at(9), True)], mono=61.0)
    assert moves(knowledge)["remy"].inside
    knowledge.clock_is_back(at(12), 120.0)
    assert moves(knowledge)["remy"] == Move(at(12) - 59 * SECOND, True)


def test_what_was_done_in_doubt_moves_to_when_it_was() -> None:
    """Dated later than it seemed: so somebody who left by another door in between is inside again."""
    knowledge = Knowledge()
    knowledge.add_own(8, [Moved("remy", at(9), True)], mono=10.0)
    knowledge.add_heard("garden", "g1", tap(1, "remy", at=at(10), reason=Reason.EGRESS), NOON)
    assert not moves(knowledge)["remy"].inside
    knowledge.clock_is_back(at(11), 20.0)
    assert moves(knowledge)["remy"] == Move(at(11) - 10 * SECOND, True)


def test_what_was_heard_in_doubt_is_capped_once_the_receipt_is_known() -> None:
    knowledge = Knowledge()
    ahead = tap(1, "remy", at=at(20))
    knowledge.add_heard("garden", "g1", ahead, Receipt(at(2), 10.0))
    assert moves(knowledge)["remy"].at == at(20), "nobody can say better"
    knowledge.clock_is_back(at(11), 20.0)
    assert moves(knowledge)["remy"].at == at(11) - 10 * SECOND


# Any order, any number of times

MEMBERS = st.sampled_from(["alice", "brigitte", "remy"])
WHEN = st.integers(at(8) // 1000, at(18) // 1000).map(lambda seconds: seconds * 1000)


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    machine, start = draw(st.sampled_from(["laser", "saw"])), draw(WHEN)
    end = draw(st.none() | st.integers(1, 5).map(lambda hours: start + hours * HOUR))
    return Session(machine, machine, draw(MEMBERS), start, start + 2 * HOUR, cuts=True, end=end)


FACTS = st.one_of(
    st.builds(Moved, MEMBERS, WHEN, st.booleans()),
    st.builds(Paid, MEMBERS, st.sampled_from(["2026-11-24", "2026-11-24pm"]) | WHEN),
    st.builds(lambda member, start: Opened(member, start, start + HOUR), MEMBERS, WHEN),
    st.builds(Ran, sessions()),
)
OWN_FACTS = st.one_of(FACTS, st.builds(Stopped, st.sampled_from(["laser", "saw"]), st.booleans()))
EDGES = ("garden", "attic")


@dataclass
class Server:
    """What the server reads: all rows up to its position in each journal, whenever they happened."""

    own: list[Row]
    others: dict[str, list[Row]]
    version: int = 0
    reached: dict[str, int] = field(default_factory=dict)

    def ingests(self, edge: str, rows: int) -> None:
        of_edge = self.own if edge == "front" else self.others[edge]
        self.reached[edge] = min(len(of_edge), self.reached.get(edge, 0) + rows)

    def facts(self) -> list[Fact]:
        rows = [(self.own, "front"), *((rows, edge) for edge, rows in self.others.items())]
        read = [row for of_edge, edge in rows for row in of_edge[: self.reached.get(edge, 0)]]
        return [fact for row in read for fact in facts_of(row, instant(row.at))]

    def says(self) -> tuple[int, Snapshot, int]:
        self.version += 1
        positions = {edge: {"j": seq} for edge, seq in self.reached.items()}
        return self.version, Snapshot(False, tuple(self.facts()), positions), self.reached.get("front", 0)


def rows_of(facts: list[Fact]) -> list[Row]:
    return [telling(fact, seq) for seq, fact in enumerate(facts, 1)]


@settings(deadline=None, max_examples=200)
@given(
    own=st.lists(OWN_FACTS, max_size=8).map(rows_of),
    garden=st.lists(FACTS, max_size=8).map(rows_of),
    attic=st.lists(FACTS, max_size=8).map(rows_of),
    data=st.data(),
)
def test_it_ends_in_what_the_server_reads(
    own: list[Row], garden: list[Row], attic: list[Row], data: st.DataObject
) -> None:
    """Rows of others in any order and number, own rows in theirs, snapshots between, some of them lost or late."""
    server = Server(own, {"garden": garden, "attic": attic})
    knowledge, late, written = Knowledge(), [], 0
    heard: dict[str, list[Row]] = {edge: [] for edge in EDGES}
    acts = st.sampled_from(["own", "garden", "attic", "ingest", "say", "late"])
    for act in data.draw(st.lists(acts, max_size=40)):
        if act == "own" and written < len(own):
            written += 1
            knowledge.add_own(written, facts_of(own[written - 1], instant(own[written - 1].at)))
        elif act in EDGES and server.others[act]:
            row = data.draw(st.sampled_from(server.others[act]))
            heard[act].append(row)
            knowledge.add_heard(act, "j", row, Receipt(at(23)))
        elif act == "ingest":
            edge = data.draw(st.sampled_from(["front", *EDGES]))
            server.ingests(edge, data.draw(st.integers(1, 4)))
            server.reached["front"] = min(server.reached.get("front", 0), written)
        elif act == "say":
            late.append(server.says())
            if data.draw(st.booleans()):
                knowledge.replace_snapshot(*late[-1])
        elif act == "late" and late:
            knowledge.replace_snapshot(*data.draw(st.sampled_from(late)))
    for edge in EDGES:
        for row in data.draw(st.permutations(server.others[edge])):
            knowledge.add_heard(edge, "j", row, Receipt(at(23)))
    for row in own[written:]:
        knowledge.add_own(row.seq, facts_of(row, instant(row.at)))
    everything = [fact for row in own for fact in facts_of(row, instant(row.at))]
    everything += [
        fact for rows in server.others.values() for row in rows for fact in facts_for_others(row, instant(row.at))
    ]
    assert known(knowledge.state) == reading(everything), "each knows all rows, by whatever way"
    for edge in ("front", *EDGES):
        server.ingests(edge, 99)
    knowledge.replace_snapshot(*server.says())
    assert known(knowledge.state) == reading(server.facts())


@settings(deadline=None)
@given(st.lists(st.tuples(MEMBERS, WHEN, st.booleans()), max_size=8), st.integers(at(8), at(18)))
def test_nobody_moves_later_than_it_was_heard(taps: list[tuple[str, Instant, bool]], received: Instant) -> None:
    knowledge = Knowledge()
    for seq, (member, when, inside) in enumerate(taps, 1):
        knowledge.add_heard("garden", "j", telling(Moved(member, when, inside), seq), Receipt(received))
    assert all(move.at <= received for move in moves(knowledge).values())
    assert known(knowledge.state) == reading(Moved(who, min(when, received), way) for who, when, way in taps)
