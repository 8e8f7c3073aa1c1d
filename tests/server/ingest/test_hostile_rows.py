"""Whatever a stolen edge writes into its rows: its message is answered, and pages and state go on."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlmodel import select

from edge.site_updates import checked, readers_of
from policy.reasons import Reason
from policy.ruleset import Reader
from policy.terms import DAY, HOUR, MINUTE, ClockState, Direction
from server.database.types import moment
from server.ingest import waiting
from server.ingest.rows import LATER, REFUSED
from server.models import Edge, JournalRow
from server.publish.state import snapshot
from server.queries import history
from tests.support_history import kinds, owed, presence, rows_of
from tests.support_pages import Place
from tests.support_server import TOPICS, Desk, Journal, events, site_database, whole_bundle
from tests.support_site import at, small_rules
from wire.errors import WireError
from wire.facts import facts_for_others
from wire.messages import MAX_ROWS
from wire.row import Kind, Order, Row, encode

INSTANTS = (
    "0001-01-01T00:00:00+14:00",
    "1969-12-31T23:59:59.999Z",
    "1970-01-01T00:00:10.000Z",
    "1999-12-31T23:59:59.999-12:00",
    "2000-01-01T00:00:00+14:00",
    "2026-11-24T09:00:00.000Z",
    "2026-11-24T09:00:00",
    "2035-06-01T00:00:00Z",
    "2099-12-31T23:59:59.999-14:00",
    "9999-12-31T23:59:59.999-14:00",
    "noon",
    "",
    "\0",
)
NAMES = ("front", "garage", "laser", "front-in", "laser-tap", "alice", "zoe", "nobody", "", "\0", "é" * 200, "x" * 3000)
NUMBERS = (-(2**63), -1, 0, 1, 2**31 - 1, 2**31, 2**53, 2**70)
HOSTILE: dict[str, Sequence[object]] = {
    **dict.fromkeys(("at", "until", "pays", "adhoc_until", "started", "ended"), INSTANTS),
    **dict.fromkeys(("boot", "access_point", "reader", "credential", "member", "machine_kind", "nonce", "by"), NAMES),
    **dict.fromkeys(("mono_ms", "rules_version", "settles"), NUMBERS),
    **dict.fromkeys(("granted", "pending", "cuts"), (True, False, None)),
    "detail": NAMES,
    "clock": tuple(ClockState),
    "reason": tuple(Reason),
    "order": tuple(Order),
    "marks": ([], ["over_capacity"], ["nothing"]),
}
JOURNALS = count()
PLAIN = {"at": "2026-11-24T09:00:00.000Z", "mono_ms": 1000, "boot": "b", "clock": "synced"}


NEAR = {"access_point": "front", "reader": "front-in", "member": "alice", "granted": True, "reason": "always"}


def hostile(kinds: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, object]]:
    """A row of such a kind in which any field may hold anything; most are plain, or none would be read to its end."""
    near = NEAR
    lab = {"access_point": "laser", "reader": "laser-tap", "member": "alice", "machine_kind": "laser"} | {
        "started": "2026-11-24T09:00:00.000Z"
    }
    return st.builds(
        lambda kind, plain, odd: PLAIN | plain | odd | {"kind": kind},
        kinds,
        st.sampled_from(({}, near, near | {"credential": "c0ffee"}, lab)),
        st.fixed_dictionaries({}, optional={field: st.sampled_from(values) for field, values in HOSTILE.items()}).map(
            lambda odd: dict(list(odd.items())[:4])
        ),
    )


def test_every_field_of_a_row_is_tried() -> None:
    assert set(HOSTILE) | {"seq", "kind"} == set(Row.__struct_fields__)


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A site with machines, whose front door's edge looks after the laser, too."""
    database = site_database(tmp_path_factory.mktemp("hostile"), whole_bundle())
    with database.transaction() as session:
        session.get_one(Edge, "front").access_points = ["front", "laser"]
    yield Place(database)
    database.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(hostile(st.sampled_from(Kind)), min_size=1, max_size=30))
def test_whatever_is_in_a_row(place: Place, rows: list[dict[str, object]]) -> None:
    place.now = place.desk.now = place.now + HOUR  # so many new journals at once would have to wait
    raws = [json.dumps({"seq": seq, **row}).encode() for seq, row in enumerate(rows, start=1)]
    answer = place.desk.ingest.take(TOPICS.events("front"), events(raws, f"j{next(JOURNALS)}"))
    assert answer is not None
    assert answer.ack.seq == len(rows)
    with place.database.reading() as session:
        snapshot(session, place.now)
        newest = history.last_passages(session, 50, place.now)
    assert all(passage.at <= place.now for passage in newest)


def test_pages_after_the_worst_of_each_field(place: Place) -> None:
    """One row for each field and each value of it: the pages and the API answer as before."""
    plain = PLAIN | NEAR | {"kind": "tap", "credential": "c0ffee"}
    odd = [{field: value} for field, values in HOSTILE.items() for value in values]
    rows = [json.dumps({"seq": seq} | plain | one).encode() for seq, one in enumerate(odd, start=1)]
    for first in range(0, len(rows), MAX_ROWS):
        place.desk.take(rows[first : first + MAX_ROWS])
    assert len(rows_of(place.desk)) == len(rows)
    staff = place.staff()
    for path in ("/", "/today"):
        place.page(path, staff)
        place.page(path)


@pytest.mark.sqlite
def test_a_year_that_is_never_reached_is_kept_and_not_believed(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "remy")
    desk.take([replace(row, at="9999-12-31T23:59:59.999Z") for row in journal.rows])
    assert kinds(desk) == [REFUSED] * 3
    assert presence(desk) == {}


def test_a_clock_that_runs_ahead_does_not_fill_the_last_passages(desk: Desk, journal: Journal) -> None:
    for minute in range(10):
        journal.tap_in(at(9, minute) + 9 * 365 * DAY, "zoe")
    desk.take(journal.rows)
    desk.now += MINUTE
    journal.tap_in(desk.now, "remy")
    desk.take(journal.rows)
    with desk.database.reading() as session:
        newest = history.last_passages(session, 3, desk.now)
    assert [passage.member for passage in newest] == ["remy", "zoe", "zoe"]
    assert rows_of(desk)[0].said == moment(at(9) + 9 * 365 * DAY)


def test_a_row_of_a_kind_to_come_is_kept_for_the_version_that_knows_it(desk: Desk, journal: Journal) -> None:
    journal.enters(at(9), "remy")
    rows = [encode(row) for row in journal.rows]
    coming = rows[1].replace(b'"kind":"door_opened"', b'"kind":"door_ajar"')
    assert desk.take([rows[0], coming, rows[2]]) == owed(3)
    assert kinds(desk) == ["tap", LATER, "door_closed"]
    assert presence(desk) == {}
    desk.ingest.read_waiting()
    assert kinds(desk) == ["tap", LATER, "door_closed"], "this version does not know it either"
    with desk.database.transaction() as session:
        waiting = session.exec(select(JournalRow).where(JournalRow.kind == LATER)).one()
        waiting.raw = rows[1].decode()
    desk.now += HOUR
    desk.ingest.read_waiting()
    assert kinds(desk) == ["tap", "door_opened", "door_closed"]
    assert presence(desk) == {"remy": (at(9, 0, 2), True)}
    opened = rows_of(desk)[1]
    assert (opened.raw, opened.detail, opened.received) == (None, None, moment(desk.now - HOUR))


@pytest.mark.parametrize("odd", [b'{"seq":0,"kind":"door_ajar"}', b'{"seq":2,"kind":"door_ajar","more":"\xff\xfe"}'])
def test_a_row_to_come_that_nobody_will_ever_read_keeps_no_server_from_starting(
    desk: Desk, journal: Journal, monkeypatch: pytest.MonkeyPatch, odd: bytes
) -> None:
    monkeypatch.setattr(waiting, "AT_ONCE", 1)
    journal.enters(at(9), "remy")
    rows = [encode(row) for row in journal.rows]
    coming = rows[2].replace(b'"kind":"door_closed"', b'"kind":"door_ajar"')
    assert desk.take([rows[0], odd, coming]) == owed(3)
    assert kinds(desk) == ["tap", LATER, LATER]
    desk.ingest.read_waiting()
    assert kinds(desk) == ["tap", REFUSED, LATER]


@given(row=hostile(st.sampled_from(Kind)), seq=st.integers(1, 9))
def test_an_edge_believes_a_row_or_says_why_not(row: dict[str, object], seq: int) -> None:
    readers = {"front-in": Reader("front", Direction.IN, "front"), "laser-tap": Reader("laser", None, "front")}
    rules = replace(small_rules(), readers=readers)
    with suppress(WireError):
        told = checked(readers_of(rules, "front"), "front", json.dumps({"seq": seq} | row).encode())
        assert list(facts_for_others(told, at(9)))
