"""Rows are stored once and in order, whatever the network does to the messages; nobody speaks for another."""

import sqlite3
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import event
from sqlmodel import select

from policy.instants import text
from policy.reasons import Reason
from policy.terms import DAY, HOUR, MINUTE, SECOND, ClockState
from server.database.engine import Database
from server.database.types import moment
from server.errors import DatabaseError, MistakeError
from server.ingest.messages import Owed
from server.models import AdhocShift, DoorState, JournalRow, Position, Presence
from tests.support_history import owed, presence, rows_of
from tests.support_server import FRONT_KEY, GARAGE_KEY, TOPICS, Desk, Journal, events
from tests.support_site import at
from wire import row as wire_row
from wire.envelope import seal
from wire.messages import Ack, Events, encode
from wire.row import Kind, Row

FRONT = TOPICS.events("front")


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


@pytest.mark.parametrize("at_once", [True, False])
def test_what_an_edge_does_not_tell_when_it_starts_is_over(desk: Desk, journal: Journal, at_once: bool) -> None:
    """Else a power cut during a fire would leave the alarm on the page for ever: its end was told by nobody."""
    journal.add(at(9), Kind.DOOR_FORCED)
    journal.add(at(9, 1), Kind.FIRE)
    if not at_once:
        desk.take(journal.rows)
    journal.add(at(9, 5), Kind.STARTED, access_point=None)
    desk.take(journal.rows)
    with desk.database.reading() as session:
        door = session.get_one(DoorState, "front")
    assert (door.kind, door.fire, door.forced_at) == (None, False, moment(at(9)))
    journal.add(at(9, 10), Kind.STARTED, access_point=None)
    journal.add(at(9, 10), Kind.FIRE)
    journal.add(at(9, 10), Kind.DOOR_OPENED)
    desk.take(journal.rows)
    with desk.database.reading() as session:
        door = session.get_one(DoorState, "front")
    assert (door.kind, door.fire, door.fire_at) == (Kind.DOOR_OPENED, True, moment(at(9, 10)))


def test_a_door_that_was_shut_when_its_edge_went_is_shut_until_it_says_otherwise(desk: Desk, journal: Journal) -> None:
    journal.add(at(9), Kind.DOOR_CLOSED)
    journal.add(at(9, 5), Kind.STARTED, access_point=None)
    desk.take(journal.rows)
    with desk.database.reading() as session:
        door = session.get_one(DoorState, "front")
    assert (door.kind, door.at) == (Kind.DOOR_CLOSED, moment(at(9)))


OPENED, CLOSED = Kind.DOOR_OPENED, Kind.DOOR_CLOSED


@pytest.mark.parametrize(
    ("said", "last"),
    [
        (((1, OPENED), (2, CLOSED), (3, OPENED)), (3, OPENED)),
        (((1, CLOSED), (2, OPENED), (3, CLOSED)), (3, CLOSED)),
        (((2, CLOSED), (3, OPENED), (1, OPENED)), (3, OPENED)),
        (((1, OPENED), (3, CLOSED), (2, CLOSED)), (3, CLOSED)),
    ],
)
def test_of_one_message_the_newest_word_of_a_contact_counts(
    desk: Desk, journal: Journal, said: tuple[tuple[int, Kind], ...], last: tuple[int, Kind]
) -> None:
    for minute, kind in said:
        journal.add(at(9, minute), kind)
    desk.take(journal.rows)
    with desk.database.reading() as session:
        door = session.get_one(DoorState, "front")
    assert (door.at, door.kind) == (moment(at(9, last[0])), last[1])


# What goes wrong here


@pytest.mark.sqlite
def test_with_a_full_disk_nothing_is_stored_or_acknowledged_and_later_all_is(desk: Desk, journal: Journal) -> None:
    for minute in range(40):
        journal.enters(at(9, minute), f"member-{minute}" + "x" * 180)
    with desk.database.transaction() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(DatabaseError, match="free space"):
        desk.take(journal.rows)
    assert rows_of(desk) == []
    with desk.database.transaction() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count=100000")
    assert desk.take(journal.rows) == owed(120)


@pytest.mark.sqlite
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


# Messages of several edges


GARAGE = TOPICS.events("garage")


def of_garage(rows: list[Row]) -> bytes:
    raws = tuple(msgspec.Raw(wire_row.encode(row)) for row in rows)
    return seal(GARAGE_KEY, "garage", GARAGE, encode(Events("g1", raws)))


def starts(count: int) -> list[Row]:
    journal = Journal()
    for number in range(count):
        journal.add(at(9, number), Kind.STARTED, access_point=None, rules_version=None)
    return journal.rows


def test_messages_of_several_edges_are_stored_as_if_each_had_come_alone(database: Database) -> None:
    desk = Desk(database)
    rows = starts(4)
    desk.take(STORY[:20])
    desk.ingest.take(GARAGE, of_garage(rows))
    expected = history(desk)
    empty(database)
    owed_together = desk.ingest.take_all([(FRONT, events(STORY[:20])), (GARAGE, of_garage(rows))]).owed
    assert owed_together == [owed(20), Owed("garage", Ack("g1", 4))]
    assert history(desk) == expected


def test_one_message_that_cannot_be_believed_spoils_no_other(desk: Desk) -> None:
    together = [(FRONT, b"rubbish"), (GARAGE, of_garage(starts(2)))]
    assert desk.ingest.take_all(together).owed == [Owed("garage", Ack("g1", 2))]
    assert desk.troubles.count("front") == 1


def test_a_gap_in_one_journal_holds_up_no_other(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "remy")
    together = [(FRONT, events(journal.rows[1:])), (GARAGE, of_garage(starts(2)))]
    assert desk.ingest.take_all(together).owed == [owed(0), Owed("garage", Ack("g1", 2))]
    assert rows_of(desk)[0].edge == "garage"


def test_messages_that_come_together_are_one_commit(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "remy")
    commits: list[object] = []
    event.listen(desk.database._writer, "commit", commits.append)
    desk.ingest.take_all([(FRONT, events(journal.rows)), (GARAGE, of_garage(starts(2)))])
    assert (len(commits), desk.changes) == (1, 1)


def test_two_messages_of_one_edge_together_store_nothing_twice(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "remy")
    message = (FRONT, events(journal.rows))
    with pytest.raises(MistakeError, match="constraint"):
        desk.ingest.take_all([message, message])
    assert rows_of(desk) == []


def test_a_door_whose_clock_ran_ahead_says_what_it_says_now(desk: Desk, journal: Journal) -> None:
    """Else a fire alarm of next year would burn until then."""
    year = 365 * DAY
    for kind in (Kind.FIRE, Kind.DOOR_FORCED):
        journal.add(at(9) + year, kind)
    desk.now = at(10)
    desk.take(journal.rows)
    for kind in (Kind.CLOCK_SET, Kind.FIRE_ENDED, Kind.DOOR_CLOSED):
        journal.add(at(11), kind)
    desk.now = at(11) + SECOND
    desk.take(journal.rows)
    with desk.database.reading() as session:
        door = session.get_one(DoorState, "front")
    assert (door.fire, door.kind, door.forced_at) == (False, Kind.DOOR_CLOSED, moment(at(10)))


def test_a_shift_of_a_clock_that_runs_ahead_begins_when_it_is_heard_of(desk: Desk, journal: Journal) -> None:
    tap = journal.tap_in(at(18) + 365 * DAY, "gregoire", Reason.OWN_SHIFT)
    journal.rows[-1] = replace(tap, adhoc_until=text(at(20) + 365 * DAY))
    desk.now = at(18)
    desk.take(journal.rows)
    with desk.database.reading() as session:
        made = session.exec(select(AdhocShift)).one()
    assert (made.start, made.end) == (moment(at(18)), moment(at(20)))
