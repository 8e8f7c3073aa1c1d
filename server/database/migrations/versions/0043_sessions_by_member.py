"""a member's sessions at machines are found without reading everybody's"""

from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    op.create_index("ix_machine_session_member", "machine_session", ["member", "started"])
