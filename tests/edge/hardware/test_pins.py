"""The pins on the emulated board: what lines do when claimed, driven and let go, and how inputs are read."""

from threading import Thread

import pytest
from gpiozero.exc import GPIOZeroError

from edge.hardware.errors import HardwareError
from edge.hardware.lines import InputSpec, LineError, OutputSpec, Pull
from edge.hardware.pins import GpioPins
from simulator.board import Board
from simulator.load import load


@pytest.fixture
def board() -> Board:
    fresh = Board()
    load(fresh)
    return fresh


def levels(board: Board, line: int) -> list[int]:
    return [change.level for change in board.history(line)]


@pytest.mark.parametrize(("active_high", "safe"), [(True, 0), (False, 1)])
def test_an_output_reaches_its_safe_level_in_one_step(board: Board, active_high: bool, safe: int) -> None:
    board.resistor(17, safe)
    before = len(board.history(17))
    pins = GpioPins([OutputSpec("strike", 17, active_high)], [])
    (claim,) = board.history(17)[before:]
    assert (claim.kind, claim.output, claim.level) == ("claim", True, safe)
    pins.close()


@pytest.mark.parametrize(("active_high", "expected"), [(True, [0, 1, 0]), (False, [1, 0, 1])])
def test_polarity_is_data(board: Board, active_high: bool, expected: list[int]) -> None:
    pins = GpioPins([OutputSpec("strike", 17, active_high)], [])
    pins.set("strike", True)
    pins.set("strike", False)
    assert levels(board, 17) == expected


@pytest.mark.parametrize(("active_high", "safe"), [(True, 0), (False, 1)])
def test_close_makes_safe_and_lets_go_without_a_glitch(board: Board, active_high: bool, safe: int) -> None:
    pins = GpioPins([OutputSpec("strike", 17, active_high)], [])
    pins.set("strike", True)
    before = len(board.history(17))
    pins.close()
    assert set(levels(board, 17)[before:]) == {safe}
    assert board.history(17)[-1].kind == "free"
    assert board.lines[17].owner is None


def test_nobody_drives_an_output_while_the_lines_are_let_go(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """A breakdown closes the lines while the controller's thread may be about to pull the strike."""
    pins = GpioPins([OutputSpec("strike", 17), OutputSpec("buzzer", 18)], [])
    refused: list[Exception] = []

    def pull() -> None:
        try:
            pins.set("strike", True)
        except GPIOZeroError as error:
            refused.append(error)

    late = Thread(target=pull)
    let_go = pins._claimed.close

    def let_go_slowly() -> None:
        late.start()
        late.join(0.05)
        let_go()

    monkeypatch.setattr(pins._claimed, "close", let_go_slowly)
    pins.close()
    late.join(5)
    assert refused
    assert levels(board, 17)[-1] == 0


def test_every_output_is_safe_before_the_first_line_is_let_go(board: Board) -> None:
    pins = GpioPins([OutputSpec("strike", 17), OutputSpec("buzzer", 18)], [])
    pins.set("strike", True)
    pins.set("buzzer", True)
    pins.close()
    safe = max(board.history(line)[-2].at for line in (17, 18))
    assert [board.history(line)[-2].kind for line in (17, 18)] == ["write", "write"]
    assert all(board.history(line)[-1].at >= safe for line in (17, 18))


def test_pins_can_be_opened_again_after_close(board: Board) -> None:
    spec = [OutputSpec("strike", 17, active_high=False)]
    GpioPins(spec, []).close()
    pins = GpioPins(spec, [])
    pins.set("strike", True)
    assert board.level(17) == 0


@pytest.mark.parametrize(("pull", "kernel"), [(Pull.UP, "up"), (Pull.DOWN, "down"), (Pull.NONE, "none")])
def test_the_pull_is_the_one_asked_for(board: Board, pull: Pull, kernel: str) -> None:
    pins = GpioPins([], [InputSpec("contact", 22, pull)])
    assert board.lines[22].pull == kernel
    pins.close()


@pytest.mark.parametrize("pull", list(Pull))
@pytest.mark.parametrize("active_low", [True, False])
@pytest.mark.parametrize("level", [0, 1])
def test_polarity_of_an_input_does_not_depend_on_its_pull(
    board: Board, pull: Pull, active_low: bool, level: int
) -> None:
    board.drive(22, level)
    pins = GpioPins([], [InputSpec("contact", 22, pull, active_low)])
    assert pins.sample() == {"contact": (level == 0) == active_low}


def test_a_broken_wire_of_a_normally_closed_contact_reads_active(board: Board) -> None:
    board.drive(22, 0)
    pins = GpioPins([], [InputSpec("fire", 22, active_low=False)])
    assert pins.sample() == {"fire": False}
    board.drive(22, None)
    assert [dict(pins.sample()) for _ in range(3)] == [{}, {}, {"fire": True}]


def test_a_line_used_twice_is_refused_before_anything_is_claimed(board: Board) -> None:
    with pytest.raises(LineError, match="strike and by contact"):
        GpioPins([OutputSpec("strike", 17)], [InputSpec("contact", 17)])
    assert board.history(17) == []


def test_a_line_that_another_program_holds_is_named_and_the_rest_let_go(board: Board) -> None:
    board.lines.reserve(18, "w1-gpio")
    with pytest.raises(HardwareError, match=r"GPIO18 for buzzer.*busy"):
        GpioPins([OutputSpec("strike", 17), OutputSpec("buzzer", 18)], [])
    assert board.lines[17].owner is None
    with pytest.raises(HardwareError, match=r"GPIO18 for contact.*busy"):
        GpioPins([OutputSpec("strike", 17)], [InputSpec("contact", 18)])
    assert board.lines[17].owner is None


def test_a_line_that_no_pi_has_is_named(board: Board) -> None:
    with pytest.raises(HardwareError, match="GPIO99 for strike"):
        GpioPins([OutputSpec("strike", 99)], [])


def test_no_thread_is_started(board: Board) -> None:
    import threading

    before = threading.active_count()
    pins = GpioPins([OutputSpec("strike", 17)], [InputSpec("contact", 22)])
    pins.set("strike", True)
    pins.sample()
    assert threading.active_count() == before


def test_gpiozero_as_it_stands_fires_an_active_low_strike_at_the_start(board: Board) -> None:
    """Why the factory is our own."""
    from gpiozero import OutputDevice
    from gpiozero.pins.lgpio import LGPIOFactory

    OutputDevice(17, active_high=False, initial_value=False, pin_factory=LGPIOFactory())
    assert 0 in [change.level for change in board.history(17) if change.output]


def test_close_gives_the_gpio_chip_back(board: Board) -> None:
    import lgpio

    before = len(lgpio._handles)
    pins = GpioPins([OutputSpec("strike", 17)], [])
    assert len(lgpio._handles) == before + 1
    pins.close()
    assert len(lgpio._handles) == before
