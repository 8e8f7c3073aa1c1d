"""The simulated Pi: lines, who holds them, and what is left of them when a process ends."""

import errno
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import board as boards
from simulator.board import Board, current, use
from simulator.chip.registers import Reg
from simulator.clock import VirtualClock
from simulator.lines import Change
from simulator.mfrc522 import Chip

STRIKE, BUTTON, RESET = 17, 22, 25
ME, OTHER = object(), object()


def version(chip: Chip) -> int:
    return chip.transfer(bytes([Reg.VERSION << 1 | 0x80, 0]))[1]


def test_pulls_at_boot() -> None:
    board = Board()
    assert [board.level(line) for line in (0, 8, 9, 27)] == [1, 1, 0, 0]


def test_what_decides_the_level_of_a_line() -> None:
    board = Board()
    assert board.level(STRIKE) == 0
    board.resistor(STRIKE, 1)
    assert board.level(STRIKE) == 1
    board.drive(STRIKE, 0)
    assert board.level(STRIKE) == 0
    board.lines.claim_output(STRIKE, ME, 1)
    assert board.level(STRIKE) == 1
    board.lines.claim_input(STRIKE, ME, "up")
    assert board.level(STRIKE) == 0
    board.drive(STRIKE, None)
    assert board.level(STRIKE) == 1


def test_the_history_of_a_line() -> None:
    board = Board(VirtualClock())
    board.lines.claim_output(STRIKE, ME, 0)
    board.clock.advance(1_000)
    board.lines.write(STRIKE, ME, 1)
    board.clock.advance(1_000)
    board.lines.free(STRIKE, ME)
    assert board.history(STRIKE) == [
        Change(0, STRIKE, "claim", True, 0),
        Change(1_000, STRIKE, "write", True, 1),
        Change(2_000, STRIKE, "free", True, 1),
    ]
    assert board.history(BUTTON) == []


def test_a_long_history_loses_its_beginning() -> None:
    board = Board()
    for turn in range(10_001):
        board.drive(BUTTON, turn % 2)
        board.clock.advance(1)
    told = board.history(BUTTON)
    assert (len(told), told[0].at, told[-1].at) == (10_000, 1, 10_000)


def test_a_killed_process_leaves_its_outputs_driven() -> None:
    board = Board()
    board.lines.claim_output(STRIKE, ME, 1)
    board.kill()
    assert board.level(STRIKE) == 1
    assert board.lines[STRIKE].owner is None
    board.lines.claim_output(STRIKE, OTHER, 0)
    assert board.level(STRIKE) == 0


def test_with_strict_gpiod_a_killed_process_lets_go() -> None:
    board = Board(strict_gpiod=True)
    board.lines.claim_output(STRIKE, ME, 1)
    board.kill()
    assert board.level(STRIKE) == 0
    assert board.history(STRIKE)[-1] == Change(0, STRIKE, "free", False, 0)


def test_a_resistor_decides_once_the_line_is_let_go() -> None:
    board = Board(strict_gpiod=True)
    board.resistor(STRIKE, 1)
    board.lines.claim_output(STRIKE, ME, 0)
    board.kill()
    assert board.level(STRIKE) == 1


def test_a_line_has_one_owner() -> None:
    board = Board()
    board.lines.claim_input(BUTTON, ME, "up", "door")
    with pytest.raises(OSError, match="GPIO22 is held by 'door'") as refused:
        board.lines.claim_output(BUTTON, OTHER, 1)
    assert refused.value.errno == errno.EBUSY
    board.lines.free(BUTTON, OTHER)
    assert board.lines[BUTTON].owner is ME


def test_only_its_owner_writes_an_output() -> None:
    board = Board()
    board.lines.claim_output(STRIKE, ME, 0)
    for owner, line in ((OTHER, STRIKE), (ME, BUTTON)):
        with pytest.raises(OSError, match="claim it first"):
            board.lines.write(line, owner, 1)
    assert board.level(STRIKE) == 0


@pytest.mark.parametrize("line", [-1, 58])
def test_lines_that_do_not_exist(line: int) -> None:
    with pytest.raises(OSError, match="lines are 0 to 57"):
        Board().level(line)


def test_changes_of_a_level_are_told_and_nothing_else() -> None:
    board = Board()
    told: list[tuple[int, int]] = []
    unsubscribe = board.subscribe(lambda change: told.append((change.line, change.level)))
    board.lines.claim_output(STRIKE, ME, 0)
    board.lines.write(STRIKE, ME, 1)
    board.lines.write(STRIKE, ME, 1)
    board.drive(BUTTON, 1)
    unsubscribe()
    board.drive(BUTTON, 0)
    assert told == [(STRIKE, 1), (BUTTON, 1)]


@given(st.lists(st.sampled_from(["up", "down", "out0", "out1", "write0", "write1", "free", "high", "low", "open"])))
def test_the_history_ends_with_what_is_measured(acts: list[str]) -> None:
    board = Board()
    lines = board.lines
    for act in acts:
        if act in ("up", "down"):
            lines.claim_input(STRIKE, ME, "up" if act == "up" else "down")
        elif act.startswith("out"):
            lines.claim_output(STRIKE, ME, int(act[-1]))
        elif act.startswith("write") and lines[STRIKE].output and lines[STRIKE].owner is ME:
            lines.write(STRIKE, ME, int(act[-1]))
        elif act == "free":
            lines.free(STRIKE, ME)
        elif act in ("high", "low", "open"):
            board.drive(STRIKE, {"high": 1, "low": 0, "open": None}[act])
    told = board.history(STRIKE)
    assert not told or told[-1].level == board.level(STRIKE)


def test_chips_by_bus_and_device() -> None:
    board = Board()
    first, second = board.add_chip(0, 0), board.add_chip(0, 1)
    assert (board.chip(0, 0), board.chip(0, 1)) == (first, second)
    with pytest.raises(ValueError, match=r"SPI 0\.1 has a chip already"):
        board.add_chip(0, 1)
    with pytest.raises(FileNotFoundError):
        board.chip(1, 0)


def test_a_chip_of_ones_own_making() -> None:
    board = Board()
    chip = Chip(board.clock, version=0x91)
    assert board.add_chip(0, 0, chip) is chip
    assert version(chip) == 0x91


def test_the_kernel_holds_the_chip_selects() -> None:
    board = Board()
    board.add_chip(0, 0)
    with pytest.raises(OSError, match="spi0 CS0"):
        board.lines.claim_output(8, ME, 1)
    board.kill()
    assert board.lines[8].owner is not None


def test_one_reset_line_for_all_chips() -> None:
    board = Board()
    chips = [board.add_chip(0, 0), board.add_chip(0, 1)]
    assert [version(chip) for chip in chips] == [0x92, 0x92]
    board.lines.claim_output(RESET, ME, 0)
    assert [version(chip) for chip in chips] == [0, 0]
    board.lines.write(RESET, ME, 1)
    board.clock.advance(50_000)
    assert [version(chip) for chip in chips] == [0x92, 0x92]


def test_a_freed_reset_line_is_pulled_up_by_the_module() -> None:
    board = Board(strict_gpiod=True)
    chip = board.add_chip(0, 0)
    board.lines.claim_output(RESET, ME, 0)
    board.kill()
    board.clock.advance(50_000)
    assert version(chip) == 0x92


def test_the_irq_pin_on_a_line() -> None:
    board = Board()
    chip = board.add_chip(0, 0)
    board.wire_irq(chip, 24)
    assert board.level(24) == 1
    chip.transfer(bytes([Reg.COM_I_EN << 1, 0x80 | 0x10]))
    assert board.level(24) == 0
    chip.transfer(bytes([Reg.COM_IRQ << 1, 0x7F]))
    assert board.level(24) == 1
    chip.transfer(bytes([Reg.COM_I_EN << 1, 0x10]))
    assert board.level(24) == 0


def test_a_reader_thread_and_a_pin_thread_share_a_board() -> None:
    board = Board()
    chip = board.add_chip(0, 0)
    seen: list[int] = []

    def read() -> None:
        for _ in range(300):
            seen.append(version(chip))
            board.clock.sleep(0.01)

    def sample() -> None:
        for turn in range(300):
            board.drive(BUTTON, turn % 2)
            board.clock.sleep(0.01)

    threads = [threading.Thread(target=read), threading.Thread(target=sample)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [0x92] * 300
    assert chip.transfers == 300
    assert [change.level for change in board.history(BUTTON)] == [0, 1] * 150
    assert [change.at for change in board.history(BUTTON)] == sorted(change.at for change in board.history(BUTTON))


def test_the_board_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "_current", None)
    with pytest.raises(RuntimeError, match=r"simulator\.load\.load"):
        current()
    board = Board()
    use(board)
    assert current() is board
