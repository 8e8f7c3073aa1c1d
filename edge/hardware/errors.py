"""What can go wrong with hardware, whose fault it is and whether trying again helps."""


class HardwareError(Exception):
    """A device or a line cannot be had at start: wiring, config or rights. The message names it and the remedy."""


class ChipError(Exception):
    """The reader chip does not answer as it should. Setting it up anew may help."""


class RadioError(Exception):
    """Something between the chip and the cards in its field; the chip itself is well."""


class SilenceError(RadioError):
    """No card answered."""


class CollisionError(RadioError):
    """Two cards answered at once and differently."""


class GarbledError(RadioError):
    """An answer came, but broken: cut short, wrong length, parity, CRC or check byte. Asking again may help."""
