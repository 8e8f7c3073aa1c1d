"""A whole edge with a door and a laser, and power cuts."""

from dataclasses import replace

from edge.config import Config, ReaderConfig, load
from edge.hardware.lines import InputSpec, OutputSpec
from edge.runtime import MakeLink
from policy.ruleset import RuleSet
from simulator.clock import VirtualClock
from tests.support_edge import Bench, Folder
from tests.support_fablab import DOOR, LASER, fab_rules


def fab_config(folder: Folder) -> Config:
    """The sample's edge with the front door (no contact) and the laser; reader 2 is the laser's."""
    readers = ("front-in", "front-out", "laser-tap")
    outputs = ["strike", "laser.interlock", *(f"{name}.{light}" for name in readers for light in LIGHTS)]
    return replace(
        load(folder.config),
        places=(DOOR, LASER),
        readers={name: ReaderConfig(0, device) for device, name in enumerate(readers)},
        outputs=tuple(OutputSpec(name, line) for line, name in enumerate(outputs, 30)),
        inputs=tuple(InputSpec(name, line) for line, name in enumerate(("rex", "fire", "laser.estop"), 2)),
    )


LIGHTS = ("green", "red", "buzzer")


def fab_bench(
    folder: Folder,
    clock: VirtualClock | None = None,
    boot: str | None = None,
    config: Config | None = None,
    plug_link: MakeLink | None = None,
    rules: RuleSet | None = None,
) -> Bench:
    """The edge, started, with the fablab's rules in force."""
    bench = Bench(folder, clock, config=config or fab_config(folder), boot=boot, plug_link=plug_link)
    bench.turn()
    bench.give_rules(folder.rules(7, folder.set(rules or fab_rules())))
    return bench


def power_cut(bench: Bench, clock: VirtualClock, boot: str | None = None) -> Bench:
    """The same edge after its power was cut: nobody closed anything but the file's lock."""
    bench.journal._db.close()
    again = Bench(bench.folder, clock, config=bench.config, boot=boot)
    again.turn()
    return again
