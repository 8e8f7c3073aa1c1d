"""How does a MIFARE Classic 1K answer? Enough of it for the stock library to authenticate, read and write.

Crypto-1 is not emulated: the chip tells the card which key the host gave, and both then carry their frames in clear,
marked as encrypted. A frame that is encrypted for one side and not for the other is noise to the card, as it would be.
"""

from simulator.card import POWER_UP_NS, Answer, Card, Frame, State, with_crc, without_crc
from simulator.chip.radio import to_bits

BLOCKS = 64
BLOCK_SIZE = 16
FACTORY_KEY = b"\xff" * 6
KEY_A = 0x60
READ = 0x30
WRITE = 0xA0
ACK = Answer(to_bits(b"\x0a", 4))
REFUSED = Answer(to_bits(b"\x04", 4))
"""NAK: invalid operation."""
BAD_CRC = Answer(to_bits(b"\x05", 4))


class ClassicCard(Card):
    """16 sectors of 4 blocks of 16 bytes; the last block of a sector holds its two keys. Access bits change nothing."""

    def __init__(self, uid: bytes, key: bytes = FACTORY_KEY, power_up_ns: int = POWER_UP_NS) -> None:
        super().__init__(uid, sak=0x08, power_up_ns=power_up_ns)
        trailer = key + bytes.fromhex("ff078069") + key
        self.blocks = [trailer if n % 4 == 3 else bytes(BLOCK_SIZE) for n in range(BLOCKS)]
        self._sector: int | None = None
        self._writing: int | None = None

    def power_off(self) -> None:
        super().power_off()
        self._forget()

    def silence(self) -> Answer | None:
        self._forget()
        return super().silence()

    def challenge(self, block: int) -> bool:
        """Whether the first frame of an authentication is answered (with a random number)."""
        answers = self.state in (State.ACTIVE, State.ACTIVE_STAR) and block < BLOCKS
        if not answers:
            self.silence()
        return answers

    def authenticate(self, which: int, block: int, key: bytes, uid: bytes) -> bool:
        """Whether the second frame proves the key. which: 0x60 for key A, 0x61 for B. uid: the four bytes mixed in."""
        trailer = self.blocks[block | 3]
        own = trailer[:6] if which == KEY_A else trailer[10:]
        if key != own or uid != self.uid[-4:]:
            self.silence()
            return False
        self._sector = block // 4
        return True

    def hear(self, frame: Frame) -> Answer | None:
        if self._sector is None or self.state is State.POWER_OFF:
            return super().hear(frame)
        if not frame.encrypted:
            return self.silence()
        return self._data(frame) if self._writing is not None else self._active(frame.bits)

    def command(self, command: bytes) -> Answer | None:
        if len(command) != 2 or command[0] not in (READ, WRITE):
            return super().command(command)
        block = command[1]
        if self._sector is None or block // 4 != self._sector:
            self.silence()
            return REFUSED
        if command[0] == WRITE:
            self._writing = block
            return ACK
        hidden = bytes(6) + self.blocks[block][6:] if block % 4 == 3 else self.blocks[block]
        return with_crc(hidden)

    def _data(self, frame: Frame) -> Answer:
        block, self._writing = self._writing, None
        data = without_crc(frame.bits)
        if block is None or data is None or len(data) != BLOCK_SIZE:
            self.silence()
            return BAD_CRC
        self.blocks[block] = data
        return ACK

    def _forget(self) -> None:
        self._sector = None
        self._writing = None
