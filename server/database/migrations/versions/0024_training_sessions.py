"""training sessions and who is down for them"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "training_session",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("end", UtcDateTime(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("trainer", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["trainer"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_training_session_start", "training_session", ["start"])
    op.create_table(
        "training_seat",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("gone", UtcDateTime(), nullable=True),
        sa.Column("present", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.ForeignKeyConstraint(["session"], ["training_session.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_training_seat_session", "training_seat", ["session"])
    op.create_index("ix_training_seat_member", "training_seat", ["member"])
    op.create_index(
        "ix_training_seat_once",
        "training_seat",
        ["session", "member"],
        unique=True,
        sqlite_where=sa.text("gone IS NULL"),
        postgresql_where=sa.text("gone IS NULL"),
    )
