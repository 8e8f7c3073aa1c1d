"""A machine that draws no current ends its session as it is set; a broken sensor and a turned key give nobody power."""

from dataclasses import replace as replace_setup
from pathlib import Path

import pytest

from edge.actions import SensedChanged
from edge.config import load
from edge.events import InputChanged, Ordered, PlugSaid
from edge.machine import MachineController, MachineSetup
from edge.patterns import MACHINE_ENDS_SOON, MACHINE_LOCKED_OUT, MACHINE_ON
from edge.sensed import WARNED_FOR, SensedSetup
from edge.tables import ConfigError
from policy.instants import text
from policy.reasons import Reason
from policy.terms import MINUTE, SECOND
from tests.edge.test_machine_printer import says
from tests.edge.test_machine_samples import EmulatedPi, folder_of
from tests.support_fablab import LASER, FabBench, fab_rules, kinds
from tests.support_site import BRIGITTE, at
from wire.messages import Plug, PlugFault, PrinterState, Sensed
from wire.row import CURRENT_UNPOWERED, Kind, Order

AFTER = 15 * MINUTE


class Sensing(FabBench):
    """The laser has a current relay and a key switch, both read: at rest."""

    def __init__(self, *, warns: bool = True, after: int | None = AFTER, printer: bool = False) -> None:
        sensed = SensedSetup(current=True, key=True, idle_after=after, warns=warns)
        setup = replace_setup(LASER, sensed=sensed, has_printer=printer)
        super().__init__(setups=(setup,), rules=fab_rules(quotas={}))
        self.reads("current", active=False)
        self.reads("service_input", active=False)

    def reads(self, what: str, *, active: bool) -> None:
        self.does(InputChanged, name=f"laser.{what}", active=active)

    def lamp(self) -> object:
        (place,) = self.controller.places
        assert isinstance(place, MachineController)
        return place._standing(self.now)


def running(**how: object) -> Sensing:
    bench = Sensing(**how)  # type: ignore[arg-type]
    bench.taps(BRIGITTE)
    assert bench.runs()
    return bench


def test_without_current_the_lamp_asks_and_then_the_session_ends() -> None:
    bench = running()
    bench.until(at(10) + AFTER - SECOND)
    assert (bench.runs(), bench.lamp()) == (True, MACHINE_ON)
    bench.until(at(10) + AFTER)
    assert (bench.runs(), bench.lamp()) == (True, MACHINE_ENDS_SOON)
    rows = bench.until(at(10) + AFTER + WARNED_FOR)
    assert kinds(rows) == [Kind.SESSION_ENDED]
    assert (bench.runs(), rows[0].ended) == (False, text(at(10) + AFTER + WARNED_FOR))


def test_a_machine_that_ends_at_once_does_not_ask() -> None:
    bench = running(warns=False)
    bench.until(at(10) + AFTER)
    assert (bench.runs(), kinds(bench.rows)[-1]) == (False, Kind.SESSION_ENDED)


def test_while_current_flows_nothing_ends_and_the_time_counts_anew() -> None:
    bench = running()
    bench.waits(10 * 60)
    bench.reads("current", active=True)
    bench.waits(3 * 3600)
    assert (bench.runs(), bench.lamp()) == (True, MACHINE_ON)
    bench.reads("current", active=False)
    bench.waits(AFTER / SECOND)
    assert bench.lamp() is MACHINE_ENDS_SOON
    bench.reads("current", active=True)
    assert (bench.runs(), bench.lamp()) == (True, MACHINE_ON)


def test_a_clock_that_is_set_makes_nobody_idle() -> None:
    bench = running()
    bench.waits(60)
    bench.start += 2 * 3600 * SECOND
    bench.waits(60)
    assert bench.runs()
    bench.waits(AFTER / SECOND)
    assert bench.lamp() is MACHINE_ENDS_SOON


def test_who_sets_no_time_is_only_measured_and_a_printer_that_prints_is_not_idle() -> None:
    measured, prints = running(after=None), running(printer=True)
    for _ in range(200):
        measured.waits(10)
        says(prints, PrinterState.PRINTING)
        prints.waits(10)
    assert (measured.runs(), prints.runs()) == (True, True)


def test_current_without_power_is_a_fault_and_starts_nothing_until_it_is_mended() -> None:
    """A wire that broke reads as current, and so does a contactor that is welded."""
    bench = running()
    bench.reads("current", active=True)
    bench.waits(3600)
    assert bench.runs(), "a sensor that broke ends no session"
    bench.taps(BRIGITTE)
    assert not bench.runs()
    rows = bench.waits(9)
    assert rows == [], "a motor that runs down"
    rows = bench.waits(1)
    assert [(row.kind, row.access_point, row.detail) for row in rows] == [
        (Kind.INPUT_UNSTEADY, "laser", CURRENT_UNPOWERED)
    ]
    assert bench.lamp() is MACHINE_LOCKED_OUT
    assert (bench.tap(BRIGITTE).reason, bench.runs()) == (Reason.MACHINE_LOCKED_OUT, False)
    bench.reads("current", active=False)
    assert (kinds(bench.rows)[-1], bench.lamp()) == (Kind.INPUT_STEADY, None)
    bench.waits(6)
    bench.taps(BRIGITTE)
    assert bench.runs()


def test_the_key_ends_what_runs_and_nobody_starts_it_before_it_is_turned_back() -> None:
    bench = running()
    bench.reads("service_input", active=True)
    assert (bench.runs(), bench.lamp(), kinds(bench.rows)[-1]) == (False, MACHINE_LOCKED_OUT, Kind.SESSION_ENDED)
    bench.waits(6)
    assert bench.tap(BRIGITTE).reason is Reason.MACHINE_LOCKED_OUT
    bench.reads("service_input", active=False)
    assert not bench.runs(), "turned back is not started"
    bench.waits(6)
    bench.taps(BRIGITTE)
    assert bench.runs()


def test_the_status_says_since_when_the_key_is_turned_and_that_current_flows_without_power() -> None:
    bench = Sensing()
    bench.waits(60)
    bench.reads("service_input", active=True)
    turned = Sensed(service=text(at(10, 1)))
    assert bench.sensed == [SensedChanged("laser", turned)]
    bench.waits(60)
    bench.reads("service_input", active=True)
    assert bench.sensed == [SensedChanged("laser", turned)], "once"
    bench.reads("service_input", active=False)
    assert bench.sensed[1:] == [SensedChanged("laser", Sensed())]
    bench.reads("current", active=True)
    bench.waits(11)
    assert bench.sensed[2:] == [SensedChanged("laser", Sensed(unpowered=True))]


def test_since_when_the_key_is_turned_is_told_anew_when_the_clock_is_set() -> None:
    bench = Sensing()
    bench.waits(60)
    bench.reads("service_input", active=True)
    bench.start += 2 * 3600 * SECOND
    bench.waits(60)
    assert bench.sensed[1:] == [SensedChanged("laser", Sensed(service=text(at(12, 1))))]


def test_a_key_that_was_never_read_says_nothing_and_one_that_is_turned_at_the_start_since_then() -> None:
    bench = FabBench(setups=(replace_setup(LASER, sensed=SensedSetup(key=True)),))
    bench.waits(60)
    assert bench.sensed == []
    bench.does(InputChanged, name="laser.service_input", active=True)
    assert bench.sensed == [SensedChanged("laser", Sensed(service=text(at(10, 1))))]


def test_what_was_never_read_is_taken_for_the_safe_thing() -> None:
    setup = replace_setup(LASER, sensed=SensedSetup(current=True, key=True, idle_after=AFTER))
    bench = FabBench(setups=(setup,))
    bench.does(InputChanged, name="laser.current", active=False)
    assert bench.tap(BRIGITTE).reason is Reason.MACHINE_LOCKED_OUT, "the key"
    bench = FabBench(setups=(setup,), rules=fab_rules(quotas={}))
    bench.does(InputChanged, name="laser.service_input", active=False)
    bench.taps(BRIGITTE)
    bench.waits(2 * 3600)
    assert bench.runs(), "nobody knows that it draws none"


class Watts(FabBench):
    """The laser's plug is its sensor, from 20 W on; its power goes by a relay."""

    def __init__(self) -> None:
        sensed = SensedSetup(current=True, idle_after=AFTER, warns=False, watts=20)
        super().__init__(setups=(replace_setup(LASER, sensed=sensed),), rules=fab_rules(quotas={}))

    def says(self, watts: float | None, fault: PlugFault | None = None) -> None:
        plug = Plug("tasmota", False, "2026-11-24T09:00:00.000Z", fault, watts)
        self.does(PlugSaid, name="laser.plug", plug=plug)


def test_a_plug_that_tells_few_watts_ends_the_session_and_a_silent_one_does_not() -> None:
    bench = Watts()
    bench.taps(BRIGITTE)
    bench.waits(2 * 3600)
    assert bench.runs(), "it has not said yet"
    bench.says(20.0)
    bench.waits(2 * 3600)
    assert bench.runs()
    bench.says(19.9)
    bench.waits(14 * 60)
    bench.says(19.9, PlugFault.SILENT)
    bench.waits(2 * 3600)
    assert bench.runs(), "nobody knows"
    bench.says(4.2)
    bench.waits(16 * 60)
    assert (bench.runs(), kinds(bench.rows)[-1]) == (False, Kind.SESSION_ENDED)


def test_watts_that_flow_a_minute_after_the_power_went_are_a_fault_until_they_stop() -> None:
    bench = Watts()
    bench.waits(120)
    bench.says(300.0)
    bench.waits(50)
    assert bench.sensed == []
    bench.waits(11)
    assert bench.sensed == [SensedChanged("laser", Sensed(unpowered=True))]
    assert bench.tap(BRIGITTE).reason is Reason.MACHINE_LOCKED_OUT
    bench.says(300.0, PlugFault.SILENT)
    bench.waits(60)
    assert bench.tap(BRIGITTE).reason is Reason.MACHINE_LOCKED_OUT
    bench.says(0.0)
    bench.waits(60)
    assert bench.sensed[1:] == [SensedChanged("laser", Sensed())]
    bench.taps(BRIGITTE)
    assert bench.runs()


def test_a_plug_behind_the_relay_that_falls_silent_with_the_power_locks_nobody_out() -> None:
    bench = Watts()
    bench.taps(BRIGITTE)
    bench.says(300.0)
    bench.waits(60)
    bench.taps(BRIGITTE)
    assert not bench.runs()
    bench.waits(35)
    bench.says(300.0, PlugFault.SILENT)
    bench.waits(3600)
    assert bench.sensed == []
    bench.taps(BRIGITTE)
    assert bench.runs(), "without power it could never say that nothing flows"


def test_an_order_that_ends_a_session_ends_the_waiting_too() -> None:
    bench = running()
    bench.waits(14 * 60)
    bench.does(Ordered, nonce="n", order=Order.END, place="laser", by="alice", until=bench.mono + 5)
    bench.waits(6)
    bench.taps(BRIGITTE)
    bench.waits(60)
    assert (bench.runs(), bench.lamp()) == (True, MACHINE_ON), "the next one has the whole time"


def test_on_the_pins_of_the_sample_a_key_cuts_and_its_broken_wire_keeps_the_machine_off(tmp_path: Path) -> None:
    pi = EmulatedPi(folder_of(tmp_path, "edge-machine.toml"))
    (setup,) = (place for place in pi.config.places if isinstance(place, MachineSetup))
    assert setup.sensed == SensedSetup(current=True, key=True, idle_after=20 * MINUTE, warns=True)
    pi.tap("cnc")
    assert pi.powers("cnc")
    pi.board.drive(pi.lines["cnc.service_input"].line, 1)
    pi.wait(0.1)
    assert not pi.powers("cnc")
    pi.wait(6)
    pi.tap("cnc")
    assert not pi.powers("cnc")
    pi.edge.stop()


def test_on_the_pins_of_the_sample_a_machine_without_current_ends(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "edge-machine.toml")
    folder.replace("idle_after = 20", "idle_after = 1").write_text(
        folder.config.read_text().replace('idle = "warn"', 'idle = "end" ').replace("idle_after = 20", "idle_after = 1")
    )
    pi = EmulatedPi(folder)
    line = pi.lines["cnc.current"].line
    pi.tap("cnc")
    pi.board.drive(line, 1)
    pi.wait(90)
    assert pi.powers("cnc"), "it works"
    pi.board.drive(line, 0)
    pi.wait(61)
    assert not pi.powers("cnc")
    pi.edge.stop()


WRONG = {
    "no sensor": ("[machine.cnc.current]", "[machine.cnc.colour]", "machine.cnc.idle_after = 20: without [machine.cnc"),
    "a sensor whose broken wire reads as none": (
        "line = 23",
        "line = 23\nactive_low = true",
        'machine.cnc.current: active_low = true: with pull = "up" a broken wire would read as no current',
    ),
    "a key whose broken wire reads as not turned": (
        "line = 24",
        'line = 24\npull = "down"',
        'machine.cnc.service_input: active_low = false: with pull = "down" a broken wire would read as not turned',
    ),
    "another word": (
        'idle = "warn"',
        'idle = "sleep"',
        'machine.cnc.idle = \'sleep\': use one of "off", "warn", "end"',
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_named_with_its_remedy(tmp_path: Path, case: str) -> None:
    old, new, words = WRONG[case]
    folder = folder_of(tmp_path, "edge-machine.toml")
    with pytest.raises(ConfigError) as caught:
        load(folder.replace(old, new))
    assert words in str(caught.value)
