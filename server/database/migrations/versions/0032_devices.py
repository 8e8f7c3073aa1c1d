"""what stands beside a machine and tells how it is"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.add_column("edge", sa.Column("devices", sa.JSON(), nullable=True))
