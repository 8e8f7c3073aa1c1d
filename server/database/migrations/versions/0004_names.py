"""what people call doors, machines and tiers"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for table in ("access_point", "machine", "tier"):
        op.add_column(table, sa.Column("name", sa.String(), nullable=True))
