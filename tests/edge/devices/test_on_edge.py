"""A printer's word goes through the whole edge: to the machine's power, into the status, and nowhere its key."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.devices.watch import PrinterSetup
from policy.instants import text
from policy.terms import HOUR
from simulator.printer_program import KEY, PrinterProgram
from tests.support_edge import Bench, make_folder
from tests.support_fablab import LASER
from tests.support_machine import fab_bench, fab_config
from tests.support_site import BRIGITTE
from wire.messages import Printer, PrinterState, Status


@pytest.fixture
def program() -> Iterator[PrinterProgram]:
    made = PrinterProgram("octoprint", PrinterState.PRINTING, left=1800)
    yield made
    made.close()


@pytest.fixture
def bench(tmp_path: Path, program: PrinterProgram) -> Bench:
    """Brigitte is inside; a printer stands where the laser is."""
    folder = make_folder(tmp_path / "site")
    config = fab_config(folder)
    door, _ = config.places
    printers = (PrinterSetup("laser", "octoprint", program.address),)
    bench = fab_bench(
        folder, config=replace(config, places=(door, replace(LASER, has_printer=True)), printers=printers)
    )
    bench.connect()
    bench.tap(BRIGITTE)
    bench.wait(6)
    return bench


def asks(bench: Bench) -> Status:
    """The printer is asked once; the status that follows."""
    bench.edge._printers[0].look()
    bench.turn(2)
    sent = [sent.message for sent in bench.wire.sent if isinstance(sent.message, Status)]
    return sent[-1]


def test_the_printer_s_state_is_told_and_keeps_its_power(
    bench: Bench, program: PrinterProgram, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "loquet.edge")
    bench.tap(BRIGITTE, reader=2)
    began = bench.clock.now()
    assert asks(bench).printers == {
        "laser": Printer("octoprint", PrinterState.PRINTING, text(began), text(began + HOUR // 2))
    }
    program.raw = b"HTTP/1.0 409 Conflict\r\n\r\n"
    bench.clock.advance(10**9 * 3600)
    assert asks(bench).printers == {"laser": Printer("octoprint", PrinterState.UNKNOWN, text(began), silent=True)}
    assert bench.pins.is_active("laser.interlock")
    program.raw, program.state = None, PrinterState.IDLE
    asks(bench)
    assert not bench.pins.is_active("laser.interlock")
    assert "laser.printer: unknown (it answers 409)" in caplog.text
    assert KEY not in caplog.text


def test_an_edge_that_runs_asks_by_itself_and_stops_asking(bench: Bench, program: PrinterProgram) -> None:
    bench.edge.start()
    assert program.was_asked.wait(10)
    bench.edge.stop()
