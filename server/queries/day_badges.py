"""Which badges of the house are there, and who has them?"""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from server.models import Credential, DayBadge


@dataclass(frozen=True, slots=True)
class InHouse:
    """One badge of the stock. holder, until, status: who has it, until which last day, and its state; None when nobody.

    A loan that is over is a badge that was not given back.
    """

    id: int
    number: int
    uid: str
    holder: str | None
    until: date | None
    status: str | None

    def free(self, today: date) -> bool:
        """Whether it may be lent: nobody has it today, and it is not lost."""
        return self.holder is None or (self.status == "active" and self.until is not None and self.until < today)


def stock(session: Session) -> list[InHouse]:
    """All of them, by their number."""
    badge, held = DayBadge, Credential
    rows = session.exec(
        select(badge, held)
        .join(held, (col(held.uid) == col(badge.uid)) & col(held.ended).is_(None), isouter=True)
        .where(col(badge.ended).is_(None))
        .order_by(col(badge.number))
    ).all()
    return [
        InHouse(one.id or 0, one.number, one.uid, *((loan.member, loan.valid_until, loan.status) if loan else NOBODY))
        for one, loan in rows
    ]


NOBODY = (None, None, None)
