"""What did each edge last say of its machine: its program, card, heat, certificate and rules?"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from server.models import Edge


@dataclass(frozen=True, slots=True)
class Machine:
    """software: its version, empty while it did not say. free: MB on its card; wear: % of its life that are used up.

    temperature: °C, of its processor. certificate, rules: until when it is good, and they are confirmed. None: unsaid.
    """

    software: str
    free: int | None
    temperature: float | None
    wear: int | None
    certificate: datetime | None
    rules: datetime | None


def machines(session: Session) -> dict[str, Machine]:
    """By the id of their edge."""
    found = session.exec(select(Edge).order_by(col(Edge.id)))
    return {
        edge.id: Machine(
            edge.software, edge.free_disk, edge.temperature, edge.wear, edge.certificate_until, edge.rules_until
        )
        for edge in found
    }
