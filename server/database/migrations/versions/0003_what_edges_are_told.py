"""what edges are told of the site, and what they are ordered to do"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0003"
down_revision = "0002"

INDEXES = {
    "paid_unit": "unit",
    "adhoc_shift": "end",
    "machine_session": "ended",
    "machine_busy": "at",
}


def upgrade() -> None:
    op.create_table(
        "machine_stop",
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("machine"),
    )
    op.create_table(
        "given_order",
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("order", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("edge", sa.String(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("answered", UtcDateTime(), nullable=True),
        sa.Column("done", sa.Boolean(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("nonce"),
    )
    op.create_index("ix_given_order_at", "given_order", ["at"])
    for table, column in INDEXES.items():
        op.create_index(f"ix_{table}_{column}", table, [column])
    for name in ("nonce", "order"):
        op.add_column("journal_row", sa.Column(name, sa.String(), nullable=True))
    with op.batch_alter_table("edge") as edge:
        edge.add_column(sa.Column("said", UtcDateTime(), nullable=True))
        edge.add_column(sa.Column("state_version", sa.Integer(), nullable=True))
    with op.batch_alter_table("lockdown") as lockdown:
        lockdown.add_column(sa.Column("by", sa.String(), nullable=False, server_default=""))
