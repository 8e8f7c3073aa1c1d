"""What did each edge last say of its machine: its program, its card, its heat?"""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from server.models import Edge


@dataclass(frozen=True, slots=True)
class Machine:
    """software: its version, empty while it did not say. free: MB on its card. temperature: °C, of its processor."""

    software: str
    free: int | None
    temperature: float | None


def machines(session: Session) -> dict[str, Machine]:
    """By the id of their edge."""
    found = session.exec(select(Edge).order_by(col(Edge.id)))
    return {edge.id: Machine(edge.software, edge.free_disk, edge.temperature) for edge in found}
