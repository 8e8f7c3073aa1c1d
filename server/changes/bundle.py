"""How does a bundle get into the tables? By its differences: what is equal is not touched, what is gone is ended.

The caller hands over a bundle that policy/parse.py has read. Nothing is deleted: rows of the journal speak of members,
and a number that somebody had may come to somebody else. Nothing of a bundle is lost on the way but the case of hex
digits.
"""

from collections import defaultdict
from collections.abc import Collection as AnyOf
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace
from sqlalchemy import Table, and_, select
from sqlmodel import Session, SQLModel, col

from policy import bundle as parts
from policy.bank_units import BANKED, in_order
from policy.bundle import Bundle, Part
from policy.calendar import resolve
from server import models
from server.audit import Change, Decided, record
from server.database.types import moment
from server.errors import ImportRefusedError
from server.publish.bundle import COLLECTIONS, Collection, site_of
from server.queries.ledger import ledger

Key = tuple[Any, ...]
Columns = dict[str, Any]

TIMED = (models.Shift, models.Event, models.Invitation, models.Booking)
"""Tables whose start and end stand in UTC, too."""
ALL = "all"
"""In place of the badges that may be made good again."""


class Imported(NamedTuple):
    """What an import did. ended: the name of the collection, and how each is called. blocked: the badges (UID) that it
    left blocked, although the bundle has them active."""

    new: int
    changed: int
    ended: tuple[tuple[str, str], ...]
    blocked: tuple[str, ...]


def would_end(session: Session, bundle: Bundle) -> list[tuple[str, str]]:
    """What an import of the bundle would end: the name of the collection, and how each is called."""
    bundle = _with_units(session, bundle)
    ending = []
    for collection in COLLECTIONS:
        wanted = {_key(collection, part) for part in getattr(bundle, collection.name)}
        ending += [
            (collection.name, _called(row)) for key, row in _held(session, collection).items() if key not in wanted
        ]
    return ending


def import_bundle(session: Session, bundle: Bundle, decided: Decided, unblock: AnyOf[str] = ()) -> Imported:
    """Make the site what the bundle says; journal, presence and edges stay.

    unblock: the UIDs of blocked badges that shall be good again, ALL for every one. Others stay blocked, whatever the
    bundle says: it may be older than the loss of a badge.
    """
    bundle = _with_units(session, bundle)
    writer = _Writer(session, decided, ZoneInfo(bundle.site.timezone), unblock)
    writer.site(bundle.site)
    stay: dict[str, dict[Key, Columns]] = {}
    for collection in reversed(COLLECTIONS):
        held = _held(session, collection)
        stay[collection.name] = {
            key: held.pop(key) for part in getattr(bundle, collection.name) if (key := _key(collection, part)) in held
        }
        writer.end(collection, list(held.values()))
    for collection in COLLECTIONS:
        writer.put(collection, _numbered(getattr(bundle, collection.name)), stay[collection.name])
    return writer.done()


def put(session: Session, changed: Sequence[Part], decided: Decided, unblock: AnyOf[str] = ALL) -> Imported:
    """Insert each part at the end of its list, or change the one with its key, which keeps its place."""
    writer = _Writer(session, decided, _zone(session), unblock)
    for collection in COLLECTIONS:
        alike = [part for part in changed if type(part) is collection.part]
        if alike:
            writer.put(collection, [(part, None) for part in alike], _held(session, collection))
    _check_named(session)
    return writer.done()


def end(session: Session, name: str, keys: Sequence[Key], decided: Decided) -> None:
    """End the parts with these keys of a collection. Raises ImportRefusedError for one that is not there."""
    collection = next(c for c in COLLECTIONS if c.name == name)
    held = _held(session, collection)
    writer = _Writer(session, decided, _zone(session), ())
    for key in keys:
        said = tuple(part.upper() for part in key) if collection.table is models.Credential else key
        known = [row for full, row in held.items() if full[: len(said)] == said]
        if not known:
            raise ImportRefusedError(f"{name}: no {'/'.join(map(str, key))} to end")
        writer.end(collection, known)
    _check_named(session)
    writer.done()


def set_site(session: Session, site: parts.Site, decided: Decided) -> None:
    """Change what the site says of itself."""
    writer = _Writer(session, decided, ZoneInfo(site.timezone), ())
    writer.site(site)
    writer.done()


def _with_units(session: Session, bundle: Bundle) -> Bundle:
    """The same with the half-days that the bank of hours minted (changes/bank.py), which no bundle adds or ends.

    Those of whoever was no member meanwhile come back with them.
    """
    units = ledger(session).units
    if not units:
        return bundle
    members = {member.id for member in bundle.members}
    row = models.Pass
    asked = select(row).where(col(row.ended).is_(None) | col(row.id).startswith(BANKED)).order_by(col(row.position))
    found = [one for (one,) in session.execute(asked) if one.ended is None or one.id in units]
    known = {one.id: one.said() for one in found if one.id not in units or one.member in members}
    carnets = {one.id: one for one in bundle.passes if one.id not in units}
    minted = {name: one for name, one in known.items() if name in units}
    order = in_order(list(known), list(carnets), minted)
    return replace(bundle, passes=tuple(({**carnets, **minted})[name] for name in order))


class _Writer:
    """Writes differences, and keeps what it did for the audit until done()."""

    def __init__(self, session: Session, decided: Decided, zone: ZoneInfo, unblock: AnyOf[str]) -> None:
        self._session, self._decided, self._zone = session, decided, zone
        self._unblock = unblock if unblock == ALL else frozenset(uid.upper() for uid in unblock)
        self._changes: list[Change] = []
        self._ended: list[tuple[str, str]] = []
        self._blocked: list[str] = []

    def done(self) -> Imported:
        record(self._session, self._decided, self._changes)
        new = sum(change.before is None for change in self._changes)
        return Imported(
            new, len(self._changes) - new - len(self._ended), tuple(self._ended), tuple(sorted(self._blocked))
        )

    def site(self, site: parts.Site) -> None:
        wanted, known = columns_of(site, models.Site), site_of(self._session)
        before = None if known is None else known.model_dump()
        if before == wanted:
            return
        if known is not None and known.id != wanted["id"]:
            self._session.delete(known)
            self._session.flush()
        self._session.merge(models.Site(**wanted))
        self._session.flush()
        self._note(models.Site, (site.id,), "changed" if before else "added", before, wanted)
        if before is not None and before["timezone"] != wanted["timezone"]:
            self._times_anew()

    def _times_anew(self) -> None:
        """What is written in local time is at another instant in another zone."""
        for collection in COLLECTIONS:
            if collection.table in TIMED:
                table = _table(collection.table)
                for row in _held(self._session, collection).values():
                    where = table.c.id == row["id"]
                    self._session.connection().execute(table.update().where(where).values(self._times(row)))

    def _times(self, row: Mapping[str, Any]) -> Columns:
        start, last = resolve(row["start"], self._zone), resolve(row["end"], self._zone, last=True)
        return {"start_at": moment(start), "end_at": moment(last)}

    def end(self, collection: Collection, rows: Sequence[Columns]) -> None:
        table, ended = _table(collection.table), moment(self._decided.at)
        for row in rows:
            self._session.connection().execute(table.update().where(_is(table, row)).values(ended=ended))
            self._ended.append((collection.name, _called(row)))
            self._note(collection.table, _primary(table, row), "ended", row, None)

    def put(
        self, collection: Collection, wanted: Sequence[tuple[Part, int | None]], held: Mapping[Key, Columns]
    ) -> None:
        """wanted: each part with its place in the list, None for the one that it has, or the end. held: what is not
        ended."""
        table = _table(collection.table)
        gone = _gone(self._session, collection, {_key(collection, part) for part, _ in wanted} - held.keys())
        last = max((row["position"] for row in held.values()), default=-1)
        fresh: list[Columns] = []
        holders: defaultdict[str, list[Columns]] = defaultdict(list)
        for row in held.values() if collection.table is models.Credential else ():
            holders[row["uid"]].append(row)
        for part, place in wanted:
            columns = columns_of(part, collection.table)
            if collection.table in TIMED:
                columns |= self._times(columns)
            known = held.get(_key(collection, part))
            if place is None:
                place, last = (known["position"], last) if known is not None else (last + 1, last + 1)
            columns["position"] = place
            if collection.table is models.Credential:
                self._keep_blocked(known or _last(self._session, columns["uid"]), columns)
                if known is None:
                    self.end(collection, holders[columns["uid"]])
                    columns["begun"] = moment(self._decided.at)
            if known is not None:
                self._change(collection, known, columns)
            elif (old := gone.get(_key(collection, part))) is not None:
                self._change(collection, old, columns | {"ended": None})
            else:
                fresh.append(columns)
        self._insert(collection, table, fresh)

    def _keep_blocked(self, last: Columns | None, columns: Columns) -> None:
        """A badge that was blocked stays so, whoever had it, unless it is named."""
        if last is None or last["status"] == "active" or columns["status"] != "active" or self._may(columns["uid"]):
            return
        columns["status"] = last["status"]
        self._blocked.append(columns["uid"])

    def _may(self, uid: str) -> bool:
        return self._unblock == ALL or uid in self._unblock

    def _change(self, collection: Collection, known: Columns, columns: Columns) -> None:
        after = {name: value for name, value in columns.items() if known[name] != value}
        if not after:
            return
        table = _table(collection.table)
        self._session.connection().execute(table.update().where(_is(table, known)).values(after))
        if after.keys() != {"position"}:
            did = "returned" if known["ended"] is not None and after.get("ended", 0) is None else "changed"
            self._note(collection.table, _primary(table, known), did, {name: known[name] for name in after}, after)

    def _insert(self, collection: Collection, table: Table, rows: Sequence[Columns]) -> None:
        if not rows:
            return
        self._session.connection().execute(table.insert(), rows)
        if collection.table is models.Credential:  # their keys are the database's
            uids = {row["uid"]: row for row in rows}
            held = _held(self._session, collection).values()
            keyed = [(row, uids[row["uid"]]) for row in held if row["uid"] in uids]
        else:
            keyed = [(row, row) for row in rows]
        for row, columns in keyed:
            self._note(collection.table, _primary(table, row), "added", None, columns)

    def _note(
        self,
        table: type[SQLModel],
        key: Key,
        did: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        self._changes.append(Change(table, key, did, before, after))


def _check_named(session: Session) -> None:
    """Raises ImportRefusedError for what holds and names something that ended: no bundle could say so."""
    for collection in COLLECTIONS:
        table = _table(collection.table)
        for column, foreign in ((key.parent, key.column) for key in table.foreign_keys):
            gone = foreign.table.c.ended.is_not(None)
            asked = select(table).join(foreign.table, column == foreign).where(table.c.ended.is_(None), gone).limit(1)
            row = session.connection().execute(asked).mappings().first()
            if row is not None:
                raise ImportRefusedError(
                    f"{collection.name}: {_called(dict(row))} has {column.name} {row[column.name]!r}, which has ended: "
                    "change it first"
                )


def _zone(session: Session) -> ZoneInfo:
    site = site_of(session)
    return ZoneInfo(site.timezone if site is not None else "UTC")


def _numbered(listed: Sequence[Part]) -> list[tuple[Part, int | None]]:
    return [(part, place) for place, part in enumerate(listed)]


def _table(model: type[SQLModel]) -> Table:
    return model.__table__  # type: ignore[attr-defined, no-any-return]


def _names(collection: Collection) -> tuple[str, ...]:
    """The columns that say which one is meant; of a badge its holder, too."""
    return (*collection.key, "member") if collection.table is models.Credential else collection.key


def _key(collection: Collection, part: Part) -> Key:
    key = tuple(getattr(part, name) for name in _names(collection))
    return (key[0].upper(), *key[1:]) if collection.table is models.Credential else key


def _rows(session: Session, collection: Collection, *where: Any) -> dict[Key, Columns]:
    table = _table(collection.table)
    found = session.connection().execute(select(*table.c).where(*where)).mappings()
    return {tuple(row[name] for name in _names(collection)): dict(row) for row in found}


def _held(session: Session, collection: Collection) -> dict[Key, Columns]:
    """What is not ended, by key."""
    return _rows(session, collection, _table(collection.table).c.ended.is_(None))


def _gone(session: Session, collection: Collection, keys: AnyOf[Key]) -> dict[Key, Columns]:
    """What ended under these keys and may return; a badge does not, it begins anew."""
    if not keys or collection.table is models.Credential:
        return {}
    ended = _rows(session, collection, _table(collection.table).c.ended.is_not(None))
    return {key: row for key, row in ended.items() if key in keys}


def _last(session: Session, uid: str) -> Columns | None:
    """The newest row of a badge's number, whoever has or had it."""
    table = _table(models.Credential)
    found = session.connection().execute(
        select(*table.c).where(table.c.uid == uid).order_by(table.c.id.desc()).limit(1)
    )
    row = found.mappings().first()
    return None if row is None else dict(row)


def _primary(table: Table, row: Mapping[str, Any]) -> Key:
    return tuple(row[column.name] for column in table.primary_key)


def _is(table: Table, row: Mapping[str, Any]) -> Any:
    return and_(*(column == row[column.name] for column in table.primary_key))


def _called(row: Mapping[str, Any]) -> str:
    """How people find it again: its name, beside its key."""
    if "uid" in row:
        return f"…{row['uid'][-4:]} ({row['member']})"
    key = "/".join(str(row[name]) for name in ("id", "member", "rota", "kind", "date") if name in row)
    name = row.get("name") or row.get("title")
    return f"{key} ({name})" if name else key


def columns_of(part: Part, table: type[SQLModel]) -> Columns:
    """What the table keeps of the part; what it does not keep is at its default, or was refused."""
    values = {name: _plain(value) for name, value in msgspec.structs.asdict(part).items()}
    if isinstance(part, parts.AccessPoint):
        values |= {"reader_in": part.readers.in_, "reader_out": part.readers.out}
    if isinstance(part, parts.RotaChange):
        values["gap"] = part.gardien is None
    if isinstance(part, parts.Credential):
        values["uid"] = part.uid.upper()
    return {name: value for name, value in values.items() if name in table.model_fields}


def _plain(value: Any) -> Any:
    """Lists and objects as JSON columns hold them; dates stay dates."""
    if value is UNSET:
        return None
    if isinstance(value, tuple | dict | Struct):
        return msgspec.json.decode(msgspec.json.encode(value))
    return value
