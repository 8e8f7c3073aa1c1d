"""kinds of machines, the gardiens' rota and the credits of the time bank"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "kind",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("requires", sa.JSON(), nullable=False),
        sa.Column("valid_months", sa.Integer(), nullable=True),
        sa.Column("refresher_months", sa.Integer(), nullable=True),
        sa.Column("notes", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "rota_pattern",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.String(), nullable=False),
        sa.Column("start", sa.String(), nullable=False),
        sa.Column("end", sa.String(), nullable=False),
        sa.Column("every", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("gardien", sa.String(), nullable=True),
        sa.Column("holidays", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["gardien"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "rota_change",
        sa.Column("rota", sa.String(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("gardien", sa.String(), nullable=True),
        sa.Column("gap", sa.Boolean(), nullable=False),
        sa.Column("start", sa.String(), nullable=True),
        sa.Column("end", sa.String(), nullable=True),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["gardien"], ["member.id"]),
        sa.ForeignKeyConstraint(["rota"], ["rota_pattern.id"]),
        sa.PrimaryKeyConstraint("rota", "date"),
    )
    op.create_table(
        "credit",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("attested", sa.String(), nullable=True),
        sa.Column("pair", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_credit_member", "credit", ["member"])
    op.add_column("pass", sa.Column("valid_from", sa.Date(), nullable=True))
    with op.batch_alter_table("site") as site:
        site.add_column(sa.Column("time_bank", sa.JSON(), nullable=True))
        site.add_column(sa.Column("rota_notice", sa.Integer(), nullable=False, server_default="48"))
        site.add_column(sa.Column("booking", sa.JSON(), nullable=True))
