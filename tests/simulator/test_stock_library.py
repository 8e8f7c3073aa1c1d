"""What the unmodified mfrc522 0.0.7 does on the emulated chip: why the edge has a driver of its own.

Each test keeps one piece of that knowledge (docs/decisions has the reasons). Nothing here is patched: the real mfrc522,
rpi-lgpio and gpiozero run over the stand-ins for spidev and lgpio.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from simulator.board import Board
from simulator.card import Card
from simulator.chip.registers import Reg
from simulator.classic import ClassicCard
from simulator.load import load
from simulator.mfrc522 import Chip, Fault

MS = 1_000_000
FOUR = bytes.fromhex("deadbeef")
FOUR_AS_NUMBER = 0xDEADBEEF22
RESET_LINE, UART_RXD, STRIKE = 25, 15, 17


@dataclass
class Bench:
    """A board with two readers, and the library's easy class on the first of them."""

    board: Board
    chip: Chip
    reader: Any

    def cost(self, act: Callable[[], object]) -> tuple[object, int, float]:
        """What it returns, SPI transfers, milliseconds."""
        transfers, start = self.chip.transfers, self.board.clock.ns
        result = act()
        return result, self.chip.transfers - transfers, (self.board.clock.ns - start) / MS

    def lay(self, card: Card) -> None:
        self.chip.field.lay(card)
        self.board.clock.advance(5 * MS)

    def ids(self, count: int) -> list[int | None]:
        return [self.reader.read_id_no_block() for _ in range(count)]

    def flag(self, reg: Reg) -> int:
        return self.chip.transfer(bytes([reg << 1 | 0x80, 0]))[1]


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    board.add_chip(0, 0)
    board.add_chip(0, 1)
    load(board)
    yield board
    logging.getLogger("mfrc522Logger").handlers.clear()


@pytest.fixture
def bench(board: Board) -> Bench:
    import mfrc522

    return Bench(board, board.chip(0, 0), mfrc522.SimpleMFRC522())


def test_it_reads_a_four_byte_badge(bench: Bench) -> None:
    bench.lay(Card(FOUR))
    assert bench.reader.read_id() == FOUR_AS_NUMBER


def test_the_number_is_not_the_uid_but_the_uid_and_its_check_byte(bench: Bench) -> None:
    bench.lay(Card(FOUR))
    assert bench.reader.read_id().to_bytes(5, "big") == FOUR + bytes([0xDE ^ 0xAD ^ 0xBE ^ 0xEF])


def test_an_empty_poll_costs_2013_transfers(bench: Bench) -> None:
    """`~` where `not` was meant: the loop ends with an answer or after 2000 looks, never with the chip's timer."""
    found, transfers, ms = bench.cost(bench.reader.read_id_no_block)
    assert (found, transfers) == (None, 2013)
    assert ms == pytest.approx(72.5, abs=0.1)


def test_the_timer_had_told_it_long_before(bench: Bench) -> None:
    told: list[int] = []
    bench.board.clock.after(17 * MS, lambda: told.append(bench.chip.irq.com & 0x01))
    _, _, ms = bench.cost(bench.reader.read_id_no_block)
    assert told == [1]
    assert ms > 70


def test_what_reading_costs(bench: Bench) -> None:
    bench.lay(Card(FOUR))
    assert bench.cost(bench.reader.read_id_no_block)[1:] == (72, pytest.approx(2.59, abs=0.01))
    bench.reader.read_id_no_block()
    _, transfers, ms = bench.cost(lambda: select(bench.reader.READER))
    assert (transfers, ms) == (146, pytest.approx(5.26, abs=0.01))


def select(reader: Any) -> int:
    reader.MFRC522_Request(reader.PICC_REQIDL)
    _, uid = reader.MFRC522_Anticoll()
    sak: int = reader.MFRC522_SelectTag(uid)
    return sak


@pytest.mark.parametrize("tail", ["c3d4e5f6", "00000000", "ffffffff"])
def test_of_a_seven_byte_badge_it_keeps_the_first_three_bytes(bench: Bench, tail: str) -> None:
    """The first of them is the maker's (04 for NXP): 16 bits are left to tell badges apart."""
    bench.lay(Card(bytes.fromhex("04a1b2" + tail)))
    assert bench.reader.read_id() == 0x8804A1B29F


def test_two_different_seven_byte_badges_have_one_number(bench: Bench) -> None:
    numbers = []
    for uid in ("04a1b2c3d4e5f6", "04a1b20123456f"):
        card = Card(bytes.fromhex(uid))
        bench.lay(card)
        numbers.append(bench.reader.read_id())
        bench.chip.field.take(card)
    assert numbers[0] == numbers[1]


def test_a_badge_left_lying_comes_and_goes(bench: Bench) -> None:
    """It is never selected nor halted: the next request only sends it from READY back to IDLE."""
    bench.lay(Card(FOUR))
    assert bench.ids(6) == [FOUR_AS_NUMBER, None] * 3


@pytest.mark.parametrize("fault", [Fault.DEAD_LOW, Fault.DEAD_HIGH, Fault.RESET_STUCK])
def test_a_dead_bus_looks_like_an_empty_field(bench: Bench, fault: Fault) -> None:
    bench.lay(Card(FOUR))
    bench.chip.fault = fault
    assert bench.ids(2) == [None, None]


def test_unplugged_and_high_it_does_not_even_wait(bench: Bench) -> None:
    bench.chip.fault = Fault.DEAD_HIGH
    assert bench.cost(bench.reader.read_id_no_block)[:2] == (None, 15)


def test_a_dead_bus_is_not_noticed_at_the_start_either(board: Board) -> None:
    import mfrc522

    board.chip(0, 0).fault = Fault.DEAD_LOW
    assert mfrc522.SimpleMFRC522().read_id_no_block() is None


def test_another_chip_is_not_noticed(bench: Bench) -> None:
    """VersionReg is never read."""
    bench.chip.version = 0x00
    bench.lay(Card(FOUR))
    assert bench.reader.read_id() == FOUR_AS_NUMBER


def test_frames_are_cut_at_16_bytes(bench: Bench) -> None:
    """A block of a badge is 16 bytes and a checksum of two, which is lost unseen."""
    bench.lay(ClassicCard(FOUR))
    reader = bench.reader.READER
    select(reader)
    reader.MFRC522_Auth(reader.PICC_AUTHENT1A, 11, [0xFF] * 6, list(FOUR))
    command = [reader.PICC_READ, 8]
    status, data, bits = reader.MFRC522_ToCard(reader.PCD_TRANSCEIVE, command + reader.CalulateCRC(command))
    assert (status, bits) == (reader.MI_OK, 18 * 8)
    assert len(data) == 16
    assert bench.flag(Reg.FIFO_LEVEL) == 2


def test_reading_gives_the_text_when_the_key_is_right(bench: Bench) -> None:
    card = ClassicCard(FOUR)
    bench.lay(card)
    assert bench.reader.write_no_block("badge 17") == (FOUR_AS_NUMBER, "badge 17")
    assert card.blocks[8] == b"badge 17".ljust(16)
    number, text = bench.reader.read()
    assert (number, text.rstrip()) == (FOUR_AS_NUMBER, "badge 17")


def test_reading_gives_the_id_although_authentication_failed(bench: Bench) -> None:
    bench.lay(ClassicCard(FOUR, key=b"loquet"))
    assert bench.reader.read() == (FOUR_AS_NUMBER, "")


def test_what_authentication_costs(bench: Bench) -> None:
    card = ClassicCard(FOUR)
    bench.lay(card)
    assert bench.cost(bench.reader.read_no_block)[1:] == (pytest.approx(538, abs=20), pytest.approx(19.4, abs=0.6))
    bench.chip.field.take(card)
    bench.lay(ClassicCard(FOUR, key=b"loquet"))
    assert bench.cost(bench.reader.read_no_block)[1:] == (pytest.approx(2170, abs=20), pytest.approx(78, abs=1))


def test_two_badges_look_like_none(bench: Bench) -> None:
    bench.lay(Card(FOUR))
    bench.lay(Card(bytes.fromhex("01020304")))
    assert bench.ids(4) == [None] * 4


def test_a_failed_selection_looks_like_a_selected_tag(bench: Bench) -> None:
    """0 stands for failure, and is the SAK of a whole family of badges."""
    bench.lay(Card(FOUR, sak=0x00))
    assert select(bench.reader.READER) == 0
    bench.chip.field.clear()
    assert bench.reader.READER.MFRC522_SelectTag([*FOUR, 0x22]) == 0


def test_after_a_brown_out_it_is_silent_for_ever(bench: Bench) -> None:
    bench.lay(Card(FOUR))
    assert bench.ids(1) == [FOUR_AS_NUMBER]
    bench.chip.brown_out()
    bench.board.clock.advance(5 * MS)
    assert bench.ids(4) == [None] * 4
    assert not bench.chip.field.on
    bench.reader.READER.MFRC522_Init()
    bench.board.clock.advance(5 * MS)
    assert bench.ids(1) == [FOUR_AS_NUMBER]


def test_by_board_numbers_it_resets_through_gpio25(bench: Bench) -> None:
    assert bench.board.history(RESET_LINE)[-1].level == 1
    assert bench.board.lines[RESET_LINE].output


def test_with_bcm_numbers_the_default_reset_line_is_the_uarts(board: Board) -> None:
    import mfrc522
    import RPi.GPIO as GPIO

    GPIO.setmode(GPIO.BCM)
    mfrc522.MFRC522()
    assert board.lines[UART_RXD].output
    assert not board.lines[RESET_LINE].output


def test_the_reset_line_is_raised_and_never_pulsed(bench: Bench) -> None:
    """A chip that hangs is not brought back by a new reader object."""
    assert [change.level for change in bench.board.history(RESET_LINE) if change.output] == [1, 1]


def test_closing_one_reader_frees_every_line(board: Board) -> None:
    import mfrc522
    import RPi.GPIO as GPIO

    first = mfrc522.MFRC522(0, 0, pin_mode=GPIO.BCM, pin_rst=RESET_LINE)
    mfrc522.MFRC522(0, 1, pin_mode=GPIO.BCM, pin_rst=RESET_LINE)
    GPIO.setup(STRIKE, GPIO.OUT, initial=1)
    first.Close_MFRC522()
    assert board.level(STRIKE) == 0
    assert board.lines[RESET_LINE].owner is None
    assert GPIO.getmode() is None


def test_gpiozero_claims_an_active_low_output_low_first(board: Board) -> None:
    """The strike's relay, active low with a resistor to the safe level, gets a pulse at every start."""
    from gpiozero import OutputDevice

    board.resistor(STRIKE, 1)
    assert board.level(STRIKE) == 1
    strike = OutputDevice(STRIKE, active_high=False, initial_value=False)
    assert [(change.level, change.kind) for change in board.history(STRIKE) if change.output] == [
        (0, "claim"),
        (1, "write"),
    ]
    strike.close()


def test_gpiozero_claims_lines_without_a_pull(board: Board) -> None:
    from gpiozero import OutputDevice

    relay = OutputDevice(STRIKE)
    relay.close()
    assert board.lines[STRIKE].pull == "none"


def test_gpiozero_cannot_have_the_reset_line_too(bench: Bench) -> None:
    import lgpio
    from gpiozero import OutputDevice

    with pytest.raises(lgpio.error, match="GPIO busy"):
        OutputDevice(RESET_LINE)
    assert bench.board.level(RESET_LINE) == 1


def test_two_readers_on_one_bus(board: Board) -> None:
    import mfrc522

    readers = [mfrc522.MFRC522(0, device) for device in (0, 1)]
    board.chip(0, 1).field.lay(Card(FOUR))
    board.clock.advance(5 * MS)
    assert [reader.MFRC522_Request(reader.PICC_REQIDL)[0] for reader in readers] == [2, 0]
