"""What is wrong with this edge, as far as can be seen while it runs or not? Nothing is changed, no line is moved."""

import shutil
from collections.abc import Iterator
from datetime import MAXYEAR, UTC, datetime
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificate

from console import versions
from console.finding import AHEAD, FULL_MB, NARROW_MB, Finding, Level, unreached, well
from console.version import version
from console.wear import WORN, WORN_OUT, wear
from edge import identity
from edge.config import Config, load
from edge.hardware.header import header_chip
from edge.hardware.lines import InputSpec, OutputSpec
from edge.inside import remembered
from edge.journal_errors import JournalError
from edge.ports import Clock
from edge.status import vitals
from edge.tables import ConfigError
from policy.terms import DAY, ClockState

HOT = 80.0
"""°C from which a Pi's processor slows down."""
SOON = 3 * DAY
"""So long before rules are too old it is told."""


CONSOLES = Path("/sys/class/tty/console/active")
"""Names the consoles on which the kernel writes now."""
UART, ON_HEADER = (14, 15), frozenset({"ttyS0", "ttyAMA0"})
"""The lines of the header's UART, and what a console on it is called; a Pi 5's ttyAMA10 has a connector of its own."""


def look(file: Path, clock: Clock, devices: Path = Path("/dev"), consoles: Path = CONSOLES) -> Iterator[Finding]:
    """Everything, the file first. devices: where the header's are."""
    try:
        config = load(file)
    except ConfigError as error:
        yield from (Finding("edge.toml", Level.WRONG, line, "as it says") for line in str(error).splitlines())
        return
    yield well("edge.toml", f"edge {config.edge!r} of site {config.site!r}")
    yield from _header(config, devices)
    yield from _console(config, consoles)
    yield versions.look(version(), versions.INSTALLED)
    yield _clock(clock)
    yield from _broker(config)
    yield disk(config.journal.parent)
    yield _wear(config.journal.parent)
    yield from _journal(config, clock)
    heat = vitals(config.journal).temperature
    if heat is not None:
        cool = "give it air, or a place that is cooler"
        yield well("heat", f"{heat:.0f} °C") if heat < HOT else Finding("heat", Level.LOOK, f"{heat:.0f} °C", cool)


def _header(config: Config, devices: Path) -> Iterator[Finding]:
    for name, reader in config.readers.items():
        device = devices / f"spidev{reader.bus}.{reader.device}"
        overlay = "dtparam=spi=on" if reader.bus == 0 else "dtoverlay=spi1-3cs"
        if device.exists():
            yield well(f"reader {name}", f"{device} is there; what hangs at it says loquet edge --probe")
        else:
            remedy = f"{overlay} in /boot/firmware/config.txt, then start the Pi again"
            yield Finding(f"reader {name}", Level.WRONG, f"{device} is not there", remedy)
    chip = devices / f"gpiochip{header_chip() if config.gpiochip is None else config.gpiochip}"
    remedy = "run it on a Raspberry Pi; on one, mend gpiochip in edge.toml"
    yield well("lines", f"{chip}") if chip.exists() else Finding("lines", Level.WRONG, f"{chip} is not there", remedy)


def _console(config: Config, consoles: Path) -> Iterator[Finding]:
    """A file written by hand may use the lines of the UART; `loquet edge init` switches it off for that."""
    wires: list[InputSpec | OutputSpec] = [*config.outputs, *config.inputs]
    wired = ", ".join(f"{one.name} (GPIO{one.line})" for one in wires if one.line in UART)
    try:
        writes = sorted(ON_HEADER.intersection(consoles.read_text("ascii").split()))
    except OSError:
        return
    if wired and writes:
        said = f"the console on {', '.join(writes)} writes on the lines of {wired}, from power-on until the edge runs"
        remedy = "take its console= out of /boot/firmware/cmdline.txt (raspi-config, Serial Port), or use other lines"
        yield Finding("console", Level.WRONG, said, remedy)


def _clock(clock: Clock) -> Finding:
    match clock.state():
        case ClockState.UNKNOWN:
            remedy = "see to network and timedatectl; fit a battery clock"
            return Finding("clock", Level.WRONG, "nobody set it since the start: it cannot be believed", remedy)
        case ClockState.RTC:
            return well("clock", "of the battery clock")
    return well("clock", "of the network")


def disk(folder: Path) -> Finding:
    """The room on the journal's disk."""
    try:
        free = shutil.disk_usage(folder).free // 1_000_000
    except OSError as error:
        return Finding("disk", Level.WRONG, f"{folder}: {error.strerror}", "make the folder, or mend its path")
    if free >= NARROW_MB:
        return well("disk", f"{free} MB free")
    level = Level.WRONG if free < FULL_MB else Level.LOOK
    remedy = "make room (journalctl --vacuum-size=50M), or a larger card"
    return Finding("disk", level, f"{free} MB free at {folder}", remedy)


def _wear(folder: Path) -> Finding:
    used = wear(folder)
    if used is None:
        return Finding("wear", Level.NOTE, f"nobody says how worn the disk of {folder} is")
    level = Level.WRONG if used >= WORN_OUT else Level.LOOK if used >= WORN else Level.WELL
    remedy = "" if level is Level.WELL else "change the card before it dies (docs/operations.md, A card dies)"
    return Finding("wear", level, f"{used} % of the card's life are used up", remedy)


def certificate(file: Path, ends: datetime, now: datetime) -> Finding:
    """A certificate's end."""
    about = f"certificate {file.name}"
    if ends - now > AHEAD:
        return well(about, "no end" if ends.year == MAXYEAR else f"until {ends:%Y-%m-%d}")
    level = Level.WRONG if ends <= now else Level.LOOK
    told = f"{file} ends on {ends:%Y-%m-%d}"
    return Finding(about, level, told, "loquet keys rotate, and carry it here (docs/keys.md, Renewing)")


def _broker(config: Config) -> Iterator[Finding]:
    ours, host, port = config.broker.identity, config.broker.host, config.broker.port
    fault = unreached(host, port, None if ours is None else lambda: identity.context(ours))
    if fault is None:
        yield well("broker", f"{host}:{port} answers")
    else:
        clocks = "see that host, ca.crt and both clocks are right (docs/keys.md, When a link does not come up)"
        wires = "see that mosquitto runs there, and address, cable and firewall"
        yield Finding("broker", Level.WRONG, fault.why, clocks if fault.tls else wires)
    if ours is not None:
        ends = load_pem_x509_certificate(ours.certificate.read_bytes()).not_valid_after_utc
        yield certificate(ours.certificate, ends, datetime.now(UTC))


def _journal(config: Config, clock: Clock) -> Iterator[Finding]:
    """The journal, those set aside, and the rules that it holds."""
    aside = sorted(config.journal.parent.glob(f"{config.journal.name}.aside-*"))
    if aside:
        names = ", ".join(file.name for file in aside)
        yield Finding("journal", Level.LOOK, f"set aside: {names}", "when it comes again, change the card")
    try:
        held = remembered(config, clock)[0].held
    except JournalError as error:
        yield Finding("journal", Level.WRONG, str(error), "see to the disk (docs/operations.md, A card dies)")
        return
    if held is None:
        yield Finding("rules", Level.WRONG, "none yet: nobody gets in", "bring the link to the server up")
        return
    left = held.not_after - clock.now()
    told = f"version {held.version}, confirmed for {max(left, 0) / DAY:.1f} more days"
    level = Level.WRONG if left <= 0 else Level.LOOK if left < SOON else Level.WELL
    yield Finding("rules", level, told, "" if level is Level.WELL else "bring server and link back")
