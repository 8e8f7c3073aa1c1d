"""Simulated hardware comes when asked for by name, and not otherwise."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from simulator.board import Board, current
from simulator.load import FAKES, load

STRIKE = 17


def run(code: str) -> subprocess.CompletedProcess[str]:
    """A fresh process, free of what the tests around this one have loaded."""
    root = Path(__file__).parents[2]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RPI_", "GPIOZERO_"))}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_it_says_so_in_one_plain_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "loquet.simulator"):
        load(Board())
    assert [record.getMessage() for record in caplog.records] == [
        "The hardware is simulated: reader chips, badges and pins are not real."
    ]


def test_the_fakes_come_first_and_once() -> None:
    load(Board())
    load(Board())
    assert sys.path.count(str(FAKES)) == 1
    import lgpio
    import spidev

    assert {Path(module.__file__ or "").parent for module in (spidev, lgpio)} == {FAKES}


@pytest.mark.parametrize("name", ["spidev", "lgpio"])
def test_the_real_extension_cannot_be_replaced(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = ModuleType(name)
    real.__file__ = f"/usr/lib/python3/dist-packages/{name}.so"
    monkeypatch.setitem(sys.modules, name, real)
    before = current() if "simulator.board" in sys.modules and _has_board() else None
    with pytest.raises(RuntimeError, match=f"{name} from .* is loaded already"):
        load(Board())
    if before is not None:
        assert current() is before


def _has_board() -> bool:
    try:
        current()
    except RuntimeError:
        return False
    return True


def test_another_board_is_another_start() -> None:
    from gpiozero import OutputDevice

    boards = [Board(), Board()]
    strikes = []
    for board in boards:
        board.add_chip(0, 0)
        load(board)
        import mfrc522

        mfrc522.MFRC522(0, 0, pin_mode=11, pin_rst=25)
        strikes.append(OutputDevice(STRIKE, initial_value=True))
        assert current() is board
    assert [board.level(STRIKE) for board in boards] == [1, 1]
    assert [board.level(25) for board in boards] == [1, 1]
    assert strikes[1].value == 1


@pytest.mark.parametrize(("strict", "left"), [(False, 1), (True, 0)])
def test_the_same_board_again_is_the_process_started_anew(strict: bool, left: int) -> None:
    from gpiozero import OutputDevice

    board = Board(strict_gpiod=strict)
    load(board)
    old = OutputDevice(STRIKE, initial_value=True)
    load(board)
    assert board.level(STRIKE) == left
    assert board.lines[STRIKE].owner is None
    new = OutputDevice(STRIKE, initial_value=True)
    old.close()
    assert (board.level(STRIKE), new.value) == (1, 1)


def test_alerts_of_a_dead_process_are_not_told() -> None:
    board = Board()
    load(board)
    import lgpio

    handle = lgpio.gpiochip_open(0)
    lgpio.gpio_claim_alert(handle, STRIKE, lgpio.BOTH_EDGES)
    counted = lgpio.callback(handle, STRIKE, lgpio.BOTH_EDGES)
    load(board)
    board.drive(STRIKE, 1)
    assert counted.tally() == 0
    assert lgpio.gpiochip_close(handle) == 0


def test_nothing_is_simulated_unless_asked_for() -> None:
    code = (
        "import sys, simulator.board, simulator.load, simulator.mfrc522\n"
        "assert not any('fakes' in entry for entry in sys.path), sys.path\n"
        "assert 'lgpio' not in sys.modules and 'spidev' not in sys.modules\n"
        "assert 'gpiozero' not in sys.modules and 'RPi' not in sys.modules\n"
    )
    done = run(code)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_fresh_process_needs_one_call() -> None:
    code = (
        "from simulator.board import Board\n"
        "from simulator.load import load\n"
        "board = Board()\n"
        "board.add_chip(0, 0)\n"
        "load(board)\n"
        "import mfrc522, gpiozero\n"
        "reader = mfrc522.MFRC522(0, 0, pin_mode=11, pin_rst=25)\n"
        "print(hex(reader.Read_MFRC522(reader.VersionReg)), gpiozero.LED(17).pin_factory)\n"
    )
    done = run(code)
    assert done.stdout.startswith("0x92 <gpiozero.pins.lgpio.LGPIOFactory"), done.stderr
    assert done.stderr.splitlines() == ["The hardware is simulated: reader chips, badges and pins are not real."]


def test_the_fakes_without_a_board_say_what_to_do() -> None:
    done = run(f"import sys; sys.path.insert(0, {str(FAKES)!r}); import lgpio; lgpio.gpiochip_open(0)")
    assert "no simulated board in this process: call simulator.load.load(board) first" in done.stderr
