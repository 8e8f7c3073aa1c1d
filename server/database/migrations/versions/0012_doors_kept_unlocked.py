"""doors that are kept unlocked by order, and until when"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("edge", sa.Column("unlocked", sa.JSON(), nullable=True))
    op.add_column("given_order", sa.Column("until", UtcDateTime(), nullable=True))
