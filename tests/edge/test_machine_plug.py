"""A machine on a plug: power only while the plug is well, on a machine that hurts nobody, told again and again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as other

from edge.config import BrokerConfig
from edge.devices.plug_words import DEAD_MAN, Message
from edge.devices.plugs import PlugSetup
from edge.devices.power import NO_PLUG
from edge.events import Ordered, PlugSaid, PrinterSaid
from edge.machine import MachineSetup
from edge.patterns import MACHINE_ENDS_SOON, MACHINE_LOCKED_OUT
from edge.work_items import LinkUp, Received, WorkItem
from policy.instants import text
from policy.reasons import Reason
from policy.ruleset import Machine, RuleSet
from simulator.plug import SimulatedPlug
from tests.support_edge import Bench, make_folder
from tests.support_fablab import MACHINES, FabBench, fab_rules, kinds
from tests.support_machine import fab_bench, fab_config
from tests.support_site import BRIGITTE, at
from wire.messages import Plug, PlugFault, PrinterState, Status
from wire.row import Kind, Order

PLUGGED = MachineSetup("printer", "printer-tap", has_estop=False, plugged=True)
TAP = "printer-tap"


def says(bench: FabBench, fault: PlugFault | None) -> None:
    plug = Plug("shelly", True, "2026-11-24T09:00:00.000Z", fault)
    bench.does(PlugSaid, name="printer.plug", plug=plug)


def test_it_starts_only_while_its_plug_is_well_and_ends_when_it_is_not() -> None:
    bench = FabBench(setups=(PLUGGED,))
    assert bench.tap(BRIGITTE, TAP).reason is Reason.MACHINE_LOCKED_OUT, "nothing is known of the plug"
    bench.waits(6)
    assert bench.controller.places[0]._lamp.standing is MACHINE_LOCKED_OUT  # type: ignore[union-attr]
    says(bench, None)
    assert bench.tap(BRIGITTE, TAP).reason is Reason.WALK_UP
    assert bench.runs("printer")
    says(bench, PlugFault.SILENT)
    assert not bench.runs("printer")
    assert bench.rows[-1].kind is Kind.SESSION_ENDED


@pytest.mark.parametrize("change", [{"cuts": True}, {"attended": True}, {"min_people": 2}])
def test_a_plug_starts_no_machine_that_can_hurt_somebody(change: dict[str, object]) -> None:
    machine: Machine = other(MACHINES["printer"], **change)
    bench = FabBench(setups=(PLUGGED,), rules=fab_rules(machines=MACHINES | {"printer": machine}))
    says(bench, None)
    assert bench.tap(BRIGITTE, TAP).reason is Reason.MACHINE_LOCKED_OUT
    assert Kind.SESSION_STARTED not in kinds(bench.rows)


HURTS = [{"cuts": True}, {"attended": True}, {"min_people": 2}, None]


def rules_with(change: dict[str, object] | None) -> RuleSet:
    """By which somebody can be hurt at the printer; None: by which it is none of the site's."""
    others = {name: machine for name, machine in MACHINES.items() if name != "printer"}
    return fab_rules(machines=others | ({} if change is None else {"printer": other(MACHINES["printer"], **change)}))


@pytest.mark.parametrize("change", HURTS)
def test_a_session_on_a_plug_ends_once_rules_say_that_somebody_can_be_hurt(change: dict[str, object] | None) -> None:
    """It went on: the plug could come back on by itself, with somebody's hands in it and no relay to hold it off."""
    bench = FabBench(setups=(PLUGGED,))
    says(bench, None)
    bench.tap(BRIGITTE, TAP)
    bench.waits(60)
    (warned,) = bench.swaps(rules_with(change))
    assert (warned.kind, warned.member, warned.detail) == (Kind.SESSION_WARNED, "brigitte", NO_PLUG)
    bench.waits(6)
    assert bench.controller.places[0]._lamp.standing is MACHINE_ENDS_SOON  # type: ignore[union-attr]
    assert bench.until(at(10, 6) - 1) == []
    assert bench.runs("printer")
    (ended,) = bench.until(at(10, 6))
    assert (ended.kind, ended.ended) == (Kind.SESSION_ENDED, text(at(10, 6)))
    assert not bench.runs("printer")
    if change is not None:
        assert bench.tap(BRIGITTE, TAP).reason is Reason.MACHINE_LOCKED_OUT


def test_rules_that_are_mended_in_time_let_it_go_on() -> None:
    bench = FabBench(setups=(PLUGGED,))
    says(bench, None)
    bench.tap(BRIGITTE, TAP)
    bench.swaps(rules_with({"attended": True}))
    bench.waits(200)
    assert bench.swaps(fab_rules()) == []
    assert bench.waits(1200) == []
    assert bench.runs("printer")
    assert kinds(bench.swaps(rules_with({"attended": True}))) == [Kind.SESSION_WARNED], "and has five minutes again"
    assert bench.waits(299) == []


def test_a_session_has_five_minutes_of_its_own_whatever_was_counted_of_the_one_before() -> None:
    bench = FabBench(setups=(PLUGGED,))
    says(bench, None)
    bench.tap(BRIGITTE, TAP)
    bench.swaps(rules_with({"attended": True}))
    bench.waits(240)
    bench.tap(BRIGITTE, TAP)
    bench.swaps(fab_rules())
    bench.waits(6)
    bench.tap(BRIGITTE, TAP)
    bench.swaps(rules_with({"attended": True}))
    bench.waits(299)
    assert bench.runs("printer")
    bench.waits(1)
    assert not bench.runs("printer")


def test_power_stays_while_a_printer_on_a_plug_prints() -> None:
    """No edge.toml puts one there; if one did, a print would still not be cut by time."""
    bench = FabBench(setups=(replace(PLUGGED, has_printer=True),))
    says(bench, None)
    bench.tap(BRIGITTE, TAP)
    bench.swaps(rules_with({"attended": True}))
    prints = {"name": "printer.printer", "program": "octoprint", "left": None, "since": at(10)}
    bench.does(PrinterSaid, state=PrinterState.PRINTING, **prints)
    bench.waits(400)
    assert bench.runs("printer")
    (ended,) = bench.does(PrinterSaid, state=PrinterState.IDLE, **prints)
    assert ended.kind is Kind.SESSION_ENDED


def test_one_beside_a_relay_goes_by_what_was_fixed_when_it_began() -> None:
    bench = FabBench(setups=(replace(PLUGGED, plugged=False),))
    bench.tap(BRIGITTE, TAP)
    assert bench.swaps(rules_with({"cuts": True})) == []
    assert bench.waits(1200) == []
    assert bench.runs("printer")


def test_it_is_not_let_go_on_meanwhile() -> None:
    bench = FabBench(setups=(PLUGGED,))
    says(bench, None)
    bench.tap(BRIGITTE, TAP)
    bench.swaps(rules_with({"min_people": 2}))
    order = Ordered(bench.now.at, bench.mono, "n", Order.EXTEND, "printer", "brigitte", bench.mono + 10)
    assert bench.controller.places[0].refuses(bench.now, order) == NO_PLUG  # type: ignore[union-attr]


def test_one_beside_a_relay_has_no_say_in_its_power() -> None:
    bench = FabBench(setups=(replace(PLUGGED, plugged=False),))
    says(bench, PlugFault.SILENT)
    assert bench.tap(BRIGITTE, TAP).reason is Reason.WALK_UP


class Cable:
    """The connection to the plugs' broker, with the plug at its other end."""

    def __init__(self) -> None:
        self.plug = SimulatedPlug("tasmota", "prise-3", self._says)
        self.put: Callable[[WorkItem], None] = lambda _: None
        self.bench: Bench | None = None

    def made(self, put: Callable[[WorkItem], None]) -> "Cable":
        """As the edge makes it."""
        self.put = put
        return self

    def start(self) -> None:
        """Nothing to begin."""

    def stop(self, farewell: tuple[str, bytes] | None = None) -> None:
        """Nothing to end."""

    def reconnect(self, why: str) -> None:
        """Nobody asks for it."""

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self.plug.hear(Message(topic, payload, retain))

    def _says(self, topic: str, payload: bytes) -> None:
        self.put(Received(topic, payload))

    def passes(self, seconds: int) -> None:
        assert self.bench is not None
        for _ in range(seconds * 2):
            self.bench.clock.advance(500_000_000)
            self.plug.passes(0.5)
            self.bench.turn(2)


@pytest.fixture
def cable(tmp_path: Path) -> Cable:
    """The fablab's edge with the printer on a Tasmota plug, Brigitte inside."""
    folder, cable = make_folder(tmp_path / "site"), Cable()
    config = fab_config(folder)
    door, _ = config.places
    config = replace(
        config,
        places=(door, replace(PLUGGED, reader="laser-tap")),
        plugs=(PlugSetup("printer", "tasmota", "prise-3", switches=True),),
        plug_broker=BrokerConfig("127.0.0.1", 1883, "plugs", "x"),
        inputs=tuple(spec for spec in config.inputs if not spec.name.startswith("laser")),
    )
    rules_of_reader = fab_rules()
    owner = {"laser-tap": other(rules_of_reader.readers["laser-tap"], access_point="printer")}
    rules = fab_rules(readers=dict(rules_of_reader.readers) | owner)
    bench = fab_bench(folder, config=config, plug_link=cable.made, rules=rules)
    cable.bench = bench
    cable.put(LinkUp())
    bench.connect()
    bench.tap(BRIGITTE)
    cable.passes(6)
    return cable


def test_on_a_whole_edge_the_loop_keeps_the_plug_on_and_a_tap_switches_it_off(cable: Cable) -> None:
    bench = cable.bench
    assert bench is not None
    assert not cable.plug.on
    assert bench.tap(BRIGITTE, reader=2).reason is Reason.WALK_UP
    cable.passes(3 * DEAD_MAN)
    assert cable.plug.on
    assert bench.tap(BRIGITTE, reader=2).reason is Reason.SESSION_ENDED
    assert not cable.plug.on
    status = [sent.message for sent in bench.wire.sent if isinstance(sent.message, Status)][-1]
    assert (status.plugs["printer"].kind, status.plugs["printer"].fault) == ("tasmota", None)


def test_a_loop_that_hangs_lets_the_plug_go_off_by_itself(cable: Cable) -> None:
    bench = cable.bench
    assert bench is not None
    bench.tap(BRIGITTE, reader=2)
    assert cable.plug.on
    cable.plug.passes(DEAD_MAN)
    assert not cable.plug.on


def test_a_plug_that_is_taken_out_ends_the_session(cable: Cable) -> None:
    bench = cable.bench
    assert bench is not None
    bench.tap(BRIGITTE, reader=2)
    cable.plug.unheard = True
    cable.passes(40)
    assert bench.rows(Kind.SESSION_ENDED)
    assert not cable.plug.on


def test_an_edge_that_stops_switches_its_plug_off(cable: Cable) -> None:
    bench = cable.bench
    assert bench is not None
    bench.tap(BRIGITTE, reader=2)
    assert cable.plug.on
    bench.edge.stop()
    assert not cable.plug.on
