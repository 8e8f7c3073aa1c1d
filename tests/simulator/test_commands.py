"""The chip's commands: data sheet 10.3."""

import pytest

from simulator.card import Answer, Card, State
from simulator.chip.crc import crc16, crc16_msb_first, crc_a
from simulator.chip.radio import to_bits
from simulator.chip.registers import Command, Reg
from simulator.classic import ClassicCard
from tests.support_chip import MS, Host, with_crc

TX, RX, IDLE, TIMER, ERROR = 0x40, 0x20, 0x10, 0x01, 0x02
CRC_ERROR = 0x04
UID = bytes.fromhex("5ea1c0de")


def crc_result(host: Host) -> int:
    return host.read(Reg.CRC_RESULT_H) << 8 | host.read(Reg.CRC_RESULT_L)


@pytest.mark.parametrize(("preset", "start"), [(0, 0x0000), (1, 0x6363), (2, 0xA671), (3, 0xFFFF)])
def test_calc_crc_with_each_preset(preset: int, start: int) -> None:
    host = Host()
    host.write(Reg.MODE, 0x3C | preset)
    host.write(Reg.FIFO_DATA, *b"Loquet")
    host.write(Reg.COMMAND, Command.CALC_CRC)
    assert host.read(Reg.DIV_IRQ) == 0
    assert not host.read(Reg.STATUS1) & 0x20
    host.clock.advance(10_000)
    assert host.read(Reg.DIV_IRQ) == 0x04
    assert host.read(Reg.STATUS1) & 0x20
    assert crc_result(host) == crc16(b"Loquet", start)
    assert host.read(Reg.FIFO_LEVEL) == 0
    assert host.read(Reg.COMMAND) & 0x0F == Command.CALC_CRC


def test_calc_crc_goes_on_with_what_is_written_later() -> None:
    host = Host()
    host.write(Reg.FIFO_DATA, 0x12)
    host.write(Reg.COMMAND, Command.CALC_CRC)
    host.write(Reg.FIFO_DATA, 0x34)
    host.clock.advance(10_000)
    assert crc_result(host).to_bytes(2, "little") == bytes.fromhex("26cf")
    host.write(Reg.COMMAND, Command.IDLE)
    host.write(Reg.FIFO_DATA, 0x56)
    assert host.read(Reg.FIFO_LEVEL) == 1


def test_a_whole_frame_is_ok() -> None:
    host = Host()
    host.write(Reg.FIFO_DATA, *with_crc(b"\x50\x00"))
    host.write(Reg.COMMAND, Command.CALC_CRC)
    assert host.read(Reg.STATUS1) & 0x40


def test_calc_crc_most_significant_bit_first() -> None:
    host = Host()
    host.write(Reg.MODE, 0x80 | 0x3C | 0x03)
    host.write(Reg.FIFO_DATA, *b"Loquet")
    host.write(Reg.COMMAND, Command.CALC_CRC)
    assert crc_result(host) == crc16_msb_first(b"Loquet", 0xFFFF)


def test_mem_moves_25_bytes_in_and_out() -> None:
    host = Host()
    host.write(Reg.FIFO_DATA, *range(25))
    host.write(Reg.COMMAND, Command.MEM)
    assert host.read(Reg.FIFO_LEVEL) == 0
    host.write(Reg.COMMAND, Command.SOFT_RESET)
    host.write(Reg.COMMAND, Command.MEM)
    assert [host.read(Reg.FIFO_DATA) for _ in range(25)] == list(range(25))
    assert host.read(Reg.COMMAND) & 0x0F == Command.IDLE


def test_a_random_id_has_ten_bytes_and_its_seed() -> None:
    drawn = []
    for _ in range(2):
        host = Host()
        host.write(Reg.COMMAND, Command.GENERATE_RANDOM_ID)
        host.write(Reg.COMMAND, Command.MEM)
        drawn.append([host.read(Reg.FIFO_DATA) for _ in range(25)])
    assert drawn[0] == drawn[1]
    assert any(drawn[0][:10])
    assert not any(drawn[0][10:])


def test_an_unknown_command_falls_back_to_idle_and_says_so() -> None:
    host = Host()
    host.write(Reg.COM_IRQ, 0x7F)
    host.write(Reg.COMMAND, 0x5)
    assert host.read(Reg.COMMAND) & 0x0F == Command.IDLE
    assert host.read(Reg.COM_IRQ) & IDLE


def test_writing_idle_does_not_request() -> None:
    host = Host()
    host.write(Reg.COMMAND, Command.TRANSCEIVE)
    host.write(Reg.COM_IRQ, 0x7F)
    host.write(Reg.COMMAND, Command.IDLE)
    assert host.read(Reg.COM_IRQ) & IDLE == 0


def test_no_cmd_change_leaves_the_command_running() -> None:
    host = Host()
    host.write(Reg.COMMAND, Command.TRANSCEIVE)
    host.write(Reg.COMMAND, 0x20 | Command.NO_CMD_CHANGE)
    assert host.read(Reg.COMMAND) == 0x20 | Command.TRANSCEIVE


def test_transceive_shows_its_stages() -> None:
    host = Host()
    host.lay(Card(UID))
    host.write(Reg.COM_IRQ, 0x7F)
    stages = []

    def look(after_ns: int) -> None:
        host.clock.advance(after_ns)
        stages.append((host.read(Reg.STATUS2) & 0x07, host.read(Reg.COM_IRQ) & 0x70, host.read(Reg.FIFO_LEVEL)))

    host.write(Reg.FIFO_DATA, 0x26)
    host.write(Reg.COMMAND, Command.TRANSCEIVE)
    look(0)
    host.write(Reg.BIT_FRAMING, 0x87)
    look(0)
    look(90_000)
    look(91_000)
    look(180_000)
    assert stages == [(1, 0, 1), (3, 0, 0), (5, TX, 0), (6, TX, 0), (1, TX | RX, 2)]
    assert host.read(Reg.COMMAND) & 0x0F == Command.TRANSCEIVE


def test_start_send_needs_transceive() -> None:
    host = Host()
    host.write(Reg.COM_IRQ, 0x7F)
    host.write(Reg.FIFO_DATA, 0x26)
    host.write(Reg.BIT_FRAMING, 0x87)
    host.clock.advance(MS)
    assert host.read(Reg.COM_IRQ) & TX == 0
    assert host.read(Reg.FIFO_LEVEL) == 1


def test_transmit_ends_by_itself_and_receive_takes_the_answer() -> None:
    host = Host()
    host.lay(Card(UID))
    host.write(Reg.COM_IRQ, 0x7F)
    host.write(Reg.FIFO_DATA, 0x26)
    host.write(Reg.BIT_FRAMING, 0x07)
    host.write(Reg.COMMAND, Command.TRANSMIT)
    host.clock.advance(96_000)
    assert host.read(Reg.COMMAND) & 0x0F == Command.IDLE
    assert host.read(Reg.COM_IRQ) & (TX | IDLE) == TX | IDLE
    host.write(Reg.COM_IRQ, 0x7F)
    host.write(Reg.COMMAND, Command.RECEIVE)
    host.clock.advance(MS)
    assert host.read(Reg.COM_IRQ) & (RX | IDLE) == RX | IDLE
    assert [host.read(Reg.FIFO_DATA) for _ in range(2)] == [0x04, 0x00]


def test_transmit_of_nothing_is_over_at_once() -> None:
    host = Host()
    host.write(Reg.COM_IRQ, 0x7F)
    host.write(Reg.COMMAND, Command.TRANSMIT)
    assert host.read(Reg.COM_IRQ) & (TX | IDLE) == IDLE


def test_idle_breaks_off_a_reception() -> None:
    host = Host()
    host.lay(Card(UID))
    host.send(b"\x26", last_bits=7)
    host.clock.advance(300_000)
    host.write(Reg.COMMAND, Command.IDLE)
    host.clock.advance(MS)
    assert host.read(Reg.FIFO_LEVEL) == 0
    assert not host.read(Reg.COM_IRQ) & RX


def test_a_switched_off_receiver_hears_nothing() -> None:
    host = Host()
    card = Card(UID)
    host.lay(card)
    host.write(Reg.FIFO_DATA, 0x26)
    host.write(Reg.COMMAND, 0x20 | Command.TRANSCEIVE)
    host.write(Reg.BIT_FRAMING, 0x87)
    host.clock.advance(MS)
    assert card.state is State.READY
    assert host.read(Reg.FIFO_LEVEL) == 0


@pytest.mark.parametrize(
    ("reg", "value"),
    [(Reg.TX_ASK, 0x00), (Reg.TX_MODE, 0x10), (Reg.RX_MODE, 0x10), (Reg.TX_CONTROL, 0x80)],
)
def test_what_keeps_cards_from_answering(reg: Reg, value: int) -> None:
    """No full modulation, another bit rate to them or from them, no field."""
    host = Host()
    host.write(Reg.MODE, 0x1D)
    host.lay(Card(UID))
    host.write(reg, value)
    reply = host.reqa()
    assert (reply.data, reply.irq & (RX | TIMER)) == (b"", TIMER)


def test_a_transmission_waits_for_the_field_when_told_to() -> None:
    host = Host()
    host.write(Reg.TX_CONTROL, 0x80)
    host.send(b"\x26", last_bits=7)
    host.clock.advance(100 * MS)
    assert host.read(Reg.COM_IRQ) & (TX | TIMER) == 0
    assert host.read(Reg.STATUS2) & 0x07 == 2
    host.write(Reg.TX_CONTROL, 0x83)
    host.clock.advance(MS)
    assert host.read(Reg.COM_IRQ) & TX


def test_the_chip_appends_and_takes_off_the_checksum() -> None:
    host = Host()
    host.lay(Card(UID, sak=0x20))
    host.reqa()
    part = host.anticollision().data
    host.write(Reg.TX_MODE, 0x80)
    host.write(Reg.RX_MODE, 0x80)
    reply = host.exchange(b"\x93\x70" + part)
    assert (reply.data, reply.error) == (b"\x20", 0)


def test_a_wrong_checksum_is_reported() -> None:
    host = Host()
    card = Card(UID)
    host.lay(card)
    host.reqa()
    host.write(Reg.RX_MODE, 0x80)
    reply = host.anticollision()
    assert reply.error == CRC_ERROR
    assert reply.irq & ERROR
    assert reply.data == UID[:3]


def test_an_answer_too_short_for_a_checksum_is_passed_on() -> None:
    host = Host()
    host.lay(Card(UID))
    host.write(Reg.RX_MODE, 0x80)
    reply = host.reqa()
    assert (reply.data, reply.error) == (b"\x04\x00", CRC_ERROR)


def test_a_checksum_behind_a_short_frame_makes_it_unreadable() -> None:
    host = Host()
    card = Card(UID)
    host.lay(card)
    host.write(Reg.TX_MODE, 0x80)
    assert host.reqa().data == b""
    assert card.state is State.IDLE


class Talker(Card):
    """Answers everything with 70 bytes."""

    def command(self, _command: bytes) -> Answer:
        return Answer(to_bits(bytes(range(70))))


def test_an_answer_longer_than_the_fifo_overflows() -> None:
    host = Host()
    host.lay(Talker(UID))
    host.reqa()
    host.uid()
    reply = host.exchange(with_crc(b"\x30\x00"))
    assert reply.data == bytes(range(64))
    assert reply.error == 0x10


def selected(card: Card) -> Host:
    host = Host()
    host.lay(card)
    host.reqa()
    host.uid()
    return host


def authenticate(host: Host, key: bytes, block: int = 4, uid: bytes = UID) -> float:
    """Run MFAuthent until it ends or the timer has run out; milliseconds."""
    host.write(Reg.COMMAND, Command.IDLE)
    host.clock.advance(100_000)
    host.write(Reg.COM_IRQ, 0x7F)
    host.write(Reg.FIFO_LEVEL, 0x80)
    host.write(Reg.FIFO_DATA, 0x60, block, *key, *uid)
    start = host.clock.ns
    host.write(Reg.COMMAND, Command.MF_AUTHENT)
    while not host.read(Reg.COM_IRQ) & (IDLE | TIMER):
        host.clock.advance(1_000)
    return (host.clock.ns - start) / MS


def test_the_right_key_authenticates() -> None:
    host = selected(ClassicCard(UID, key=b"loquet"))
    assert authenticate(host, b"loquet") == pytest.approx(2.08, abs=0.02)
    assert host.read(Reg.STATUS2) & 0x08
    assert host.read(Reg.COMMAND) & 0x0F == Command.IDLE
    assert host.read(Reg.COM_IRQ) & IDLE


def test_the_wrong_key_leaves_the_command_waiting() -> None:
    card = ClassicCard(UID, key=b"loquet")
    host = selected(card)
    authenticate(host, b"LOQUET")
    assert host.read(Reg.STATUS2) & 0x08 == 0
    assert host.read(Reg.COMMAND) & 0x0F == Command.MF_AUTHENT
    assert host.read(Reg.COM_IRQ) & (IDLE | TIMER) == TIMER
    assert card.state is State.IDLE


@pytest.mark.parametrize("card", [Card(UID), None])
def test_nobody_to_authenticate(card: Card | None) -> None:
    host = selected(card) if card else Host()
    authenticate(host, b"loquet")
    assert host.read(Reg.COMMAND) & 0x0F == Command.MF_AUTHENT
    assert host.read(Reg.COM_IRQ) & TIMER


def test_too_few_bytes_for_an_authentication() -> None:
    host = selected(ClassicCard(UID))
    host.write(Reg.COMMAND, Command.IDLE)
    host.write(Reg.FIFO_DATA, 0x60, 4, 1, 2, 3)
    host.write(Reg.COMMAND, Command.MF_AUTHENT)
    host.clock.advance(100 * MS)
    assert host.read(Reg.COMMAND) & 0x0F == Command.MF_AUTHENT
    assert host.read(Reg.FIFO_LEVEL) == 5


def test_a_card_taken_away_during_authentication() -> None:
    card = ClassicCard(UID)
    host = selected(card)
    host.clock.after(1_500_000, lambda: host.chip.field.take(card))
    authenticate(host, b"\xff" * 6)
    assert host.read(Reg.STATUS2) & 0x08 == 0


def test_an_authenticated_card_is_read_and_written() -> None:
    card = ClassicCard(UID)
    host = selected(card)
    authenticate(host, b"\xff" * 6)
    block = bytes(range(16))
    assert (host.exchange(with_crc(b"\xa0\x05")).data, host.exchange(with_crc(block)).data) == (b"\x0a", b"\x0a")
    reply = host.exchange(with_crc(b"\x30\x05"))
    assert reply.data == with_crc(block)
    assert card.blocks[5] == block


def test_an_acknowledgement_has_four_bits() -> None:
    host = selected(ClassicCard(UID))
    authenticate(host, b"\xff" * 6)
    reply = host.exchange(with_crc(b"\xa0\x05"))
    assert (reply.data, reply.last_bits) == (b"\x0a", 4)


def test_without_crypto_an_authenticated_card_hears_noise() -> None:
    card = ClassicCard(UID)
    host = selected(card)
    authenticate(host, b"\xff" * 6)
    host.write(Reg.STATUS2, 0x00)
    assert host.exchange(with_crc(b"\x30\x05")).data == b""
    assert card.state is State.IDLE


def test_the_checksum_helper_of_these_tests_is_the_standards() -> None:
    assert with_crc(b"\x50\x00") == b"\x50\x00" + crc_a(b"\x50\x00") == bytes.fromhex("500057cd")
