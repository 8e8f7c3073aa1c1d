"""The line of a monostable moves ten times a second while both loops go round, and rests at once when it should."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge.hardware.lines import OutputSpec
from edge.pulse import MOVES_EVERY, Pulses
from simulator.clock import VirtualClock
from simulator.pins import SimulatedPins
from tests.support_edge import make_folder
from tests.support_machine import fab_bench, fab_config
from tests.support_site import BRIGITTE, at

RELAY, LAMP = OutputSpec("relay", 17, pulse=True), OutputSpec("lamp", 5)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(wake_ns=0)


def beaten(pulses: Pulses, clock: VirtualClock, seconds: float) -> None:
    for _ in range(round(seconds * 100)):
        clock.advance(10_000_000)
        pulses.beat()


def test_an_active_one_moves_every_fifty_milliseconds_and_others_are_held(clock: VirtualClock) -> None:
    pins = SimulatedPins((RELAY, LAMP), (), clock)
    pulses = Pulses(pins, (RELAY, LAMP), clock)
    beaten(pulses, clock, 1)
    assert pins.moves == []
    assert pulses.deadline is None
    pulses.set("relay", True)
    pulses.set("lamp", True)
    beaten(pulses, clock, 1)
    rises = [move.mono for move in pins.moves if move.output == "relay" and move.active]
    assert abs(len(rises) - 1 / (2 * MOVES_EVERY)) <= 1
    assert [move.active for move in pins.moves if move.output == "lamp"] == [True]
    pulses.set("relay", False)
    assert not pins.is_active("relay")
    known = len(pins.moves)
    beaten(pulses, clock, 1)
    assert len(pins.moves) == known
    assert pulses.deadline is None


def test_without_a_beat_it_stays_as_it_is(clock: VirtualClock) -> None:
    pins = SimulatedPins((RELAY,), (), clock)
    pulses = Pulses(pins, (RELAY,), clock)
    pulses.set("relay", True)
    clock.advance(10 * 1_000_000_000)
    assert [move.active for move in pins.moves] == [True]


def test_a_whole_edge_moves_it_until_its_inputs_are_no_longer_looked_at(tmp_path: Path) -> None:
    config = fab_config(folder := make_folder(tmp_path / "site"))
    pulsed = tuple(replace(spec, pulse=spec.name == "laser.interlock") for spec in config.outputs)
    bench = fab_bench(folder, VirtualClock(start=at(10), wake_ns=0), config=replace(config, outputs=pulsed))
    bench.wait(0.1)
    bench.tap(BRIGITTE, 0)
    bench.tap(BRIGITTE, 2)
    bench.wait(1)
    rises = [move for move in bench.pins.moves if move.output == "laser.interlock" and move.active]
    assert 9 <= len(rises) <= 12
    known = len(bench.pins.moves)
    for _ in range(100):
        bench.clock.advance(10_000_000)
        bench.edge.serve()
    assert len([move for move in bench.pins.moves[known:] if move.output == "laser.interlock"]) <= 1
