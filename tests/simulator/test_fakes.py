"""The stand-ins for spidev and lgpio, through themselves and through the libraries that use them."""

import errno
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.board import Board
from simulator.chip.registers import Reg
from simulator.load import load

MS = 1_000_000
STRIKE, BUTTON, LAMP = 17, 22, 27
READ_VERSION = [Reg.VERSION << 1 | 0x80, 0]

NO_HANDLE = 1_000_000


@pytest.fixture
def board() -> Board:
    board = Board()
    board.add_chip(0, 0)
    load(board)
    return board


@pytest.fixture
def spi(board: Board) -> Any:
    import spidev

    spi = spidev.SpiDev()
    spi.open(0, 0)
    spi.max_speed_hz = 1_000_000
    return spi


@pytest.fixture
def gpio(board: Board) -> Any:
    import lgpio

    return lgpio


@pytest.fixture
def rpi(board: Board) -> Iterator[Any]:
    import RPi.GPIO as GPIO

    GPIO.setmode(GPIO.BCM)
    yield GPIO
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        GPIO.cleanup()


def test_a_bus_that_does_not_exist(board: Board) -> None:
    import spidev

    with pytest.raises(FileNotFoundError) as refused:
        spidev.SpiDev(5, 0)
    assert refused.value.errno == errno.ENOENT


def test_a_list_is_overwritten_and_a_tuple_is_not(spi: Any) -> None:
    sent = list(READ_VERSION)
    assert spi.xfer2(sent) is sent
    assert sent == [0, 0x92]
    assert spi.xfer(tuple(READ_VERSION)) == (0, 0x92)
    assert spi.xfer2(bytes(READ_VERSION)) == [0, 0x92]


def test_speed_decides_what_a_transfer_takes(board: Board, spi: Any) -> None:
    spi.xfer2(list(READ_VERSION))
    assert board.clock.ns == 36_000
    spi.xfer2(list(READ_VERSION), 10_000_000)
    assert board.clock.ns == 36_000 + 21_600


def test_a_fresh_device_is_too_fast_for_the_chip(board: Board) -> None:
    """The kernel's default is 125 MHz, the chip's limit 10."""
    import spidev

    with spidev.SpiDev(0, 0) as spi:
        assert spi.xfer2(list(READ_VERSION)) == [0, 0]
        spi.max_speed_hz = 10_000_000
        assert spi.xfer2(list(READ_VERSION)) == [0, 0x92]
        spi.mode = 3
        assert spi.xfer2(list(READ_VERSION)) == [0, 0]


def test_other_ways_to_send(spi: Any) -> None:
    spi.writebytes([Reg.T_RELOAD_L << 1, 77])
    spi.writebytes2([Reg.T_RELOAD_H << 1, 78])
    assert spi.xfer3([Reg.T_RELOAD_L << 1 | 0x80, Reg.T_RELOAD_H << 1 | 0x80, 0]) == (0, 77, 78)
    assert spi.readbytes(4) == [0] * 4


def test_values_are_cut_to_bytes(spi: Any) -> None:
    spi.xfer2([Reg.T_RELOAD_L << 1, 0x1FE])
    assert spi.xfer2([Reg.T_RELOAD_L << 1 | 0x80, 0])[1] == 0xFE
    spi.xfer2([Reg.T_RELOAD_L << 1, ~0x80])
    assert spi.xfer2([Reg.T_RELOAD_L << 1 | 0x80, 0])[1] == 0x7F


@pytest.mark.parametrize(
    ("values", "refusal"),
    [([], TypeError), ([0.5], TypeError), (["a"], TypeError), ([0] * 4097, OverflowError)],
)
def test_what_cannot_be_sent(spi: Any, values: list[Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        spi.xfer2(values)


def test_a_closed_device_is_a_bad_descriptor(spi: Any) -> None:
    spi.close()
    for act in (lambda: spi.xfer2([0, 0]), lambda: spi.readbytes(1), lambda: setattr(spi, "mode", 1)):
        with pytest.raises(OSError, match="Bad file descriptor") as refused:
            act()
        assert refused.value.errno == errno.EBADF


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        ("mode", 4, TypeError),
        ("mode", "0", TypeError),
        ("max_speed_hz", 1e6, TypeError),
        ("bits_per_word", 7, TypeError),
        ("bits_per_word", 16, OSError),
    ],
)
def test_settings_that_are_refused(spi: Any, name: str, value: Any, refusal: type[Exception]) -> None:
    before = getattr(spi, name)
    with pytest.raises(refusal):
        setattr(spi, name, value)
    assert getattr(spi, name) == before


def test_claim_write_read_free(board: Board, gpio: Any) -> None:
    handle = gpio.gpiochip_open(0)
    assert gpio.gpio_claim_output(handle, STRIKE, 1) == 0
    assert (board.level(STRIKE), gpio.gpio_read(handle, STRIKE)) == (1, 1)
    gpio.gpio_write(handle, STRIKE, 0)
    assert board.level(STRIKE) == 0
    gpio.gpio_free(handle, STRIKE)
    assert [change.kind for change in board.history(STRIKE)] == ["claim", "write", "free"]


def test_pulls_and_what_drives_an_input(board: Board, gpio: Any) -> None:
    handle = gpio.gpiochip_open(0)
    gpio.gpio_claim_input(handle, BUTTON, gpio.SET_PULL_UP)
    assert gpio.gpio_read(handle, BUTTON) == 1
    board.drive(BUTTON, 0)
    assert gpio.gpio_read(handle, BUTTON) == 0


def test_the_mode_tells_kernel_and_library(gpio: Any) -> None:
    handle = gpio.gpiochip_open(0)
    assert gpio.gpio_get_mode(handle, STRIKE) == 1 << 16
    gpio.gpio_claim_output(handle, STRIKE)
    assert gpio.gpio_get_mode(handle, STRIKE) == 0x203
    gpio.gpio_claim_alert(handle, BUTTON, gpio.BOTH_EDGES, gpio.SET_PULL_UP)
    assert gpio.gpio_get_mode(handle, BUTTON) == 1 | 0x400 | 32 | 1 << 16 | 3 << 17


def test_a_claim_of_what_it_is_already_changes_nothing(board: Board, gpio: Any) -> None:
    """As in the library, the level of a second claim is not looked at."""
    handle = gpio.gpiochip_open(0)
    gpio.gpio_claim_output(handle, STRIKE, 1)
    gpio.gpio_claim_output(handle, STRIKE, 0)
    assert board.level(STRIKE) == 1
    assert len(board.history(STRIKE)) == 1


def test_using_an_unclaimed_line_claims_it(board: Board, gpio: Any) -> None:
    handle = gpio.gpiochip_open(0)
    assert gpio.gpio_read(handle, BUTTON) == 0
    assert board.lines[BUTTON].consumer == "lg"
    gpio.gpio_write(handle, STRIKE, 1)
    assert board.history(STRIKE)[0].kind == "claim"
    assert board.level(STRIKE) == 1


def test_refusals_have_the_librarys_words(gpio: Any) -> None:
    first, second = gpio.gpiochip_open(0), gpio.gpiochip_open(0)
    gpio.gpio_claim_input(first, BUTTON)
    for act, words in (
        (lambda: gpio.gpio_claim_output(second, BUTTON), "GPIO busy"),
        (lambda: gpio.gpio_claim_output(second, 8), "GPIO busy"),
        (lambda: gpio.gpio_claim_input(second, 99), "bad GPIO number"),
        (lambda: gpio.gpio_read(NO_HANDLE, 1), "unknown handle"),
        (lambda: gpio.gpiochip_close(NO_HANDLE), "unknown handle"),
        (lambda: gpio.gpio_free(second, LAMP), "GPIO not allocated"),
        (lambda: gpio.gpiochip_open(4), "can not open gpiochip"),
        (lambda: gpio.gpiochip_open(-1), "bad gpiochip"),
        (lambda: gpio.gpio_set_debounce_micros(first, BUTTON, 6_000_000), "bad debounce microseconds"),
        (lambda: gpio.tx_pwm(first, LAMP, 100, 50), "not simulated"),
    ):
        with pytest.raises(gpio.error, match=words):
            act()


def test_without_exceptions_a_status_comes_back(gpio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpio, "exceptions", False)
    assert gpio.gpio_read(NO_HANDLE, 1) == gpio.BAD_HANDLE
    assert gpio.gpio_get_chip_info(NO_HANDLE)[0] == gpio.BAD_HANDLE
    assert gpio.gpio_get_line_info(NO_HANDLE, 1)[0] == gpio.BAD_HANDLE
    assert gpio.error_text(-79) == "GPIO busy"
    assert gpio.error_text(-9999) == "unknown error"


def test_what_is_known_of_chip_and_lines(gpio: Any) -> None:
    handle = gpio.gpiochip_open(0)
    assert gpio.gpio_get_chip_info(handle) == [0, 58, "gpiochip0", "pinctrl-bcm2711"]
    gpio.gpio_claim_output(handle, STRIKE)
    assert gpio.gpio_get_line_info(handle, STRIKE) == [0, STRIKE, 0x203, "GPIO17", "lg"]


def test_closing_the_chip_frees_its_lines(board: Board, gpio: Any) -> None:
    handle = gpio.gpiochip_open(0)
    gpio.gpio_claim_output(handle, STRIKE, 1)
    gpio.gpiochip_close(handle)
    assert board.lines[STRIKE].owner is None
    assert board.level(STRIKE) == 1


def test_alerts_of_the_wanted_edge(board: Board, gpio: Any) -> None:
    handle = gpio.gpiochip_open(0)
    told: list[tuple[int, int, int, int]] = []
    gpio.gpio_claim_alert(handle, BUTTON, gpio.RISING_EDGE)
    heard = gpio.callback(handle, BUTTON, gpio.RISING_EDGE, lambda *args: told.append(args))
    counted = gpio.callback(handle, BUTTON)
    board.clock.advance(1_000)
    for level in (1, 0, 1):
        board.drive(BUTTON, level)
    heard.cancel()
    board.drive(BUTTON, 0)
    board.drive(BUTTON, 1)
    assert told == [(0, BUTTON, 1, 1_000)] * 2
    assert counted.tally() == 3
    counted.reset_tally()
    assert counted.tally() == 0


def test_a_bouncing_contact_is_told_once_it_is_still(board: Board, gpio: Any) -> None:
    handle = gpio.gpiochip_open(0)
    told: list[tuple[int, int]] = []
    gpio.gpio_claim_alert(handle, BUTTON, gpio.BOTH_EDGES)
    gpio.gpio_set_debounce_micros(handle, BUTTON, 5_000)
    gpio.callback(handle, BUTTON, gpio.BOTH_EDGES, lambda _chip, _gpio, level, tick: told.append((level, tick)))
    for level in (1, 0, 1, 0, 1):
        board.drive(BUTTON, level)
        board.clock.advance(MS)
    assert told == []
    board.clock.advance(5 * MS)
    assert told == [(1, 9 * MS)]
    board.drive(BUTTON, 0)
    board.clock.advance(MS)
    board.drive(BUTTON, 1)
    board.clock.advance(50 * MS)
    assert len(told) == 1


def test_a_freed_line_alerts_nobody(board: Board, gpio: Any) -> None:
    handle = gpio.gpiochip_open(0)
    gpio.gpio_claim_alert(handle, BUTTON, gpio.BOTH_EDGES)
    gpio.gpio_set_debounce_micros(handle, BUTTON, 5_000)
    counted = gpio.callback(handle, BUTTON, gpio.BOTH_EDGES)
    board.drive(BUTTON, 1)
    gpio.gpio_free(handle, BUTTON)
    board.clock.advance(50 * MS)
    board.drive(BUTTON, 0)
    assert counted.tally() == 0


def test_rpi_lgpio_drives_and_reads(board: Board, rpi: Any) -> None:
    rpi.setup(STRIKE, rpi.OUT, initial=1)
    rpi.setup(BUTTON, rpi.IN, pull_up_down=rpi.PUD_UP)
    assert (board.level(STRIKE), rpi.input(BUTTON)) == (1, 1)
    board.drive(BUTTON, 0)
    rpi.output(STRIKE, 0)
    assert (board.level(STRIKE), rpi.input(BUTTON)) == (0, 0)
    assert rpi.gpio_function(STRIKE) == rpi.OUT


def test_rpi_lgpio_takes_over_the_level_that_it_finds(board: Board, rpi: Any) -> None:
    board.resistor(STRIKE, 1)
    rpi.setup(STRIKE, rpi.OUT)
    assert {change.level for change in board.history(STRIKE)} == {1}


def test_rpi_lgpio_hears_edges(board: Board, rpi: Any) -> None:
    told: list[int] = []
    rpi.setup(BUTTON, rpi.IN, pull_up_down=rpi.PUD_UP)
    rpi.add_event_detect(BUTTON, rpi.FALLING, callback=told.append, bouncetime=10)
    board.drive(BUTTON, 0)
    board.clock.advance(20 * MS)
    board.drive(BUTTON, 1)
    board.clock.advance(20 * MS)
    assert told == [BUTTON]
    assert rpi.event_detected(BUTTON)
    rpi.remove_event_detect(BUTTON)


def test_rpi_lgpio_refuses_a_held_line(board: Board, rpi: Any) -> None:
    with pytest.raises(Exception, match="GPIO busy"):
        rpi.setup(8, rpi.OUT)


def test_gpiozero_in_and_out(board: Board) -> None:
    from gpiozero import DigitalInputDevice, OutputDevice

    with OutputDevice(STRIKE) as strike, DigitalInputDevice(BUTTON, pull_up=True) as button:
        strike.on()
        assert board.level(STRIKE) == 1
        assert button.value == 0
        board.drive(BUTTON, 0)
        assert button.value == 1
    assert board.lines[STRIKE].output is False


def test_gpiozero_hears_edges(board: Board) -> None:
    from gpiozero import DigitalInputDevice

    told: list[str] = []
    with DigitalInputDevice(BUTTON, pull_up=False, bounce_time=0.01) as contact:
        contact.when_activated = lambda: told.append("on")
        contact.when_deactivated = lambda: told.append("off")
        for level in (1, 0):
            board.drive(BUTTON, level)
            board.clock.advance(20 * MS)
    assert told == ["on", "off"]


def test_both_libraries_side_by_side(board: Board, rpi: Any) -> None:
    from gpiozero import OutputDevice

    rpi.setup(LAMP, rpi.OUT, initial=1)
    with OutputDevice(STRIKE) as strike:
        strike.on()
        assert (board.level(LAMP), board.level(STRIKE)) == (1, 1)
        rpi.cleanup()
        assert (board.level(LAMP), board.level(STRIKE)) == (0, 1)
