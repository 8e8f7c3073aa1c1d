"""What is in the chip's 64-byte buffer? Data sheet 8.3."""

from collections import deque

from simulator.chip.irq import Interrupts, Irq

SIZE = 64


class Fifo:
    """First in, first out. A level that crosses the water level requests HiAlertIRq or LoAlertIRq."""

    def __init__(self, irq: Interrupts) -> None:
        self._irq = irq
        self._bytes: deque[int] = deque()
        self._was = (False, True)
        self.water_level = 8

    def reset(self) -> None:
        """Empty, with the water level at its reset value; no request."""
        self._bytes.clear()
        self.water_level = 8
        self._was = (False, True)

    def __len__(self) -> int:
        return len(self._bytes)

    @property
    def high(self) -> bool:
        """HiAlert: no more than the water level is free."""
        return SIZE - len(self._bytes) <= self.water_level

    @property
    def low(self) -> bool:
        """LoAlert: no more than the water level is left."""
        return len(self._bytes) <= self.water_level

    def put(self, byte: int) -> bool:
        """Append a byte; False when the buffer is full and the byte is lost."""
        if len(self._bytes) == SIZE:
            return False
        self._bytes.append(byte)
        self._warn()
        return True

    def get(self) -> int:
        """Take the oldest byte out; 0 when there is none."""
        byte = self._bytes.popleft() if self._bytes else 0
        self._warn()
        return byte

    def take(self, count: int = SIZE) -> bytes:
        """Take up to so many bytes out."""
        taken = bytes(self._bytes.popleft() for _ in range(min(count, len(self._bytes))))
        self._warn()
        return taken

    def flush(self) -> None:
        """Forget all bytes."""
        self._bytes.clear()
        self._warn()

    def set_water_level(self, level: int) -> None:
        """The host writes WaterLevelReg."""
        self.water_level = level & 0x3F
        self._warn()

    def _warn(self) -> None:
        was, self._was = self._was, (self.high, self.low)
        if self.high and not was[0]:
            self._irq.request(Irq.HIGH)
        if self.low and not was[1]:
            self._irq.request(Irq.LOW)
