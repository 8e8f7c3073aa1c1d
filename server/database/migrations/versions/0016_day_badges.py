"""badges of the house, lent for a day"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "day_badge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_day_badge_uid", "day_badge", ["uid"])
    holds = sa.text("ended IS NULL")
    op.create_index(
        "ix_day_badge_one_of_a_number", "day_badge", ["number"], unique=True, sqlite_where=holds, postgresql_where=holds
    )
