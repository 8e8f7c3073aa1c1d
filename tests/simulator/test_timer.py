"""The chip's timer: data sheet 8.5."""

import pytest

from simulator.card import Card
from simulator.chip.registers import Reg
from tests.support_chip import MS, Host

TIMER = 0x01
RUNNING = 0x08
START, STOP = 0x40, 0x80


def timed(mode: int, prescaler: int, reload: int) -> Host:
    host = Host()
    for reg, value in (
        (Reg.T_MODE, mode),
        (Reg.T_PRESCALER, prescaler),
        (Reg.T_RELOAD_H, reload >> 8),
        (Reg.T_RELOAD_L, reload & 0xFF),
        (Reg.COM_IRQ, 0x7F),
    ):
        host.write(reg, value)
    return host


def expires_after(host: Host, step_ns: int = 1_000) -> float:
    """Milliseconds until TimerIRq."""
    start = host.clock.ns
    while not host.read(Reg.COM_IRQ) & TIMER:
        host.clock.advance(step_ns)
    return (host.clock.ns - start) / MS


def test_the_stock_library_sets_15_and_a_half_ms() -> None:
    host = timed(0x0D, 0x3E, 30)
    host.write(Reg.CONTROL, START)
    assert expires_after(host) == pytest.approx(31 * 6781 / 13_560, abs=0.01)


def test_25_microsecond_ticks() -> None:
    host = timed(0x00, 0xA9, 39)
    host.write(Reg.CONTROL, START)
    assert expires_after(host) == pytest.approx(1.0, abs=0.01)


def test_an_even_prescaler() -> None:
    host = timed(0x0F, 0xFF, 9)
    host.write(Reg.DEMOD, 0x5D)
    host.write(Reg.CONTROL, START)
    assert expires_after(host) == pytest.approx(10 * 8192 / 13_560, abs=0.01)


def test_it_counts_down_and_can_be_stopped() -> None:
    host = timed(0x00, 0xA9, 1000)
    host.write(Reg.CONTROL, START)
    assert host.read(Reg.STATUS1) & RUNNING
    host.clock.advance(10 * MS)
    left = host.read(Reg.T_COUNTER_H) << 8 | host.read(Reg.T_COUNTER_L)
    assert left == pytest.approx(600, abs=2)
    host.write(Reg.CONTROL, STOP)
    assert not host.read(Reg.STATUS1) & RUNNING
    host.clock.advance(100 * MS)
    assert host.read(Reg.T_COUNTER_H) << 8 | host.read(Reg.T_COUNTER_L) == pytest.approx(left, abs=1)
    assert not host.read(Reg.COM_IRQ) & TIMER


def test_it_stops_when_it_has_run_out() -> None:
    host = timed(0x00, 0xA9, 10)
    host.write(Reg.CONTROL, START)
    host.clock.advance(10 * MS)
    assert host.read(Reg.STATUS1) & RUNNING == 0
    host.write(Reg.COM_IRQ, 0x7F)
    host.clock.advance(10 * MS)
    assert host.read(Reg.COM_IRQ) & TIMER == 0
    assert host.read(Reg.T_COUNTER_L) == 0


def test_auto_restart_goes_on() -> None:
    host = timed(0x10, 0xA9, 10)
    host.write(Reg.CONTROL, START)
    for _ in range(3):
        host.clock.advance(MS)
        assert host.read(Reg.COM_IRQ) & TIMER
        assert host.read(Reg.STATUS1) & RUNNING
        host.write(Reg.COM_IRQ, 0x7F)


def test_the_fastest_auto_restart_can_be_afforded() -> None:
    host = timed(0x10, 0x00, 0)
    host.write(Reg.CONTROL, START)
    host.clock.advance(1_000 * MS)
    assert host.read(Reg.COM_IRQ) & TIMER


@pytest.mark.parametrize("gate", [0x20, 0x40, 0x60])
def test_a_gated_timer_waits_for_a_pin_that_is_not_wired(gate: int) -> None:
    host = timed(gate, 0xA9, 10)
    host.write(Reg.CONTROL, START)
    host.clock.advance(100 * MS)
    assert not host.read(Reg.COM_IRQ) & TIMER


def test_tauto_starts_at_the_end_of_the_transmission() -> None:
    host = timed(0x80, 0xA9, 39)
    host.send(b"\x26", last_bits=7)
    assert not host.read(Reg.STATUS1) & RUNNING
    host.write(Reg.COM_IRQ, 0x7F)
    assert expires_after(host) == pytest.approx(1.0 + 0.0944, abs=0.01)


def test_tauto_stops_at_the_fifth_bit_of_an_answer() -> None:
    host = timed(0x80, 0xA9, 39)
    host.lay(Card(b"\x01\x02\x03\x04"))
    host.send(b"\x26", last_bits=7)
    host.clock.advance(94_400 + 91_150 + 46_000)
    assert host.read(Reg.STATUS1) & RUNNING
    host.clock.advance(3_000)
    assert not host.read(Reg.STATUS1) & RUNNING
    host.clock.advance(10 * MS)
    assert not host.read(Reg.COM_IRQ) & TIMER


def test_without_tauto_an_empty_field_is_silent_for_ever() -> None:
    host = timed(0x00, 0xA9, 39)
    host.send(b"\x26", last_bits=7)
    host.clock.advance(1_000 * MS)
    assert host.read(Reg.COM_IRQ) & 0x21 == 0
