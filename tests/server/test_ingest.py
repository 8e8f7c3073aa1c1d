"""Rows are stored once and in order, whatever the network does to the messages; nobody speaks for another."""

import logging
import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from policy.instants import text
from policy.reasons import Reason
from policy.terms import HOUR, MINUTE, SECOND, ClockState
from server.db import Database, moment
from server.errors import DatabaseError
from server.ingest import Owed
from server.models import DoorState, Edge, JournalRow, Position, Presence
from tests.support_server import FRONT_KEY, GARAGE_KEY, TOPICS, Desk, Journal, events, small_bundle
from tests.support_site import at
from wire.envelope import seal
from wire.messages import MAX_ROWS, Ack, Status, encode
from wire.row import Kind, Row

FRONT = TOPICS.events("front")


def rows_of(desk: Desk) -> list[JournalRow]:
    with desk.database.reading() as session:
        return list(session.exec(select(JournalRow).order_by(JournalRow.journal, JournalRow.seq)))


def presence(desk: Desk) -> dict[str, tuple[int, bool]]:
    with desk.database.reading() as session:
        return {p.member: (round(p.at.timestamp() * 1000), p.inside) for p in session.exec(select(Presence))}


def kinds(desk: Desk) -> list[str]:
    return [row.kind for row in rows_of(desk)]


def owed(seq: int, journal: str = "j1") -> Owed:
    return Owed("front", Ack(journal, seq))


# What is stored


def test_a_row_is_stored_whole(desk: Desk, journal: Journal) -> None:
    tap = journal.tap_in(at(9, 5), "brigitte")
    assert desk.take(journal.rows) == owed(1)
    [row] = rows_of(desk)
    assert (row.edge, row.journal, row.seq, row.boot, row.mono_ms) == ("front", "j1", 1, "boot", tap.mono_ms)
    assert (row.at, row.received) == (moment(at(9, 5)), moment(desk.now))
    assert (row.kind, row.reader, row.direction, row.access_point) == ("tap", "front-in", "in", "front")
    assert (row.member, row.granted, row.reason, row.pending) == ("brigitte", True, "staffed_hours", True)
    assert (row.credential, row.rules_version, row.clock) == (tap.credential, 1, "synced")


def test_a_batch_again_is_stored_once_and_acknowledged_again(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9, 5), "brigitte")
    assert desk.take(journal.rows) == desk.take(journal.rows) == owed(3)
    assert len(rows_of(desk)) == 3


def test_a_batch_that_overlaps_adds_its_new_rows(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9, 5), "brigitte")
    journal.enters(at(9, 6), "remy")
    desk.take(journal.rows[:4])
    assert desk.take(journal.rows[2:]) == owed(6)
    assert [row.seq for row in rows_of(desk)] == [1, 2, 3, 4, 5, 6]


def test_a_gap_is_refused_and_what_is_on_disk_acknowledged(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9, 5), "brigitte")
    journal.enters(at(9, 6), "remy")
    desk.take(journal.rows[:2])
    assert desk.take(journal.rows[3:]) == owed(2)
    assert len(rows_of(desk)) == 2
    trouble = desk.troubles.of_edge("front")
    assert trouble is not None
    assert "row 3 of journal 'j1' is missing" in trouble.why


def test_the_rows_before_a_gap_inside_a_batch_are_stored(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9, 5), "brigitte")
    assert desk.take([journal.rows[0], journal.rows[2]]) == owed(1)
    assert len(rows_of(desk)) == 1


def test_a_journal_that_starts_late_waits_for_its_first_row(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9, 5), "brigitte")
    assert desk.take(journal.rows[1:]) == owed(0)


def test_a_new_journal_of_the_same_edge_starts_at_one(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9, 5), "brigitte")
    desk.take(journal.rows, "j1")
    desk.now += MINUTE
    assert desk.take(journal.rows[:1], "j2") == owed(1, "j2")
    assert desk.ingest.owed() == [owed(1, "j2")]


def test_an_empty_batch_is_answered_with_what_is_on_disk(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9, 5), "brigitte")
    desk.take(journal.rows)
    assert desk.take([]) == owed(3)


# Who is inside


def test_a_granted_tap_counts_when_the_door_opens(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9, 5), "brigitte")
    desk.take(journal.rows[:1])
    assert presence(desk) == {}
    desk.take(journal.rows)
    assert presence(desk) == {"brigitte": (at(9, 5, 2), True)}


def test_a_grant_that_lapses_is_no_arrival(desk: Desk, journal: Journal) -> None:
    journal.tap_in(at(9, 5), "brigitte")
    journal.add(at(9, 30), Kind.DOOR_OPENED)
    desk.take(journal.rows)
    assert presence(desk) == {}


def test_without_a_contact_a_grant_counts_at_once(desk: Desk, journal: Journal) -> None:
    journal.add(
        at(9),
        Kind.TAP,
        reader="front-in",
        credential="hash",
        member="remy",
        granted=True,
        reason=Reason.ALWAYS,
    )
    desk.take(journal.rows)
    assert presence(desk) == {"remy": (at(9), True)}


@pytest.mark.parametrize("together", [True, False])
def test_an_opening_that_names_only_its_tap_lets_in_who_tapped(desk: Desk, journal: Journal, together: bool) -> None:
    tap = journal.tap_in(at(9, 5), "brigitte")
    journal.add(at(9, 5, 1), Kind.DOOR_OPENED, settles=tap.seq)
    if not together:
        desk.take(journal.rows[:1])
    desk.take(journal.rows)
    assert presence(desk) == {"brigitte": (at(9, 5, 1), True)}


def test_an_opening_that_names_a_tap_of_nobody_moves_nobody(desk: Desk, journal: Journal) -> None:
    journal.tap_in(at(9, 5), None, Reason.UNKNOWN_CREDENTIAL, granted=False)
    journal.add(at(9, 5, 1), Kind.DOOR_OPENED, settles=1)
    desk.take(journal.rows)
    assert presence(desk) == {}
    assert rows_of(desk)[1].inside is None


def test_out_counts_at_once_and_refusals_never(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9, 5), "brigitte")
    journal.leaves(at(12), "brigitte")
    journal.tap_in(at(20), "remy", Reason.OUTSIDE_HOURS, granted=False)
    journal.leaves(at(20, 1), None)
    desk.take(journal.rows)
    assert presence(desk) == {"brigitte": (at(12), False)}


def test_rows_that_come_late_do_not_undo_later_moves(desk: Desk, journal: Journal) -> None:
    journal.leaves(at(12), "brigitte")
    desk.take(journal.rows, "j2")
    late = Journal()
    late.enters(at(9), "brigitte")
    desk.take(late.rows, "j1")
    assert presence(desk) == {"brigitte": (at(12), False)}


def test_a_clock_that_runs_ahead_does_not_win_for_ever(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9) + 9 * 365 * 24 * HOUR, "brigitte")
    desk.take(journal.rows)
    assert presence(desk) == {"brigitte": (desk.now, True)}


def test_an_untrusted_clock_moves_people_at_receipt(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "brigitte")
    lost = [
        msgspec.structs.replace(row, clock=ClockState.UNKNOWN, at="1970-01-01T00:00:10.000Z") for row in journal.rows
    ]
    desk.take(lost)
    assert presence(desk) == {"brigitte": (desk.now, True)}


def test_the_door_is_as_its_contact_said_last(desk: Desk, journal: Journal) -> None:
    journal.add(at(9), Kind.DOOR_FORCED)
    journal.add(at(9, 1), Kind.DOOR_HELD)
    desk.take(journal.rows)
    journal.add(at(9, 2), Kind.DOOR_CLOSED)
    desk.take(journal.rows)
    with desk.database.reading() as session:
        door = session.get(DoorState, "front")
    assert door is not None
    assert (door.kind, door.at, door.forced_at) == ("door_closed", moment(at(9, 2)), moment(at(9)))


# What cannot be believed is kept and counts for nothing

SPOILED: dict[str, Callable[[Row], Row | bytes]] = {
    "a foreign reader": lambda row: msgspec.structs.replace(row, reader="garage-in"),
    "a reader that nobody knows": lambda row: msgspec.structs.replace(row, reader="attic"),
    "a foreign door": lambda row: msgspec.structs.replace(row, access_point="garage"),
    "no instant": lambda row: msgspec.structs.replace(row, at="half past nine"),
    "an instant without offset": lambda row: msgspec.structs.replace(row, at="2026-11-24T09:00:00"),
    "an instant before all time": lambda row: msgspec.structs.replace(row, at="0001-01-01T00:00:00+23:00"),
    "no reason": lambda row: msgspec.structs.replace(row, reason=None),
    "a negative clock": lambda row: msgspec.structs.replace(row, mono_ms=-1),
    "a clock of a million years": lambda row: msgspec.structs.replace(row, mono_ms=2**70),
    "a version above all": lambda row: msgspec.structs.replace(row, rules_version=2**63),
    "a kind from the future": lambda row: msgspec.json.encode(msgspec.to_builtins(row) | {"kind": "teleported"}),
    "a word too many": lambda row: msgspec.json.encode(msgspec.to_builtins(row) | {"colour": "red"}),
    "no row at all": lambda row: b'"hello"',
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_a_row_that_cannot_be_believed_holds_nobody_up(
    desk: Desk, journal: Journal, spoil: Callable[[Row], Row | bytes]
) -> None:
    journal.enters(at(9), "remy")
    journal.tap_in(at(10), "brigitte")
    journal.enters(at(11), "alice")
    rows: list[Row | bytes] = list(journal.rows)
    rows[3] = spoil(journal.rows[3])
    assert desk.take(rows) == owed(7)
    assert kinds(desk)[3] == "refused"
    refused = rows_of(desk)[3]
    assert refused.raw is not None
    assert refused.detail
    assert refused.member is refused.moved_at is refused.reason is None
    assert sorted(presence(desk)) == ["alice", "remy"]
    assert desk.troubles.of_edge("front") is not None


def test_a_batch_in_which_no_row_has_a_number_is_refused_whole(desk: Desk) -> None:
    assert desk.take([b'"hello"', b"{}"]) is None
    assert rows_of(desk) == []


@pytest.mark.parametrize("seq", [0, -3, 2**64])
def test_numbers_that_no_journal_has(desk: Desk, journal: Journal, seq: int) -> None:
    tap = journal.tap_in(at(9), "remy")
    assert desk.take([msgspec.structs.replace(tap, seq=seq)]) is None
    assert rows_of(desk) == []


# Who may speak


def forged() -> dict[str, tuple[str, bytes]]:
    journal = Journal()
    journal.enters(at(9), "remy")
    whole = events(journal.rows)
    garage = TOPICS.events("garage")
    return {
        "unsigned": (FRONT, encode({"journal": "j1", "rows": []})),
        "no JSON": (FRONT, b"\xff\x00"),
        "altered": (FRONT, whole.replace(b"remy", b"zoe_")),
        "another edge's topic": (garage, whole),
        "signed by another edge": (FRONT, seal(GARAGE_KEY, "front", FRONT, b'{"journal":"j","rows":[]}')),
        "another edge's name": (FRONT, seal(FRONT_KEY, "garage", FRONT, b'{"journal":"j","rows":[]}')),
        "an edge that is not known": (TOPICS.events("attic"), whole),
        "another site": ("loquet/treso/edge/front/events", whole),
        "an acknowledgement": (TOPICS.ack("front"), seal(FRONT_KEY, "front", TOPICS.ack("front"), b"{}")),
        "too large": (FRONT, b" " * (4 * 1024 * 1024 + 1)),
        "deeply nested": (FRONT, seal(FRONT_KEY, "front", FRONT, b"[" * 5000 + b"]" * 5000)),
        "not events": (FRONT, seal(FRONT_KEY, "front", FRONT, b'{"rows":[]}')),
        "too many rows": (FRONT, events([b"{}"] * (MAX_ROWS + 1))),
    }


@pytest.mark.parametrize("name", forged())
def test_a_message_that_cannot_be_believed_is_counted_and_stores_nothing(
    desk: Desk, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    topic, payload = forged()[name]
    with caplog.at_level(logging.WARNING):
        assert desk.ingest.take(topic, payload) is None
    assert rows_of(desk) == []
    assert sum(desk.troubles.count(edge) for edge in ("front", "garage")) + desk.troubles.elsewhere == 1
    assert topic in caplog.text
    assert desk.changes == 1


def test_the_log_names_neither_people_nor_badges(
    desk: Desk, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    journal.enters(at(9), "remy")
    spoiled = [msgspec.structs.replace(row, reader="attic", detail="Rémy Quentin") for row in journal.rows]
    with caplog.at_level(logging.DEBUG):
        desk.take(spoiled)
        for topic, payload in forged().values():
            desk.ingest.take(topic, payload)
    assert "attic" in caplog.text
    for member in small_bundle().members:
        assert member.name.split()[1] not in caplog.text
    for credential in small_bundle().credentials:
        assert credential.uid.lower() not in caplog.text.lower()


def test_an_edge_that_is_added_is_heard_after_a_reload(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "remy")
    with desk.database.transaction() as session:
        session.delete(session.get(Edge, "front"))
    desk.ingest.reload()
    assert desk.take(journal.rows) is None
    with desk.database.transaction() as session:
        key = FRONT_KEY.public_key().public_bytes_raw().hex()
        session.add(Edge(id="front", public_key=key, access_points=["front"], readers={}))
    desk.ingest.reload()
    assert desk.take(journal.rows) == owed(3)


# What goes wrong here


def test_with_a_full_disk_nothing_is_stored_or_acknowledged_and_later_all_is(desk: Desk, journal: Journal) -> None:
    for minute in range(40):
        journal.enters(at(9, minute), f"member-{minute}" + "x" * 900)
    with desk.database.transaction() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(DatabaseError, match="free space"):
        desk.take(journal.rows)
    assert rows_of(desk) == []
    with desk.database.transaction() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count=100000")
    assert desk.take(journal.rows) == owed(120)


def test_while_a_backup_holds_the_database_nothing_is_acknowledged(
    desk: Desk, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.enters(at(9), "remy")
    with desk.database.transaction() as session:
        session.connection().exec_driver_sql("PRAGMA busy_timeout=20")
    other = sqlite3.connect(desk.database.url.database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseError, match="another program holds it"):
        desk.take(journal.rows)
    other.close()
    assert desk.take(journal.rows) == owed(3)


# Status


def edge_row(desk: Desk) -> Edge:
    with desk.database.reading() as session:
        row = session.get(Edge, "front")
    assert row is not None
    return row


def test_a_status_is_kept(desk: Desk) -> None:
    readers = {"front-in": None, "front-out": "silent"}
    said = Status(
        True,
        at=text(at(9)),
        software="0.1.0",
        rules_version=4,
        clock=ClockState.RTC,
        readers=readers,
        unacknowledged=7,
        journal_fault="disk full",
        temperature=51.5,
        free_disk=812,
    )
    desk.say(said)
    row = edge_row(desk)
    assert (row.online, row.since, row.last_seen) == (True, moment(at(9)), moment(at(9)))
    assert (row.software, row.rules_version, row.clock, row.readers) == ("0.1.0", 4, "rtc", readers)
    assert (row.unacknowledged, row.journal_fault, row.temperature, row.free_disk) == (7, "disk full", 51.5, 812)


def test_since_when_an_edge_is_gone(desk: Desk) -> None:
    desk.say(Status(True, at=text(at(9)), software="0.1.0"))
    desk.say(Status(True, at=text(at(9, 30)), software="0.1.0"))
    assert edge_row(desk).since == moment(at(9))
    desk.now = at(10)
    desk.say(Status(False, at=text(at(9))))
    row = edge_row(desk)
    assert (row.online, row.since, row.last_seen, row.software) == (False, moment(at(10)), moment(at(9, 30)), "0.1.0")


def test_a_status_from_the_future_is_of_now(desk: Desk) -> None:
    desk.say(Status(True, at="2999-01-01T00:00:00.000Z"))
    assert edge_row(desk).last_seen == moment(desk.now)


def test_a_status_without_an_instant_is_refused(desk: Desk) -> None:
    desk.say(Status(True, at="yesterday"))
    assert edge_row(desk).online is None
    assert desk.troubles.count("front") == 1


def test_rows_are_a_sign_of_life(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "remy")
    desk.take(journal.rows)
    assert edge_row(desk).last_seen == moment(desk.now)


# Whatever the network does


def story() -> Journal:
    journal = Journal()
    for number in range(12):
        member = f"member-{number % 5}"
        journal.enters(at(9, number), member)
        if number % 3:
            journal.leaves(at(9, number, 30), member)
    journal.tap_in(at(10), "zoe", Reason.MEMBER_SUSPENDED, granted=False)
    return journal


def history(desk: Desk) -> tuple[list[dict[str, Any]], dict[str, tuple[int, bool]]]:
    return [row.model_dump(exclude={"id"}) for row in rows_of(desk)], presence(desk)


def empty(database: Database) -> None:
    with database.transaction() as session:
        for table in (JournalRow, Position, Presence, DoorState):
            session.connection().exec_driver_sql(f"DELETE FROM {table.__tablename__}")  # noqa: S608 - our own names


STORY = story().rows
slices = st.lists(
    st.tuples(st.integers(0, len(STORY) - 1), st.integers(1, 20)).map(lambda cut: STORY[cut[0] : cut[0] + cut[1]]),
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=slices)
def test_any_repetition_and_reordering_of_batches_gives_the_same_history(
    database: Database, batches: list[list[Row]]
) -> None:
    empty(database)
    desk = Desk(database)
    desk.take(STORY)
    expected = history(desk)
    empty(database)
    for batch in batches:
        before = desk.take([])
        after = desk.take(batch)
        assert before is not None
        assert after is not None
        assert after.ack.seq >= before.ack.seq
    for start in range(0, len(STORY), 7):
        desk.take(STORY[start : start + 7])
    assert history(desk) == expected


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    payload=st.binary(max_size=200) | st.text(max_size=100).map(str.encode), leaf=st.sampled_from(["events", "status"])
)
def test_any_signed_bytes_are_survived(database: Database, payload: bytes, leaf: str) -> None:
    desk = Desk(database)
    topic = f"loquet/casaco/edge/front/{leaf}"
    try:
        message = seal(FRONT_KEY, "front", topic, payload)
    except msgspec.MsgspecError:
        message = payload
    desk.ingest.take(topic, message)
    assert rows_of(desk) == []


def test_the_newest_acknowledgement_of_each_edge_is_owed(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "remy")
    for number, name in enumerate(("j1", "j2", "j3")):
        desk.now = at(12) + number * SECOND
        desk.take(journal.rows[: number + 1], name)
    assert desk.ingest.owed() == [owed(3, "j3")]
