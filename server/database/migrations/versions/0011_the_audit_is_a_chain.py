"""the audit's rows are a chain, which shows what was changed in it afterwards"""

import hashlib
import json
import os

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0011"
down_revision = "0010"

SAID = ("account", "did", "noun", "subject", "before", "after", "why")


def upgrade() -> None:
    """The rows that are there already are chained as they stand (server/audit.py)."""
    with op.batch_alter_table("audit") as audit:
        audit.add_column(sa.Column("salt", sa.String(), nullable=True))
        audit.add_column(sa.Column("digest", sa.String(), nullable=False, server_default=""))
        audit.add_column(sa.Column("link", sa.String(), nullable=False, server_default=""))
    rows = sa.table(
        "audit",
        sa.column("id", sa.Integer),
        sa.column("at", UtcDateTime),
        *(sa.column(name, sa.JSON(none_as_null=True) if name in ("before", "after") else sa.String) for name in SAID),
        *(sa.column(name, sa.String) for name in ("salt", "digest", "link")),
    )
    connection, link, chained = op.get_bind(), "", []
    for row in connection.execute(sa.select(rows).order_by(rows.c.id)):
        salt = os.urandom(16).hex()
        words = json.dumps([row.at.isoformat(), *(getattr(row, name) for name in SAID)], sort_keys=True)
        digest = hashlib.sha256(f"{salt} {words}".encode()).hexdigest()
        link = hashlib.sha256(f"{link} {digest}".encode()).hexdigest()
        chained.append({"which": row.id, "new_salt": salt, "new_digest": digest, "new_link": link})
    if chained:
        connection.execute(
            rows.update()
            .where(rows.c.id == sa.bindparam("which"))
            .values(salt=sa.bindparam("new_salt"), digest=sa.bindparam("new_digest"), link=sa.bindparam("new_link")),
            chained,
        )
    with op.batch_alter_table("audit") as audit:
        audit.alter_column("digest", server_default=None)
        audit.alter_column("link", server_default=None)
