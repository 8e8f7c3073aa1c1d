"""of the people of an hour, how many were guests"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    with op.batch_alter_table("hour_kept") as hour:
        hour.add_column(sa.Column("guests", sa.Integer(), nullable=False, server_default="0"))
