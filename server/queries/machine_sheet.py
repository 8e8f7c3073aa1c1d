"""What is written about a machine, and what was reported of it?"""

from sqlmodel import Session, col, select

from server.models import MachineFault, MachineSheet


def sheet(session: Session, machine: str) -> MachineSheet:
    """Empty where nothing is written yet."""
    return session.get(MachineSheet, machine) or MachineSheet(machine=machine)


def faults(session: Session, machine: str | None = None) -> list[MachineFault]:
    """What is not settled yet, the newest first; of one machine or of all."""
    fault = MachineFault
    asked = select(fault).where(col(fault.done).is_(None)).order_by(col(fault.at).desc(), col(fault.id).desc())
    return list(session.exec(asked if machine is None else asked.where(col(fault.machine) == machine)))
