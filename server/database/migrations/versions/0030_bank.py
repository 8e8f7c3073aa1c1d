"""the ledger of the bank of hours, which is only added to"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0030"
down_revision = "0029"

WHY = "bank_entry: entries are never changed or deleted; counter one that is wrong"
KEPT = ("id", "at", "minutes", "from_account", "to_account", "counters", "start", "end", "inside")
"""What of an entry never changes. Whose it is does once, when a former member is forgotten."""
ERASED = "ancien-%"


def upgrade() -> None:
    op.create_table(
        "bank_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("from_account", sa.String(), nullable=False),
        sa.Column("to_account", sa.String(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column("counters", sa.Integer(), nullable=True),
        sa.Column("start", UtcDateTime(), nullable=True),
        sa.Column("end", UtcDateTime(), nullable=True),
        sa.Column("inside", sa.JSON(), nullable=False),
        sa.CheckConstraint("minutes >= 0"),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.ForeignKeyConstraint(["counters"], ["bank_entry.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("counters"),
    )
    op.create_index("ix_bank_entry_at", "bank_entry", ["at"])
    op.create_index("ix_bank_entry_member", "bank_entry", ["member"])
    op.create_table(
        "bank_count",
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("counted", UtcDateTime(), nullable=False),
        sa.Column("off", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("at"),
    )
    op.create_table(
        "bank_dispute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("closed", UtcDateTime(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["entry"], ["bank_entry.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_bank_dispute_entry", "bank_dispute", ["entry"])
    sqlite = op.get_bind().dialect.name == "sqlite"
    if not sqlite:
        body = f"BEGIN RAISE EXCEPTION '{WHY}'; END"
        op.execute(f"CREATE FUNCTION bank_entry_refused() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    refuse = f"BEGIN SELECT RAISE(ABORT, '{WHY}'); END" if sqlite else "EXECUTE FUNCTION bank_entry_refused()"
    columns = ", ".join(f'"{column}"' for column in KEPT)
    for name, refused in (
        ("no_change", f"UPDATE OF {columns} ON bank_entry FOR EACH ROW"),
        ("no_other", f"UPDATE OF member, source ON bank_entry FOR EACH ROW WHEN (NEW.member NOT LIKE '{ERASED}')"),
        ("no_delete", "DELETE ON bank_entry FOR EACH ROW"),
    ):
        op.execute(f"CREATE TRIGGER bank_entry_{name} BEFORE {refused} {refuse}")
