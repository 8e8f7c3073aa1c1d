"""what gardiens ask of each other: offers, swaps, refusals, absences"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "rota_offers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=True),
        sa.Column("to", sa.String(), nullable=True),
        sa.Column("against", sa.String(), nullable=False),
        sa.Column("first", sa.Date(), nullable=True),
        sa.Column("last", sa.Date(), nullable=True),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.ForeignKeyConstraint(["to"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_rota_offers_turn", "rota_offers", ["turn"])
    op.create_index("ix_rota_offers_member", "rota_offers", ["member"])
