"""files of members that are read in"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "member_import",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("headings", "lines", "columns", "tiers", "answers")),
        sa.Column("done", UtcDateTime(), nullable=True),
        sa.Column("undo", sa.JSON(), nullable=False),
        sa.Column("undone", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_member_import_at", "member_import", ["at"])
