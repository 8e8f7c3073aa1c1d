"""days of guests, by agreement"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.create_table(
        "agreement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "guest_day",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agreement", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("exact", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("visitor", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["agreement"], ["agreement.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("agreement", "day", "who"):
        op.create_index(f"ix_guest_day_{column}", "guest_day", [column])
