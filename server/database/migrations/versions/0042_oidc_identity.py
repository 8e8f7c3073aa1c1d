"""whom the provider of server.toml vouches for"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    op.create_table(
        "oidc_identity",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("made", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"]),
        sa.PrimaryKeyConstraint("issuer", "subject"),
        sa.UniqueConstraint("account"),
    )
