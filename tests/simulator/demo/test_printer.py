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
from simulator.remote import Output
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


def test_the_edge_of_the_machines_asks_it(printer: DemoPrinter, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "demo", reset=False, today=date(2026, 11, 24))
    file = folder.write_edge_toml(WORKSHOP, 18832)
    folder.write_printer(file, MACHINE, printer.kind, printer.address)
    (setup,) = load(file).printers
    folder.close()
    assert (setup.machine, setup.kind, setup.address) == (MACHINE, "moonraker", printer.address)
