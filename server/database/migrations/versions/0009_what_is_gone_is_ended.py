"""what is gone is ended; badges have a history; times in UTC; who decided what"""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

from policy.calendar import resolve
from server.database.types import UtcDateTime, moment

revision = "0009"
down_revision = "0008"

ENDED = (
    *("access_point", "tier", "member", "pass", "shift", "event", "invitation", "machine", "certification", "quota"),
    *("kind", "rota_pattern", "rota_change", "credit"),
)
UNIQUE = {"uq": "uq_%(table_name)s_%(column_0_name)s"}
"""SQLite keeps no name of a constraint; this one it goes by while the table is copied."""


def upgrade() -> None:
    bookings, credentials = _taken("booking"), _taken("credential")
    for table in ENDED:
        op.add_column(table, sa.Column("ended", UtcDateTime(), nullable=True))
    _readers_may_change("access_point", "reader_in", "reader_out")
    _readers_may_change("machine", "reader")
    for table in ("shift", "event", "invitation"):
        _in_utc(table)
    _bookings(bookings)
    _credentials(credentials)
    _audit()


def _taken(table: str) -> list[dict[str, Any]]:
    """The rows of a table that is made anew."""
    known = sa.Table(table, sa.MetaData(), autoload_with=op.get_bind())
    rows = [dict(row) for row in op.get_bind().execute(sa.select(known)).mappings()]
    op.drop_table(table)
    return rows


def _readers_may_change(table: str, *columns: str) -> None:
    """A reader of a door that ended may be another's: that no two have one is the bundle's check."""
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table(table, naming_convention=UNIQUE) as batch:
            for column in columns:
                batch.drop_constraint(f"uq_{table}_{column}", type_="unique")
        return
    for column in columns:
        op.drop_constraint(f"{table}_{column}_key", table, type_="unique")


def _zone() -> ZoneInfo:
    return ZoneInfo(op.get_bind().execute(sa.text("SELECT timezone FROM site")).scalar() or "UTC")


def _times(rows: Sequence[Any], zone: ZoneInfo) -> list[dict[str, Any]]:
    return [
        {
            "id": row["id"],
            "start_at": moment(resolve(row["start"], zone)),
            "end_at": moment(resolve(row["end"], zone, last=True)),
        }
        for row in rows
    ]


def _in_utc(table: str) -> None:
    for column in ("start_at", "end_at"):
        op.add_column(table, sa.Column(column, UtcDateTime(), nullable=True))
    known = sa.table(
        table,
        *(sa.column(name) for name in ("id", "start", "end")),
        *(sa.column(name, UtcDateTime()) for name in ("start_at", "end_at")),
    )
    rows = op.get_bind().execute(sa.select(known.c.id, known.c.start, known.c.end)).mappings().all()
    for row in _times(rows, _zone()):
        op.get_bind().execute(
            known.update().where(known.c.id == row["id"]).values(start_at=row["start_at"], end_at=row["end_at"])
        )
    with op.batch_alter_table(table) as batch:
        for column in ("start_at", "end_at"):
            batch.alter_column(column, existing_type=UtcDateTime(), nullable=False)
            batch.create_index(f"ix_{table}_{column}", [column])


def _bookings(rows: Sequence[dict[str, Any]]) -> None:
    made = op.create_table(
        "booking",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("start", sa.String(), nullable=False),
        sa.Column("end", sa.String(), nullable=False),
        sa.Column("start_at", UtcDateTime(), nullable=False),
        sa.Column("end_at", UtcDateTime(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["machine"], ["machine.id"]),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("machine", "member", "start_at", "end_at"):
        op.create_index(f"ix_booking_{column}", "booking", [column])
    times = _times(rows, _zone())
    op.bulk_insert(made, [row | more | {"ended": None} for row, more in zip(rows, times, strict=True)])


def _credentials(rows: Sequence[dict[str, Any]]) -> None:
    made = op.create_table(
        "credential",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("begun", UtcDateTime(), nullable=True),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("member", "uid"):
        op.create_index(f"ix_credential_{column}", "credential", [column])
    op.create_index(
        "ix_credential_one_holder",
        "credential",
        ["uid"],
        unique=True,
        sqlite_where=sa.text("ended IS NULL"),
        postgresql_where=sa.text("ended IS NULL"),
    )
    op.bulk_insert(made, [row | {"begun": None, "ended": None} for row in rows])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("did", sa.String(), nullable=False),
        sa.Column("noun", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("at", "subject"):
        op.create_index(f"ix_audit_{column}", "audit", [column])
