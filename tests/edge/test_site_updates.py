"""What an edge hears of the site: the server's state and other edges' facts, checked, on the disk, in the state."""

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Raw
from msgspec.structs import replace

from edge.knowledge import MOST_HEARD, Positions
from policy.facts import Fact, Moved, Opened, Paid, Ran
from policy.instants import text
from policy.presence import Move
from policy.reasons import Reason
from policy.ruleset import Reader, RuleSet
from policy.sessions import Session
from policy.terms import DAY, ClockState, Direction
from simulator.clock import VirtualClock
from tests.support_edge import TOPICS, Bench, Folder, make_folder
from tests.support_rows import row, tap, telling
from tests.support_site import ALICE, BRIGITTE, UNKNOWN, at
from wire.envelope import seal
from wire.messages import Facts, State, encode
from wire.row import Kind, Row, decode
from wire.row import encode as encode_row
from wire.snapshot import Snapshot, pack

GARDEN = Ed25519PrivateKey.generate()
"""The key of the edge at the garden door."""


def rules_of_two(folder: Folder) -> RuleSet:
    """The small site with a garden door and a laser, whose edge is `garden`."""
    readers = {
        "garden-in": Reader("garden", Direction.IN, "garden"),
        "laser-tap": Reader("laser", None, "garden"),
    }
    rules = folder.set()
    public = GARDEN.public_key().public_bytes_raw().hex()
    return replace(rules, readers=rules.readers | readers, edges=rules.edges | {"garden": public})


def entry(seq: int, member: str, when: int, **fields: Any) -> Row:
    """Somebody came in by the garden."""
    return replace(tap(seq, member, at=when, **{"reader": "garden-in"} | fields), access_point="garden")


class Site:
    """An edge at the front door that hears the server and the garden's edge."""

    def __init__(self, folder: Folder, clock: VirtualClock | None = None) -> None:
        self.bench = Bench(folder, clock)
        self.bench.turn()
        self.version = 0

    @classmethod
    def new(cls, folder: Folder, clock: VirtualClock | None = None) -> "Site":
        site = cls(folder, clock)
        site.bench.give_rules(folder.rules(7, rules_of_two(folder)))
        return site

    def again(self) -> "Site":
        """After a restart on the same disk."""
        self.bench.edge.stop()
        return Site(self.bench.folder, VirtualClock(start=self.bench.clock.now()))

    @property
    def moves(self) -> dict[str, Move]:
        return self.bench.core.state.presence.moves

    @property
    def refused(self) -> dict[str, int]:
        return dict(self.bench.edge.storage.refusals.counts)

    def tells(self, *rows: Row, journal: str = "g1", key: Ed25519PrivateKey = GARDEN, edge: str = "garden") -> None:
        topic = TOPICS.facts(edge)
        body = encode(Facts(journal, tuple(Raw(encode_row(told)) for told in rows)))
        self.bench.wire.deliver(topic, seal(key, edge, topic, body))
        self.bench.settle()

    def knows(self, *facts: Fact, version: int, lockdown: bool = False, positions: Positions | None = None) -> None:
        """The server says so."""
        known = Snapshot(lockdown, facts, {edge: dict(reached) for edge, reached in (positions or {}).items()})
        self.bench.wire.say(TOPICS.state, State(version, text(at(10)), pack(known)))
        self.bench.settle()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return make_folder(tmp_path / "site")


@pytest.fixture
def site(folder: Folder) -> Site:
    return Site.new(folder)


class TestState:
    def test_it_counts_and_survives_a_restart(self, site: Site) -> None:
        site.knows(Moved("alice", at(9), True), Paid("brigitte", "2026-11-24am"), version=3, lockdown=True)
        for _ in range(2):
            state = site.bench.core.state
            assert site.moves == {"alice": Move(at(9), True)}
            assert (state.units, state.lockdown) == ({"brigitte": {"2026-11-24am"}}, True)
            site = site.again()

    def test_a_lockdown_refuses_and_its_end_lets_in(self, site: Site) -> None:
        site.knows(version=3, lockdown=True)
        assert site.bench.tap(BRIGITTE).reason is Reason.LOCKDOWN
        site.knows(version=4)
        assert site.bench.tap(BRIGITTE).reason is Reason.STAFFED_HOURS

    def test_lower_is_refused_and_equal_changes_nothing(self, site: Site) -> None:
        site.knows(Moved("alice", at(9), True), version=3)
        site.knows(version=3, lockdown=True)
        site.knows(version=2, lockdown=True)
        assert site.moves == {"alice": Move(at(9), True)}
        assert not site.bench.core.state.lockdown
        assert site.refused == {"state older": 1, "state twin": 1}

    def test_its_hash_tells_a_restored_server_what_is_held(self, site: Site) -> None:
        site.bench.connect()
        site.knows(Moved("alice", at(9), True), version=3)
        held = pack(Snapshot(False, (Moved("alice", at(9), True),), {}))
        site.knows(version=3)
        status = site.bench.wire.taken("status")[-1]
        assert (status.state_version, status.state_hash) == (3, sha256(held).hexdigest())

    def test_own_rows_above_its_position_still_count(self, site: Site) -> None:
        site.bench.tap(ALICE)
        site.bench.pins.put("contact", True)
        site.bench.wait(0.1)
        entered = site.bench.rows(Kind.DOOR_OPENED)[-1]
        own = {"front": {site.bench.journal.id: entered.seq - 1}}
        site.knows(version=3, positions=own)
        for _ in range(2):
            assert site.moves["alice"].inside
            site = site.again()
        site.knows(version=4, positions={"front": {site.bench.journal.id: entered.seq}})
        assert site.moves == {}, "the server corrected it"
        assert site.again().moves == {}

    def test_a_disk_that_is_full_holds_up_no_lockdown(self, site: Site) -> None:
        site.bench.journal._db.execute("PRAGMA query_only=ON")
        site.knows(version=3, lockdown=True)
        assert site.bench.core.state.lockdown

    @pytest.mark.parametrize("body", [b"", b"\x00", pack(Snapshot(True, (), {}))[:-2]])
    def test_one_that_cannot_be_read_changes_nothing(self, site: Site, body: bytes) -> None:
        site.bench.wire.say(TOPICS.state, State(9, text(at(10)), body))
        site.bench.settle()
        assert site.refused == {"state WireError": 1}
        site.knows(version=3, lockdown=True)
        assert site.bench.core.state.lockdown

    def test_only_the_server_may_say_it(self, site: Site) -> None:
        message = encode(State(9, text(at(10)), pack(Snapshot(True, (), {}))))
        site.bench.wire.deliver(TOPICS.state, seal(GARDEN, "server", TOPICS.state, message))
        site.bench.settle()
        assert (site.bench.core.state.lockdown, site.refused) == (False, {"state ForgedError": 1})

    def test_one_that_is_damaged_on_the_disk_keeps_no_door_shut(self, site: Site) -> None:
        site.knows(version=3, lockdown=True)
        site.bench.edge.stop()
        with closing(sqlite3.connect(site.bench.config.journal)) as other, other:
            other.execute("UPDATE kept SET value = x'00' WHERE name = 'state'")
        site = Site(site.bench.folder)
        assert site.bench.tap(ALICE).reason is Reason.STAFF
        assert site.bench.core.state.lockdown, "its second copy is read"

    def test_one_that_is_whole_and_no_state_keeps_no_door_shut(self, site: Site) -> None:
        site.bench.edge.storage.writer.keep({"state": b"\0"})
        site.bench.edge.stop()
        site = Site(site.bench.folder)
        assert site.bench.tap(ALICE).reason is Reason.STAFF
        assert site.refused == {"state on the disk WireError": 1}

    def test_its_version_is_said(self, site: Site) -> None:
        site.knows(version=3)
        site.bench.connect()
        assert site.bench.wire.taken("status")[-1].state_version == 3


class TestFacts:
    def test_they_count_and_survive_a_restart(self, site: Site) -> None:
        site.tells(entry(4, "brigitte", at(9, 50)), entry(6, "remy", at(9, 51)))
        for _ in range(2):
            assert site.moves == {"brigitte": Move(at(9, 50), True), "remy": Move(at(9, 51), True)}
            site = site.again()

    def test_until_a_state_includes_them(self, site: Site) -> None:
        site.tells(entry(4, "brigitte", at(9, 50)), entry(6, "remy", at(9, 51)))
        site.knows(version=3, positions={"garden": {"g1": 5}})
        assert site.moves == {"remy": Move(at(9, 51), True)}
        assert [told.rows[0][0] for told in site.bench.journal.heard()] == [6]
        site.tells(entry(5, "brigitte", at(9, 50)))
        assert site.again().moves == {"remy": Move(at(9, 51), True)}

    def test_heard_twice_they_are_kept_once(self, site: Site) -> None:
        for _ in range(2):
            site.tells(entry(4, "brigitte", at(9, 50)))
        assert len(site.bench.journal.heard()) == 1

    def test_they_are_kept_without_credential(self, site: Site) -> None:
        site.tells(entry(4, "brigitte", at(9, 50)))
        assert b"c0ffee" not in site.bench.journal.heard()[0].rows[0][1]

    def test_a_clock_that_runs_ahead_does_not_win_for_ever(self, site: Site) -> None:
        site.tells(entry(4, "brigitte", at(10) + 3000 * DAY))
        assert at(10) <= site.moves["brigitte"].at <= site.bench.clock.now()

    def test_a_clock_in_doubt_counts_from_the_receipt(self, site: Site) -> None:
        site.tells(entry(4, "brigitte", 0, clock=ClockState.UNKNOWN))
        received = site.moves["brigitte"].at
        assert at(10) <= received <= site.bench.clock.now()
        assert site.again().moves["brigitte"].at == received

    def test_what_was_heard_in_doubt_is_dated_when_the_clock_is_set(self, folder: Folder) -> None:
        """A clock that says 1970: what a clock in doubt tells counts from the receipt, once that is known."""
        site = Site.new(folder, VirtualClock(start=0, state=ClockState.UNKNOWN))
        site.tells(entry(4, "brigitte", 0, clock=ClockState.UNKNOWN), entry(5, "remy", at(9, 51)))
        assert site.moves["remy"].at == at(9, 51)
        site.bench.wait(60)
        site.bench.clock.set(now=at(10), state=ClockState.SYNCED)
        site.bench.tap(UNKNOWN)
        assert at(9, 58) < site.moves["brigitte"].at < at(10)
        assert site.moves["remy"].at == at(9, 51)

    def test_a_clock_that_was_set_back_dates_nothing_that_is_heard(self, site: Site) -> None:
        """A synced clock that lies: what it hears now would be yesterday's."""
        site.bench.wait(1)
        site.bench.clock.set(now=at(10) - DAY)
        site.tells(entry(4, "brigitte", at(10, 0, 1)), entry(5, "remy", 0, clock=ClockState.UNKNOWN))
        assert site.moves["brigitte"] == Move(at(10, 0, 1), inside=True)
        site.bench.wait(60)
        site.bench.clock.set(now=at(10, 2))
        site.bench.tap(UNKNOWN)
        assert site.moves["brigitte"] == Move(at(10, 0, 1), inside=True)
        assert at(10) < site.moves["remy"].at < at(10, 2)
        assert site.again().moves["brigitte"] == Move(at(10, 0, 1), inside=True), "and after a power cut"

    def test_a_disk_that_is_full_forgets_them_only_at_a_restart(self, site: Site) -> None:
        site.bench.journal._db.execute("PRAGMA query_only=ON")
        site.tells(entry(4, "brigitte", at(9, 50)))
        assert site.moves["brigitte"].inside

    def test_rules_without_the_edge_end_what_it_told(self, site: Site) -> None:
        site.tells(entry(4, "brigitte", at(9, 50)))
        site.bench.give_rules(site.bench.folder.rules(8))
        assert site.moves == {}
        assert site.again().moves == {}

    def test_own_facts_that_come_back_are_no_news(self, site: Site) -> None:
        site.tells(tap(1, "remy", at=at(9)), edge="front", key=site.bench.folder.own)
        assert (site.moves, site.refused) == ({}, {})

    def test_before_any_rules_nobody_is_believed(self, folder: Folder) -> None:
        site = Site(folder)
        site.tells(entry(4, "brigitte", at(9, 50)))
        assert (site.moves, site.refused) == ({}, {"facts stranger": 1})


FORGED: dict[str, tuple[Callable[[Site], None], str]] = {
    "another key": (lambda site: site.tells(entry(4, "alice", at(9)), key=site.bench.folder.server), "ForgedError"),
    "an edge that nobody knows": (lambda site: site.tells(entry(4, "alice", at(9)), edge="attic"), "stranger"),
    "another edge's place": (lambda site: site.tells(tap(4, "alice", at=at(9))), "foreign"),
    "another edge's reader": (lambda site: site.tells(entry(4, "alice", at(9), reader="front-in")), "foreign"),
    "no place at all": (
        lambda site: site.tells(replace(entry(4, "alice", at(9)), access_point=None, reader=None)),
        "foreign",
    ),
    "no fact": (lambda site: site.tells(entry(4, "alice", at(9), granted=False, reason=Reason.LOCKDOWN)), "idle"),
    "an emergency stop": (lambda site: site.tells(replace(row(4, Kind.ESTOP), access_point="laser")), "idle"),
    "an emergency stop at a door": (
        lambda site: site.tells(replace(row(4, Kind.ESTOP), access_point="garden")),
        "misplaced",
    ),
    "an instant of no time": (
        lambda site: site.tells(replace(entry(4, "alice", at(9)), at="9999-12-31T23:59:59.999Z")),
        "unreadable",
    ),
    "somebody in by a machine": (
        lambda site: site.tells(replace(tap(4, "gregoire", at=at(9), reader="laser-tap"), access_point="laser")),
        "misplaced",
    ),
    "somebody in by a machine without a reader": (
        lambda site: site.tells(replace(row(4, Kind.DOOR_OPENED, member="gregoire"), access_point="laser")),
        "misplaced",
    ),
    "a shift made at a machine": (
        lambda site: site.tells(
            replace(telling(Opened("gregoire", at(9), at(12)), 4), access_point="laser", reader=None)
        ),
        "misplaced",
    ),
    "a unit paid at a machine": (
        lambda site: site.tells(
            replace(telling(Paid("brigitte", "2026-11-24am"), 4), access_point="laser", reader=None)
        ),
        "misplaced",
    ),
    "a session at a door": (
        lambda site: site.tells(telling(Ran(Session("garden", "laser", "alice", at(9))), 4)),
        "misplaced",
    ),
    "no instant": (lambda site: site.tells(replace(entry(4, "alice", at(9)), at="yesterday")), "unreadable"),
    "a unit that is none": (lambda site: site.tells(entry(4, "alice", at(9), pays="noon")), "unreadable"),
    "a journal with a long name": (lambda site: site.tells(entry(4, "alice", at(9)), journal="g" * 201), "WireError"),
    "too much": (lambda site: site.tells(entry(4, "alice", at(9), nonce="a" * 5000)), "TooLargeError"),
}


@pytest.mark.parametrize("case", FORGED)
def test_what_an_edge_may_not_tell_changes_nothing(site: Site, case: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    forge, word = FORGED[case]
    forge(site)
    assert (site.moves, site.bench.journal.heard()) == ({}, [])
    assert site.refused == {f"facts {word}": 1}
    assert "refused: " in caplog.text


def test_a_session_told_by_a_machines_edge_counts(site: Site) -> None:
    session = Session("laser", "laser", "alice", at(9))
    site.tells(telling(Ran(session), 4))
    assert list(site.bench.core.state.sessions.of_machine("laser")) == [session]


def test_a_stolen_machine_opens_no_door(site: Site) -> None:
    """In the evening Grégoire's shift holds the place as soon as he is inside: at no machine can that be said."""
    site.bench.clock.set(now=at(20))
    site.tells(
        replace(row(4, Kind.DOOR_OPENED, at=at(20), member="gregoire"), access_point="laser"),
        replace(tap(5, "gregoire", at=at(20), reader="laser-tap", adhoc_until=text(at(23))), access_point="laser"),
    )
    assert site.bench.tap(BRIGITTE).reason is Reason.OUTSIDE_HOURS


def test_a_row_that_is_not_believed_takes_no_other_with_it(site: Site) -> None:
    site.tells(tap(3, "remy", at=at(9)), entry(4, "brigitte", at(9, 50)))
    assert site.moves == {"brigitte": Move(at(9, 50), True)}


class TestTelling:
    """What this edge tells the others."""

    def enter(self, bench: Bench) -> None:
        bench.tap(ALICE)
        bench.pins.put("contact", True)
        bench.wait(0.1)
        bench.pins.put("contact", False)
        bench.wait(6)

    def seqs(self, bench: Bench) -> list[int]:
        return [told.seq for told in bench.wire.told()]

    def test_as_soon_as_it_is_on_the_disk_and_once(self, site: Site) -> None:
        bench = site.bench
        bench.connect()
        self.enter(bench)
        (opened,) = bench.rows(Kind.DOOR_OPENED)
        bench.wait(1)
        assert self.seqs(bench)[0] == opened.seq
        bench.acknowledge(bench.journal.last_seq)
        bench.wire.told()
        bench.wait(100)
        assert self.seqs(bench) == []

    def test_again_at_connect_as_long_as_the_server_has_not_answered(self, site: Site) -> None:
        bench = site.bench
        self.enter(bench)
        first = bench.rows(Kind.DOOR_OPENED)[0].seq
        for _ in range(2):
            bench.connect()
            assert self.seqs(bench) == [first]
            bench.wire.down()
            bench.settle()
        bench.connect()
        bench.acknowledge(bench.journal.last_seq)
        bench.wire.told()
        bench.wire.down()
        bench.connect()
        assert self.seqs(bench) == []

    def test_again_with_the_events_for_want_of_an_answer(self, site: Site) -> None:
        bench = site.bench
        bench.connect()
        self.enter(bench)
        bench.wire.told()
        bench.wire.taken("events")
        bench.wait(70)
        assert len(bench.wire.taken("events")) == len(self.seqs(bench)) > 0

    def test_after_a_long_outage_the_newest_alone_in_messages_of_200(self, site: Site) -> None:
        """Nobody holds more rows of one edge, and the server gets them all anyway."""
        bench = site.bench
        first = bench.journal.last_seq + 1
        bench.journal.append([tap(seq, "alice", at=at(9)) for seq in range(first, first + MOST_HEARD + 300)])
        bench.connect()
        bench.wait(1)
        said = bench.wire.taken("facts")
        assert max(len(told.rows) for told in said) == 200
        rows = [decode(bytes(raw), "facts").seq for told in said for raw in told.rows]
        assert rows == list(range(first + 300, first + MOST_HEARD + 300))


class TestLink:
    def test_the_controller_knows_whether_the_link_is_up(self, site: Site) -> None:
        state = site.bench.core.state
        assert not state.link_up
        site.bench.connect()
        assert state.link_up
        site.bench.wire.down()
        site.bench.settle()
        assert not state.link_up


class TestRestoredServer:
    """The server's database was restored from an older copy: it acknowledges less than it did."""

    def test_rows_that_are_still_here_are_sent_again(self, site: Site) -> None:
        bench = site.bench
        bench.connect()
        for _ in range(3):
            bench.tap(ALICE)
        last = bench.journal.last_seq
        bench.acknowledge(last)
        bench.wire.taken("events")
        bench.acknowledge(2)
        (events,) = bench.wire.taken("events")
        assert len(events.rows) == last - 2
        bench.acknowledge(last)
        assert bench.journal.acknowledged == last

    def test_where_they_are_deleted_nothing_is_sent_twice(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        bench = site.bench
        bench.connect()
        bench.tap(ALICE)
        bench.acknowledge(bench.journal.last_seq)
        bench.clock.set(now=bench.clock.now() + 40 * DAY)
        bench.wait(1)
        bench.edge.storage.writer.prune(bench.clock.now())
        bench.acknowledge(bench.journal.last_seq)
        kept = bench.journal.acknowledged
        bench.wire.taken("events")
        for _ in range(2):
            bench.acknowledge(1)
        assert (bench.wire.taken("events"), bench.journal.acknowledged) == ([], kept)
        assert caplog.text.count("the server asks for row 2, which is deleted here") == 1
