"""refused taps, and those of badges that nobody has, are found without reading the day's others"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

NOBODYS = sa.text("member IS NULL AND credential IS NOT NULL")


def upgrade() -> None:
    op.create_index("ix_journal_row_nobodys", "journal_row", ["at"], sqlite_where=NOBODYS, postgresql_where=NOBODYS)
    op.create_index(
        "ix_journal_row_refused",
        "journal_row",
        ["at"],
        sqlite_where=sa.text("granted IS 0"),
        postgresql_where=sa.text("granted IS false"),
    )
