"""what stays of hours whose rows are gone"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "hour_kept",
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("came", sa.Integer(), nullable=False),
        sa.Column("peak", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("start"),
    )
