"""What did somebody write down of a member's coming and going? With what the member says to it, and the answer."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from policy.instants import of
from policy.terms import Direction, Instant
from server.database.types import moment
from server.models import JournalRow
from server.queries.former_logins import names_of
from server.queries.history import ANSWERED, CONTESTED, CORRECTED, WITHDRAWN


@dataclass(frozen=True, slots=True)
class Said:
    """by: who, as the team knows them. seq: of the row in the server's journal."""

    seq: int
    by: str
    text: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Noted:
    """One correction, from when to when; of one end alone where only that was written down.

    noted: by whom, why and when. rows: of the server's journal. contested: what the member says to it. answer: of the
    team. withdrawn: who took it back, and why; it stays to be read, and moves nobody.
    """

    member: str
    start: Instant | None
    end: Instant | None
    noted: Said
    rows: tuple[int, ...]
    contested: Said | None = None
    answer: Said | None = None
    withdrawn: Said | None = None

    @property
    def open(self) -> bool:
        """Whether the member waits for an answer."""
        return self.contested is not None and self.answer is None and self.withdrawn is None


def noted(session: Session, member: str) -> list[Noted]:
    """All corrections of this member that are still kept, newest first."""
    row = JournalRow
    kinds = col(row.kind).in_((CORRECTED, CONTESTED, ANSWERED, WITHDRAWN))
    asked = select(row).where(row.member == member, kinds).order_by(col(row.seq))
    rows = session.exec(asked).all()
    names = names_of(session, {_by(one) for one in rows})
    said = {(one.kind, one.settles): _said(one, names) for one in rows if one.kind != CORRECTED}
    found: dict[tuple[datetime, str | None], list[JournalRow]] = {}
    for one in rows:
        if one.kind == CORRECTED:
            found.setdefault((one.received, one.detail), []).append(one)
    return [_noted(member, group, said, names) for group in reversed(found.values())]


def _noted(
    member: str, rows: list[JournalRow], said: dict[tuple[str, int | None], Said], names: dict[str, str]
) -> Noted:
    start = next((of(one.at) for one in rows if one.direction == Direction.IN), None)
    end = next((of(one.at) for one in rows if one.direction != Direction.IN), None)
    contested = said.get((CONTESTED, rows[0].seq))
    answer = None if contested is None else said.get((ANSWERED, contested.seq))
    withdrawn = said.get((WITHDRAWN, rows[0].seq))
    seqs = tuple(one.seq for one in rows)
    return Noted(member, start, end, _said(rows[0], names), seqs, contested, answer, withdrawn)


def waiting(session: Session, since: Instant) -> list[Noted]:
    """What members contested since then and nobody has answered, oldest first."""
    row = JournalRow
    asked = select(row.member).where(row.kind == CONTESTED, col(row.at) >= moment(since)).distinct()
    members = sorted(member for member in session.exec(asked) if member is not None)
    found = [one for member in members for one in noted(session, member) if one.open]
    return sorted(found, key=lambda one: one.contested.at if one.contested is not None else 0)


def _said(row: JournalRow, names: dict[str, str]) -> Said:
    by = _by(row)
    return Said(row.seq, names.get(by, by), (row.detail or "").removeprefix(f"{by}: "), of(row.received))


def _by(row: JournalRow) -> str:
    return (row.detail or "").partition(": ")[0]
