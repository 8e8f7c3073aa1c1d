"""when somebody last used a kind of machine, once the session itself is forgotten"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("certification", sa.Column("used", sa.Date(), nullable=True))
