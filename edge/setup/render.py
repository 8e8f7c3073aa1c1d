"""What does a Pi get, by its answers? edge.toml, config.txt, cmdline.txt, what its service adds, a map of its pins."""

from collections.abc import Iterator, Mapping

from edge.setup.answers import Answers
from edge.setup.header import MODELS, PINS
from edge.setup.plan import plan, sides, signals
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
    door = answers.door
    yield f"{MADE} Every key: firmware_config/edge-door.toml."
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
    for device, side in enumerate(sides(answers)):
        yield from ("", f"[readers.{door.name}-{side}]", "bus = 0", f"device = {device}")
        for part in ("green", "red", "buzzer"):
            if f"{side}_{part}" in lines:
                yield from ("", f"[readers.{door.name}-{side}.{part}]", f"line = {lines[f'{side}_{part}']}")
    yield from ("", f"[door.{door.name}]")
    yield from (f'reader_{side} = "{door.name}-{side}"' for side in sides(answers))
    yield f'fail = "{door.fail}"'
    yield from ("", f"[door.{door.name}.strike]", f"line = {lines['strike']}")
    yield f"active_high = {str(door.relay_active_high).lower()}"
    for name in door.inputs:
        yield from ("", f"[door.{door.name}.{name}]", f"line = {lines[name]}")
        if name != "rex":  # a contact that closes while all is well: a cut wire is noticed
            yield "active_low = false"


def _config_txt(answers: Answers, lines: Mapping[str, int]) -> Iterator[str]:
    yield MADE
    yield f"# For a {MODELS[answers.pi]}. Append to /boot/firmware/config.txt, then reboot."
    yield from ("[all]", "# The readers: SPI bus 0 with both chip selects.", "dtparam=spi=on")
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
            yield lines[signal.name], "dl" if signal.active_high else "dh"


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
    fixed = {9: "MISO", 10: "MOSI", 11: "SCK", 25: "RST"}
    readers = [f"{answers.door.name}-{side}" for side in sides(answers)]
    fixed |= {8 - device: f"SDA of {reader}" for device, reader in enumerate(readers)}
    for line, what in fixed.items():
        yield PINS[line], f"GPIO{line}", f"{what}{'' if ' of ' in what else ' of the readers'}"
    for name, line in lines.items():
        yield PINS[line], f"GPIO{line}", name.replace("_", " reader's ", 1) if "_" in name else name
    if answers.clock == "ds3231":
        yield from ((PINS[2], "GPIO2", "SDA of the clock"), (PINS[3], "GPIO3", "SCL of the clock"))
    yield 17, "3.3 V", "the readers' supply, never 5 V"
