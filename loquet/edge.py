"""`loquet edge`: serve the door and the machines of this Raspberry Pi, or probe its readers; or make a new one's files.

Hardware, broker and cryptography are imported when they are needed; Flask and SQLModel never are.
"""

import argparse
import logging
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from console.errors import CommandError

if TYPE_CHECKING:
    from edge.config import Config, ReaderConfig
    from edge.ports import Clock
    from edge.start import Platform

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="the edge.toml of this edge")
    parser.add_argument("--probe", action="store_true", help="say what each reader is and reads, then end")
    parser.add_argument("--inside", action="store_true", help="say who is inside, as this edge knows it, then end")
    parser.add_argument("--running", action="store_true", help="say which sessions run on its machines, then end")
    parser.add_argument("--simulated", action="store_true", help="run on an emulated Raspberry Pi, not on this one")
    parser.add_argument("--remote", action="store_true", help="with --simulated: obey a parent process, as in the demo")
    steps = parser.add_subparsers(dest="step", metavar="STEP")
    purpose = "make a new Pi's edge.toml, config.txt and service from a few answers"
    init = steps.add_parser("init", help=purpose, description=purpose)
    init.add_argument(
        "folder", type=Path, metavar="FOLDER", help="where the files are put, and the answers beside them"
    )
    init.add_argument(
        "--from", dest="answers", type=Path, metavar="FILE", help="a file of answers; nothing is asked then"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 when it went well; 1 when the edge broke down, a reader is silent, or a session runs. Raises CommandError."""
    from edge.config import load
    from edge.hardware.clock import SystemClock
    from edge.hardware.errors import HardwareError
    from edge.tables import ConfigError

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        if arguments.step == "init":
            return init(arguments.folder, arguments.answers)
        if arguments.probe and not arguments.remote:
            return probe(arguments.config, simulated=arguments.simulated)
        if arguments.config is None:
            raise CommandError("--config FILE is needed: the edge.toml of this edge (firmware_config has samples)")
        if arguments.inside:
            return inside(load(arguments.config))
        if arguments.running:
            return running(load(arguments.config), SystemClock())
        return _serve(load(arguments.config), arguments)
    except (ConfigError, HardwareError) as error:
        raise CommandError(str(error)) from None


def init(folder: Path, file: Path | None) -> int:
    """Make the files of a new Pi in a folder. file: its answers; None to ask for them. Raises ConfigError."""
    from edge.setup.answers import read
    from edge.setup.render import HOMES, files

    made = files(read(file or _asked(folder / "answers.toml")))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (folder / name).write_text(text, "utf-8")
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}: see to room and rights there") from None
    print(f"In {folder}:")
    for name, home in ((name, home) for name, home in HOMES.items() if name in made):
        print(f"  {name:<13}{home}")
    return 0


def _asked(file: Path) -> Path:
    """The file itself, once it holds what was answered. Raises CommandError."""
    from edge.setup.questions import ask

    if file.exists():
        raise CommandError(f"{file} is there already: give it with --from, or another folder")
    try:
        text = ask(input)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    except EOFError:
        raise CommandError("the answers ended: give all of them, or a file of them with --from") from None
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}: see to room and rights there") from None
    return file


def _serve(config: "Config", arguments: argparse.Namespace) -> int:
    """Until it is ended. Raises CommandError and HardwareError."""
    from edge.journal_errors import JournalMistakeError
    from edge.runtime import EdgeError
    from edge.start import serve

    if arguments.remote and (arguments.probe or not arguments.simulated):
        raise CommandError("--remote: only with --simulated and without --probe; a real edge obeys nobody's hands")
    try:
        if arguments.remote:
            from simulator.edge_remote import serve_remote

            serve_remote(config)
        elif arguments.simulated:
            from simulator.emulated_edge import simulated

            serve(config, simulated(config))
        else:
            serve(config, real(config))
    except JournalMistakeError as error:
        raise CommandError(str(error)) from None
    except EdgeError as error:
        print(f"loquet edge: {error}", file=sys.stderr)
        return 1
    return 0


def real(config: "Config") -> "Platform":
    """The Raspberry Pi that this runs on. Raises HardwareError where there is none, or no SPI."""
    from edge.start import Platform, claim_pins, open_readers

    clock = _clock(config.gpiochip)
    readers = open_readers(config.readers, config.spi_hz, clock)
    return Platform(clock, readers, lambda: claim_pins(config), boot=_boot_id())


def running(config: "Config", clock: "Clock") -> int:
    """For whoever is about to restart the edge, which would cut the power of its machines."""
    from edge.inside import sessions
    from edge.journal_errors import JournalError

    logging.disable(logging.WARNING)  # what the copy of a journal lacks is nobody's business now
    try:
        found = sessions(config, clock)
    except JournalError as error:
        raise CommandError(f"{error}; which sessions run this edge cannot say: look") from None
    finally:
        logging.disable(logging.NOTSET)
    for one in found:
        end = "" if one.until is None else f", until {_local(one.until)}"
        print(f"on {one.machine!r} a session runs since {_local(one.start)}{end}")
    return 1 if found else 0


def inside(config: "Config") -> int:
    """For whoever counts heads when the server is dead; the edge may run meanwhile, or not any more."""
    from edge.hardware.clock import SystemClock
    from edge.inside import roll
    from edge.journal_errors import JournalError

    logging.disable(logging.WARNING)  # what the copy of a journal lacks is nobody's business now
    try:
        known = roll(config, SystemClock())
    except JournalError as error:
        raise CommandError(f"{error}; who is inside this edge cannot say: count outside") from None
    finally:
        logging.disable(logging.NOTSET)
    if known is None:
        print("0 inside, as far as a new edge without rules can know: check all the same")
        return 1
    print(f"{len(known.inside)} inside, as edge {config.edge!r} knows it at {_local(known.at)}")
    if known.told is not None:
        print(f"its newest row: {_local(known.told)}; members that other doors saw since may be missing")
    for door, since, until in known.unlocked:
        print(f"door {door!r} was kept unlocked from {_local(since)}, until {_local(until)} at the latest: uncounted")
    for who, since in known.inside:
        print(f"  {who}  since {_local(since)}")
    for who, since in known.doubtful:
        print(f"  {who}  to be checked: came in {_local(since)}, and never went out")
    for who, since in known.closed:
        print(f"  {who}  to be checked: checked out {_local(since)}, when a gardien closed the place")
    print("names do not lie on an edge; these are the members' ids. 0 or not, check all the same")
    return 0


def _local(at: int) -> str:
    """By this machine's own time zone."""
    return f"{datetime.fromtimestamp(at / 1000).astimezone():%a %H:%M %Z}"


def probe(file: Path | None, *, simulated: bool) -> int:
    """What an installer runs first: the readers of an edge.toml, or of both chip selects of the first SPI bus."""
    from edge.start import open_readers

    places, spi_hz, gpiochip = _places(file)
    clock: Clock
    seconds: float | None
    if simulated:
        from simulator.emulated_edge import with_badges

        clock, seconds = with_badges(places)
    else:
        clock, seconds = _clock(gpiochip), None  # until Ctrl-C
    readers = open_readers(places, spi_hz, clock)
    from edge.hardware.probe import probe as ask  # hardware's, which may not be there: known by now

    try:
        return 0 if ask(readers, clock, sys.stdout, seconds) else 1
    finally:
        for reader in readers:
            reader.close()


def _places(file: Path | None) -> "tuple[dict[str, ReaderConfig], int, int | None]":
    from edge.config import SPI_HZ, ReaderConfig, readers

    if file is not None:
        return readers(file)
    return {f"reader-{device}": ReaderConfig(0, device) for device in (0, 1)}, SPI_HZ[-1], None


def _clock(gpiochip: int | None) -> "Clock":
    """This machine's, once its header of pins is chosen."""
    from edge.hardware.clock import SystemClock
    from edge.hardware.header import choose

    choose(gpiochip)
    return SystemClock()


def _boot_id() -> str | None:
    """The kernel's id of this boot, shortened; None where it has none."""
    with suppress(OSError):
        return BOOT_ID.read_text().replace("-", "")[:16]
    return None
