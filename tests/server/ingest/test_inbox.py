"""The server's inbox: each edge has its turn, and no flood takes more than its share."""

import pytest

from server.ingest import queue as inbox_module
from server.ingest.queue import EACH, MessageQueue


def test_one_message_of_each_edge_at_a_time_in_its_order() -> None:
    inbox = MessageQueue()
    for edge, payload in (("front", b"1"), ("front", b"2"), ("garden", b"3"), ("front", b"4")):
        assert inbox.put(edge, (edge, payload)) == ""
    assert inbox.next_batch() == [("front", b"1"), ("garden", b"3")]
    assert inbox.put("garden", ("garden", b"5")) == ""
    assert inbox.next_batch() == [("front", b"2"), ("garden", b"5")]
    assert inbox.next_batch() == [("front", b"4")]


def test_a_flood_keeps_nobody_else_out() -> None:
    inbox = MessageQueue()
    answers = [inbox.put("thief", ("thief", b"x")) for _ in range(EACH + 5)]
    assert answers == [""] * EACH + [f"{EACH} messages of this edge wait already"] * 5
    assert inbox.put("front", ("front", b"1")) == ""
    assert ("front", b"1") in inbox.next_batch()


def test_memory_is_bounded_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MOST_BYTES", 10)
    inbox = MessageQueue()
    assert inbox.put("front", ("front", b"123456")) == ""
    assert inbox.put("garden", ("garden", b"12345")) == "10 bytes wait already"
    inbox.next_batch()
    assert inbox.put("garden", ("garden", b"12345")) == ""


def test_those_that_were_left_behind_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "AT_ONCE", 2)
    inbox = MessageQueue()
    for edge in ("a", "b", "c"):
        for payload in (b"1", b"2"):
            inbox.put(edge, (edge, payload))
    assert [[edge for edge, _ in inbox.next_batch()] for _ in range(3)] == [["a", "b"], ["c", "a"], ["b", "c"]]


def test_what_waits_at_the_end_is_still_handed_out() -> None:
    inbox = MessageQueue()
    inbox.put("front", ("front", b"1"))
    inbox.close()
    assert inbox.next_batch() == [("front", b"1")]
    assert inbox.next_batch() == []
