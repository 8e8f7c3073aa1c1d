"""whose badge stands for a group"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    with op.batch_alter_table("visitor") as visitor:
        visitor.add_column(sa.Column("member", sa.String(), nullable=True))
        visitor.create_foreign_key("fk_visitor_member", "member", ["member"], ["id"])
