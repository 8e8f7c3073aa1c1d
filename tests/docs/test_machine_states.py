"""Does a machine do what docs/machine-states.md says? Each state of the table is brought about, and looked at."""

import re
from collections.abc import Callable
from dataclasses import replace as replace_setup

import pytest
from msgspec.structs import replace

from edge import patterns
from edge.events import InputChanged, Ordered, RulesSwapped
from edge.held import HeldRules
from edge.sensed import SensedSetup
from policy.ruleset import Machine
from policy.terms import MINUTE
from tests.docs.test_docs import read
from tests.support_fablab import FOREVER, LASER, MACHINES, FabBench, fab_rules
from tests.support_site import BRIGITTE
from wire.row import Order

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in read("docs/machine-states.md").splitlines()
    if line.startswith("| ") and not line.startswith(("| state", "| ---"))
]


def running() -> FabBench:
    bench = FabBench()
    bench.taps(BRIGITTE)
    return bench


def overruns() -> FabBench:
    """The laser only warns; an hour of quota."""
    bench = FabBench(rules=fab_rules(machines=MACHINES | {"laser": replace(MACHINES["laser"], cuts=False)}))
    bench.taps(BRIGITTE)
    bench.waits(61 * 60)
    return bench


def stopped() -> FabBench:
    bench = running()
    bench.estop("laser", active=True)
    return bench


def stopped_by_order() -> FabBench:
    bench = running()
    bench.does(Ordered, nonce="n", order=Order.LOCK_OUT, place="laser", by="alice", until=bench.mono + 5)
    return bench


def ends_soon() -> FabBench:
    bench = running()
    bench.waits(56 * 60)
    return bench


SENSED = replace_setup(LASER, sensed=SensedSetup(current=True, key=True, idle_after=15 * MINUTE))


def sensed(what: str, *, active: bool, seconds: float) -> FabBench:
    """The laser with a current relay and a key switch; one of them changes while nothing runs, and time passes."""
    bench = FabBench(setups=(SENSED,))
    for name in ("current", "service_input"):
        bench.does(InputChanged, name=f"laser.{name}", active=active and name == what)
    bench.waits(seconds)
    return bench


def without_current() -> FabBench:
    bench = sensed("", active=False, seconds=0)
    bench.taps(BRIGITTE)
    bench.waits(16 * 60)
    return bench


def ruled(machines: dict[str, Machine]) -> FabBench:
    bench = FabBench()
    bench.does(RulesSwapped, held=HeldRules(8, "", FOREVER, fab_rules(machines=machines)))
    return bench


STATES: dict[str, tuple[Callable[[], FabBench], ...]] = {
    "stopped": (stopped, stopped_by_order, lambda: FabBench(reads=False)),
    "ends soon": (ends_soon, without_current),
    "overruns": (overruns,),
    "runs": (running,),
    "without rules": (lambda: ruled({name: one for name, one in MACHINES.items() if name != "laser"}),),
    "locked out": (
        lambda: ruled(MACHINES | {"laser": replace(MACHINES["laser"], locked_out=True)}),
        lambda: sensed("service_input", active=True, seconds=0),
        lambda: sensed("current", active=True, seconds=11),
    ),
    "free": (FabBench,),
}
"""How each comes about at the laser, in each of the ways that the table names."""


def test_the_table_has_each_state_once() -> None:
    named = [row[0] for row in ROWS]
    assert len(named) == len(set(named))
    assert set(named) == set(STATES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_power_and_lamp_are_as_the_table_says(row: list[str]) -> None:
    for way in STATES[row[0]]:
        bench = way()
        assert bench.runs("laser") is (row[1] == "on"), row[0]
        (place,) = (one for one in bench.controller.places if one.place == "laser")
        signal = place._standing(bench.now)  # type: ignore[union-attr]
        (lamp,) = re.findall(r"^`(\w+)`$|^dark$", row[2])
        assert signal is (getattr(patterns, lamp) if lamp else None), row[0]
