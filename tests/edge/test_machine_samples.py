"""The samples of edges with machines: each is read, and taps on the emulated Pi switch the interlock's own pin."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.config import Config, load
from edge.door import DoorSetup
from edge.events import RulesSwapped, StateHeard
from edge.held import HeldRules
from edge.machine import MachineSetup
from edge.places import A_DOOR
from edge.runtime import Edge
from edge.tables import ConfigError
from policy.facts import Moved
from policy.ruleset import Direction, Machine, Reader, RuleSet
from simulator.card import Card
from simulator.clock import VirtualClock
from simulator.emulated_edge import emulated
from tests.support_edge import SAMPLE, Folder, Wire, make_folder
from tests.support_fablab import FOREVER, fab_rules
from tests.support_site import BRIGITTE, at
from wire.snapshot import Snapshot

SAMPLES = {
    "edge-machine.toml": ("cnc",),
    "edge-machines.toml": ("cnc", "laser", "printer"),
    "edge-door-machine.toml": ("saw",),
}


def folder_of(tmp_path: Path, name: str) -> Folder:
    return make_folder(tmp_path / "site", SAMPLE.with_name(name))


def rules_of(config: Config) -> RuleSet:
    """Brigitte may use each machine, as long as she likes."""
    machines = {place.machine: place.reader for place in config.places if isinstance(place, MachineSetup)}
    doors = {place.access_point: place.reader_in for place in config.places if isinstance(place, DoorSetup)}
    return replace(
        fab_rules(quotas={}),
        readers={reader: Reader(machine, None, config.edge) for machine, reader in machines.items()}
        | {reader: Reader(door, Direction.IN, config.edge) for door, reader in doors.items()},
        machines={machine: Machine(machine) for machine in machines},
        certifications={"brigitte": dict.fromkeys(machines)},
    )


class EmulatedPi:
    """The edge of a sample on an emulated Pi; its rules are in force, Brigitte is inside."""

    def __init__(self, folder: Folder) -> None:
        self.config, self.clock = load(folder.config), VirtualClock(start=at(10))
        platform, self.board = emulated(self.config, self.clock)
        self.lines = {spec.name: spec for spec in (*self.config.outputs, *self.config.inputs)}
        pins = platform.pins()
        self.edge = Edge(
            self.config, clock=self.clock, readers=platform.readers, pins=pins, link=lambda put: Wire(folder, put)
        )
        self.wait(0.1)
        stamp = self.clock.now(), self.clock.monotonic()
        inside = Snapshot(False, (Moved("brigitte", at(9), inside=True),), {})
        held = HeldRules(7, "", FOREVER, folder.set(rules_of(self.config)))
        self.edge.control.handle([RulesSwapped(*stamp, held=held), StateHeard(*stamp, 1, inside, None)])

    def wait(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            self.edge.turn()
            self.clock.advance(10_000_000)

    def tap(self, reader: str) -> None:
        place = self.config.readers[reader]
        field, card = self.board.chip(place.bus, place.device).field, Card(BRIGITTE)
        field.lay(card)
        self.wait(0.2)
        field.take(card)
        self.wait(0.2)

    def powers(self, machine: str) -> bool:
        """What a voltmeter shows at the relay's input."""
        return self.board.level(self.lines[f"{machine}.interlock"].line) == 1

    def stop(self, machine: str, pressed: bool) -> None:
        """The emergency stop's contact opens, and the line's resistor pulls it."""
        self.board.drive(self.lines[f"{machine}.estop"].line, int(pressed))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_are_read_and_a_tap_gives_power_to_its_machine_alone(tmp_path: Path, name: str) -> None:
    pi = EmulatedPi(folder_of(tmp_path, name))
    machines = {place.machine: place for place in pi.config.places if isinstance(place, MachineSetup)}
    assert tuple(machines) == SAMPLES[name]
    for machine, setup in machines.items():
        assert not any(map(pi.powers, machines))
        pi.tap(setup.reader)
        assert [each for each in machines if pi.powers(each)] == [machine]
        pi.wait(5)
        pi.tap(setup.reader)
    assert not any(map(pi.powers, machines))
    pi.edge.stop()


def test_the_emergency_stop_of_the_sample_cuts_when_its_wire_opens(tmp_path: Path) -> None:
    pi = EmulatedPi(folder_of(tmp_path, "edge-machine.toml"))
    pi.tap("cnc")
    assert pi.powers("cnc")
    pi.stop("cnc", pressed=True)
    pi.wait(0.1)
    assert not pi.powers("cnc")
    pi.stop("cnc", pressed=False)
    pi.wait(6)
    pi.tap("cnc")
    assert not pi.powers("cnc"), "raised is not put back in service"
    pi.edge.stop()


STOP = "[machine.cnc.estop]\n"
WRONG = {
    "no reader": ('reader = "cnc" ', "# ", ("machine.cnc.reader is missing",)),
    "no interlock": ("[machine.cnc.interlock]", "[machine.cnc.intrelock]", ("did you mean [machine.cnc.interlock]?",)),
    "no emergency stop": (
        "[machine.cnc.estop]",
        "[machine.cnc.colour]",
        ("machine.cnc.estop is missing", "or estop = false where the machine has none"),
    ),
    "an emergency stop that is true": (
        STOP,
        "[machine.saw]\nestop = true\n" + STOP,
        ("machine.saw.estop = true: write it as a table, [machine.saw.estop]",),
    ),
    "a relay that is active low": (
        "active_high = true",
        "active_high = false",
        ("machine.cnc.interlock.active_high = false", "active high", "resistor to ground"),
    ),
    "a relay that pulls until the edge runs": (
        "line = 17",
        "line = 4",
        ("machine.cnc.interlock.line = 4", "high from power-on until the edge runs", "use a line from 9 to 27"),
    ),
    "an emergency stop whose broken wire reads raised": (
        "active_low = false",
        "active_low = true",
        ("machine.cnc.estop: active_low = true", "a broken wire would read as not pressed", "normally closed"),
    ),
    "the same with the other resistor": (
        'pull = "up"',
        'pull = "down"',
        ('machine.cnc.estop: active_low = false: with pull = "down" a broken wire would read as not pressed',),
    ),
    "an unknown key": ("[machine.cnc.interlock]", "fail = 1\n[machine.cnc.interlock]", ("machine.cnc.fail = 1",)),
    "two machines on one reader": (
        "[machine.cnc] ",
        '[machine.saw]\nreader = "cnc"\nestop = false\ninterlock = { line = 26 }\n[machine.cnc] ',
        ("machine.cnc.reader = 'cnc': [machine.saw] has that reader: name another",),
    ),
    "a line twice": ("line = 17", "line = 22", ("cnc.estop: line = 22: cnc.interlock has it; use a free line",)),
    "no machine": ("[machine.cnc]", "[machine]", ("machine.reader = 'cnc'",)),
    "an id that is none": ("[machine.cnc]", '[machine."c n"]', ("[machine.c n]", "letters")),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_named_with_its_remedy(tmp_path: Path, case: str) -> None:
    old, new, words = WRONG[case]
    folder = folder_of(tmp_path, "edge-machine.toml")
    with pytest.raises(ConfigError) as caught:
        load(folder.replace(old, new))
    for word in words:
        assert word in str(caught.value)


def test_an_edge_serves_something(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "edge-machine.toml")
    text = folder.config.read_text()
    folder.config.write_text(text[: text.index("[machine.cnc]")])
    with pytest.raises(ConfigError) as caught:
        load(folder.config)
    assert str(caught.value) == f"{folder.config}: door is missing: add {A_DOOR}"


def test_one_edge_serves_four_machines_and_no_more(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "edge-machines.toml")
    fourth = '\n[readers.saw]\nbus = 1\ndevice = 1\n[machine.saw]\nreader = "saw"\ninterlock.line = 27\nestop = false\n'
    folder.config.write_text(folder.config.read_text() + fourth)
    assert len(load(folder.config).places) == 4
    fifth = (
        '\n[readers.mill]\nbus = 1\ndevice = 2\n[machine.mill]\nreader = "mill"\ninterlock.line = 25\nestop = false\n'
    )
    folder.config.write_text(folder.config.read_text() + fifth)
    with pytest.raises(ConfigError, match=r"machines cnc, laser, printer, saw, mill: an edge serves 4 at most"):
        load(folder.config)


def test_a_door_and_a_machine_have_ids_of_their_own(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "edge-door-machine.toml")
    folder.config.write_text(folder.config.read_text().replace("[machine.saw", "[machine.atelier"))
    with pytest.raises(ConfigError, match=r"\[machine\.atelier\]: the door is called atelier, too; give one of them"):
        load(folder.config)


def test_a_reader_that_nothing_names_is_said(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "edge-door-machine.toml")
    folder.config.write_text(folder.config.read_text() + "\n[readers.extra]\nbus = 1\ndevice = 0\n")
    folder.replace("line = 16", "line = 4").write_text(
        folder.config.read_text()
        .replace("line = 20", "line = 12")
        .replace("line = 21", "line = 14")
        .replace("line = 17", "line = 15")
    )
    with pytest.raises(ConfigError) as caught:
        load(folder.config)
    told = "[readers.extra] is at no door or machine: name it in [door.atelier] or [machine.saw], or remove it"
    assert str(caught.value).endswith(told)
