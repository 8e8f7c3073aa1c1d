"""Stand-in for lgpio 0.2.2.0: the functions that rpi-lgpio 0.6 and gpiozero use, with the simulated board behind them.

Loaded only through simulator.load. As in the library: a claim of a line that has the wanted direction already changes
nothing, a claim of the other direction frees the line first, reading or writing an unclaimed line claims it. Alerts are
told in the thread that moves the line (the library has its own). Missing: groups, waves, I2C, serial, SPI, PWM.
"""

import errno
from dataclasses import dataclass, field

from simulator.board import Board, current

LOW, HIGH, TIMEOUT = 0, 1, 2
SET_ACTIVE_LOW, SET_OPEN_DRAIN, SET_OPEN_SOURCE = 4, 8, 16
SET_PULL_UP, SET_PULL_DOWN, SET_PULL_NONE = 32, 64, 128
RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3

OKAY = 0
BAD_HANDLE = -5
BAD_GPIO_NUMBER = -73
CANNOT_OPEN_CHIP = -78
GPIO_BUSY = -79
GPIO_NOT_ALLOCATED = -80
UNEGPECTED_ERROR = -85
BAD_GPIOCHIP = -89
BAD_DEBOUNCE_MICS = -98
BAD_PWM_FREQ = -102
NOT_PERMITTED = -7

_TEXT = {
    OKAY: "No error",
    BAD_HANDLE: "unknown handle",
    NOT_PERMITTED: "GPIO operation not permitted",
    BAD_GPIO_NUMBER: "bad GPIO number",
    CANNOT_OPEN_CHIP: "can not open gpiochip",
    GPIO_BUSY: "GPIO busy",
    GPIO_NOT_ALLOCATED: "GPIO not allocated",
    UNEGPECTED_ERROR: "unexpected error",
    BAD_GPIOCHIP: "bad gpiochip",
    BAD_DEBOUNCE_MICS: "bad debounce microseconds",
    BAD_PWM_FREQ: "bad PWM frequency",
}

INPUT, OUTPUT, ALERT = 1, 2, 4
LONGEST_DEBOUNCE = 5_000_000
PULLS = {SET_PULL_UP: "up", SET_PULL_DOWN: "down", SET_PULL_NONE: "none"}
EDGE_LEVELS = {RISING_EDGE: (1,), FALLING_EDGE: (0,), BOTH_EDGES: (0, 1)}
KERNEL_USED, KERNEL_OUTPUT, KERNEL_INPUT = 1, 2, 1 << 16

exceptions = True


class error(Exception):  # noqa: N801, N818 (the library's name)
    """What every function raises instead of a negative status."""

    def __init__(self, value):
        super().__init__(value)
        self.value = value

    def __str__(self):
        return str(self.value)


@dataclass
class _Claim:
    mode: int
    flags: int
    edges: int = 0
    reported: int = 0
    alarm: object = None


@dataclass
class _Open:
    board: object
    chip: int
    claims: dict = field(default_factory=dict)
    debounce: dict = field(default_factory=dict)
    unsubscribe: object = None


_handles = {}
_callbacks = []


def error_text(errnum):
    return _TEXT.get(errnum, "unknown error")


def gpiochip_open(gpiochip):
    if gpiochip < 0:
        return _status(BAD_GPIOCHIP)
    if gpiochip != 0:
        return _status(CANNOT_OPEN_CHIP)
    handle = max(_handles, default=-1) + 1
    opened = _Open(current(), gpiochip)
    opened.unsubscribe = opened.board.subscribe(lambda change: _moved(opened, change))
    _handles[handle] = opened
    return handle


def gpiochip_close(handle):
    opened = _handles.pop(handle, None)
    if opened is None:
        return _status(BAD_HANDLE)
    opened.unsubscribe()
    for gpio in list(opened.claims):
        _free(opened, gpio)
    return OKAY


def process_ended():
    """For simulator.load, when a new start begins: the kernel takes every line back.

    What is left of the old start (objects that Python has not cleared away yet) goes on with a board that nobody sees.
    """
    for opened in _handles.values():
        opened.unsubscribe()
        for gpio in list(opened.claims):
            _free(opened, gpio)
        opened.board, opened.unsubscribe = Board(), int
    _callbacks.clear()


def gpio_get_chip_info(handle):
    opened = _handles.get(handle)
    if opened is None:
        return [_status(BAD_HANDLE), 0, "", ""]
    return [OKAY, _count(opened), "gpiochip0", "pinctrl-bcm2711"]


def gpio_get_line_info(handle, gpio):
    mode = gpio_get_mode(handle, gpio)
    if mode < 0:
        return [mode, 0, 0, "", ""]
    return [OKAY, gpio, mode, f"GPIO{gpio}", _handles[handle].board.lines[gpio].consumer]


def gpio_get_mode(handle, gpio):
    opened, status = _at(handle, gpio)
    if status:
        return _status(status)
    line = opened.board.lines[gpio]
    mode = (KERNEL_USED if line.owner else 0) | (KERNEL_OUTPUT if line.output else KERNEL_INPUT)
    claim = opened.claims.get(gpio)
    if claim:
        mode |= claim.mode << 8 | claim.flags | claim.edges << 17
    return mode


def gpio_claim_input(handle, gpio, lFlags=0):  # noqa: N803 (the library's name)
    opened, status = _at(handle, gpio)
    return _status(status or _claim(opened, gpio, INPUT, lFlags))


def gpio_claim_output(handle, gpio, level=0, lFlags=0):  # noqa: N803
    opened, status = _at(handle, gpio)
    return _status(status or _claim(opened, gpio, OUTPUT, lFlags, level))


def gpio_claim_alert(handle, gpio, eFlags, lFlags=0, notify_handle=None):  # noqa: ARG001, N803
    opened, status = _at(handle, gpio)
    if status:
        return _status(status)
    _free(opened, gpio)
    status = _claim(opened, gpio, ALERT, lFlags)
    if not status:
        opened.claims[gpio].edges = eFlags
        opened.claims[gpio].reported = opened.board.level(gpio)
    return _status(status)


def gpio_free(handle, gpio):
    opened, status = _at(handle, gpio)
    if not status and gpio not in opened.claims:
        status = GPIO_NOT_ALLOCATED
    if not status:
        _free(opened, gpio)
    return _status(status)


def gpio_read(handle, gpio):
    opened, status = _at(handle, gpio)
    if not status and gpio not in opened.claims:
        status = _claim(opened, gpio, INPUT, 0)
    return _status(status) if status else opened.board.level(gpio)


def gpio_write(handle, gpio, level):
    opened, status = _at(handle, gpio)
    if status:
        return _status(status)
    claim = opened.claims.get(gpio)
    if claim is None or claim.mode != OUTPUT:
        return _status(_claim(opened, gpio, OUTPUT, 0, level))
    opened.board.lines.write(gpio, opened, level)
    return OKAY


def gpio_set_debounce_micros(handle, gpio, debounce_micros):
    opened, status = _at(handle, gpio)
    if not status and not 0 <= debounce_micros <= LONGEST_DEBOUNCE:
        status = BAD_DEBOUNCE_MICS
    if not status:
        opened.debounce[gpio] = debounce_micros
    return _status(status)


class _Callback:
    """One function that wants to hear of one line's alerts."""

    def __init__(self, handle, gpio, edge, func):
        self.handle = handle
        self.gpio = gpio
        self.edge = edge
        self.count = 0
        self.func = func or self._count
        _callbacks.append(self)

    def cancel(self):
        if self in _callbacks:
            _callbacks.remove(self)

    def tally(self):
        return self.count

    def reset_tally(self):
        self.count = 0

    def _count(self, _chip, _gpio, _level, _tick):
        self.count += 1


def callback(handle, gpio, edge=RISING_EDGE, func=None):
    return _Callback(handle, gpio, edge, func)


def tx_pwm(handle, gpio, pwm_frequency, pwm_duty_cycle, pulse_offset=0, pulse_cycles=0):  # noqa: ARG001
    """Frequency 0 stops a PWM, of which there is none; any other is refused."""
    if pwm_frequency == 0:
        return OKAY
    raise error(f"PWM on GPIO{gpio} is not simulated: drive the line on and off instead")


def _status(status):
    if status < 0 and exceptions:
        raise error(error_text(status))
    return status


def _count(opened):
    return len(opened.board.lines)


def _at(handle, gpio):
    opened = _handles.get(handle)
    if opened is None:
        return None, BAD_HANDLE
    return opened, OKAY if 0 <= gpio < _count(opened) else BAD_GPIO_NUMBER


def _claim(opened, gpio, mode, flags, level=0):
    claim = opened.claims.get(gpio)
    if claim and claim.mode == mode:
        return OKAY
    _free(opened, gpio)
    pull = PULLS.get(flags & (SET_PULL_UP | SET_PULL_DOWN | SET_PULL_NONE))
    try:
        if mode == OUTPUT:
            opened.board.lines.claim_output(gpio, opened, level, "lg")
        else:
            opened.board.lines.claim_input(gpio, opened, pull, "lg")
    except OSError as refused:
        return GPIO_BUSY if refused.errno == errno.EBUSY else UNEGPECTED_ERROR
    opened.claims[gpio] = _Claim(mode, flags)
    return OKAY


def _free(opened, gpio):
    claim = opened.claims.pop(gpio, None)
    if claim is None:
        return
    if claim.alarm:
        claim.alarm.cancel()
    opened.board.lines.free(gpio, opened)


def _moved(opened, change):
    """A line has moved: tell those who claimed its alerts, at once or when it has been still for the debounce time."""
    claim = opened.claims.get(change.line)
    if claim is None or claim.mode != ALERT:
        return
    if claim.alarm:
        claim.alarm.cancel()
    micros = opened.debounce.get(change.line, 0)
    if not micros:
        _tell(opened, claim, change.line, change.level)
    else:
        at = change.at + micros * 1000
        claim.alarm = opened.board.clock.at(at, lambda: _tell(opened, claim, change.line, change.level))


def _tell(opened, claim, gpio, level):
    if level == claim.reported:
        return
    claim.reported = level
    if level not in EDGE_LEVELS[claim.edges]:
        return
    listeners = [one for one in _callbacks if _handles.get(one.handle) is opened and one.gpio == gpio]
    for listener in listeners:
        listener.func(opened.chip, gpio, level, opened.board.clock.ns)
