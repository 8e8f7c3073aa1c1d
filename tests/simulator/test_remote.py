"""Does the simulated Pi do what its parent says, and tell what its outputs do?"""

import io

import msgspec
import pytest

from edge.events import CardGone, CardsCollided, CardSeen, ReaderFault, ReaderRecovered, Sighting
from edge.hardware.lines import InputSpec, OutputSpec
from simulator import remote
from simulator.board import Board
from simulator.load import load
from simulator.pace import Anchor, Pace, PacedClock
from simulator.remote import Command, Event, Follow, Lay, Move, Output, Plug, Remote, Stages, Take

START = 1_800_000_000_000
OUTPUTS = (OutputSpec("strike", 17), OutputSpec("front-in.red", 27, active_high=False))
INPUTS = (InputSpec("contact", 5), InputSpec("rex", 6), InputSpec("fire", 13, active_low=False))
ALICE, BOB = "04a1b2c3", "04b1b2c3d4e5f6"


class Pi:
    """A board with one reader, driven by lines, and the real driver on it. Time does not wait."""

    def __init__(self) -> None:
        self.pace = Pace.starting(START, 1)
        self.clock = PacedClock(self.pace)
        self.board = Board(self.clock)
        self.told: list[Event] = []
        places = {"front-in": (0, 0)}
        self.remote = Remote(self.board, self.pace, places, OUTPUTS, INPUTS, self.told.append)
        load(self.board)
        from edge.hardware.chip import Chip
        from edge.hardware.reader import MfrcReader

        self.reader = MfrcReader("front-in", Chip(self.clock, 0, 0), self.clock)

    def obey(self, *commands: Command) -> None:
        self.remote.obey(remote.line(command) for command in commands)

    def seen(self, polls: int = 40) -> list[Sighting]:
        sightings = []
        for _ in range(polls):
            self.clock.advance(10_000_000)
            sightings.append(self.reader.poll())
        return [sighting for sighting in sightings if sighting is not None]


@pytest.fixture
def pi() -> Pi:
    return Pi()


def test_a_badge_is_laid_on_and_taken_away(pi: Pi) -> None:
    pi.obey(Lay("front-in", BOB))
    (seen,) = pi.seen()
    assert isinstance(seen, CardSeen)
    assert seen.uid.hex() == BOB
    pi.obey(Take("front-in", BOB))
    assert [type(sighting) for sighting in pi.seen()] == [CardGone]


def test_two_badges_collide(pi: Pi) -> None:
    pi.obey(Lay("front-in", ALICE), Lay("front-in", BOB))
    assert [type(sighting) for sighting in pi.seen()] == [CardsCollided]


def test_a_badge_that_lies_there_is_not_laid_twice_nor_one_taken_that_is_not_there(pi: Pi) -> None:
    pi.obey(Lay("front-in", ALICE), Lay("front-in", ALICE), Take("front-in", BOB))
    assert [type(sighting) for sighting in pi.seen()] == [CardSeen]


def test_an_unplugged_reader_is_a_fault_until_it_is_plugged_in(pi: Pi) -> None:
    pi.obey(Plug("front-in", False))
    assert [type(sighting) for sighting in pi.seen()] == [ReaderFault]
    pi.obey(Plug("front-in", True))
    assert [type(sighting) for sighting in pi.seen(300)] == [ReaderRecovered]


def test_inputs_start_at_rest_and_move_by_their_polarity(pi: Pi) -> None:
    assert [pi.board.level(spec.line) for spec in INPUTS] == [1, 1, 0]
    pi.obey(Move("contact", True), Move("fire", True))
    assert [pi.board.level(spec.line) for spec in INPUTS] == [0, 1, 1]


def test_outputs_are_told_by_name_once_when_they_move(pi: Pi) -> None:
    owner = object()
    for spec in OUTPUTS:
        pi.board.lines.claim_output(spec.line, owner, int(not spec.active_high))
    assert not pi.told, "claimed at their safe level"
    for level in (1, 1, 0):
        pi.board.lines.write(17, owner, level)
    pi.board.lines.write(27, owner, 0)
    moved = [(event.name, event.active) for event in pi.told if isinstance(event, Output)]
    assert moved == [("strike", True), ("strike", False), ("front-in.red", True)]


def test_time_follows_the_parent(pi: Pi) -> None:
    pi.obey(Follow(Anchor(START * 1_000_000 + 3_600 * 10**9, pi.pace.anchor.real, 0)))
    assert pi.pace.now() == START + 3_600_000
    pi.clock.fall_silent()
    assert abs(pi.clock.now() - pi.pace.now()) <= 1


def test_every_message_survives_its_line() -> None:
    stages = Stages("2027-01-15T08:00:00.000Z", "front-in", 3, True, "always", "m001")
    for event in (Output(1, "strike", True), stages, remote.Ready()):
        assert remote.event(remote.line(event)) == event
    commands = [Follow(Anchor(1, 2, 60)), Lay("a", "00"), Take("a", "00"), Move("rex", True), Plug("a", False)]
    for command in commands:
        assert remote.command(remote.line(command)) == command


def test_what_is_no_command_is_refused(pi: Pi) -> None:
    with pytest.raises(msgspec.MsgspecError):
        pi.remote.obey([b'{"type":"dance"}\n'])
    with pytest.raises(KeyError):
        pi.obey(Lay("back", ALICE))


def test_the_conversation_begins_with_the_time() -> None:
    anchor = Anchor(5, 6, 10)
    assert remote.first_anchor(io.BytesIO(remote.line(Follow(anchor)))) == anchor
    with pytest.raises(ValueError, match="lay: the first command must be follow"):
        remote.first_anchor(io.BytesIO(remote.line(Lay("front-in", ALICE))))
