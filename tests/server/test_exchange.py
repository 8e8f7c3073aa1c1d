"""What follows from what an edge says: an acknowledgement, the state, a higher version; and what from a lockdown."""

from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from shutil import copy

import pytest
from sqlmodel import Session

from policy.facts import Moved
from policy.instants import text
from policy.terms import DAY, MINUTE, ClockState
from server import models
from server.database.engine import Database
from server.database.reserve import RESERVE
from server.database.types import moment
from server.errors import DatabaseError, FullError, ImportRefusedError
from server.ingest.status import CEILING, JUMP
from server.publish.rules import RETRY
from server.publish.state import GAP
from tests.support_exchange import Office
from tests.support_server import FRONT_KEY, TOPICS, Journal, events
from tests.support_site import at
from wire.envelope import seal
from wire.errors import TooLargeError
from wire.messages import Ack, Facts, Fresh, Rules, State, Status
from wire.row import Kind, Order
from wire.snapshot import unpack


def version(office: Office) -> int:
    return office.last(State, TOPICS.state).version


def held(office: Office) -> int:
    return office.last(Rules, TOPICS.rules).version


def test_at_its_start_the_server_says_all_that_it_knows(office: Office) -> None:
    office.journal.enters(at(18), "remy")
    office.tell()
    after = Office(office.database)
    assert unpack(after.last(State, TOPICS.state).body).positions == {"front": {"j1": 3}}
    assert after.last(Ack, TOPICS.ack("front")) == Ack("j1", 3)
    assert (held(after), after.last(Fresh, TOPICS.fresh).version) == (1, 1)


def test_rows_are_acknowledged_and_the_state_follows(office: Office) -> None:
    office.now += GAP
    office.journal.enters(at(18), "remy")
    office.tell()
    assert list(office.retained)[-2:] == [TOPICS.state, TOPICS.ack("front")]
    told = unpack(office.last(State, TOPICS.state).body)
    assert told.facts == (Moved("remy", at(18, 0, 2), inside=True),)
    assert office.last(Ack, TOPICS.ack("front")).seq == told.positions["front"]["j1"] == 3


def test_what_changes_nothing_is_not_told_to_others(office: Office) -> None:
    office.now += MINUTE
    office.journal.tap_in(at(18), None, granted=False)
    office.journal.add(at(18), Kind.DOOR_CLOSED)
    office.tell()
    office.now += MINUTE
    office.exchange.tick()
    assert version(office) == 1


def test_under_load_the_state_still_comes(office: Office) -> None:
    """Four times a second, while messages come without a pause."""
    for number in range(20):
        office.now += GAP // 5
        office.journal.enters(at(18, number), "remy")
        office.tell()
    assert version(office) == 1 + 4


def test_facts_come_as_events_too(office: Office) -> None:
    office.front_says("facts", Facts("j1", ()))
    assert office.exchange.troubles.count("front") == 0


def test_another_edge_cannot_reply_for_it(office: Office) -> None:
    topic = TOPICS.reply("garage")
    office.exchange.take(topic, seal(FRONT_KEY, "front", topic, b"{}"))
    assert office.exchange.troubles.count("garage") == 1


def test_when_the_state_cannot_be_told_the_rows_are_stored_nevertheless(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise DatabaseError("the disk is full")

    office.now += MINUTE
    office.journal.enters(at(18), "remy")
    with monkeypatch.context() as patched:
        patched.setattr("server.publish.state.told", fail)
        office.tell()
    assert office.last(Ack, TOPICS.ack("front")).seq == 3
    assert "stored, but what follows from it was not done, or not yet: the disk is full" in caplog.text
    office.now += MINUTE
    office.exchange.tick()
    assert version(office) == 2


# Lockdown


def test_a_lockdown_is_said_at_once(office: Office) -> None:
    """However little time has passed since the last word: nothing but the database stands between."""
    office.journal.enters(at(18), "remy")
    office.tell()
    assert office.exchange.lock_down(True, "alice") == ["front", "garage"]
    assert unpack(office.last(State, TOPICS.state).body).lockdown
    office.front_is_there()
    assert office.exchange.lock_down(False, "gregoire") == ["garage"]
    assert not unpack(office.last(State, TOPICS.state).body).lockdown
    assert version(office) == 3


@pytest.mark.sqlite
def test_a_full_disk_keeps_no_lockdown_and_no_command_back(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve, transaction = Path(f"{office.database.url.database}.reserve"), office.database.transaction

    def full() -> AbstractContextManager[Session]:
        if reserve.stat().st_size == RESERVE:
            raise FullError("the disk is full")
        return transaction()

    office.front_is_there()
    monkeypatch.setattr(office.database, "transaction", full)
    assert office.exchange.lock_down(True, "alice") == ["garage"]
    assert unpack(office.last(State, TOPICS.state).body).lockdown
    assert office.exchange.orders.give(Order.OPEN, "front", "alice").edge == "front"
    with pytest.raises(FullError):
        office.tell()


def test_without_a_broker_nobody_is_said_to_have_heard_of_it(office: Office) -> None:
    office.front_is_there()
    office.link_up = False
    assert office.exchange.lock_down(True, "alice") == ["front", "garage"]
    assert unpack(office.last(State, TOPICS.state).body).lockdown


def test_who_declared_it_and_who_lifted_it_is_kept(office: Office) -> None:
    office.exchange.lock_down(True, "alice")
    office.exchange.lock_down(False, "gregoire")
    with office.database.reading() as session:
        rows = [session.get_one(models.GivenOrder, f"nonce {n}") for n in (1, 2)]
        now = session.get_one(models.Lockdown, 1)
    assert [(row.order, row.by, row.at, row.done) for row in rows] == [
        ("lockdown_on", "alice", moment(at(19)), True),
        ("lockdown_off", "gregoire", moment(at(19)), True),
    ]
    assert (now.on, now.by) == (False, "gregoire")


# A database that was restored


def test_a_version_that_an_edge_is_ahead_with_is_left_behind(office: Office) -> None:
    office.front_is_there(rules_version=7, state_version=90)
    assert (held(office), version(office)) == (8, 91)
    office.front_is_there(rules_version=8, state_version=91)
    assert (held(office), version(office)) == (8, 91)


def test_what_edges_hold_is_what_was_published(office: Office) -> None:
    office.front_is_there(rules_version=1, state_version=1)
    office.front_is_there()
    assert (held(office), version(office)) == (1, 1)


def test_what_an_edge_holds_under_the_same_version_is_left_behind(office: Office) -> None:
    """The restored server has given the edge's version to something else."""
    ours = {
        "rules_hash": office.last(Rules, TOPICS.rules).hash,
        "state_hash": office.last(State, TOPICS.state).hash,
    }
    office.front_is_there(rules_version=1, state_version=1, **ours)
    assert (held(office), version(office)) == (1, 1)
    office.front_is_there(rules_version=1, state_version=1, **ours | {"state_hash": "ff" * 32})
    assert (held(office), version(office)) == (1, 2)
    office.front_is_there(rules_version=1, state_version=2, rules_hash="ff" * 32)
    assert (held(office), version(office)) == (2, 2)
    office.front_is_there(rules_version=1, rules_hash="ff" * 32)
    assert held(office) == 2, "older than the newest: whatever it is, the edge will take that"


def test_no_edge_takes_the_versions_out_of_reach(office: Office) -> None:
    office.front_is_there(rules_version=2 + JUMP, state_version=2**53)
    assert (held(office), version(office)) == (1, 1)
    with office.database.transaction() as session:
        for row in (1, 2):
            session.get_one(models.Published, row).version = CEILING - 1
    office.front_is_there(rules_version=CEILING + 1, state_version=CEILING)
    office.exchange.connected()
    assert (held(office), version(office)) == (1, CEILING + 1)


def test_an_older_copy_of_the_database_catches_up(tmp_path: Path, template: Path) -> None:
    """Restored, it has what the edge was told is stored no more: the edge sends it again; nothing is lost or twice."""
    path = tmp_path / "loquet.db"
    copy(template, path)
    journal = Journal()
    for hour in (9, 10, 11):
        journal.enters(at(hour), "remy")
        journal.leaves(at(hour, 30), "remy")
    rows = tuple(journal.rows)
    first = opened(path)
    first.exchange.take(TOPICS.events("front"), events(rows[:5]))
    first.database.close()
    copy(path, tmp_path / "backup.db")
    first = opened(path)
    first.exchange.take(TOPICS.events("front"), events(rows[5:]))
    assert first.last(Ack, TOPICS.ack("front")).seq == len(rows) == 12
    reported = (held(first), version(first))
    first.database.close()

    copy(tmp_path / "backup.db", path)
    second = opened(path)
    second.now += MINUTE
    assert second.last(Ack, TOPICS.ack("front")).seq == 5, "the edge sends again from here"
    more = journal.add(at(19), Kind.DOOR_CLOSED)
    second.exchange.take(TOPICS.events("front"), events([more]))
    assert second.last(Ack, TOPICS.ack("front")).seq == 5, "what is above a gap is not taken, and the edge told so"
    second.front_is_there(rules_version=reported[0], state_version=reported[1] + 5)
    assert version(second) > reported[1] + 5
    second.exchange.take(TOPICS.events("front"), events([*rows[5:], more]))
    assert second.last(Ack, TOPICS.ack("front")).seq == 13
    with second.database.reading() as session:
        stored = session.connection().exec_driver_sql("SELECT seq FROM journal_row ORDER BY seq").scalars().all()
    assert stored == list(range(1, 14))
    second.now += GAP
    second.exchange.tick()
    assert unpack(second.last(State, TOPICS.state).body).positions == {"front": {"j1": 13}}
    assert version(second) > reported[1] + 5
    second.database.close()


def opened(path: Path) -> Office:
    return Office(Database(f"sqlite:///{path}"))


# A status that somebody kept


SYNCED = ClockState.SYNCED


def online(office: Office) -> tuple[bool | None, str]:
    with office.database.reading() as session:
        edge = session.get_one(models.Edge, "front")
    return edge.online, edge.software


def test_an_older_status_sent_once_more_says_nothing(office: Office) -> None:
    office.front_is_there(at=text(at(18)), software="new", clock=SYNCED)
    office.front_is_there(at=text(at(17)), software="old", clock=SYNCED)
    assert online(office) == (True, "new")
    trouble = office.exchange.troubles.of_edge("front")
    assert trouble is not None
    assert "older than one of 2026-11-24T17:00:00" in trouble.why
    office.front_is_there(at=text(at(18)), software="newest", clock=SYNCED)
    assert online(office) == (True, "newest"), "the same instant is not older"


def test_a_will_is_older_and_counts(office: Office) -> None:
    office.front_is_there(at=text(at(18)), software="new", clock=SYNCED)
    office.front_says("status", Status(online=False, at=text(at(9))))
    assert online(office) == (False, "new")
    office.front_is_there(at=text(at(17)), software="old", clock=SYNCED)
    assert online(office) == (False, "new"), "whoever kept a status cannot bring the edge back"


def test_a_clock_that_is_not_trusted_tells_nothing(office: Office) -> None:
    office.front_is_there(at=text(at(18)), software="new", clock=SYNCED)
    office.front_is_there(at=text(at(18) - 9000 * DAY), software="lost", clock=ClockState.UNKNOWN)
    assert online(office) == (True, "lost")


@pytest.mark.parametrize("kind", [Kind.STARTED, Kind.CLOCK_SET])
def test_where_the_journal_says_that_the_clock_is_another_it_may_be_older(office: Office, kind: Kind) -> None:
    office.front_is_there(at=text(at(18)), software="new", clock=SYNCED)
    office.journal.add(at(12), kind)
    office.tell()
    office.front_is_there(at=text(at(12)), software="set back", clock=SYNCED)
    assert online(office) == (True, "set back")


def test_versions_only_grow(office: Office) -> None:
    """Whatever happens, in any order: restored versions, changes, lockdowns, connects."""
    for number in range(6):
        office.now += MINUTE
        office.journal.enters(at(18, number), "remy")
        office.tell()
        office.exchange.lock_down(number % 2 == 0, "alice")
        office.front_is_there(state_version=10 * number)
        office.exchange.connected()
    said = [unsealed.version for unsealed in all_states(office)]
    assert all(before <= after for before, after in pairwise(said))
    assert len(set(said)) > 12


def all_states(office: Office) -> list[State]:
    payloads = office.retained[TOPICS.state]
    found = []
    for count in range(1, len(payloads) + 1):
        office.retained[TOPICS.state] = payloads[:count]
        found.append(office.last(State, TOPICS.state))
    return found


def test_after_a_change_of_the_site_the_edges_hear_rules_and_a_state_that_is_another(office: Office) -> None:
    rules, states = (len(office.retained[topic]) for topic in (TOPICS.rules, TOPICS.state))
    office.now += MINUTE
    office.exchange.site_changed()
    assert (len(office.retained[TOPICS.rules]), len(office.retained[TOPICS.state])) == (rules + 1, states)
    with office.database.transaction() as session:
        session.add(models.Position(edge="front", journal="j0", seq=4, updated=moment(office.now)))
    office.now += MINUTE
    office.exchange.site_changed()
    assert unpack(office.last(State, TOPICS.state).body).positions == {"front": {"j0": 4}}
    assert office.changes == 2


# What follows, and fails


def failing(*_: object, **__: object) -> None:
    raise DatabaseError("the disk is full")


def test_what_fails_takes_nothing_else_with_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.now += MINUTE
    office.journal.enters(at(18), "remy")
    office.journal.add(at(18), Kind.COMMAND, nonce="n1", granted=True)
    with monkeypatch.context() as patched:
        patched.setattr(office.exchange.orders, "answered", failing)
        office.tell()
    assert office.last(Ack, TOPICS.ack("front")).seq == 4
    assert unpack(office.last(State, TOPICS.state).body).positions["front"] == {"j1": 4}


def test_rules_that_could_not_be_made_are_made_later(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edge holds more than was ever made here: the next version is above it, as soon as the disk takes one."""
    with monkeypatch.context() as patched:
        patched.setattr("server.publish.rules.compile_rules", failing)
        office.front_is_there(rules_version=8)
        office.exchange.tick()  # not at once: what fails would be logged several times a second
        office.now += RETRY
        with pytest.raises(DatabaseError):
            office.exchange.tick()
    office.now += RETRY
    office.exchange.tick()
    assert held(office) == 9


def too_large(*_: object) -> bytes:
    raise TooLargeError("rules: one byte too many")


def test_rules_that_outgrow_a_message_are_tried_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """And each time it is said; else the edges would go on without a word by rules that are older."""
    before = held(office)
    with monkeypatch.context() as patched:
        patched.setattr("server.publish.rules.seal", too_large)
        office.front_is_there(rules_version=8)
        for _ in range(3):
            office.now += RETRY
            with pytest.raises(ImportRefusedError, match="the site is too large"):
                office.exchange.tick()
    assert held(office) == before
    office.now += RETRY
    office.exchange.tick()
    assert held(office) == 9


def test_rules_that_cannot_be_made_keep_no_state_back(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.publish.rules.compile_rules", failing)
    office.front_is_there(rules_version=8)
    office.journal.enters(at(18), "remy")
    office.tell()
    office.now += RETRY
    with pytest.raises(DatabaseError):
        office.exchange.tick()
    assert unpack(office.last(State, TOPICS.state).body).positions["front"] == {"j1": 3}


def test_a_state_that_could_not_be_renewed_is_later(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("server.publish.state.told", failing)
        office.front_is_there(state_version=8)
    office.now += MINUTE
    office.exchange.tick()
    assert version(office) == 9
