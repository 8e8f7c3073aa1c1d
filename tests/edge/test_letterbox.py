"""Messages that wait for a busy keeper: few enough for a small Pi, and none of its own rows among them."""

from queue import SimpleQueue

from hypothesis import given
from hypothesis import strategies as st

from edge.letterbox import FACTS_ROOM, OVERHEAD, ROOM, TELLERS, Letterbox
from edge.post import Item, LinkUp, Mail, Received
from tests.support_edge import TOPICS, Bench, make_folder
from tests.support_site import ALICE
from wire.envelope import MAX_BYTES

RULES, ACK, FACTS, COMMAND = TOPICS.rules, TOPICS.ack("front"), TOPICS.facts("garage"), TOPICS.command("front")


def box() -> tuple[Letterbox, SimpleQueue[Item]]:
    queue: SimpleQueue[Item] = SimpleQueue()
    return Letterbox(queue.put), queue


def texts(letters: list[Received]) -> list[tuple[str, bytes]]:
    return [(letter.topic, letter.payload) for letter in letters]


def test_what_is_no_message_goes_straight_on() -> None:
    letterbox, queue = box()
    letterbox.post(LinkUp())
    assert queue.get_nowait() == LinkUp()
    assert letterbox.taken() == ([], 0)


def test_the_keeper_is_called_once_for_all_that_waits() -> None:
    letterbox, queue = box()
    for number in range(3):
        letterbox.post(Received(COMMAND, b"%d" % number))
    assert queue.get_nowait() == Mail()
    assert queue.empty()
    assert texts(letterbox.taken()[0]) == [(COMMAND, b"0"), (COMMAND, b"1"), (COMMAND, b"2")]
    letterbox.post(Received(COMMAND, b"3"))
    assert queue.get_nowait() == Mail()


def test_the_server_comes_first_and_then_so_much_of_each_edge() -> None:
    letterbox, queue = box()
    attic = TOPICS.facts("attic")
    for number in range(3):
        letterbox.post(Received(FACTS, b"%d" % number))
    letterbox.post(Received(attic, b"attic"))
    letterbox.post(Received(RULES, b"rules"))
    turns = []
    while not queue.empty():
        assert queue.get_nowait() == Mail()
        turns.append(texts(letterbox.taken()[0]))
        if len(turns) == 1:
            letterbox.post(Received(COMMAND, b"open"))
    assert turns == [
        [(RULES, b"rules"), (FACTS, b"0"), (attic, b"attic")],
        [(COMMAND, b"open"), (FACTS, b"1")],
        [(FACTS, b"2")],
    ]


def test_facts_of_one_edge_push_out_none_of_another() -> None:
    letterbox, queue = box()
    letterbox.post(Received(TOPICS.facts("attic"), b"attic"))
    for _ in range(100):
        letterbox.post(Received(FACTS, bytes(FACTS_ROOM // 4)))
    letters, dropped = emptied(letterbox, queue)
    assert [letter.topic for letter in letters] == [TOPICS.facts("attic"), *[FACTS] * 3]
    assert dropped == 97


def test_only_so_many_edges_have_room() -> None:
    letterbox, queue = box()
    for number in range(TELLERS + 3):
        letterbox.post(Received(TOPICS.facts(f"edge{number}"), b""))
    letters, dropped = emptied(letterbox, queue)
    assert (len(letters), dropped) == (TELLERS, 3)


def emptied(letterbox: Letterbox, queue: SimpleQueue[Item]) -> tuple[list[Received], int]:
    """All that a keeper is called for, and how much was dropped."""
    letters, dropped = letterbox.taken()
    while not queue.empty():
        queue.get_nowait()
        more, gone = letterbox.taken()
        letters, dropped = letters + more, dropped + gone
    return letters, dropped


def test_those_of_one_kind_stay_in_order() -> None:
    letterbox, _ = box()
    for payload in (b"1", b"2"):
        letterbox.post(Received(RULES, payload))
        letterbox.post(Received(ACK, payload))
    assert texts(letterbox.taken()[0]) == [(RULES, b"1"), (RULES, b"2"), (ACK, b"1"), (ACK, b"2")]


def test_a_flood_of_one_kind_keeps_out_no_other() -> None:
    letterbox, _ = box()
    letterbox.post(Received(ACK, b"ack"))
    for _ in range(10):
        letterbox.post(Received(RULES, bytes(MAX_BYTES)))
    letters, dropped = letterbox.taken()
    assert [letter.topic for letter in letters] == [ACK, *[RULES] * 3]
    assert dropped == 7


def test_a_message_that_is_too_large_is_still_seen_to_be() -> None:
    letterbox, _ = box()
    letterbox.post(Received(RULES, bytes(3 * MAX_BYTES)))
    ((letter,), _) = letterbox.taken()
    assert len(letter.payload) == MAX_BYTES + 1


@given(sizes=st.lists(st.sampled_from([0, 1000, MAX_BYTES // 2, MAX_BYTES]), max_size=20))
def test_the_oldest_make_room_and_are_counted(sizes: list[int]) -> None:
    letterbox, _ = box()
    sent = [Received(TOPICS.command(f"edge{n % 3}"), bytes(size)) for n, size in enumerate(sizes)]
    for message in sent:
        letterbox.post(message)
    letters, dropped = letterbox.taken()
    assert dropped + len(letters) == len(sent)
    assert letters == sent[dropped:]
    assert weight(letters) <= ROOM
    if dropped:
        assert weight(sent[dropped - 1 :]) > ROOM, "no more than needed"
    assert letterbox.taken() == ([], 0)


def weight(letters: list[Received]) -> int:
    return sum(len(letter.payload) + OVERHEAD for letter in letters)


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
    counts = bench.edge.keeper.complaints.counts
    assert counts["overrun"] > 100
    assert counts["overrun"] + counts["command WireError"] == 200
