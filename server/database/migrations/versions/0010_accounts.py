"""accounts with roles, their links, sessions and passkeys, and tokens of the API"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Who was logged in logs in again: sessions belonged to a name, not to an account."""
    op.drop_table("web_session")
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(), nullable=False, unique=True),
        sa.Column("member", sa.String(), nullable=True, unique=True),
        sa.Column("admin", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("configured", sa.String(), nullable=True),
        sa.Column("made", UtcDateTime(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    _of_account(
        "account_link",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("expires", UtcDateTime(), nullable=False),
        sa.Column("used", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_account_link_expires", "account_link", ["expires"])
    _of_account(
        "account_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False, unique=True),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("begun", UtcDateTime(), nullable=False),
        sa.Column("confirmed", UtcDateTime(), nullable=False),
        sa.Column("expires", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_account_session_expires", "account_session", ["expires"])
    _of_account(
        "passkey",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("made", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False, unique=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("made", UtcDateTime(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def _of_account(table: str, *columns: sa.Column | sa.PrimaryKeyConstraint) -> None:
    op.create_table(
        table,
        *columns,
        sa.Column("account", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"]),
    )
    op.create_index(f"ix_{table}_account", table, ["account"])
