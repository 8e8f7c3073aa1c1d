"""Stand-in for the C extension spidev 3.8: the same names and refusals, with the simulated board behind them.

Loaded only through simulator.load. Bus options other than speed and mode are kept and change nothing.
"""

import errno

from simulator.board import current

__version__ = "3.8"
LONGEST = 4096
KERNEL_DEFAULT_HZ = 125_000_000


class SpiDev:
    """One /dev/spidevB.D."""

    def __init__(self, bus=-1, client=-1):
        self._chip = None
        self._mode = 0
        self._max_speed_hz = 0
        self._bits_per_word = 0
        self.cshigh = False
        self.lsbfirst = False
        self.loop = False
        self.no_cs = False
        self.read0 = False
        self.threewire = False
        if bus >= 0:
            self.open(bus, client)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()
        return False

    def open(self, bus, device):
        self._chip = current().chip(bus, device)
        self._mode = 0
        self._bits_per_word = 8
        self._max_speed_hz = KERNEL_DEFAULT_HZ

    def close(self):
        self._chip = None
        self._mode = 0

    @property
    def mode(self):
        return self._mode

    @mode.setter
    def mode(self, value):
        if not isinstance(value, int):
            raise TypeError("The mode attribute must be an integer")
        if not 0 <= value <= 3:
            raise TypeError("The mode attribute must be an integerbetween 0 and 3.")
        self._opened()
        self._mode = value

    @property
    def max_speed_hz(self):
        return self._max_speed_hz

    @max_speed_hz.setter
    def max_speed_hz(self, value):
        if not isinstance(value, int):
            raise TypeError("The max_speed_hz attribute must be an integer")
        if value != self._max_speed_hz:
            self._opened()
        self._max_speed_hz = value

    @property
    def bits_per_word(self):
        return self._bits_per_word

    @bits_per_word.setter
    def bits_per_word(self, value):
        if not isinstance(value, int):
            raise TypeError("The bits_per_word attribute must be an integer")
        if not 8 <= value <= 32:
            raise TypeError("invalid bits_per_word (8 to 32)")
        if value != 8:
            raise OSError(errno.EINVAL, "Invalid argument")
        self._opened()
        self._bits_per_word = value

    def xfer2(self, values, speed_hz=0, delay_usecs=0, bits_per_word=0):  # noqa: ARG002 (the extension's signature)
        """Send and receive, chip select low throughout. As in the extension, a list is overwritten with what came."""
        _refuse(values, LONGEST)
        received = self._transfer(values, speed_hz)
        if isinstance(values, tuple):
            return tuple(received)
        if isinstance(values, list):
            values[:] = received
            return values
        return list(received)

    def xfer(self, values, speed_hz=0, delay_usecs=0, bits_per_word=0):
        """As xfer2: one message of one segment."""
        return self.xfer2(values, speed_hz, delay_usecs, bits_per_word)

    def xfer3(self, values, speed_hz=0, delay_usecs=0, bits_per_word=0):  # noqa: ARG002 (the extension's signature)
        """As xfer2 for any length, in pieces that the kernel takes; a tuple comes back."""
        _refuse(values, None)
        received = b""
        for start in range(0, len(values), LONGEST):
            received += self._transfer(values[start : start + LONGEST], speed_hz)
        return tuple(received)

    def writebytes(self, values):
        """Send; what comes back is dropped."""
        _refuse(values, LONGEST)
        self._transfer(values, 0)

    def writebytes2(self, values):
        """Send any length, in pieces that the kernel takes."""
        self.xfer3(list(values))

    def readbytes(self, count):
        """Receive while sending zeros."""
        return list(self._transfer(bytes(min(max(count, 1), LONGEST)), 0))

    def fileno(self):
        """-1: there is no file."""
        return -1

    def _opened(self):
        if self._chip is None:
            raise OSError(errno.EBADF, "Bad file descriptor")
        return self._chip

    def _transfer(self, values, speed_hz):
        sent = bytes(value & 0xFF for value in values)
        return self._opened().transfer(sent, speed_hz or self._max_speed_hz or KERNEL_DEFAULT_HZ, self._mode)


def _refuse(values, longest):
    if len(values) == 0:
        raise TypeError("Empty argument list.")
    if longest is not None and len(values) > longest:
        raise OverflowError(f"Argument list size exceeds {longest} bytes.")
    for value in values:
        if not isinstance(value, int):
            raise TypeError(f"Non-Int/Long value in arguments: {id(value):x}.")
