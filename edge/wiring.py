"""Which GPIO line serves what? The lamps, relays and inputs of edge.toml, each line with one use.

What is badly written is left out: edge/tables.py has noted it.
"""

from collections.abc import Iterable

from edge.hardware.lines import InputSpec, OutputSpec, Pull, is_on_at_boot
from edge.sensed import SensedSetup
from edge.tables import Table
from policy.terms import MINUTE

RESET_LINE = 25
IDLE = ("off", "warn", "end")
"""What happens after idle_after minutes without current."""
SPI_LINES = {0: range(7, 12), 1: range(16, 22)}
"""By bus: chip selects, MISO, MOSI, clock. GPIO numbers (Broadcom)."""


class Wires:
    """The lines that are well written, each with the table that it is written in."""

    def __init__(self) -> None:
        self._outputs: list[tuple[OutputSpec, Table]] = []
        self._inputs: list[tuple[InputSpec, Table]] = []

    @property
    def outputs(self) -> tuple[OutputSpec, ...]:
        return tuple(spec for spec, _ in self._outputs)

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """In this order they are told when they change in one sample."""
        return tuple(spec for spec, _ in self._inputs)

    def output(self, table: Table, name: str, pulse: bool = False) -> OutputSpec:
        spec = OutputSpec(name, _line(table), table.flag("active_high", True), pulse)
        table.done()
        if table.sound:
            self._outputs.append((spec, table))
        return spec

    def input(self, table: Table, name: str, active_low: bool = True) -> InputSpec:
        """active_low: what a file means that does not say."""
        line = _line(table)
        pull = Pull(table.choice("pull", tuple(Pull), Pull.UP))
        spec = InputSpec(
            name,
            line,
            pull,
            table.flag("active_low", active_low),
            table.whole("stable_ms", "ms for which a new level must last", 10, 1000, 30),
        )
        table.done()
        if table.sound:
            self._inputs.append((spec, table))
        return spec

    def check(self, buses: Iterable[int]) -> None:
        """Every line has one use; the lines of the readers' buses count. Notes both uses of one that has two."""
        uses = {RESET_LINE: "the readers' reset"}
        for bus in {0, *buses}:
            uses |= dict.fromkeys(SPI_LINES[bus], f"SPI bus {bus}")
        wired: list[tuple[OutputSpec | InputSpec, Table]] = [*self._outputs, *self._inputs]
        for spec, table in wired:
            if spec.line in uses:
                table.note("line", f"{spec.name}: line = {spec.line}: {uses[spec.line]} has it; use a free line")
            uses.setdefault(spec.line, spec.name)


def _line(table: Table) -> int:
    return table.whole("line", "a GPIO line by its Broadcom number, 17 for GPIO17", 2, 27)


def door(table: Table, wires: Wires) -> tuple[InputSpec, ...]:
    """The strike, and rex, fire and contact as far as they are wired; the inputs.

    In this order: who leaves by the handle moves rex and contact at once.
    """
    wires.output(table.table("strike", "the strike's relay"), "strike")
    table.optional("contact", "rex", "fire")
    wired = [name for name in ("rex", "fire", "contact") if table.has(name)]
    return tuple(wires.input(table.table(name, "an input"), name) for name in wired)


def lamps(reader: str, table: Table, wires: Wires) -> None:
    """Lamp and buzzer beside a reader, as far as they are wired."""
    table.optional("green", "red", "buzzer")
    for lamp in ("green", "red", "buzzer"):
        if table.has(lamp):
            wires.output(table.table(lamp, "an output"), f"{reader}.{lamp}")


def machine(name: str, table: Table, wires: Wires) -> bool:
    """The interlock and the emergency stop of a machine. Whether it has an emergency stop."""
    relay = table.table("interlock", "the interlock's relay")
    wired = wires.output(relay, f"{name}.interlock", table.flag("pulse", False))
    if not wired.active_high:
        relay.wrong(
            "active_high", "a machine's relay at rest is off: take an active high one, with a resistor to ground"
        )
    elif relay.has("line") and is_on_at_boot(wired.line, wired.active_high):
        relay.wrong("line", "that line is high from power-on until the edge runs: use a line from 9 to 27")
    if table.says_no("estop"):
        return False
    stop = table.table("estop", "the emergency stop's second contact, or estop = false where the machine has none")
    _normally_closed(stop, wires, f"{name}.estop", "not pressed")
    return True


def plugged(table: Table) -> bool:
    """A machine whose power a plug gives has no emergency stop: where it would want one, a relay is wanted, too."""
    table.optional("estop")
    if table.has("estop") and not table.says_no("estop"):
        table.note("estop", f"[{table.where}]: a machine with an emergency stop wants an interlock, no plug")
    return False


def sensed(name: str, table: Table, wires: Wires, watts: float | None = None) -> SensedSetup:
    """A machine's current sensor and key switch, where it has them. watts: of the plug that is its sensor."""
    table.optional("current", "service_input", "idle_after", "idle")
    has_current, has_key = table.has("current"), table.has("service_input")
    how = table.choice("idle", IDLE, "warn")
    after = table.number("idle_after", "minutes without current", 1, 600, 1) if table.has("idle_after") else 0
    if has_current and watts is not None:
        table.wrong("current", f"its plug tells that already ([{table.where}.plug], current_above): leave one out")
    elif has_current:
        sensor = table.table("current", "the contact of a current relay, which opens while current flows")
        _normally_closed(sensor, wires, f"{name}.current", "no current")
    elif table.has("idle_after") and watts is None:
        table.wrong("idle_after", f"without [{table.where}.current] nobody knows whether it draws current: wire one")
    if has_key:
        switch = table.table("service_input", "the key switch for maintenance, which opens when it is turned")
        _normally_closed(switch, wires, f"{name}.service_input", "not turned")
    ends = after > 0 and how != "off"
    idle_after = round(after * MINUTE) if ends else None
    return SensedSetup(has_current or watts is not None, has_key, idle_after, how == "warn", watts)


def _normally_closed(table: Table, wires: Wires, name: str, broken: str) -> None:
    """An input of which a wire that breaks reads active. broken: what else it would read as."""
    spec = wires.input(table, name, active_low=False)
    if spec.pull is not Pull.NONE and spec.active_low == (spec.pull is Pull.UP):
        reads = f'with pull = "{spec.pull}" a broken wire would read as {broken}'
        table.note(
            "active_low",
            f"{table.where}: active_low = {str(spec.active_low).lower()}: {reads}; take the normally closed contact",
        )
