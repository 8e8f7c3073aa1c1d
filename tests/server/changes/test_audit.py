"""The audit is a chain: what was changed in it afterwards is found."""

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, delete, select

from policy.terms import Instant
from server.audit import ALL, LOOKED, SAID, Chain, Change, Decided, last_link, looked, record, verify
from server.database.engine import Database
from server.models import AuditRow, Member

DESK = Decided("equipe", Instant(1_764_090_000_123), "la demande de Zoé")
COLUMNS = {
    "account": "autre",
    "why": "une autre",
    "subject": "zoe",
    "did": "end",
    "before": {"name": "Zoe"},
    "digest": "00" * 32,
    "salt": None,
}


@pytest.fixture
def written(database: Database) -> Database:
    with database.transaction() as session:
        before, after = {"name": "Zoé", "roles": ("staff",)}, {"name": "Zoé Ö.", "roles": ()}
        record(session, DESK, [Change(Member, ("zoe",), "change", before, after) for _ in range(3)])
        looked(session, DESK, "passages", ["ada", "lin"])
        looked(session, DESK, "export", None)
    return database


def chain(database: Database, met: str = "") -> Chain:
    with database.reading() as session:
        return verify(session, met)


def ids(session: Session) -> list[int]:
    return [one or 0 for one in session.exec(select(AuditRow.id).order_by(col(AuditRow.id)))]


def test_an_untouched_chain_holds(written: Database) -> None:
    whole = chain(written)
    with written.reading() as session:
        assert (whole.broken, whole.rows) == (None, len(ids(session)))
        assert whole.last == last_link(session)
    assert chain(written, whole.last).met
    assert not chain(written, "ab" * 32).met


@pytest.mark.parametrize("column", sorted(COLUMNS))
@pytest.mark.parametrize("which", [0, 2, -1])
def test_a_changed_row_is_found(written: Database, column: str, which: int) -> None:
    with written.transaction() as session:
        row = ids(session)[which]
        session.exec(update(AuditRow).where(col(AuditRow.id) == row).values({column: COLUMNS[column]}))  # type: ignore[call-overload]
    assert chain(written).broken == row


def test_a_row_that_was_taken_out_is_found(written: Database) -> None:
    with written.transaction() as session:
        first, second, *_ = ids(session)
        session.exec(delete(AuditRow).where(col(AuditRow.id) == first))
    assert chain(written).broken == second


def test_rows_taken_off_the_end_are_missed_by_the_link_noted_before(written: Database) -> None:
    noted = chain(written).last
    with written.transaction() as session:
        session.exec(delete(AuditRow).where(col(AuditRow.id) == ids(session)[-1]))
    assert chain(written).broken is None
    assert not chain(written, noted).met


def test_a_row_that_was_emptied_leaves_the_chain_whole(written: Database) -> None:
    with written.transaction() as session:
        empty = dict.fromkeys(SAID, "") | {"before": None, "after": None, "salt": None}
        session.exec(update(AuditRow).where(col(AuditRow.id) == ids(session)[1]).values(empty))  # type: ignore[call-overload]
    assert chain(written).broken is None


def test_a_look_says_at_whom(written: Database) -> None:
    with written.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.did == LOOKED).order_by(col(AuditRow.id))).all()
    assert [(row.noun, row.subject, row.account, row.why) for row in rows] == [
        ("passages", "ada", "equipe", "la demande de Zoé"),
        ("passages", "lin", "equipe", "la demande de Zoé"),
        ("export", ALL, "equipe", "la demande de Zoé"),
    ]
