"""who wants to be told if this evening changes"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.create_table(
        "evening_watch",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("day", UtcDateTime(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("stepped_out", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("member"),
    )
