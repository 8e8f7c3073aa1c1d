"""Which GPIO line serves what? The lamps, the strike and the inputs of edge.toml, each line with one use.

What is badly written is left out: edge/tables.py has noted it.
"""

from collections.abc import Iterable, Iterator, Mapping

from edge.hardware.lines import InputSpec, OutputSpec, Pull
from edge.tables import Table

RESET_LINE = 25
SPI_LINES = {0: range(7, 12), 1: range(16, 22)}
"""By bus: chip selects, MISO, MOSI, clock. GPIO numbers (Broadcom)."""


def outputs(door: Table, readers: Mapping[str, Table]) -> tuple[OutputSpec, ...]:
    """The strike, and the lamp and buzzer of each reader as far as they are wired."""
    specs = [*_output(door.table("strike", "the strike's relay"), "strike")]
    for reader, table in readers.items():
        table.optional("green", "red", "buzzer")
        for lamp in ("green", "red", "buzzer"):
            if table.has(lamp):
                specs += _output(table.table(lamp, "an output"), f"{reader}.{lamp}")
    return tuple(specs)


def _output(table: Table, name: str) -> Iterator[OutputSpec]:
    spec = OutputSpec(name, _line(table), table.flag("active_high", True))
    table.done()
    if table.sound:
        yield spec


def inputs(door: Table) -> tuple[InputSpec, ...]:
    """Rex, fire and contact, as far as they are wired.

    In this order they are told when they change in one sample: who leaves by the handle moves rex and contact at once.
    """
    door.optional("contact", "rex", "fire")
    wired = (name for name in ("rex", "fire", "contact") if door.has(name))
    return tuple(spec for name in wired for spec in _input(door.table(name, "an input"), name))


def _input(table: Table, name: str) -> Iterator[InputSpec]:
    line = _line(table)
    pull = Pull(table.choice("pull", tuple(Pull), Pull.UP))
    active_low = table.flag("active_low", True)
    stable_ms = table.whole("stable_ms", "ms for which a new level must last", 10, 1000, 30)
    table.done()
    if table.sound:
        yield InputSpec(name, line, pull, active_low, stable_ms)


def _line(table: Table) -> int:
    return table.whole("line", "a GPIO line by its Broadcom number, 17 for GPIO17", 2, 27)


def check_lines(
    door: Table, buses: Iterable[int], outputs: tuple[OutputSpec, ...], inputs: tuple[InputSpec, ...]
) -> None:
    """Every line has one use; the lines of the readers' buses count. Notes both uses of one that has two."""
    uses = {RESET_LINE: "the readers' reset"}
    for bus in {0, *buses}:
        uses |= dict.fromkeys(SPI_LINES[bus], f"SPI bus {bus}")
    specs: tuple[OutputSpec | InputSpec, ...] = (*outputs, *inputs)
    for spec in specs:
        if spec.line in uses:
            door.note(spec.name, f"{spec.name}: line = {spec.line}: {uses[spec.line]} has it; use a free line")
        uses.setdefault(spec.line, spec.name)
