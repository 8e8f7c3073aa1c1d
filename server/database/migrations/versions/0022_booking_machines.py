"""terms of booking by machine; on PostgreSQL no two bookings of a machine overlap"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    with op.batch_alter_table("machine") as machine:
        machine.add_column(sa.Column("booking", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("booking") as booking:
        booking.add_column(sa.Column("late", sa.Boolean(), nullable=False, server_default=sa.false()))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        # looked at when the transaction ends: an import may change one after the other
        op.execute(
            "ALTER TABLE booking ADD CONSTRAINT booking_no_overlap EXCLUDE USING gist"
            " (machine WITH =, tsrange(start_at, end_at) WITH &&) WHERE (ended IS NULL) DEFERRABLE INITIALLY DEFERRED"
        )
