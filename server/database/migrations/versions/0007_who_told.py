"""who told what is known of the site, and when"""

import sqlalchemy as sa
from alembic import op

from server.database.types import UtcDateTime

revision = "0007"
down_revision = "0006"

TABLES = ("paid_unit", "adhoc_shift", "machine_session", "machine_busy", "machine_stop")


def upgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table) as told:
            told.add_column(sa.Column("edge", sa.String(), nullable=False, server_default=""))
            told.add_column(
                sa.Column("heard", UtcDateTime(), nullable=False, server_default="1970-01-01 00:00:00.000000")
            )
