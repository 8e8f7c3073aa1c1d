"""A printer's power: no time, booking or absence cuts it while it prints, pauses or does not say; a hand does."""

from dataclasses import replace as replace_setup

import pytest
from msgspec.structs import replace

from edge.devices.power import FRESH, STILL_PRINTS
from edge.events import Ordered, PrinterSaid
from edge.patterns import MACHINE_OVERRUN
from policy.instants import text
from policy.reasons import Reason
from policy.ruleset import Booking
from policy.terms import MINUTE, Instant
from tests.support_fablab import LASER, MACHINES, FabBench, fab_rules, kinds
from tests.support_site import BRIGITTE, REMY, at
from wire.messages import PrinterState
from wire.row import Kind, Order

KEPT = tuple(state for state in PrinterState if state is not PrinterState.IDLE)
MK4 = replace_setup(LASER, has_printer=True)
"""It cuts and is attended: the strictest that a printer can be made."""


def printing(**changes: object) -> FabBench:
    """Brigitte runs it since ten: an hour of quota, so until eleven."""
    bench = FabBench(setups=(MK4,), **changes)  # type: ignore[arg-type]
    bench.taps(BRIGITTE)
    assert bench.runs()
    return bench


def says(bench: FabBench, state: PrinterState) -> None:
    bench.does(PrinterSaid, name="laser.printer", program="octoprint", state=state, left=None, since=bench.now.at)


def goes_on(bench: FabBench, until: Instant, state: PrinterState) -> None:
    """Time passes; the printer says the same every five seconds."""
    while bench.now.at < until:
        says(bench, state)
        bench.waits(min(5, (until - bench.now.at) / 1000))


def last_end(bench: FabBench) -> str | None:
    ended = [row for row in bench.rows if row.kind is Kind.SESSION_ENDED]
    return ended[-1].ended if ended else None


@pytest.mark.parametrize("state", KEPT)
def test_the_end_of_its_time_waits_for_the_printer_and_is_counted(state: PrinterState) -> None:
    bench = printing()
    bench.until(at(10, 59))
    goes_on(bench, at(11, 30), state)
    assert bench.runs()
    warned = [row for row in bench.rows if row.kind is Kind.SESSION_WARNED]
    assert [(row.at, row.until, row.cuts) for row in warned] == [(text(at(11)), text(at(11)), False)]
    machine = bench.controller.places[0]
    assert machine._lamp.standing is MACHINE_OVERRUN  # type: ignore[union-attr]
    assert bench.state.sessions.running("laser", bench.now.at) is not None, "all count it until it ends"
    says(bench, PrinterState.IDLE)
    assert not bench.runs()
    assert last_end(bench) == text(at(11, 30))


def test_somebody_else_s_booking_waits_too_and_the_next_is_told_that_it_is_busy() -> None:
    booked = fab_rules(bookings={"laser": (Booking("remy", at(10, 30), at(11)),)})
    bench = printing(rules=booked)
    bench.until(at(10, 29))
    goes_on(bench, at(10, 40), PrinterState.PRINTING)
    assert bench.runs()
    assert bench.tap(REMY).reason is Reason.MACHINE_BUSY
    goes_on(bench, at(10, 41), PrinterState.IDLE)
    assert bench.tap(REMY).reason is Reason.BOOKING


@pytest.mark.parametrize("state", KEPT)
def test_whoever_goes_home_leaves_it_printing(state: PrinterState) -> None:
    bench = printing()
    says(bench, state)
    bench.moves("brigitte", inside=False)
    goes_on(bench, at(10, 20), state)
    assert bench.runs()
    says(bench, PrinterState.IDLE)
    assert not bench.runs()


def test_one_that_never_said_anything_is_never_cut_by_time() -> None:
    bench = printing()
    bench.until(at(15))
    assert bench.runs()


def test_a_word_that_is_old_counts_no_more() -> None:
    bench = printing()
    bench.until(at(11) - MINUTE)
    says(bench, PrinterState.IDLE)
    bench.until(at(11, 5))
    assert bench.runs(), f"idle was said more than {FRESH:.0f} s ago"
    says(bench, PrinterState.IDLE)
    assert not bench.runs()


def test_idle_before_its_time_ends_nothing() -> None:
    bench = printing()
    goes_on(bench, at(10, 5), PrinterState.IDLE)
    assert bench.runs()


def test_a_printer_whose_machine_only_warns_runs_on_when_it_is_done() -> None:
    rules = fab_rules(machines=MACHINES | {"laser": replace(MACHINES["laser"], cuts=False, attended=False)})
    bench = printing(rules=rules)
    bench.until(at(10, 59))
    goes_on(bench, at(11, 5), PrinterState.IDLE)
    assert bench.runs()


def end(bench: FabBench) -> str | None:
    rows = bench.does(Ordered, nonce="n1", order=Order.END, place="laser", by="desk", until=bench.mono + 10)
    return next(row.detail for row in rows if (row.kind is Kind.COMMAND and not row.granted) or row.order is Order.END)


def test_ending_it_from_a_page_is_refused_while_it_prints() -> None:
    bench = printing()
    says(bench, PrinterState.PRINTING)
    assert end(bench) == STILL_PRINTS
    assert bench.runs()
    says(bench, PrinterState.IDLE)
    end(bench)
    assert not bench.runs()


def test_the_emergency_stop_cuts_it_whatever_it_does() -> None:
    bench = printing()
    says(bench, PrinterState.PRINTING)
    bench.estop()
    assert not bench.runs()


def test_an_urgent_lock_out_cuts_it_whatever_it_does() -> None:
    bench = printing()
    says(bench, PrinterState.PRINTING)
    bench.swaps(fab_rules(machines=MACHINES | {"laser": replace(MACHINES["laser"], locked_out=True, urgent=True)}))
    bench.waits(1)
    assert not bench.runs()


def test_the_holder_s_own_badge_cuts_it_whatever_it_does() -> None:
    bench = printing()
    says(bench, PrinterState.PRINTING)
    bench.waits(30)
    assert Kind.SESSION_ENDED in kinds(bench.taps(BRIGITTE))
    assert not bench.runs()
