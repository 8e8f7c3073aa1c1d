"""What bundle do the tables hold? Nothing of a bundle is lost on the way in and out but the case of hex digits."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy
from sqlmodel import Session, SQLModel, select

from policy import bundle as parts
from policy.bundle import Bundle, Part
from policy.calendar import Calendar
from server import models
from server.database.driver_rows import driver_rows
from server.errors import ServerError

PartType = TypeVar("PartType", bound=Part)
FEW = 200
"""So many changed rows of a table are read by their ids; of more the whole table is."""


class Collection(NamedTuple):
    """One list of a bundle and its table. key: the column that says which one is meant."""

    name: str
    part: type[Part]
    table: type[SQLModel]
    key: tuple[str, ...] = ("id",)


COLLECTIONS = (
    Collection("access_points", parts.AccessPoint, models.AccessPoint),
    Collection("tiers", parts.Tier, models.Tier),
    Collection("members", parts.Member, models.Member),
    Collection("credentials", parts.Credential, models.Credential, key=("uid",)),
    Collection("passes", parts.Pass, models.Pass),
    Collection("shifts", parts.Shift, models.Shift),
    Collection("events", parts.Event, models.Event),
    Collection("invitations", parts.Invitation, models.Invitation),
    Collection("machines", parts.Machine, models.Machine),
    Collection("certifications", parts.Certification, models.Certification, key=("member", "kind")),
    Collection("quotas", parts.Quota, models.Quota, key=("kind",)),
    Collection("bookings", parts.Booking, models.Booking),
    Collection("kinds", parts.Kind, models.MachineKind),
    Collection("rota", parts.Pattern, models.RotaPattern),
    Collection("rota_changes", parts.RotaChange, models.RotaChange, key=("rota", "date")),
    Collection("credits", parts.Credit, models.Credit),
)
"""In the order in which one may refer to another."""


def site_of(session: Session) -> models.Site | None:
    """The site, None before the first bundle."""
    return session.exec(select(models.Site)).first()


def calendar_of(session: Session) -> Calendar:
    """How the site reckons time. Raises ServerError before the first bundle."""
    site = site_of(session)
    if site is None:
        raise ServerError("the database holds no site yet: start once with --bundle FILE")
    return Calendar(ZoneInfo(site.timezone), site.day_cutoff)


def site_said(session: Session) -> parts.Site | None:
    """The site as a bundle says it; None before the first one."""
    site = site_of(session)
    return None if site is None else part_of(site.model_dump(), parts.Site)


def held(
    session: Session, name: str, where: Mapping[str, object] | None = None, ended: datetime | None = None
) -> tuple[Any, ...]:
    """The parts of one collection, in the bundle's order: those that are held, or that ended at this instant.

    where: columns and their values, for those parts alone.
    """
    collection = next(c for c in COLLECTIONS if c.name == name)
    columns = collection.table.__table__.c  # type: ignore[attr-defined]
    asked = sqlalchemy.select(*columns).where(columns.ended == ended).order_by(columns.position)
    rows = session.connection().execute(asked.where(*(columns[key] == value for key, value in (where or {}).items())))
    return tuple(part_of(dict(row), collection.part) for row in rows.mappings())


def export(session: Session) -> Bundle | None:
    """The bundle as it holds now; None before the first one."""
    return Exporter()(session)


class Exporter:
    """`export` for who asks after each change: a table that holds what it held is compared, and not made anew.

    For one thread at a time.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[Sequence[Any], tuple[Part, ...]]] = {}

    def __call__(self, session: Session) -> Bundle | None:
        site = site_of(session)
        if site is None:
            return None
        lists: dict[str, Any] = {collection.name: self._list(session, collection) for collection in COLLECTIONS}
        return Bundle(format="loquet.bundle/1", site=part_of(site.model_dump(), parts.Site), **lists)

    def _list(self, session: Session, collection: Collection) -> tuple[Part, ...]:
        columns = [f'"{column.name}"' for column in _columns(collection.table)]
        table = collection.table.__tablename__
        asked = f"SELECT {', '.join(columns)} FROM {table} WHERE ended IS NULL ORDER BY position"  # noqa: S608 - our own names
        raw = driver_rows(session, asked)
        held, made = self._known.get(collection.name, ((), ()))
        if raw != held:
            known = {row[0]: (row, part) for row, part in zip(held, made, strict=True)}
            made = _renewed(session, collection, raw, known)
            self._known[collection.name] = raw, made
        return made


def _renewed(
    session: Session, collection: Collection, raw: Sequence[Any], known: Mapping[Any, tuple[Any, Part]]
) -> tuple[Part, ...]:
    """The parts of these rows; what is known by its id and has not changed is not made again: of ten thousand bookings
    mostly all but one."""
    if next(iter(_columns(collection.table))).name != "id":
        return tuple(part_of(row, collection.part) for row in _rows(session, collection.table))
    fresh = [row[0] for row in raw if row[0] not in known or known[row[0]][0] != row]
    if len(fresh) > FEW:
        return tuple(part_of(row, collection.part) for row in _rows(session, collection.table))
    made = {row["id"]: part_of(row, collection.part) for row in _rows(session, collection.table, fresh)}
    return tuple(made[row[0]] if row[0] in made else known[row[0]][1] for row in raw)


def _columns(table: Any) -> Sequence[Any]:
    columns: Sequence[Any] = list(table.__table__.c)
    return columns


def _rows(session: Session, table: Any, which: Sequence[Any] | None = None) -> Iterator[dict[str, Any]]:
    """What is not ended, in the bundle's order, without objects. which: the ids, None for all."""
    columns = table.__table__.c
    asked = sqlalchemy.select(*columns).where(columns.ended.is_(None)).order_by(columns.position)
    if which is not None:
        asked = asked.where(columns.id.in_(which))
    return (dict(zip(columns.keys(), row, strict=True)) for row in session.connection().execute(asked))


def part_of(values: dict[str, Any], kind: type[PartType]) -> PartType:
    """values: by column; what is null is left out."""
    if kind is parts.AccessPoint:
        values["readers"] = {"in": values["reader_in"], "out": values["reader_out"]}
    said = {said: value for name, said in _names(kind) if (value := values.get(name)) is not None}
    if values.get("gap"):
        said["gardien"] = None
    return msgspec.convert(said, kind)


@cache
def _names(kind: type[Part]) -> tuple[tuple[str, str], ...]:
    """Each field's name, and what a bundle calls it."""
    return tuple((field.name, field.encode_name) for field in msgspec.structs.fields(kind))
