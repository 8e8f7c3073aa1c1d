"""the first tables"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    _site()
    _people()
    _edges()
    _journal()
    _web()


def _site() -> None:
    op.create_table(
        "site",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("holidays", sa.String(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("day_cutoff", sa.String(), nullable=False),
        sa.Column("half_day_split", sa.String(), nullable=False),
        sa.Column("shift_lead", sa.Integer(), nullable=False),
        sa.Column("shift_grace", sa.Integer(), nullable=False),
        sa.Column("offline_days", sa.Integer(), nullable=False),
        sa.Column("staff_hours", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("closures", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("openings", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "access_point",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("reader_in", sa.String(), nullable=False),
        sa.Column("reader_out", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reader_in"),
        sa.UniqueConstraint("reader_out"),
    )


def _people() -> None:
    op.create_table(
        "tier",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("grounds", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("hours", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("access_points", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("pass_", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "member",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["tier"], ["tier.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "credential",
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("uid"),
    )
    op.create_index("ix_credential_member", "credential", ["member"])
    op.create_table(
        "pass",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("used", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_pass_member", "pass", ["member"])
    op.create_table(
        "shift",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("gardien", sa.String(), nullable=False),
        sa.Column("start", sa.String(), nullable=False),
        sa.Column("end", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["gardien"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_shift_gardien", "shift", ["gardien"])


def _edges() -> None:
    op.create_table(
        "edge",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("access_points", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=True),
        sa.Column("since", UtcDateTime(), nullable=True),
        sa.Column("last_seen", UtcDateTime(), nullable=True),
        sa.Column("software", sa.String(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=True),
        sa.Column("clock", sa.String(), nullable=True),
        sa.Column("readers", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("unacknowledged", sa.Integer(), nullable=False),
        sa.Column("journal_fault", sa.String(), nullable=True),
        sa.Column("temperature", sa.Float(), nullable=True),
        sa.Column("free_disk", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "door_state",
        sa.Column("access_point", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=True),
        sa.Column("forced_at", UtcDateTime(), nullable=True),
        sa.Column("fire", sa.Boolean(), nullable=False),
        sa.Column("fire_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("access_point"),
    )
    op.create_table(
        "published",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("issued", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _journal() -> None:
    op.create_table(
        "journal_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("edge", sa.String(), nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("received", UtcDateTime(), nullable=False),
        sa.Column("mono_ms", sa.BigInteger(), nullable=False),
        sa.Column("boot", sa.String(), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("access_point", sa.String(), nullable=True),
        sa.Column("reader", sa.String(), nullable=True),
        sa.Column("direction", sa.String(), nullable=True),
        sa.Column("credential", sa.String(), nullable=True),
        sa.Column("member", sa.String(), nullable=True),
        sa.Column("granted", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("rules_version", sa.Integer(), nullable=True),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("settles", sa.Integer(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("inside", sa.Boolean(), nullable=True),
        sa.Column("moved_at", UtcDateTime(), nullable=True),
        sa.Column("raw", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("edge", "journal", "seq"),
    )
    op.create_index("ix_journal_row_kind_at", "journal_row", ["kind", "at"])
    op.create_index("ix_journal_row_moved_at", "journal_row", ["moved_at"])
    op.create_table(
        "position",
        sa.Column("edge", sa.String(), nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("updated", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("edge", "journal"),
    )
    op.create_table(
        "presence",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("inside", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("member"),
    )


def _web() -> None:
    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("expires", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_web_session_expires", "web_session", ["expires"])
