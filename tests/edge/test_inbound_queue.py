"""Messages that wait for a busy storage worker: few enough for a small Pi, and none of its own rows among them."""

from queue import SimpleQueue

from hypothesis import given
from hypothesis import strategies as st

from edge.inbound_queue import FACTS_ROOM, MOST_SENDERS, OVERHEAD, ROOM, InboundQueue
from edge.work_items import LinkUp, MessagesWaiting, Received, WorkItem
from tests.support_edge import TOPICS, Bench, make_folder
from tests.support_site import ALICE
from wire.envelope import MAX_BYTES

RULES, ACK, FACTS, COMMAND = TOPICS.rules, TOPICS.ack("front"), TOPICS.facts("garage"), TOPICS.command("front")


def box() -> tuple[InboundQueue, SimpleQueue[WorkItem]]:
    queue: SimpleQueue[WorkItem] = SimpleQueue()
    return InboundQueue(queue.put), queue


def texts(messages: list[Received]) -> list[tuple[str, bytes]]:
    return [(message.topic, message.payload) for message in messages]


def test_what_is_no_message_goes_straight_on() -> None:
    inbound, queue = box()
    inbound.put(LinkUp())
    assert queue.get_nowait() == LinkUp()
    assert inbound.drain() == ([], 0)


def test_the_storage_worker_is_called_once_for_all_that_waits() -> None:
    inbound, queue = box()
    for number in range(3):
        inbound.put(Received(COMMAND, b"%d" % number))
    assert queue.get_nowait() == MessagesWaiting()
    assert queue.empty()
    assert texts(inbound.drain()[0]) == [(COMMAND, b"0"), (COMMAND, b"1"), (COMMAND, b"2")]
    inbound.put(Received(COMMAND, b"3"))
    assert queue.get_nowait() == MessagesWaiting()


def test_the_server_comes_first_and_then_so_much_of_each_edge() -> None:
    inbound, queue = box()
    attic = TOPICS.facts("attic")
    for number in range(3):
        inbound.put(Received(FACTS, b"%d" % number))
    inbound.put(Received(attic, b"attic"))
    inbound.put(Received(RULES, b"rules"))
    turns = []
    while not queue.empty():
        assert queue.get_nowait() == MessagesWaiting()
        turns.append(texts(inbound.drain()[0]))
        if len(turns) == 1:
            inbound.put(Received(COMMAND, b"open"))
    assert turns == [
        [(RULES, b"rules"), (FACTS, b"0"), (attic, b"attic")],
        [(COMMAND, b"open"), (FACTS, b"1")],
        [(FACTS, b"2")],
    ]


def test_facts_of_one_edge_push_out_none_of_another() -> None:
    inbound, queue = box()
    inbound.put(Received(TOPICS.facts("attic"), b"attic"))
    for _ in range(100):
        inbound.put(Received(FACTS, bytes(FACTS_ROOM // 4)))
    messages, dropped = emptied(inbound, queue)
    assert [message.topic for message in messages] == [TOPICS.facts("attic"), *[FACTS] * 3]
    assert dropped == 97


def test_only_so_many_edges_have_room() -> None:
    inbound, queue = box()
    for number in range(MOST_SENDERS + 3):
        inbound.put(Received(TOPICS.facts(f"edge{number}"), b""))
    messages, dropped = emptied(inbound, queue)
    assert (len(messages), dropped) == (MOST_SENDERS, 3)


def emptied(inbound: InboundQueue, queue: SimpleQueue[WorkItem]) -> tuple[list[Received], int]:
    """All that a storage worker is called for, and how much was dropped."""
    messages, dropped = inbound.drain()
    while not queue.empty():
        queue.get_nowait()
        more, gone = inbound.drain()
        messages, dropped = messages + more, dropped + gone
    return messages, dropped


def test_those_of_one_kind_stay_in_order() -> None:
    inbound, _ = box()
    for payload in (b"1", b"2"):
        inbound.put(Received(RULES, payload))
        inbound.put(Received(ACK, payload))
    assert texts(inbound.drain()[0]) == [(RULES, b"1"), (RULES, b"2"), (ACK, b"1"), (ACK, b"2")]


def test_a_flood_of_one_kind_keeps_out_no_other() -> None:
    inbound, _ = box()
    inbound.put(Received(ACK, b"ack"))
    for _ in range(10):
        inbound.put(Received(RULES, bytes(MAX_BYTES)))
    messages, dropped = inbound.drain()
    assert [message.topic for message in messages] == [ACK, *[RULES] * 3]
    assert dropped == 7


def test_a_message_that_is_too_large_is_still_seen_to_be() -> None:
    inbound, _ = box()
    inbound.put(Received(RULES, bytes(3 * MAX_BYTES)))
    ((message,), _) = inbound.drain()
    assert len(message.payload) == MAX_BYTES + 1


@given(sizes=st.lists(st.sampled_from([0, 1000, MAX_BYTES // 2, MAX_BYTES]), max_size=20))
def test_the_oldest_make_room_and_are_counted(sizes: list[int]) -> None:
    inbound, _ = box()
    sent = [Received(TOPICS.command(f"edge{n % 3}"), bytes(size)) for n, size in enumerate(sizes)]
    for message in sent:
        inbound.put(message)
    messages, dropped = inbound.drain()
    assert dropped + len(messages) == len(sent)
    assert messages == sent[dropped:]
    assert weight(messages) <= ROOM
    if dropped:
        assert weight(sent[dropped - 1 :]) > ROOM, "no more than needed"
    assert inbound.drain() == ([], 0)


def weight(messages: list[Received]) -> int:
    return sum(len(message.payload) + OVERHEAD for message in messages)


def test_a_flood_drops_no_row_of_the_edge_itself(tmp_path_factory: object) -> None:
    bench = Bench(make_folder(tmp_path_factory.mktemp("flood") / "site"))  # type: ignore[attr-defined]
    bench.turn()
    bench.readers[0].lay(ALICE)
    for number in range(200):
        bench.wire.deliver(COMMAND, b"%d" % number + bytes(500_000))
    bench.wire.say(TOPICS.rules, bench.folder.rules(7))
    bench.settle()
    assert [row.kind for row in bench.rows()] == ["started", "tap"]
    assert bench.core.held is not None, "what counts came through"
    counts = bench.edge.storage.refusals.counts
    assert counts["overrun"] > 100
    assert counts["overrun"] + counts["command WireError"] == 200
