"""what is kept of a machine: links, consumables, maintenance, and what members report"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "machine_sheet",
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("consumables", sa.String(), nullable=False),
        sa.Column("manual", sa.String(), nullable=False),
        sa.Column("video", sa.String(), nullable=False),
        sa.Column("service_hours", sa.Integer(), nullable=True),
        sa.Column("service_days", sa.Integer(), nullable=True),
        sa.Column("serviced", UtcDateTime(), nullable=True),
        sa.Column("serviced_by", sa.String(), nullable=False),
        sa.Column("service_note", sa.String(), nullable=False),
        sa.Column("seconds_gone", sa.Integer(), nullable=False),
        sa.Column("seconds_since", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["machine"], ["machine.id"]),
        sa.PrimaryKeyConstraint("machine"),
    )
    op.create_table(
        "machine_fault",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("member", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("seen", UtcDateTime(), nullable=True),
        sa.Column("done", UtcDateTime(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("answered_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["machine"], ["machine.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_machine_fault_machine", "machine_fault", ["machine"])
