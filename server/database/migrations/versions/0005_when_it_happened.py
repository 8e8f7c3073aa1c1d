"""a row is dated no later than it came

What its clock said stays in a column of its own.
"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("journal_row", sa.Column("said", UtcDateTime(), nullable=True))
    op.execute("UPDATE journal_row SET said = at, at = received WHERE at > received")
