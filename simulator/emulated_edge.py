"""What does an edge run on where there is no Raspberry Pi? A board that is emulated, under the real drivers."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from edge.start import Platform, claim_pins, open_readers
from simulator import load
from simulator.board import Board
from simulator.clock import VirtualClock
from simulator.pace import Pace, PacedClock
from simulator.probe_script import lay_by_itself

if TYPE_CHECKING:
    from edge.config import Config, ReaderConfig
    from edge.hardware.lines import InputSpec


def simulated(config: "Config") -> Platform:
    """An emulated Raspberry Pi, at the pace of the real one's time. Nobody lays badges on its readers."""
    clock = PacedClock(Pace.starting(time.time_ns() // 1_000_000))
    _emulate(config.readers, config.inputs, clock)
    readers = open_readers(config.readers, config.spi_hz, clock)
    clock.fall_silent()
    return Platform(clock, readers, lambda: claim_pins(config), real_timeout=clock.real_timeout)


def emulated(config: "Config", clock: VirtualClock) -> tuple[Platform, Board]:
    """An emulated Raspberry Pi in virtual time, for whoever moves that time by hand; and its board."""
    board = _emulate(config.readers, config.inputs, clock)
    readers = open_readers(config.readers, config.spi_hz, clock)
    return Platform(clock, readers, lambda: claim_pins(config)), board


def with_badges(places: "Mapping[str, ReaderConfig]") -> tuple[VirtualClock, float]:
    """Readers for a probe, in virtual time, that get badges laid on one after the other; for how many seconds."""
    clock = VirtualClock()
    board = _emulate(places, (), clock)
    return clock, max(lay_by_itself(board.chip(place.bus, place.device).field, clock) for place in places.values())


def _emulate(places: "Mapping[str, ReaderConfig]", inputs: "Sequence[InputSpec]", clock: VirtualClock) -> Board:
    """Put a board in the place of this process's hardware: a chip for each reader, every input at rest."""
    board = Board(clock)
    load.load(board)
    for place in places.values():
        board.add_chip(place.bus, place.device)
    for spec in inputs:
        board.drive(spec.line, int(spec.active_low))
    return board
