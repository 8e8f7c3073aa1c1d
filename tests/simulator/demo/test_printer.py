"""The demo's printer prints in the demo's time, says so over HTTP, and its machine's edge keeps its power meanwhile."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from edge.config import load
from edge.devices import http
from edge.devices.printers import KINDS, read
from policy.terms import HOUR, MINUTE, Instant
from simulator.demo.folder import WORKSHOP, Folder
from simulator.demo.printer import COOLS, HEATS, LONG, MACHINE, SHORT, DemoPrinter
from simulator.demo.world import COMES_BACK
from simulator.remote import Lay, Output, Ready
from tests.support_world import NOON, Site
from wire.messages import PrinterState


class Time:
    now: Instant = NOON

    def __call__(self) -> Instant:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def printer(time: Time) -> Iterator[DemoPrinter]:
    made = DemoPrinter(time)
    yield made
    made.close()


def said(printer: DemoPrinter) -> tuple[PrinterState, int | None]:
    """As an edge hears it."""
    return tuple(read(printer.kind, http.get(printer.address, KINDS[printer.kind].path)))  # type: ignore[return-value]


def test_a_print_heats_lasts_and_cools_and_the_day_s_first_is_the_long_one(printer: DemoPrinter, time: Time) -> None:
    assert said(printer) == (PrinterState.IDLE, None)
    for begins, lasts in ((NOON, LONG), (NOON + 3 * HOUR, SHORT), (NOON + 12 * HOUR, LONG)):
        time.now = begins
        printer.power(True)
        assert said(printer)[0] is PrinterState.BUSY
        time.now = begins + HEATS + 4 * MINUTE
        state, left = said(printer)
        assert (state, left is not None and abs(left - (lasts - 4 * MINUTE) / 1000) <= 1) == (
            PrinterState.PRINTING,
            True,
        )
        time.now = begins + HEATS + lasts
        assert said(printer)[0] is PrinterState.BUSY
        time.now += COOLS
        assert said(printer) == (PrinterState.IDLE, None)


def test_a_print_whose_power_goes_is_over(printer: DemoPrinter, time: Time) -> None:
    printer.power(True)
    time.now += HEATS
    assert said(printer)[0] is PrinterState.PRINTING
    printer.power(False)
    assert said(printer) == (PrinterState.IDLE, None)


def test_it_goes_by_its_machine_s_power(printer: DemoPrinter, time: Time) -> None:
    site = Site(NOON, {MACHINE: printer})
    site.says(Output(NOON, f"{MACHINE}.interlock", True))
    time.now += HEATS
    (view,) = (machine for machine in site.world.picture().machines if machine.machine == MACHINE)
    assert (view.runs, view.prints) == (True, PrinterState.PRINTING)
    site.says(Output(NOON, f"{MACHINE}.interlock", False))
    assert printer.does() == (PrinterState.IDLE, None)
    site.world.stop()


def test_a_demo_that_goes_on_in_the_middle_of_a_print_goes_on_printing(printer: DemoPrinter, time: Time) -> None:
    """Its edge ended the session when it lost its power; whoever printed lays the badge on again."""
    time.now = NOON - 55 * MINUTE  # 11:30; it began at 10:03
    site = Site(time.now, {MACHINE: printer}, again=True)
    site.world.hear_workshop(Ready())
    site.do(lambda world: world.street.step(time.now + COMES_BACK))
    laid = [one for one in site.workshop.told if isinstance(one, Lay)]
    assert [one.reader for one in laid] == ["cnc-tap", "printer-1-tap"], "whoever milled as well"
    site.says(Output(time.now, f"{MACHINE}.interlock", False), Output(time.now, f"{MACHINE}.interlock", True))
    state, left = printer.does()
    assert state is PrinterState.PRINTING
    assert left is not None
    assert left < (LONG - 80 * MINUTE) / 1000
    site.world.hear_workshop(Ready())
    site.do(lambda world: world.street.step(time.now + 2 * COMES_BACK))
    assert [one for one in site.workshop.told if isinstance(one, Lay)] == laid, "once"
    site.world.stop()


def test_a_fresh_demo_has_nobody_lay_a_badge_again(printer: DemoPrinter) -> None:
    site = Site(NOON - 55 * MINUTE, {MACHINE: printer})
    site.world.hear_workshop(Ready())
    site.do()
    assert site.workshop.told == []
    site.world.stop()


@pytest.mark.parametrize(("ago", "down"), [(0, False), (-169, True), (-175, False)])
def test_the_emergency_stop_is_where_it_was(printer: DemoPrinter, ago: int, down: bool) -> None:
    """It is pressed at 15:10 and raised at 15:17."""
    site = Site(NOON - ago * MINUTE, {MACHINE: printer}, again=True)
    site.world.hear_workshop(Ready())
    site.do()
    (down_now,) = (one.pressed for one in site.world.picture().machines if one.machine == "cnc")
    assert down_now is down
    site.world.stop()


def test_the_edge_of_the_machines_asks_it(printer: DemoPrinter, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "demo", reset=False, today=date(2026, 11, 24))
    file = folder.write_edge_toml(WORKSHOP, 18832)
    folder.write_printer(file, MACHINE, printer.kind, printer.address)
    (setup,) = load(file).printers
    folder.close()
    assert (setup.machine, setup.kind, setup.address) == (MACHINE, "moonraker", printer.address)
