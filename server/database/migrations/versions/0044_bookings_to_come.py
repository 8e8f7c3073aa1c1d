"""bookings of a machine that are not over are found without reading those that are"""

from alembic import op

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    op.create_index("ix_booking_machine_end", "booking", ["machine", "end_at"])
    op.drop_index("ix_booking_machine", "booking")
