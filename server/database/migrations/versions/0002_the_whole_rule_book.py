"""the whole rule book"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("site") as site:
        site.add_column(sa.Column("at_capacity", sa.String(), nullable=False, server_default="warn"))
        site.add_column(sa.Column("adhoc_hours", sa.Integer(), nullable=False, server_default="0"))
        site.add_column(sa.Column("anti_passback", sa.String(), nullable=False, server_default="off"))
    _windows()
    _fablab()
    _facts()


def _windows() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("start", sa.String(), nullable=False),
        sa.Column("end", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("free", sa.Boolean(), nullable=False),
        sa.Column("access_points", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("start", sa.String(), nullable=False),
        sa.Column("end", sa.String(), nullable=False),
        sa.Column("access_points", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_invitation_member", "invitation", ["member"])


def _fablab() -> None:
    op.create_table(
        "machine",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("hours", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("min_people", sa.Integer(), nullable=False),
        sa.Column("on_end", sa.String(), nullable=False),
        sa.Column("attended", sa.Boolean(), nullable=True),
        sa.Column("locked_out", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reader"),
    )
    op.create_table(
        "certification",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("member", "kind"),
    )
    op.create_table(
        "quota",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind"),
    )
    op.create_table(
        "booking",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("start", sa.String(), nullable=False),
        sa.Column("end", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["machine"], ["machine.id"]),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_booking_machine", "booking", ["machine"])
    op.create_index("ix_booking_member", "booking", ["member"])


def _facts() -> None:
    op.create_table(
        "paid_unit",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("unit", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("member", "unit"),
    )
    op.create_table(
        "adhoc_shift",
        sa.Column("gardien", sa.String(), nullable=False),
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("end", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("gardien", "start"),
    )
    op.create_table(
        "machine_session",
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("started", UtcDateTime(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("cuts", sa.Boolean(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("machine", "started", "member"),
    )
    op.create_table(
        "machine_busy",
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("machine", "member", "at"),
    )
    op.create_table(
        "lockdown",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Boolean(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
