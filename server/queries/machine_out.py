"""Since when is a machine out of service, by whom, and until when as far as that is known?"""

from sqlmodel import Session, col, select

from server.models import MachineOut


def outs(session: Session) -> dict[str, MachineOut]:
    """What is out now, by machine. What a bundle brought is not in it: nobody noted when."""
    asked = select(MachineOut).where(col(MachineOut.back).is_(None)).order_by(col(MachineOut.id))
    return {row.machine: row for row in session.exec(asked)}


def out_now(session: Session, machine: str) -> MachineOut | None:
    return outs(session).get(machine)
