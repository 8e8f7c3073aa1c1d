"""`loquet edge`: serve the door that hangs on this Raspberry Pi, or probe its readers.

Hardware, broker and cryptography are imported when they are needed; Flask and SQLModel never are.
"""

import argparse
import logging
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loquet.main import CommandError, version

if TYPE_CHECKING:
    from edge.config import Config, ReaderConfig
    from edge.hardware.lines import InputSpec
    from edge.hardware.reader import MfrcReader
    from edge.observer import Observer
    from edge.ports import Clock, Pins
    from edge.runtime import Edge
    from simulator.board import Board
    from simulator.clock import VirtualClock

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
ENDING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Site:
    """What an edge runs on. pins: claims the lines when it is called; a probe leaves them alone.

    boot, observer, real_timeout: as for edge.runtime.Edge.
    """

    clock: "Clock"
    readers: "Sequence[MfrcReader]"
    pins: "Callable[[], Pins]"
    boot: str | None = None
    observer: "Observer | None" = None
    real_timeout: Callable[[float], float | None] | None = None


@dataclass(frozen=True)
class Probed:
    """What a probe asks. seconds: how long it lasts, None until Ctrl-C."""

    clock: "Clock"
    readers: "Sequence[MfrcReader]"
    seconds: float | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="the edge.toml of this edge")
    parser.add_argument("--probe", action="store_true", help="say what each reader is and reads, then end")
    parser.add_argument("--simulated", action="store_true", help="run on an emulated Raspberry Pi, not on this one")
    parser.add_argument("--remote", action="store_true", help="with --simulated: obey a parent process, as in the demo")


def run(arguments: argparse.Namespace) -> int:
    """0 when it went well, 1 when the edge broke down or a reader does not answer. Raises CommandError."""
    from edge.config import load
    from edge.tables import ConfigError

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        if arguments.probe and not arguments.remote:
            return probe(simulated_probe(arguments.config) if arguments.simulated else real_probe(arguments.config))
        if arguments.config is None:
            raise CommandError("--config FILE is needed: the edge.toml of this edge (firmware_config/edge-door.toml)")
        config = load(arguments.config)
    except ConfigError as error:
        raise CommandError(str(error)) from None
    if arguments.remote:
        return _serve_remote(config, arguments)
    return serve(config, simulated(config) if arguments.simulated else real(config))


def _serve_remote(config: "Config", arguments: argparse.Namespace) -> int:
    if arguments.probe or not arguments.simulated:
        raise CommandError("--remote: only with --simulated and without --probe; a real edge obeys nobody's hands")
    from loquet.edge_remote import serve_remote

    return serve_remote(config)


def real(config: "Config") -> Site:
    """The Raspberry Pi that this runs on. Raises CommandError where there is none, or no SPI."""
    from edge.hardware.clock import SystemClock
    from edge.hardware.header import choose

    clock = SystemClock()
    choose(config.gpiochip)
    return Site(clock, _readers(config.readers, config.spi_hz, clock), lambda: _pins(config), boot=_boot_id())


def simulated(config: "Config") -> Site:
    """An emulated Raspberry Pi, at the pace of the real one's time. Nobody lays badges on its readers."""
    from simulator.pace import Pace, PacedClock

    clock = PacedClock(Pace.starting(time.time_ns() // 1_000_000))
    _emulate(config.readers, config.inputs, clock)
    readers = _readers(config.readers, config.spi_hz, clock)
    clock.fall_silent()
    return Site(clock, readers, lambda: _pins(config), real_timeout=clock.real_timeout)


def real_probe(file: Path | None) -> Probed:
    """The readers of an edge.toml on this Raspberry Pi; without one, both chip selects of its first SPI bus."""
    from edge.hardware.clock import SystemClock
    from edge.hardware.header import choose

    clock = SystemClock()
    places, spi_hz, gpiochip = _places(file)
    choose(gpiochip)
    return Probed(clock, _readers(places, spi_hz, clock))


def simulated_probe(file: Path | None) -> Probed:
    """The same on an emulated Raspberry Pi in virtual time, whose readers get badges laid on one after the other."""
    from simulator.clock import VirtualClock
    from simulator.probe_script import lay_by_itself

    clock = VirtualClock()
    places, spi_hz, _ = _places(file)
    board = _emulate(places, (), clock)
    seconds = max(lay_by_itself(board.chip(place.bus, place.device).field, clock) for place in places.values())
    return Probed(clock, _readers(places, spi_hz, clock), seconds)


def _places(file: Path | None) -> "tuple[dict[str, ReaderConfig], int, int | None]":
    from edge.config import SPI_HZ, ReaderConfig, readers

    if file is not None:
        return readers(file)
    return {f"reader-{device}": ReaderConfig(0, device) for device in (0, 1)}, SPI_HZ[-1], None


def probe(site: Probed) -> int:
    """What an installer runs first."""
    from edge.hardware.probe import probe as ask

    try:
        return 0 if ask(site.readers, site.clock, sys.stdout, site.seconds) else 1
    finally:
        for reader in site.readers:
            reader.close()


def serve(config: "Config", site: Site, begins: "Callable[[Edge], object]" = lambda edge: None) -> int:
    """Serve the door until SIGTERM or SIGINT comes. Raises CommandError for lines that cannot be had, or no journal.

    begins: called with the edge before it serves.
    """
    from edge.hardware.errors import HardwareError
    from edge.journal_errors import JournalMistakeError
    from edge.runtime import EdgeError

    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        edge = compose(config, site)
        begins(edge)
        edge.run(_signal_within)
    except (HardwareError, JournalMistakeError) as error:
        raise CommandError(str(error)) from None
    except EdgeError as error:
        print(f"loquet edge: {error}", file=sys.stderr)
        return 1
    return 0


def compose(config: "Config", site: Site) -> "Edge":
    """The edge on its hardware, with its link. Raises HardwareError and JournalMistakeError."""
    from edge.link import connect
    from edge.runtime import Edge

    pins = site.pins()
    try:
        return Edge(
            config,
            clock=site.clock,
            readers=site.readers,
            pins=pins,
            observer=site.observer,
            link=connect(config, site.clock),
            boot=site.boot,
            software=version(),
            real_timeout=site.real_timeout,
        )
    except BaseException:
        pins.close()
        raise


def emulated(config: "Config", clock: "VirtualClock") -> "tuple[Site, Board]":
    """An emulated Raspberry Pi in virtual time, for whoever moves that time by hand; and its board."""
    board = _emulate(config.readers, config.inputs, clock)
    return Site(clock, _readers(config.readers, config.spi_hz, clock), lambda: _pins(config)), board


def _emulate(places: "Mapping[str, ReaderConfig]", inputs: "Sequence[InputSpec]", clock: "VirtualClock") -> "Board":
    """Put a board in the place of this process's hardware: a chip for each reader, every input at rest."""
    from simulator import load
    from simulator.board import Board

    board = Board(clock)
    load.load(board)
    for place in places.values():
        board.add_chip(place.bus, place.device)
    for spec in inputs:
        board.drive(spec.line, int(spec.active_low))
    return board


def _readers(places: "Mapping[str, ReaderConfig]", spi_hz: int, clock: "Clock") -> "list[MfrcReader]":
    """The real driver, on whatever hardware the process has."""
    try:
        from edge.hardware.lgpio_folder import load_lgpio

        load_lgpio()
        from edge.hardware.chip import Chip
        from edge.hardware.errors import HardwareError
        from edge.hardware.reader import MfrcReader
    except ImportError as error:
        remedy = "on a Raspberry Pi install it (firmware_config/install edge), elsewhere use --simulated"
        raise CommandError(f"{error}: {remedy}") from None
    except NotImplementedError as error:  # RPi.GPIO looks for the board when it is imported
        raise CommandError(f"this Raspberry Pi is too old ({error}): take a Pi 2 or later") from None
    except OSError as error:
        raise CommandError(f"lgpio's pipe has no place ({error}): see that everybody may write there") from None
    except RuntimeError:
        raise CommandError("this is no Raspberry Pi: run it on one, or with --simulated") from None
    try:
        return [
            MfrcReader(name, Chip(clock, place.bus, place.device, speed=spi_hz), clock)
            for name, place in places.items()
        ]
    except HardwareError as error:
        raise CommandError(str(error)) from None


def _pins(config: "Config") -> "Pins":
    from edge.hardware.pins import GpioPins

    return GpioPins(config.outputs, config.inputs)


def _signal_within(seconds: float) -> bool:
    """Whether SIGTERM or SIGINT came; both are blocked, so that they interrupt nobody."""
    return signal.sigtimedwait(ENDING, seconds) is not None


def _boot_id() -> str | None:
    """The kernel's id of this boot, shortened; None where it has none."""
    with suppress(OSError):
        return BOOT_ID.read_text().replace("-", "")[:16]
    return None
