"""The outbox: what one message holds, what an answer means, and when rows are sent again."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.outbox import (
    FIRST_PATIENCE,
    FIRST_WAIT,
    LAST_PATIENCE,
    LAST_WAIT,
    MAX_BYTES,
    Answer,
    Outbox,
    facts,
    judge,
    message,
)
from policy.reasons import Reason
from tests.support_rows import row, tap
from wire.messages import MAX_ROWS, Ack, Events, decode, encode
from wire.row import Kind
from wire.row import decode as decode_row


def stored(*sizes: int, first: int = 1) -> list[tuple[int, bytes]]:
    """Rows of so many bytes each, as JSON texts."""
    return [(seq, b'"' + b"x" * (size - 2) + b'"') for seq, size in enumerate(sizes, first)]


def test_a_message_holds_the_rows_as_they_lie_on_the_disk() -> None:
    events, last = message("j1", stored(10, 20, first=7))
    assert last == 8
    assert [bytes(row) for row in events.rows] == [row for _, row in stored(10, 20)]
    assert decode(Events, encode(events), "here") == events


@pytest.mark.parametrize(("given_rows", "expected"), [(1, 1), (200, 200), (201, 200), (1000, 200)])
def test_at_most_200_rows(given_rows: int, expected: int) -> None:
    events, last = message("j1", stored(*[20] * given_rows))
    assert (len(events.rows), last) == (expected, expected)


def test_at_most_200_kilobytes_but_one_row_always() -> None:
    assert message("j1", stored(150_000, 49_000, 40_000))[1] == 2
    assert message("j1", stored(MAX_BYTES + 5, 10))[1] == 1


@settings(deadline=None)
@given(st.lists(st.integers(2, 5000), min_size=1, max_size=260))
def test_a_message_is_the_longest_beginning_that_fits(sizes: list[int]) -> None:
    events, last = message("j1", stored(*sizes))
    taken = len(events.rows)
    assert last == taken >= 1
    assert taken <= MAX_ROWS
    assert taken == 1 or sum(sizes[:taken]) + taken <= MAX_BYTES
    full = taken == MAX_ROWS or taken == len(sizes) or sum(sizes[: taken + 1]) + taken + 1 > MAX_BYTES
    assert full


@pytest.mark.parametrize(
    ("ack", "answer"),
    [
        (Ack("j1", 5), Answer.NEW),
        (Ack("j1", 9), Answer.NEW),
        (Ack("j1", 4), Answer.REPEATED),
        (Ack("j1", 3), Answer.BELOW),
        (Ack("j1", 0), Answer.BELOW),
        (Ack("j1", 10), Answer.ABOVE),
        (Ack("j0", 5), Answer.FOREIGN),
        (Ack("j0", 10), Answer.FOREIGN),
    ],
)
def test_what_an_answer_means(ack: Ack, answer: Answer) -> None:
    assert judge(ack, "j1", acknowledged=4, last=9) is answer


def connected() -> Outbox:
    outbox = Outbox()
    outbox.reset(connected=True)
    return outbox


def test_without_a_connection_nothing_is_due() -> None:
    assert Outbox().deadline(0, 5) is None
    assert not Outbox().due(0, 5, 1e9)


def test_with_nothing_to_say_nothing_is_due() -> None:
    assert connected().deadline(5, 5) is None


def test_rows_are_sent_at_once_then_only_when_no_answer_comes() -> None:
    outbox = connected()
    assert outbox.due(0, 5, 100.0)
    outbox.sent(5, 100.0)
    assert not outbox.due(0, 5, 100.0)
    assert not outbox.due(0, 9, 100.0 + FIRST_WAIT - 0.1)
    assert outbox.deadline(0, 9) == 100.0 + FIRST_WAIT
    assert outbox.due(0, 9, 100.0 + FIRST_WAIT)


def test_each_silence_doubles_the_wait_until_a_minute() -> None:
    outbox, now, waits = connected(), 0.0, []
    for _ in range(7):
        outbox.sent(5, now)
        due = outbox.deadline(0, 5)
        assert due is not None
        waits.append(due - now)
        now = due
    assert waits == [5, 10, 20, 40, LAST_WAIT, LAST_WAIT, LAST_WAIT]


def test_an_answer_lets_the_next_rows_go() -> None:
    outbox = connected()
    outbox.sent(5, 0.0)
    outbox.sent(5, 5.0)
    outbox.answered(5)
    assert outbox.deadline(5, 5) is None
    assert outbox.due(5, 6, 5.1)
    outbox.sent(6, 5.1)
    assert outbox.deadline(5, 6) == 5.1 + FIRST_WAIT


def test_an_answer_to_half_a_message_keeps_waiting_for_the_rest() -> None:
    outbox = connected()
    outbox.sent(5, 10.0)
    outbox.answered(3)
    assert outbox.deadline(3, 5) == 10.0 + FIRST_WAIT


def test_a_new_connection_begins_again_at_once() -> None:
    outbox = connected()
    outbox.sent(5, 0.0)
    outbox.reset(connected=False)
    assert outbox.deadline(0, 5) is None
    outbox.reset(connected=True)
    assert outbox.due(0, 5, 0.1)
    assert outbox.wait == FIRST_WAIT


def given_up(outbox: Outbox, now: float, until: float) -> list[float]:
    """After how many seconds each, row 5 waiting, it wants to connect anew; each time it is connected at once."""
    silences = []
    while now < until:
        due = outbox.deadline(0, 5)
        assert due is not None
        now = max(now, due)
        unheard = outbox.given_up(now)
        if unheard is not None:
            silences.append(unheard)
            outbox.reset(connected=False)
            outbox.reset(connected=True)
        outbox.sent(5, now)
    return silences


def test_without_any_answer_it_wants_to_connect_anew_and_each_time_later_up_to_an_hour() -> None:
    outbox = connected()
    silences = given_up(outbox, 0.0, 24 * 3600.0)
    wanted = [min(FIRST_PATIENCE * 2**number, LAST_PATIENCE) for number in range(len(silences))]
    assert all(want <= silence < want + LAST_WAIT for want, silence in zip(wanted, silences, strict=True))
    assert len(silences) < 24 + 7, "an edge whose server is away for a day does not flood"
    outbox.heard()
    outbox.answered(5)
    assert given_up(outbox, 90_000.0, 90_100.0)[0] < FIRST_PATIENCE + LAST_WAIT


def test_an_old_answer_that_the_broker_kept_shows_that_it_delivers_and_no_more() -> None:
    outbox = connected()
    outbox.sent(5, 0.0)
    outbox.heard()
    assert outbox.given_up(FIRST_PATIENCE) is None
    outbox.sent(5, FIRST_PATIENCE)
    assert outbox.given_up(2 * FIRST_PATIENCE) == FIRST_PATIENCE
    outbox.reset(connected=True)
    outbox.heard()
    assert outbox.patience == 2 * FIRST_PATIENCE, "else it would connect each minute while the server is away"


def test_who_owes_nothing_waits_for_nothing() -> None:
    assert connected().given_up(1e9) is None


@settings(deadline=None)
@given(
    lost=st.lists(st.sampled_from(["sent", "answer lost", "both", "reconnect"]), max_size=30), rows=st.integers(1, 700)
)
def test_every_row_arrives_in_order_whatever_is_lost(lost: list[str], rows: int) -> None:
    """A journal of some rows and a server that takes what is next: in the end it has all, whatever got lost before."""
    outbox, acknowledged, server, now = connected(), 0, 0, 0.0
    faults = iter(lost)
    for _ in range(len(lost) + rows // MAX_ROWS + 2):
        due = outbox.deadline(acknowledged, rows)
        if due is None:
            break
        now = max(now, due)
        batch = [(seq, b"1") for seq in range(acknowledged + 1, rows + 1)][:MAX_ROWS]
        events, last = message("j1", batch)
        outbox.sent(last, now)
        fault = next(faults, None)
        if fault == "reconnect":
            outbox.reset(connected=True)
        if fault not in ("sent", "both"):
            assert last - len(events.rows) <= server
            server = max(server, last)
        if fault is None:
            assert judge(Ack("j1", server), "j1", acknowledged, rows) is Answer.NEW
            acknowledged = server
            outbox.answered(server)
    assert (server, acknowledged) == (rows, rows)


def test_rows_of_a_message_are_json() -> None:
    events, _ = message("j1", [(1, b'{"seq":1}')])
    assert msgspec.json.decode(encode(events)) == {"journal": "j1", "rows": [{"seq": 1}]}


def test_of_rows_the_others_get_what_they_must_know_without_credentials() -> None:
    entered = tap(3, "alice")
    told = facts(
        "j1", [row(1), tap(2, "remy", granted=False, reason=Reason.OUTSIDE_HOURS), entered, row(4, Kind.ESTOP)]
    )
    assert told is not None
    assert told.journal == "j1"
    assert [decode_row(bytes(raw), "here") for raw in told.rows] == [replace(entered, credential=None)]


def test_where_nobody_must_know_anything_nothing_is_said() -> None:
    busy = tap(2, "remy", granted=False, reason=Reason.MACHINE_BUSY, reader="laser-tap")
    assert facts("j1", [row(1), busy]) is None
