"""An order reaches the edge that owns the place, once and signed; what became of it is known and kept."""

import pytest
from sqlmodel import SQLModel

from policy.instants import text
from server import models
from server.database.types import moment
from server.errors import DatabaseError, OrderRefusedError
from server.publish.orders import OPEN_QUESTIONS, WHY_KEPT
from tests.support_exchange import Office
from tests.support_server import TOPICS
from tests.support_site import at
from wire.messages import Command, Reply, Status
from wire.row import Kind, Order


@pytest.fixture
def there(office: Office) -> Office:
    """The front door's edge is there; it looks after a laser too."""
    with office.database.transaction() as session:
        session.add(
            models.Machine(
                id="laser",
                position=0,
                kind="laser",
                reader="laser-tap",
                hours={},
                min_people=0,
                on_end="cut",
                attended=None,
                locked_out=None,
            )
        )
        edge = session.get_one(models.Edge, "front")
        edge.access_points = ["front", "laser"]
    office.exchange.site_changed()
    office.front_is_there()
    return office


def kept(office: Office, nonce: str = "nonce 1") -> models.GivenOrder:
    with office.database.reading() as session:
        return session.get_one(models.GivenOrder, nonce)


GIVEN = {
    Order.OPEN: ("front", "front"),
    Order.RELOCK: ("front", "front"),
    Order.LOCK_OUT: ("laser", "laser"),
    Order.EXTEND: ("laser", "laser"),
    Order.SOUND: ("front-out", "front-out"),
    Order.REREAD: ("front", None),
}


@pytest.mark.parametrize("order", GIVEN)
def test_an_order_goes_to_the_edge_that_owns_the_place(there: Office, order: Order) -> None:
    place, told = GIVEN[order]
    given = there.exchange.orders.give(order, place, "alice")
    assert there.commands == [
        Command("nonce 1", text(at(19)), text(at(19, 0, 10)), order=order, place=told, by="alice"),
    ]
    assert (given.edge, given.reply) == ("front", None)
    row = kept(there)
    assert (row.order, row.place, row.edge, row.by, row.answered) == (order, place, "front", "alice", None)


def test_a_door_is_kept_unlocked_until_an_instant(there: Office) -> None:
    given = there.exchange.orders.give(Order.UNLOCK, "front", "alice@example.org", told="account 1", until=at(19, 15))
    (command,) = there.commands
    assert (command.order, command.until, command.by) == (Order.UNLOCK, text(at(19, 15)), "account 1")
    row = kept(there, given.nonce)
    assert (row.until, row.by) == (moment(at(19, 15)), "alice@example.org")


def test_an_edge_says_which_of_its_doors_is_kept_unlocked(there: Office) -> None:
    there.front_is_there(unlocked={"front": text(at(19, 15)), "back": text(at(20))})
    with there.database.reading() as session:
        assert session.get_one(models.Edge, "front").unlocked == {"front": text(at(19, 15))}
    there.front_is_there(unlocked={"front": "until further notice"})
    there.front_is_there()
    with there.database.reading() as session:
        assert session.get_one(models.Edge, "front").unlocked == {}
    assert "no instant" in there.exchange.troubles.of_edge("front").why  # type: ignore[union-attr]


def test_a_door_that_an_edge_says_it_keeps_unlocked_is_so_before_its_status_comes(there: Office) -> None:
    def unlocked() -> dict[str, str] | None:
        with there.database.reading() as session:
            return session.get_one(models.Edge, "front").unlocked

    there.front_is_there()
    orders = there.exchange.orders
    nonce = orders.give(Order.UNLOCK, "front", "alice", until=at(19, 15)).nonce
    there.front_replies(nonce, done=False, why="lockdown")
    assert unlocked() == {}
    nonce = orders.give(Order.UNLOCK, "front", "alice", until=at(19, 15)).nonce
    there.front_replies(nonce)
    assert unlocked() == {"front": text(at(19, 15))}
    nonce = orders.give(Order.RELOCK, "front", "alice").nonce
    there.front_replies(nonce)
    assert unlocked() == {}


def test_what_became_of_it_is_known_and_kept(there: Office) -> None:
    done = there.exchange.orders.give(Order.OPEN, "front", "alice")
    refused = there.exchange.orders.give(Order.SOUND, "front-in", "alice")
    there.now = at(19, 0, 1)
    there.front_replies("nonce 2", done=False, why="the reader is silent")
    there.front_replies("nonce 1")
    assert done.wait(0) == Reply("nonce 1", done=True)
    assert refused.wait(0) == Reply("nonce 2", done=False, why="the reader is silent")
    row = kept(there, "nonce 2")
    assert (row.answered and row.answered.second, row.done, row.why) == (1, False, "the reader is silent")


def test_who_waits_has_the_answer_that_could_not_be_stored(there: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    given = there.exchange.orders.give(Order.OPEN, "front", "alice")

    def full(act: object) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(there.database, "urgently", full)
    there.front_replies("nonce 1")
    assert given.wait(0) == Reply("nonce 1", done=True)


def test_what_the_journal_says_of_it_is_an_answer_too(there: Office) -> None:
    given = there.exchange.orders.give(Order.OPEN, "front", "alice")
    there.journal.add(at(19), Kind.COMMAND, nonce="nonce 1", order=Order.OPEN, granted=False, detail="too late")
    there.tell()
    assert given.wait(0) == Reply("nonce 1", done=False, why="too late")
    with there.database.reading() as session:
        row = session.get_one(models.JournalRow, 1)
    assert (row.kind, row.nonce, row.order, row.granted, row.detail) == (
        "command",
        "nonce 1",
        "open",
        False,
        "too late",
    )


def test_the_first_answer_counts(there: Office) -> None:
    there.exchange.orders.give(Order.OPEN, "front", "alice")
    there.front_replies("nonce 1")
    there.front_replies("nonce 1", done=False, why="seen before")
    assert kept(there).done is True


def test_an_answer_of_another_edge_or_to_nothing_says_nothing(there: Office) -> None:
    given = there.exchange.orders.give(Order.OPEN, "front", "alice")
    there.exchange.orders.answered("garage", Reply("nonce 1", done=True))
    there.front_replies("nonce 7")
    assert (given.wait(0), kept(there).answered) == (None, None)


def test_an_answer_that_comes_after_the_server_started_anew(there: Office) -> None:
    there.exchange.orders.give(Order.OPEN, "front", "alice")
    after = Office(there.database)
    after.front_replies("nonce 1")
    assert kept(after).done is True


def test_a_long_answer_is_kept_in_part(there: Office) -> None:
    there.exchange.orders.give(Order.OPEN, "front", "alice")
    there.front_replies("nonce 1", done=False, why="x" * 10_000)
    assert len(kept(there).why) == WHY_KEPT


def test_only_so_many_answers_are_waited_for(there: Office) -> None:
    first = there.exchange.orders.give(Order.OPEN, "front", "alice")
    for _ in range(OPEN_QUESTIONS):
        there.exchange.orders.give(Order.OPEN, "front", "alice")
    there.front_replies("nonce 1")
    assert (first.reply, kept(there).done) == (None, True)


UNKNOWN = {
    Order.OPEN: r"door 'x': not known, or no edge looks after it; known are front, garage",
    Order.LOCK_OUT: r"machine 'x': .* known are laser",
    Order.SOUND: r"reader 'x': .* known are front-in, front-out, garage-in, laser-tap",
    Order.REREAD: r"edge 'x': .* known are front, garage",
}


@pytest.mark.parametrize("order", UNKNOWN)
def test_a_place_that_is_unknown_is_named_with_those_that_are(there: Office, order: Order) -> None:
    with pytest.raises(OrderRefusedError, match=UNKNOWN[order]):
        there.exchange.orders.give(order, "x", "alice")
    assert there.commands == []


def test_a_machine_is_no_door(there: Office) -> None:
    with pytest.raises(OrderRefusedError, match="door 'laser': not known"):
        there.exchange.orders.give(Order.OPEN, "laser", "alice")


@pytest.mark.parametrize(
    ("table", "order", "place"), [(models.Machine, Order.LOCK_OUT, "laser"), (models.AccessPoint, Order.OPEN, "front")]
)
def test_of_what_has_ended_nothing_can_be_ordered(
    there: Office, table: type[SQLModel], order: Order, place: str
) -> None:
    """Its edge's configuration may still name it."""
    with there.database.transaction() as session:
        session.get_one(table, place).ended = moment(at(18))  # type: ignore[attr-defined]
    there.exchange.site_changed()
    with pytest.raises(OrderRefusedError, match=f"{place!r}: not known"):
        there.exchange.orders.give(order, place, "alice")
    assert there.commands == []


def test_an_edge_that_is_away_gets_nothing(there: Office) -> None:
    with pytest.raises(OrderRefusedError, match="edge 'garage': offline and was never heard of: nothing was sent"):
        there.exchange.orders.give(Order.OPEN, "garage", "alice")
    there.front_says("status", Status(online=False))
    with pytest.raises(OrderRefusedError, match=r"edge 'front': offline since 2026-11-24 18:00 UTC: nothing was sent"):
        there.exchange.orders.give(Order.OPEN, "front", "alice")
    assert there.sent == []


def test_without_a_broker_nothing_is_sent_and_that_is_kept(there: Office) -> None:
    there.link_up = False
    with pytest.raises(OrderRefusedError, match="does not reach the broker"):
        there.exchange.orders.give(Order.OPEN, "front", "alice")
    assert kept(there).done is False
    assert TOPICS.command("front") not in there.retained


def test_an_edge_that_asks_is_told_the_time(office: Office) -> None:
    office.now = at(19, 30)
    office.front_is_there(asks="why not")
    assert office.commands == [
        Command("nonce 1", text(at(19, 30)), text(at(19, 30, 10)), order=Order.SET_CLOCK, by="server", asked="why not"),
    ]


def test_a_question_of_any_length_is_not_answered(office: Office) -> None:
    office.front_is_there(asks="x" * 65)
    assert office.commands == []
