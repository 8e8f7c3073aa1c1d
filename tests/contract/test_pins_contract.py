"""The pins without a Pi and the real pin layer on the emulated board behave alike: the same cases for both."""

from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.hardware.lines import InputSpec, LineError, OutputSpec
from edge.ports import Pins
from simulator.board import Board
from simulator.load import load
from simulator.pins import SimulatedPins

OUTPUTS = [OutputSpec("strike", 17, active_high=False), OutputSpec("buzzer", 18)]
INPUTS = [
    InputSpec("contact", 22, active_low=False, stable_ms=30),
    InputSpec("rex", 23, active_low=True, stable_ms=50),
]


class Rig(Protocol):
    """Pins, and a hand and an eye on the other end of the wires."""

    pins: Pins

    def put(self, name: str, active: bool) -> None: ...
    def is_active(self, output: str) -> bool: ...


class WithoutPi:
    def __init__(self, outputs: list[OutputSpec] = OUTPUTS, inputs: list[InputSpec] = INPUTS) -> None:
        self._board = Board()
        self.pins = SimulatedPins(outputs, inputs, self._board.clock)

    def put(self, name: str, active: bool) -> None:
        self.pins.put(name, active)

    def is_active(self, output: str) -> bool:
        return self.pins.is_active(output)


class OnTheBoard:
    def __init__(self, outputs: list[OutputSpec] = OUTPUTS, inputs: list[InputSpec] = INPUTS) -> None:
        self._board = Board()
        load(self._board)
        from edge.hardware.pins import GpioPins

        self._specs = {spec.name: spec for spec in [*outputs, *inputs]}
        for spec in inputs:
            self._board.drive(spec.line, int(spec.active_low))
        self.pins = GpioPins(outputs, inputs)

    def put(self, name: str, active: bool) -> None:
        spec = self._specs[name]
        assert isinstance(spec, InputSpec)
        self._board.drive(spec.line, int(active != spec.active_low))

    def is_active(self, output: str) -> bool:
        spec = self._specs[output]
        assert isinstance(spec, OutputSpec)
        return (self._board.level(spec.line) == 1) == spec.active_high


KINDS = [WithoutPi, OnTheBoard]


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest) -> Rig:
    made: Rig = request.param()
    return made


def test_what_changes_in_one_sample_is_told_in_the_order_of_the_inputs(rig: Rig) -> None:
    assert list(rig.pins.sample()) == [spec.name for spec in INPUTS]


def test_outputs_start_inactive(rig: Rig) -> None:
    assert [rig.is_active(spec.name) for spec in OUTPUTS] == [False, False]


def test_an_output_does_as_it_is_told_and_the_others_stay(rig: Rig) -> None:
    rig.pins.set("strike", True)
    assert (rig.is_active("strike"), rig.is_active("buzzer")) == (True, False)
    rig.pins.set("strike", False)
    assert not rig.is_active("strike")


def test_an_output_that_is_not_there_is_an_error(rig: Rig) -> None:
    with pytest.raises(KeyError, match="lamp"):
        rig.pins.set("lamp", True)


def test_close_makes_every_output_inactive(rig: Rig) -> None:
    rig.pins.set("strike", True)
    rig.pins.set("buzzer", True)
    rig.pins.close()
    assert [rig.is_active(spec.name) for spec in OUTPUTS] == [False, False]


def test_the_first_sample_tells_every_input(rig: Rig) -> None:
    rig.put("rex", True)
    assert rig.pins.sample() == {"contact": False, "rex": True}


def test_what_does_not_change_is_not_told(rig: Rig) -> None:
    rig.pins.sample()
    assert [dict(rig.pins.sample()) for _ in range(20)] == [{}] * 20


def test_each_input_has_its_own_stable_time(rig: Rig) -> None:
    rig.pins.sample()
    rig.put("contact", True)
    rig.put("rex", True)
    assert [dict(rig.pins.sample()) for _ in range(6)] == [{}, {}, {"contact": True}, {}, {"rex": True}, {}]


def test_a_bounce_shorter_than_that_is_not_told(rig: Rig) -> None:
    rig.pins.sample()
    for active in (True, True, False) * 5:
        rig.put("contact", active)
        assert rig.pins.sample() == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_used_twice_is_refused_in_the_same_words(kind: type[WithoutPi | OnTheBoard]) -> None:
    with pytest.raises(LineError, match="GPIO17 is used twice, by strike and by lamp"):
        kind([OutputSpec("strike", 17), OutputSpec("lamp", 17)], [])


steps = st.lists(st.tuples(st.sampled_from(["contact", "rex"]), st.booleans(), st.integers(1, 7)), max_size=25)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_both_tell_the_same_of_any_inputs(story: list[tuple[str, bool, int]]) -> None:
    def play(rig: Rig) -> list[dict[str, bool]]:
        seen = [dict(rig.pins.sample())]
        for name, active, samples in story:
            rig.put(name, active)
            seen += [dict(rig.pins.sample()) for _ in range(samples)]
        return seen

    assert play(WithoutPi()) == play(OnTheBoard())


def test_the_simulated_pins_note_each_move_with_its_time() -> None:
    board = Board()
    pins = SimulatedPins(OUTPUTS, [], board.clock)
    pins.set("strike", True)
    pins.set("strike", True)
    board.clock.advance(5_000_000_000)
    pins.close()
    assert [(move.output, move.active, move.mono) for move in pins.moves] == [
        ("strike", True, 0.0),
        ("strike", False, 5.0),
    ]


def test_an_input_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="window"):
        WithoutPi().put("window", active=True)
