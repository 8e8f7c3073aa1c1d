"""What does a Pi get, by its answers? edge.toml, config.txt, cmdline.txt, what its service adds, a map of its pins."""

from collections.abc import Iterator, Mapping

from edge.setup.answers import Answers, Place
from edge.setup.header import MODELS, PINS
from edge.setup.plan import plan, seats, signals
from edge.setup.seeds import seeds

HOMES = {
    "edge.toml": "/etc/loquet/edge.toml",
    "config.txt": "appended to /boot/firmware/config.txt, then reboot",
    "cmdline.txt": "appended to the one line of /boot/firmware/cmdline.txt",
    "outputs.conf": "/etc/systemd/system/loquet-edge.service.d/outputs.conf",
    "pins.txt": "for whoever wires it",
    "user-data": "with meta-data to the boot partition of a new card: Raspberry Pi OS of Debian 13",
    "meta-data": "beside user-data",
    "custom.toml": "to the boot partition of a new card: Raspberry Pi OS of Debian 12",
}
"""Where each file belongs on the Pi."""
CHIP_SELECTS = {0: (8, 7), 1: (18, 17, 16)}
SHARED = {0: {9: "MISO", 10: "MOSI", 11: "SCK"}, 1: {19: "MISO", 20: "MOSI", 21: "SCK"}}
"""Lines of the SPI buses, as config.txt sets them (raspberrypi.com, spi0 and spi1-3cs)."""
MADE = "# Made by `loquet edge init`: change its answers and run it again."


def files(answers: Answers) -> dict[str, str]:
    """The text of each file by its name in the folder. Raises ConfigError for lines that cannot be."""
    lines = plan(answers)
    return seeds(answers) | {
        "edge.toml": _text(_edge_toml(answers, lines)),
        "config.txt": _text(_config_txt(answers, lines)),
        "cmdline.txt": _text(_cmdline(answers)),
        "outputs.conf": _text(_service(answers, lines)),
        "pins.txt": _text(_pins(answers, lines)),
    }


def _text(lines: Iterator[str]) -> str:
    return "\n".join(lines) + "\n"


def _edge_toml(answers: Answers, lines: Mapping[str, int]) -> Iterator[str]:
    yield f"{MADE} Every key: firmware_config/edge-door.toml, edge-machine.toml."
    yield from (f'site = "{answers.site}"', f'edge = "{answers.edge}"', "")
    yield from (
        "[keys]",
        'own = "keys/edge.pem"',
        'server = "keys/server.pub.pem"',
        'credential = "keys/credential.hex"',
    )
    yield from ("", "[broker]", f'host = "{answers.broker}"', 'ca = "keys/ca.crt"')
    yield from ('certificate = "keys/tls.crt"', 'key = "keys/tls.key"', "")
    yield from ("[journal]", 'path = "/var/lib/loquet/journal.db"')
    for place in answers.places:
        yield from _readers(place, seats(answers), lines)
        yield from _place(place, lines)


def _readers(place: Place, at: Mapping[str, tuple[int, int]], lines: Mapping[str, int]) -> Iterator[str]:
    for reader, prefix in place.readers.items():
        bus, device = at[reader]
        yield from ("", f"[readers.{reader}]", f"bus = {bus}", f"device = {device}")
        for part in ("green", "red", "buzzer"):
            if f"{place.where}.{prefix}{part}" in lines:
                yield f"{part} = {{ line = {lines[f'{place.where}.{prefix}{part}']} }}"


def _place(place: Place, lines: Mapping[str, int]) -> Iterator[str]:
    yield from ("", f"[{place.where}]")
    if place.kind == "door":
        yield from (f'reader_{prefix[:-1]} = "{reader}"' for reader, prefix in place.readers.items())
        yield f'fail = "{place.fail}"'
    else:
        yield from (f'reader = "{reader}"' for reader in place.readers)
        if not place.inputs:
            yield "estop = false"
        if place.pulse:
            yield "pulse = true"
    active_high = str(place.relay_active_high).lower()
    yield f"{place.relay} = {{ line = {lines[f'{place.where}.{place.relay}']}, active_high = {active_high} }}"
    for name in place.inputs:
        # contacts that are closed while all is well: a cut wire is noticed
        level = "" if name == "rex" else ", active_low = false"
        yield f"{name} = {{ line = {lines[f'{place.where}.{name}']}{level} }}"


def _config_txt(answers: Answers, lines: Mapping[str, int]) -> Iterator[str]:
    yield MADE
    yield f"# For a {MODELS[answers.pi]}. Append to /boot/firmware/config.txt, then reboot."
    yield from ("[all]", "# The readers: SPI bus 0 with both chip selects, bus 1 with its three.", "dtparam=spi=on")
    if any(bus == 1 for bus, _ in seats(answers).values()):
        yield "dtoverlay=spi1-3cs"
    yield "# A line whose process was killed is let go of, and its resistor takes it to the safe level."
    yield "dtparam=strict_gpiod"
    yield "# Relays at rest from power-on until the edge takes over."
    yield from (f"gpio={line}=op,{level}" for line, level in _at_rest(answers, lines))
    yield "# A system that hangs is started again."
    yield "dtparam=watchdog=on"
    yield from _clock(answers.clock)
    if "i2c" in answers.in_use:
        yield "dtparam=i2c_arm=on"
    yield f"enable_uart={int('uart' in answers.in_use)}"


def _clock(clock: str) -> Iterator[str]:
    match clock:
        case "ds3231":
            yield from ("# The battery clock, on GPIO2 and 3.", "dtoverlay=i2c-rtc,ds3231")
        case "own-rechargeable":
            yield "# Charges the battery of the Pi 5's clock; never with one that is not rechargeable."
            yield "dtparam=rtc_bbat_vchg=3000000"


def _at_rest(answers: Answers, lines: Mapping[str, int]) -> Iterator[tuple[int, str]]:
    """Each relay's line, and how raspberrypi.com's tools write the level at which it is off."""
    for signal in signals(answers):
        if signal.relay:
            yield lines[signal.key], "dl" if signal.active_high else "dh"


def _cmdline(answers: Answers) -> Iterator[str]:
    """One line, to be appended to the one line of cmdline.txt. recurse=0: other partitions stay writable."""
    yield "panic=10" + (" overlayroot=tmpfs:recurse=0" if answers.read_only else "")


def _service(answers: Answers, lines: Mapping[str, int]) -> Iterator[str]:
    yield MADE
    yield "# Whatever ended the edge: its relays are put at rest, by a program that needs no Python and no edge."
    yield "[Service]"
    yield from (f"ExecStopPost=-+/usr/bin/pinctrl set {line} op {level}" for line, level in _at_rest(answers, lines))


def _pins(answers: Answers, lines: Mapping[str, int]) -> Iterator[str]:
    yield f"What goes where on the header of edge {answers.edge!r}, a {MODELS[answers.pi]}"
    yield ""
    yield "pin  line    what"
    yield from (f"{pin:>3}  {line:<6}  {what}" for pin, line, what in sorted(_rows(answers, lines)))


def _rows(answers: Answers, lines: Mapping[str, int]) -> Iterator[tuple[int, str, str]]:
    yield 17, "3.3 V", "the readers' supply, never 5 V"
    yield PINS[25], "GPIO25", "RST of the readers"
    for reader, (bus, device) in seats(answers).items():
        select = CHIP_SELECTS[bus][device]
        yield PINS[select], f"GPIO{select}", f"SDA of {reader}"
    for bus in {bus for bus, _ in seats(answers).values()}:
        for line, what in SHARED[bus].items():
            yield PINS[line], f"GPIO{line}", f"{what} of the readers on bus {bus}"
    for signal in signals(answers):
        line = lines[signal.key]
        yield PINS[line], f"GPIO{line}", f"{signal.place.name}: {signal.name.replace('_', ' ')}"
    if answers.clock == "ds3231":
        yield from ((PINS[2], "GPIO2", "SDA of the clock"), (PINS[3], "GPIO3", "SCL of the clock"))
