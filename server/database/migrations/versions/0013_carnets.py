"""what people do to carnets; what a carnet gave back; a member's own rows by time"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "carnet_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("did", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("carnet", sa.String(), nullable=True),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("price", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.ForeignKeyConstraint(["carnet"], ["pass.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_carnet_entry_member", "carnet_entry", ["member"])
    op.create_index("ix_carnet_entry_at", "carnet_entry", ["at"])
    op.add_column("pass", sa.Column("given_back", sa.JSON(), nullable=False, server_default="[]"))
    op.create_index("ix_journal_row_member_at", "journal_row", ["member", "at"])
