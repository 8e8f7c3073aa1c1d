"""What cannot be believed: rows that are kept and count for nothing, messages that are counted and stored nowhere."""

import logging
from collections.abc import Callable
from random import Random

import msgspec
import pytest

from policy.instants import text
from policy.terms import ClockState
from server.database.types import moment
from server.ingest.rows import LARGEST, Numbered, record
from server.models import Edge, Position
from server.queries.known_edges import KnownEdge
from tests.support_history import kinds, owed, presence, rows_of
from tests.support_rows import row
from tests.support_server import FRONT_KEY, GARAGE_KEY, TOPICS, Desk, Journal, events, small_bundle
from tests.support_site import at
from wire.envelope import seal
from wire.messages import MAX_ROWS, Sensed, Status, encode
from wire.row import Kind, Row
from wire.row import encode as encode_row

FRONT = TOPICS.events("front")


def endless() -> str:
    """What no database packs into less."""
    return "".join(map(chr, Random(7).choices(range(0x4E00, 0x9FFF), k=3000)))


# What cannot be believed is kept and counts for nothing

SPOILED: dict[str, Callable[[Row], Row | bytes]] = {
    "a foreign reader": lambda row: msgspec.structs.replace(row, reader="garage-in"),
    "a reader that nobody knows": lambda row: msgspec.structs.replace(row, reader="attic"),
    "a foreign door": lambda row: msgspec.structs.replace(row, access_point="garage"),
    "a passage at no door": lambda row: msgspec.structs.replace(row, kind=Kind.DOOR_OPENED, access_point=None),
    "a shift made at no door": lambda row: msgspec.structs.replace(row, access_point=None, adhoc_until=text(at(12))),
    "a unit paid at no door": lambda row: msgspec.structs.replace(row, access_point=None, pays="2026-11-24am"),
    "no instant": lambda row: msgspec.structs.replace(row, at="half past nine"),
    "an instant without offset": lambda row: msgspec.structs.replace(row, at="2026-11-24T09:00:00"),
    "an instant before all time": lambda row: msgspec.structs.replace(row, at="0001-01-01T00:00:00+23:00"),
    "no reason": lambda row: msgspec.structs.replace(row, reason=None),
    "a negative clock": lambda row: msgspec.structs.replace(row, mono_ms=-1),
    "a clock of a million years": lambda row: msgspec.structs.replace(row, mono_ms=2**70),
    "a version above all": lambda row: msgspec.structs.replace(row, rules_version=2**63),
    "a NUL in a member": lambda row: msgspec.structs.replace(row, member="bri\0gitte"),
    "a NUL in a boot of no known time": lambda row: msgspec.structs.replace(row, boot="\0", clock=ClockState.UNKNOWN),
    "a NUL in a key that nobody knows": lambda row: msgspec.json.encode(msgspec.to_builtins(row) | {"\0": "red"}),
    "half a character": lambda row: encode_row(row).replace(b"brigitte", b"bri\xed\xa0\x80gitte"),
    "a member longer than an index bears": lambda row: msgspec.structs.replace(row, member=endless()),
    "a kind that is none": lambda row: msgspec.json.encode(msgspec.to_builtins(row) | {"kind": 7}),
    "a kind of another place": lambda row: msgspec.structs.replace(row, kind=Kind.ESTOP),
    "a row of 5,000 bytes": lambda row: msgspec.structs.replace(row, detail="a" * 5000),
    "a year that is never reached": lambda row: msgspec.structs.replace(row, at="9999-12-31T23:59:59.999Z"),
    "an until that is none": lambda row: msgspec.structs.replace(row, until="0001-01-01T00:00:00+14:00"),
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


def test_an_edge_of_machines_has_no_doors_to_let_anybody_in_by() -> None:
    laser = KnownEdge("laser", "", frozenset({"laser"}), frozenset(), {"laser-tap": None})
    opened = msgspec.structs.replace(row(1, Kind.DOOR_OPENED, member="gregoire"), access_point="laser")
    stored = record(laser, "j", Numbered(1, msgspec.Raw(encode_row(opened)), opened), moment(at(20)), {})
    assert (stored.kind, stored.inside) == ("refused", None)


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
        "too many rows": (FRONT, events([b'{"seq":%d}' % seq for seq in range(1, MAX_ROWS + 2)])),
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


def test_a_row_that_tells_of_a_nul_in_words_is_believed(desk: Desk, journal: Journal) -> None:
    journal.add(at(9), Kind.READER_FAULT, detail=r"it sent \u0000")
    assert desk.take(journal.rows) == owed(1)
    [stored] = rows_of(desk)
    assert (stored.kind, stored.detail) == ("reader_fault", r"it sent \u0000")


def test_the_last_numbers_of_all(desk: Desk) -> None:
    """A journal gets there by no honest way; nor does the next row stop the server."""
    with desk.database.transaction() as session:
        session.add(Position(edge="front", journal="j1", seq=LARGEST - 3, updated=moment(at(8))))
    assert desk.take([row(LARGEST - 2), row(LARGEST - 1)]) == owed(LARGEST - 1)
    assert desk.take([row(LARGEST - 1), row(LARGEST)]) is None
    assert len(rows_of(desk)) == 2


@pytest.mark.parametrize("journal", ["j\0", endless()], ids=["a NUL", "endless"])
def test_a_journal_of_a_name_that_no_database_keeps(desk: Desk, journal: str) -> None:
    assert desk.take([row(1)], journal) is None
    assert desk.troubles.count("front") == 1


UNKEEPABLE = (
    Status(True, software="0.1\0"),
    Status(True, journal_fault="\0"),
    Status(True, readers={"front-in": "\0"}),
    Status(True, rules_version=LARGEST),
    Status(True, state_version=-LARGEST),
    Status(True, unacknowledged=2**53),
    Status(True, free_disk=LARGEST),
    Status(True, wear=LARGEST),
    Status(True, certificate_until="never"),
    Status(True, rules_until="2026-11-24T09:00:00"),
    Status(True, sensed={"laser": Sensed(service="turned")}),
    Status(True, sensed={"laser": Sensed(service="0001-01-01T00:00:00+14:00")}),
)


@pytest.mark.parametrize("status", UNKEEPABLE, ids=str)
def test_a_status_that_no_database_keeps(desk: Desk, status: Status) -> None:
    desk.say(status)
    assert desk.troubles.count("front") == 1
    with desk.database.reading() as session:
        assert session.get_one(Edge, "front").online is None
