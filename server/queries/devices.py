"""What do the devices at a machine say? As its edge told it last."""

import msgspec

from server.models import Edge
from wire.messages import Plug, Printer, PrinterState, Sensed


def printer_at(edge: Edge, machine: str) -> Printer | None:
    """The printer there; None where none stands."""
    said = (edge.devices or {}).get(machine, {}).get("printer")
    return None if said is None else msgspec.convert(said, Printer)


def plug_at(edge: Edge, machine: str) -> Plug | None:
    """The plug there; None where there is none."""
    said = (edge.devices or {}).get(machine, {}).get("plug")
    return None if said is None else msgspec.convert(said, Plug)


def sensed_at(edge: Edge, machine: str) -> Sensed:
    """What its current sensor and its service key say."""
    return msgspec.convert((edge.devices or {}).get(machine, {}).get("sensed", {}), Sensed)


def keeps_power(printer: Printer | None) -> bool:
    """Whether its machine's edge lets nothing but a hand cut its power (edge/devices/power.py)."""
    return printer is not None and printer.state is not PrinterState.IDLE
