"""days and half-days paid are dates"""

from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

from policy.calendar import Calendar
from policy.instants import of, text
from server.database.types import UtcDateTime
from server.queries.forms import name_of

revision = "0008"
down_revision = "0007"

OLD = sa.table(
    "paid_unit",
    sa.column("member"),
    sa.column("unit", UtcDateTime()),
    sa.column("edge"),
    sa.column("heard", UtcDateTime()),
)


def upgrade() -> None:
    with op.batch_alter_table("edge") as edge:
        edge.add_column(sa.Column("speaks", sa.Integer(), nullable=False, server_default="1"))
    paid = op.get_bind().execute(sa.select(OLD.c.member, OLD.c.unit, OLD.c.edge, OLD.c.heard)).all()
    op.drop_table("paid_unit")
    new = op.create_table(
        "paid_unit",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("edge", sa.String(), nullable=False, server_default=""),
        sa.Column("heard", UtcDateTime(), nullable=False, server_default="1970-01-01 00:00:00.000000"),
        sa.PrimaryKeyConstraint("member", "unit"),
    )
    op.create_index("ix_paid_unit_unit", "paid_unit", ["unit"])
    kept: dict[tuple[str, str], dict[str, Any]] = {}
    for name, row in zip(_names([(row.member, of(row.unit)) for row in paid]), paid, strict=True):
        before = kept.get((row.member, name))
        told = row.edge if before is None or before["edge"] == row.edge else ""
        heard = row.heard if before is None else min(row.heard, before["heard"])
        kept[row.member, name] = {"member": row.member, "unit": name, "edge": told, "heard": heard}
    if kept:
        op.bulk_insert(new, list(kept.values()))


def _names(paid: list[tuple[str, int]]) -> list[str]:
    """Of each (member, start of a day or half-day) its name, by the site's clock as it is now."""
    ask = op.get_bind().execute
    site = ask(sa.text("SELECT timezone, day_cutoff, half_day_split FROM site")).first()
    if site is None:
        return [text(start)[:10] for _, start in paid]
    zone, cutoff, split = site
    calendar = Calendar(ZoneInfo(zone), cutoff)
    by_day = {
        member
        for (member,) in ask(
            sa.text("SELECT member.id FROM member JOIN tier ON tier.id = member.tier WHERE tier.pass_ = 'day'")
        )
    }

    def name(member: str, start: int) -> str:
        try:
            return name_of(calendar, split, member in by_day, start)
        except (ValueError, OverflowError):  # at an end of the calendar, where the version before kept it unlooked at
            return text(start)[:10]

    return [name(member, start) for member, start in paid]
