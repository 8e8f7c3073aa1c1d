"""The reader without a chip and the driver on the emulated chip tell the same story: the same cases for both."""

from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.events import (
    CardBack,
    CardGone,
    CardsCollided,
    CardSeen,
    CardUnreadable,
    ReaderFault,
    ReaderRecovered,
    Sighting,
)
from edge.ports import Reader
from simulator.card import Card
from simulator.chip.radio import Bits
from simulator.clock import VirtualClock
from simulator.mfrc522 import Fault
from simulator.reader import COST, SimulatedReader
from tests.support_reader import FOUR, POLL_NS, SEVEN, TEN, Bench

SAK = {FOUR: 0x08, SEVEN: 0x20, TEN: 0x00}
SETTLE = 30
RECOVER = 110
AWAY = 90
"""Polls after which a badge that comes again is another tap."""


class Rig(Protocol):
    """A reader, and hands to use it."""

    reader: Reader
    clock: VirtualClock

    def lay(self, uid: bytes) -> None: ...
    def take(self, uid: bytes) -> None: ...
    def unplug(self) -> None: ...
    def plug(self) -> None: ...
    def lay_unreadable(self) -> None: ...
    def take_unreadable(self) -> None: ...


class WithoutChip:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.reader = SimulatedReader("in", self.clock)

    def lay(self, uid: bytes) -> None:
        self.reader.lay(uid, SAK[uid])

    def take(self, uid: bytes) -> None:
        self.reader.take(uid)

    def unplug(self) -> None:
        self.reader.fault("unplugged")

    def plug(self) -> None:
        self.reader.recover()

    def lay_unreadable(self) -> None:
        self.reader.unreadable = True

    def take_unreadable(self) -> None:
        self.reader.unreadable = False


class Phone(Card):
    """Answers every call, and will not be selected."""

    def _anticollision(self, bits: Bits) -> None:
        del bits
        self.silence()


class OnTheChip:
    def __init__(self) -> None:
        self._bench = Bench()
        self._cards: dict[bytes, Card] = {}
        self._phone = Phone(FOUR)
        self.clock = self._bench.clock
        self.reader = self._bench.reader()

    def lay(self, uid: bytes) -> None:
        self._cards[uid] = self._bench.lay(uid, SAK[uid])

    def take(self, uid: bytes) -> None:
        self._bench.emulated[0].field.take(self._cards.pop(uid))

    def unplug(self) -> None:
        self._bench.emulated[0].fault = Fault.DEAD_LOW

    def plug(self) -> None:
        self._bench.emulated[0].fault = Fault.NONE

    def lay_unreadable(self) -> None:
        self._bench.emulated[0].field.lay(self._phone)

    def take_unreadable(self) -> None:
        self._bench.emulated[0].field.take(self._phone)


KINDS = [WithoutChip, OnTheChip]


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest) -> Rig:
    made: Rig = request.param()
    return made


def told(rig: Rig, polls: int = SETTLE) -> list[Sighting]:
    story = []
    for _ in range(polls):
        story.append(rig.reader.poll())
        rig.clock.advance(POLL_NS)
    return [sighting for sighting in story if sighting is not None]


def kinds(story: list[Sighting]) -> list[type[Sighting]]:
    return [type(sighting) for sighting in story]


def test_an_empty_field_tells_nothing(rig: Rig) -> None:
    assert told(rig) == []


@pytest.mark.parametrize("uid", [FOUR, SEVEN, TEN])
def test_a_badge_is_seen_once_with_all_that_is_known_of_it(rig: Rig, uid: bytes) -> None:
    told(rig, 3)
    rig.lay(uid)
    before = rig.clock.now()
    (seen,) = told(rig)
    assert isinstance(seen, CardSeen)
    assert (seen.reader, seen.uid, seen.sak) == ("in", uid, SAK[uid])
    assert before <= seen.at <= before + 20
    assert seen.mono <= rig.clock.monotonic()
    assert seen.transfers == COST[len(uid)][0]
    assert seen.seconds == pytest.approx(COST[len(uid)][1], abs=1e-5)


def test_a_badge_taken_away_is_gone_once(rig: Rig) -> None:
    rig.lay(FOUR)
    told(rig)
    rig.take(FOUR)
    assert kinds(told(rig)) == [CardGone]


def test_a_badge_that_comes_again_is_seen_again(rig: Rig) -> None:
    for _ in range(3):
        rig.lay(FOUR)
        assert kinds(told(rig)) == [CardSeen]
        rig.take(FOUR)
        assert kinds(told(rig, AWAY)) == [CardGone]


def test_a_badge_that_was_away_for_a_moment_is_the_same_tap(rig: Rig) -> None:
    rig.lay(FOUR)
    assert kinds(told(rig)) == [CardSeen]
    for _ in range(3):
        rig.take(FOUR)
        assert kinds(told(rig, 60)) == [CardGone]
        rig.lay(FOUR)
        assert kinds(told(rig)) == [CardBack]


def test_a_card_that_cannot_be_read_is_told_after_a_second_once(rig: Rig) -> None:
    rig.lay_unreadable()
    assert kinds(told(rig, 50)) == []
    assert not rig.reader.unidentified
    assert kinds(told(rig, 300)) == [CardUnreadable]
    assert rig.reader.unidentified
    rig.take_unreadable()
    assert kinds(told(rig, 100)) == []
    assert not rig.reader.unidentified
    rig.lay(SEVEN)
    assert kinds(told(rig)) == [CardSeen]


def test_another_badge_in_its_place_is_told_as_gone_and_seen(rig: Rig) -> None:
    rig.lay(FOUR)
    told(rig)
    rig.take(FOUR)
    rig.lay(SEVEN)
    assert kinds(told(rig)) == [CardGone, CardSeen]


def test_two_at_once_collide_once_and_are_gone_once(rig: Rig) -> None:
    rig.lay(FOUR)
    rig.lay(SEVEN)
    assert not rig.reader.unidentified
    assert kinds(told(rig)) == [CardsCollided]
    assert rig.reader.unidentified
    rig.take(FOUR)
    rig.take(SEVEN)
    assert kinds(told(rig)) == [CardGone]
    assert not rig.reader.unidentified


def test_a_second_beside_the_first_collides(rig: Rig) -> None:
    rig.lay(FOUR)
    told(rig)
    rig.lay(SEVEN)
    assert kinds(told(rig)) == [CardsCollided]


def test_the_one_left_of_two_is_not_read_until_it_was_away(rig: Rig) -> None:
    rig.lay(FOUR)
    rig.lay(SEVEN)
    told(rig)
    rig.take(FOUR)
    assert told(rig) == []
    assert rig.reader.unidentified
    rig.take(SEVEN)
    assert kinds(told(rig)) == [CardGone]
    rig.lay(SEVEN)
    assert kinds(told(rig)) == [CardSeen]
    assert not rig.reader.unidentified


def test_a_second_that_comes_again_beside_the_one_left_collides_again(rig: Rig) -> None:
    rig.lay(FOUR)
    rig.lay(SEVEN)
    told(rig)
    rig.take(FOUR)
    told(rig)
    rig.lay(FOUR)
    assert kinds(told(rig)) == [CardsCollided]


def test_a_fault_is_told_once_and_its_end_once(rig: Rig) -> None:
    rig.unplug()
    (fault,) = told(rig, 200)
    assert isinstance(fault, ReaderFault)
    assert fault.why
    rig.plug()
    assert kinds(told(rig, RECOVER)) == [ReaderRecovered]


def test_nothing_is_read_during_a_fault(rig: Rig) -> None:
    rig.unplug()
    told(rig)
    rig.lay(FOUR)
    assert told(rig, 200) == []
    rig.plug()
    assert kinds(told(rig, RECOVER + SETTLE)) == [ReaderRecovered, CardSeen]


def test_a_badge_that_lies_there_through_a_fault_is_no_second_tap(rig: Rig) -> None:
    rig.lay(FOUR)
    told(rig)
    rig.unplug()
    assert kinds(told(rig)) == [ReaderFault]
    rig.plug()
    assert kinds(told(rig, RECOVER + SETTLE)) == [ReaderRecovered]


def test_a_closed_reader_does_not_see_what_lies_there() -> None:
    rig = WithoutChip()
    rig.lay(FOUR)
    rig.reader.close()
    assert told(rig) == []


# Any story


BADGES = (FOUR, SEVEN, TEN)


def play(rig: Rig, acts: list[tuple[str, int]]) -> list[list[tuple[type[Sighting], bytes | None]]]:
    """Let the same hands do the same things; what is impossible at that moment is left out. One list for each act."""
    laid: set[bytes] = set()
    plugged, story = True, []
    for act, which in acts:
        uid = BADGES[which]
        if act in ("toggle", "swap") and uid in laid:
            rig.take(uid)
            laid.remove(uid)
        elif act == "toggle":
            rig.lay(uid)
            laid.add(uid)
        if act == "swap":
            other = BADGES[(which + 1) % 3]
            if other not in laid:
                rig.lay(other)
                laid.add(other)
        if act == "plug":
            (rig.unplug if plugged else rig.plug)()
            plugged = not plugged
        seen = told(rig, RECOVER + SETTLE if act == "plug" else SETTLE)
        story.append([(type(s), getattr(s, "uid", None)) for s in seen])
    return story


acts = st.lists(
    st.tuples(st.sampled_from(["toggle", "toggle", "swap", "plug", "wait"]), st.integers(0, 2)), min_size=1, max_size=12
)


@settings(max_examples=60, deadline=None)
@given(acts)
def test_both_tell_the_same_of_any_story(story: list[tuple[str, int]]) -> None:
    assert play(WithoutChip(), story) == play(OnTheChip(), story)


def test_a_number_that_no_badge_has_is_refused() -> None:
    with pytest.raises(ValueError, match="5 bytes"):
        WithoutChip().reader.lay(b"12345")
