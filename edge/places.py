"""What is served here? The door and the machines of edge.toml, with what is wired to each.

One door at most and four machines, each reader at one of them. What is badly written is noted (edge/tables.py).
"""

from collections.abc import Mapping

from edge import wiring
from edge.devices.written import Devices
from edge.door import DoorSetup
from edge.machine import MachineSetup
from edge.tables import Table, check_id
from edge.wiring import Wires

MOST_MACHINES = 4
A_DOOR = "the door of this edge, as [door.front], or a machine, as [machine.cnc]"
A_MACHINE = "a machine of this edge, as [machine.cnc]"
Setup = DoorSetup | MachineSetup


class Readers:
    """The names of the readers, and which place has each."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._at: dict[str, Table] = {}

    def named(self, table: Table, key: str) -> str:
        """The reader that a place names, which must have it alone."""
        name = table.text(key, "the name of a reader, as in [readers.front-in]")
        if name and self._names and name not in self._names:
            table.wrong(key, f"no such reader; the file has {', '.join(self._names)}")
        elif name in self._at and self._at[name] is not table:
            table.wrong(key, f"[{self._at[name].where}] has that reader: name another")
        elif name:
            self._at[name] = table
        return name

    def check_all_used(self, tables: list[Table]) -> None:
        """Note a reader that no place names, once the places are well written."""
        idle = [name for name in self._names if name not in self._at]
        if idle and all(table.sound for table in tables):
            where = " or ".join(f"[{table.where}]" for table in tables)
            tables[0].note("", f"[readers.{idle[0]}] is at no door or machine: name it in {where}, or remove it")


def places(top: Table, reader_names: tuple[str, ...], wires: Wires, devices: Devices) -> tuple[Setup, ...]:
    """The door, then the machines. wires, devices: take what they use."""
    doors, machines = _tables(top)
    readers = Readers(reader_names)
    found: list[Setup] = [_door(name, table, readers, wires) for name, table in doors.items()]
    found += [_machine(name, table, readers, wires, devices) for name, table in machines.items()]
    readers.check_all_used([*doors.values(), *machines.values()])
    return tuple(found)


def _tables(top: Table) -> tuple[Mapping[str, Table], Mapping[str, Table]]:
    """Doors and machines by name, both as far as the file has them; something absent where it has neither, or too many
    doors."""
    top.optional("door", "machine")
    machines = top.tables("machine", A_MACHINE) if top.has("machine") else {}
    doors = top.tables("door", A_DOOR) if top.has("door") or not top.has("machine") else {}
    if len(machines) > MOST_MACHINES:
        told = f"machines {', '.join(machines)}: an edge serves {MOST_MACHINES} at most; give the others their own"
        top.note("machine", told)
    for name in sorted(doors.keys() & machines.keys()):
        machines[name].note("", f"[machine.{name}]: the door is called {name}, too; give one of them another id")
    if len(doors) > 1:
        top.note("door", f"doors {', '.join(doors)}: an edge serves one door; give the others their own")
    one_door = doors if len(doors) == 1 else {}
    return (one_door, machines) if one_door or (machines and not doors) else ({"": top.absent("door")}, machines)


def _door(name: str, table: Table, readers: Readers, wires: Wires) -> DoorSetup:
    table.optional("reader_out")
    reader_in = readers.named(table, "reader_in")
    reader_out = readers.named(table, "reader_out") if table.has("reader_out") else None
    if reader_out and reader_out == reader_in:
        table.wrong("reader_out", "is reader_in already: name the other reader, or leave it out")
    table.choice("fail", ("secure", "safe"), "secure")  # for whoever reads the file: the relay at rest means locked
    inputs = wiring.door(table, wires)
    wired = {spec.name for spec in inputs}
    door = DoorSetup(
        name,
        reader_in,
        reader_out,
        table.number("strike_seconds", "seconds for which a grant releases the strike", 0.5, 60, 5),
        table.number("held_after", "seconds for which the door may stand open", 1, 3600, 60),
        has_contact="contact" in wired,
        has_rex="rex" in wired,
        debounce=max((spec.stable_ms for spec in inputs), default=0) / 1000,
    )
    table.done()
    return door


def _machine(name: str, table: Table, readers: Readers, wires: Wires, devices: Devices) -> MachineSetup:
    check_id(table, "", "machine", name, f"[{table.where}]: ")
    reader = readers.named(table, "reader")
    plugged = devices.plug(name, table)
    has_estop = wiring.plugged(table) if plugged else wiring.machine(name, table, wires)
    has_printer = devices.printer(name, table)
    sensed = wiring.sensed(name, table, wires, devices.current_above(name))
    table.done()
    return MachineSetup(name, reader, has_estop=has_estop, has_printer=has_printer, sensed=sensed, plugged=plugged)
