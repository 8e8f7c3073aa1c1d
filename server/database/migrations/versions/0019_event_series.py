"""events that recur"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "event_series",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("start", sa.String(), nullable=False),
        sa.Column("end", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("free", sa.Boolean(), nullable=False),
        sa.Column("access_points", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("known_until", sa.Date(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
