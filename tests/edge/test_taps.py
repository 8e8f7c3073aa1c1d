"""Trembling hands, cards that cannot be read, fields that reach through a wall: what is a tap?"""

import pytest

from edge.events import (
    CardBack,
    CardGone,
    CardsCollided,
    CardSeen,
    CardUnreadable,
    ReaderEvent,
    ReaderFault,
    ReadThroughWall,
    Sighting,
)
from edge.taps import AWAY, SameTap, Unread, Walls
from tests.support_site import ALICE, BRIGITTE

PHONE, OTHER_PHONE = bytes.fromhex("08a1b2c3"), bytes.fromhex("08d4e5f6")


def seen(mono: float, reader: str, uid: bytes = ALICE) -> CardSeen:
    return CardSeen(0, mono, reader, uid, 8, 26, 0.003)


def kinds(*sightings: Sighting) -> list[type[ReaderEvent]]:
    """What a door's controller hears of these, in order."""
    walls = Walls({"out": "in"})
    told = [walls.judge(sighting) for sighting in sightings]
    return [type(event) for event in told if event is not None]


@pytest.mark.parametrize("after", [0.0, 0.04, 1.9])
def test_a_card_that_was_at_the_reader_outside_is_no_tap_inside(after: float) -> None:
    assert kinds(seen(1.0, "in"), seen(1.0 + after, "out")) == [CardSeen, ReadThroughWall]
    gone = CardGone(0, 5.0, "in")
    assert kinds(seen(1.0, "in"), gone, seen(5.0 + after, "out")) == [CardSeen, CardGone, ReadThroughWall]


def test_it_is_one_two_seconds_after_it_left() -> None:
    assert kinds(seen(1.0, "in"), CardGone(0, 1.1, "in"), seen(3.2, "out")) == [CardSeen, CardGone, CardSeen]


def test_it_is_none_for_as_long_as_it_lies_outside() -> None:
    assert kinds(seen(1.0, "in"), seen(60.0, "out")) == [CardSeen, ReadThroughWall]
    back = CardBack(0, 2.0, "in", ALICE)
    assert kinds(seen(1.0, "in"), CardGone(0, 1.2, "in"), back, seen(60.0, "out")) == [
        CardSeen,
        CardGone,
        ReadThroughWall,
    ]


def test_a_reader_that_fails_outside_knows_no_more_what_lies_there() -> None:
    fault = ReaderFault(0, 2.0, "in", "unplugged")
    assert kinds(seen(1.0, "in"), fault, seen(3.9, "out")) == [CardSeen, ReaderFault, ReadThroughWall]
    assert kinds(seen(1.0, "in"), fault, seen(4.1, "out")) == [CardSeen, ReaderFault, CardSeen]


def test_somebody_else_leaves_meanwhile() -> None:
    assert kinds(seen(1.0, "in"), seen(1.5, "out", BRIGITTE)) == [CardSeen, CardSeen]


def test_who_leaves_may_come_in_again_at_once() -> None:
    assert kinds(seen(1.0, "out"), seen(1.5, "in")) == [CardSeen, CardSeen]


def test_a_number_that_is_drawn_anew_at_each_reading_is_the_same_phone() -> None:
    assert kinds(seen(1.0, "in", PHONE), seen(1.04, "out", OTHER_PHONE)) == [CardSeen, ReadThroughWall]


def test_whoever_cannot_be_told_outside_may_be_the_one_who_is_read_inside() -> None:
    walls = Walls({"out": "in"})
    walls.obscured("in", 1.0)
    assert isinstance(walls.judge(seen(2.9, "out")), ReadThroughWall)
    assert isinstance(walls.judge(seen(3.0, "out")), CardSeen)
    walls.obscured("out", 5.0)
    assert isinstance(walls.judge(seen(5.0, "out")), CardSeen)
    assert isinstance(walls.judge(seen(5.0, "in")), CardSeen)


def test_a_door_with_one_reader_has_no_wall() -> None:
    walls = Walls({})
    for sighting in (seen(1.0, "in"), CardsCollided(0, 1.1, "in"), CardUnreadable(0, 1.2, "in")):
        assert walls.judge(sighting) is sighting
    assert walls.judge(CardBack(0, 1.3, "in", ALICE)) is None


def test_another_badge_between_makes_no_second_tap_of_the_first() -> None:
    same = SameTap()
    assert [same.begins(uid, mono) for uid, mono in ((ALICE, 0.0), (BRIGITTE, 0.3), (ALICE, 0.6))] == [
        True,
        True,
        False,
    ]
    assert same.begins(ALICE, 0.6 + AWAY)


def test_a_badge_that_lay_beside_another_was_not_read_and_is_read_next_time() -> None:
    same = SameTap()
    same.begins(ALICE, 0.0)
    same.ends()
    same.lies(ALICE, 60.0)
    assert same.begins(ALICE, 60.3)


def test_an_answer_now_and_then_counts_and_half_a_second_of_silence_begins_anew() -> None:
    unread = Unread()
    looks = [unread.look(place % 20 == 0, place / 100) for place in range(150)]
    assert [place for place, told in enumerate(looks) if told] == [100]
    unread = Unread()
    assert not any(unread.look(place % 60 == 0, place / 100) for place in range(1000))


def test_what_is_read_after_all_is_not_told() -> None:
    unread = Unread()
    unread.look(True, 0.0)
    unread.read()
    assert not unread.look(True, 1.0)
    assert unread.look(True, 2.0)
