"""What is wired to the simulated Raspberry Pi? Reader chips, GPIO lines, and the reset line that the chips share."""

from collections.abc import Callable

from simulator.clock import VirtualClock
from simulator.lines import Change, Lines
from simulator.mfrc522 import Chip

RESET_LINE = 25
CHIP_SELECT = {(0, 0): 8, (0, 1): 7, (1, 0): 18, (1, 1): 17, (1, 2): 16}
"""GPIO lines that the kernel's SPI driver holds as chip select, by bus and device."""

_current: "Board | None" = None


class Board:
    """One Raspberry Pi.

    strict_gpiod: dtparam=strict_gpiod, which turns outputs into inputs when their process lets go of them. Raspberry Pi
    kernels leave them driven otherwise.
    """

    def __init__(self, clock: VirtualClock | None = None, strict_gpiod: bool = False) -> None:
        self.clock = clock or VirtualClock()
        self.lines = Lines(self.clock, strict_gpiod)
        self._chips: dict[tuple[int, int], Chip] = {}
        self.subscribe(self._reset_line_moved)

    def add_chip(self, bus: int, device: int, chip: Chip | None = None) -> Chip:
        """Wire a reader module to this chip select, and its RST to GPIO25 (the module pulls that up: free is high).

        Raises ValueError when the place is taken.
        """
        if (bus, device) in self._chips:
            raise ValueError(f"SPI {bus}.{device} has a chip already; give the new one another device")
        chip = chip or Chip(self.clock)
        self.resistor(RESET_LINE, 1)
        self._chips[bus, device] = chip
        if (bus, device) in CHIP_SELECT:
            self.lines.reserve(CHIP_SELECT[bus, device], f"spi{bus} CS{device}")
        return chip

    def chip(self, bus: int, device: int) -> Chip:
        """The chip there. Raises FileNotFoundError, as opening /dev/spidev does, when there is none."""
        chip = self._chips.get((bus, device))
        if chip is None:
            raise FileNotFoundError(2, "No such file or directory")
        return chip

    def wire_irq(self, chip: Chip, line: int) -> None:
        """Lead a chip's IRQ pin to a GPIO line."""
        self.drive(line, chip.irq.pin)
        chip.irq.on_pin = lambda level: self.drive(line, level)

    def drive(self, line: int, level: int | None) -> None:
        """What the world outside does to a line: 1, 0, or None to let go of it."""
        self.lines.drive(line, level)

    def resistor(self, line: int, level: int) -> None:
        """Solder a resistor that pulls a line to 1 or 0 while nobody drives it."""
        self.lines.resistor(line, level)

    def poke(self, line: int, level: int) -> None:
        """Drive a line by the chip's registers, as pinctrl does, past the kernel."""
        self.lines.poke(line, level)

    def level(self, line: int) -> int:
        """What a voltmeter shows on a line: 1 or 0."""
        return self.lines.level(line)

    def history(self, line: int) -> list[Change]:
        """What was done to a line, oldest first (the last 10,000 changes)."""
        return self.lines.history(line)

    def subscribe(self, listener: Callable[[Change], object]) -> Callable[[], None]:
        """Have every change of a level told, in the thread that makes it. Call what comes back to end this."""
        return self.lines.subscribe(listener)

    def kill(self) -> None:
        """The process dies (kill -9): the kernel takes its lines back."""
        self.lines.free_all()

    def _reset_line_moved(self, change: Change) -> None:
        if change.line == RESET_LINE:
            for chip in self._chips.values():
                chip.reset_pin(change.level)


def use(board: Board) -> None:
    """Make this the board that the stand-ins of spidev and lgpio talk to, for the whole process."""
    global _current
    _current = board


def current() -> Board:
    """The board of this process. Raises RuntimeError when none was chosen."""
    if _current is None:
        raise RuntimeError("no simulated board in this process: call simulator.load.load(board) first")
    return _current
