"""What do the devices at a machine say? As its edge told it last."""

import msgspec
from sqlmodel import Session, col, select

from server.models import Edge, JournalRow
from wire.messages import Plug, Printer, PrinterState
from wire.row import CURRENT_UNPOWERED, Kind


def printer_at(edge: Edge, machine: str) -> Printer | None:
    """The printer there; None where none stands."""
    said = (edge.devices or {}).get(machine, {}).get("printer")
    return None if said is None else msgspec.convert(said, Printer)


def plug_at(edge: Edge, machine: str) -> Plug | None:
    """The plug there; None where there is none."""
    said = (edge.devices or {}).get(machine, {}).get("plug")
    return None if said is None else msgspec.convert(said, Plug)


def unpowered_currents(session: Session) -> frozenset[str]:
    """The machines whose current sensor sees current without power, by the rows of their edges since each began."""
    row, found = JournalRow, dict[str, str]()
    told = (col(row.kind) == Kind.STARTED) | (
        col(row.kind).in_((Kind.INPUT_UNSTEADY, Kind.INPUT_STEADY)) & (col(row.detail) == CURRENT_UNPOWERED)
    )
    asked = select(row.kind, row.edge, row.access_point).where(told).order_by(col(row.at), col(row.id))
    for kind, edge, machine in session.exec(asked):
        if kind == Kind.STARTED:  # it says so anew where it still is so
            found = {place: of for place, of in found.items() if of != edge}
        elif kind == Kind.INPUT_UNSTEADY:
            found[machine or ""] = edge
        else:
            found.pop(machine or "", None)
    return frozenset(found)


def keeps_power(printer: Printer | None) -> bool:
    """Whether its machine's edge lets nothing but a hand cut its power (edge/devices/power.py)."""
    return printer is not None and printer.state is not PrinterState.IDLE
