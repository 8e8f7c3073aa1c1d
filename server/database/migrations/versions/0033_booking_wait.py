"""who waits for a machine that is booked; on PostgreSQL no slot is offered to two"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.create_table(
        "booking_wait",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("start_at", UtcDateTime(), nullable=False),
        sa.Column("end_at", UtcDateTime(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("offered", UtcDateTime(), nullable=True),
        sa.Column("told", UtcDateTime(), nullable=True),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["machine"], ["machine.id"]),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_booking_wait_member", "booking_wait", ["member"])
    op.create_index("ix_booking_wait_ended", "booking_wait", ["ended"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE booking_wait ADD CONSTRAINT booking_wait_one_offer EXCLUDE USING gist (machine WITH =,"
            " tsrange(start_at, end_at) WITH &&) WHERE (offered IS NOT NULL AND ended IS NULL)"
        )
