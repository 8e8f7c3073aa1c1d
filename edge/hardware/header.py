"""Which gpiochip has the lines of the Pi's header? Its number depends on model and kernel: 0, 4, 11 to 15."""

import os
from pathlib import Path

DEVICES = Path("/sys/bus/gpio/devices")
HEADERS = frozenset({"raspberrypi,rp1-gpio", "raspberrypi,bcm2835-gpio", "raspberrypi,bcm2711-gpio"})
"""What the device tree calls the chip of the header, by model; as rpi-lgpio 0.6 has it."""
CHOSEN = "RPI_LGPIO_CHIP"
"""In the environment: the number that was chosen. rpi-lgpio, which drives the readers' reset line, goes by it, too."""


def choose(chip: int | None) -> None:
    """Before the hardware is opened: go by this number; None to look for it."""
    if chip is not None:
        os.environ[CHOSEN] = str(chip)


def header_chip(devices: Path = DEVICES) -> int:
    """The number of the header's gpiochip: the one that was chosen, else the one found; 0 where none is."""
    if CHOSEN in os.environ:
        return int(os.environ[CHOSEN])
    for device in sorted(devices.glob("gpiochip*")):
        try:
            names = (device / "of_node" / "compatible").read_text().split("\0")
        except OSError:
            continue
        if HEADERS.intersection(names):
            return int(device.name.removeprefix("gpiochip"))
    return 0
