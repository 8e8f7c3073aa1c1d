"""what edges say of card, certificate and rules"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    op.add_column("edge", sa.Column("wear", sa.Integer(), nullable=True))
    op.add_column("edge", sa.Column("certificate_until", sa.DateTime(), nullable=True))
    op.add_column("edge", sa.Column("rules_until", sa.DateTime(), nullable=True))
