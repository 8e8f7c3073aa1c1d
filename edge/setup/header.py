"""Which lines has a Pi's header, and what else may want them?

By their Broadcom numbers, from raspberrypi.com, GPIO. GPIO0 and 1 belong to the memory of an add-on board.
"""

from collections.abc import Iterable, Mapping

from edge.wiring import RESET_LINE, SPI_LINES

PINS: Mapping[int, int] = {
    2: 3, 3: 5, 4: 7, 5: 29, 6: 31, 7: 26, 8: 24, 9: 21, 10: 19, 11: 23, 12: 32, 13: 33, 14: 8, 15: 10, 16: 36, 17: 11,
    18: 12, 19: 35, 20: 38, 21: 40, 22: 15, 23: 16, 24: 18, 25: 22, 26: 37, 27: 13,
}  # fmt: skip
"""The pin of the 40-pin header where each line comes out."""
LINES = tuple(PINS)
MODELS = {"zero2w": "Raspberry Pi Zero 2 W", "3": "Raspberry Pi 3", "4": "Raspberry Pi 4", "5": "Raspberry Pi 5"}
IN_USE = {"uart": ("the UART", (14, 15)), "i2c": ("I²C", (2, 3))}
"""What the header may serve besides, with its lines."""


def taken(buses: Iterable[int], in_use: Iterable[str]) -> dict[int, str]:
    """What has each line that is free for nothing else. buses: of the readers. in_use: of IN_USE."""
    held = {RESET_LINE: "the readers' reset"}
    for bus in {0, *buses}:
        held |= dict.fromkeys(SPI_LINES[bus], f"SPI bus {bus}")
    for name in in_use:
        what, lines = IN_USE[name]
        held |= dict.fromkeys(lines, what)
    return held
