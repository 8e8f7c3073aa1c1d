"""What does a site take along to another server, or to another program? `loquet server export --moving FOLDER`.

A bundle that is read in elsewhere as any (loquet server --bundle), and beside it tables that say what stands behind it.
The bundle carries the bank of hours as one attested credit a member, and on each carnet what it paid. No secret is
among it: no account, no token, no key; badges only where that is asked for.
"""

import csv
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlmodel import Session, SQLModel, select

from policy.bank import CREDIT
from policy.bundle import Bundle, Credit, Pass, Role
from policy.terms import Instant
from server import models
from server.errors import MistakeError
from server.publish.bundle import calendar_of, export
from server.queries.carnets import reckoned
from server.queries.ledger import Ledger, ledger

WHY = "report"
"""What the credit that carries somebody's bank says of itself."""
BUNDLE = "bundle.json"
VOUCH = frozenset({Role.STAFF, Role.GARDIEN})


@dataclass(frozen=True, slots=True)
class Table:
    """A table beside the bundle. columns: which of it. said: what a line is."""

    model: type[SQLModel]
    columns: tuple[str, ...]
    said: str


TABLES = (
    Table(
        models.BankEntry,
        ("id", "at", "member", "minutes", "from_account", "to_account", "source", "counters", "start", "end", "inside"),
        "an entry of the bank of hours: minutes from one account to another, what for, and for a shift when its "
        "gardien was inside, in minutes since 1970 (UTC), coming and going in turn; counters: the entry that it undoes",
    ),
    Table(models.BankDispute, ("id", "entry", "at", "said", "closed", "answer"), "an entry that its gardien contests"),
    Table(models.PaidUnit, ("member", "unit"), "a day (2026-11-20) or half-day (2026-11-20am) that a member paid"),
    Table(
        models.CarnetEntry,
        ("id", "at", "by", "did", "member", "carnet", "units", "unit", "price", "why"),
        "what somebody did to a carnet: sold, given back, moved; units: what came to it, below 0 what left it",
    ),
    Table(
        models.CertificationEntry,
        tuple(models.CertificationEntry.model_fields),
        "on what evidence somebody may use a kind of machine",
    ),
    Table(
        models.TrainingSession,
        tuple(models.TrainingSession.model_fields),
        "a session of a training",
    ),
    Table(
        models.TrainingSeat,
        tuple(models.TrainingSeat.model_fields),
        "somebody who put themselves down for a session; gone: since when no more; present: empty until somebody said",
    ),
    Table(
        models.RotaOffer,
        tuple(name for name in models.RotaOffer.model_fields if name != "by"),
        "what gardiens arranged or asked about their evenings: offers, swaps, absences; what came of it stands in the "
        "rota of the bundle",
    ),
    Table(models.Agreement, ("id", "name", "days", "ended"), "an agreement by which guests come"),
    Table(models.GuestDay, ("agreement", "day", "exact"), "a day of a guest, without the name; exact: else the month"),
    Table(models.CountKept, ("month", "what", "of", "count"), "a number of a month whose names are forgotten"),
    Table(models.HourKept, tuple(models.HourKept.model_fields), "people of an hour whose names are forgotten"),
)


def moving(session: Session, names: Sequence[str], at: Instant, *, badges: bool) -> Bundle:
    """The site as another server begins with it. names: members who vouch for what the bank owes, as many as it takes.

    Raises MistakeError before the first bundle, and where nobody is named who may vouch for somebody.
    """
    bundle = export(session)
    if bundle is None:
        raise MistakeError("the database holds no site yet: there is nothing to move")
    known = ledger(session)
    told = defaultdict(list)
    for member, unit in session.exec(select(models.PaidUnit.member, models.PaidUnit.unit)):
        told[member].append(unit)
    passes = {one.id: one for member in {one.member for one in bundle.passes} for one in _paid(bundle, member, told)}
    booked = {source[1] for source in known.live if source[0] == CREDIT}
    today = calendar_of(session).day_at(at)
    return replace(
        bundle,
        passes=tuple(passes[one.id] for one in bundle.passes),
        credits=(
            *(one for one in bundle.credits if one.id not in booked),
            *_reports(bundle, known, names, today),
        ),
        credentials=bundle.credentials if badges else (),
    )


def write(session: Session, folder: Path, names: Sequence[str], at: Instant, *, badges: bool) -> list[str]:
    """The bundle and its tables into a new folder that only this account reads; what was written, for people.

    Raises MistakeError, also for a folder that holds something.
    """
    bundle = moving(session, names, at, badges=badges)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise MistakeError(f"{folder}: it holds something already: name a new folder")
        _file(folder / BUNDLE, msgspec.json.format(msgspec.json.encode(bundle)).decode())
        for table in TABLES:
            _file(folder / f"{table.model.__tablename__}.csv", _csv(session, table))
        _file(folder / "README.txt", _readme(bundle))
    except OSError as error:
        raise MistakeError(f"{folder}: {error.strerror or error}") from None
    owed = [one for one in bundle.credits if one.why == WHY]
    minutes = sum(one.minutes for one in owed)
    held = f"{len(bundle.members)} members, {len(bundle.passes)} carnets"
    told = [f"{folder / BUNDLE}: {held}, {minutes} minutes of the bank as {len(owed)} credits"]
    files = [f"{folder / str(table.model.__tablename__)}.csv" for table in TABLES]
    return [*told, *_of_former(session, bundle), *files]


def _of_former(session: Session, bundle: Bundle) -> list[str]:
    """What a bundle has no place for: the bank of who is no member any more."""
    members = {one.id for one in bundle.members}
    left = [minutes for who, minutes in ledger(session).minutes.items() if minutes and who not in members]
    if not left:
        return []
    return [f"{sum(left)} minutes of the bank are of {len(left)} former members: in bank_entry.csv alone"]


def _paid(bundle: Bundle, member: str, told: dict[str, list[str]]) -> Iterator[Pass]:
    """The member's carnets, each with all that it paid; what was given back stays paid, and takes nothing."""
    carnets, _ = reckoned([one for one in bundle.passes if one.member == member], told[member])
    for one in carnets:
        yield replace(one.held, used=tuple(sorted({*one.paid, *one.held.given_back})))


def _reports(bundle: Bundle, known: Ledger, names: Sequence[str], today: date) -> Iterator[Credit]:
    vouchers = {one.id for one in bundle.members if VOUCH & {*one.roles}}
    members = {one.id for one in bundle.members}
    for member, minutes in sorted(known.minutes.items()):
        if minutes == 0 or member not in members:
            continue
        others = [name for name in names if name != member and name in members]
        attested = next((name for name in reversed(others) if name in vouchers), None)
        by = next((name for name in others if name != attested), None)
        if by is None or attested is None:
            raise MistakeError(
                f"the bank owes {member} {minutes} minutes: two others have to vouch for that, one of them of the team "
                "or a gardien; name them with --vouch, and a third who vouches for these two"
            )
        yield Credit(f"{WHY}-{today}-{member}", member, minutes, today, WHY, by, attested)


def _csv(session: Session, table: Table) -> str:
    lines: list[Any] = []
    columns = table.model.__table__.c  # type: ignore[attr-defined]
    keys = [one.name for one in table.model.__table__.primary_key]  # type: ignore[attr-defined]
    for row in session.exec(select(table.model).order_by(*(columns[key] for key in keys))):
        said = row.model_dump(mode="json", include=set(table.columns))
        lines.append([_cell(said[name]) for name in table.columns])
    target = StringIO()
    csv.writer(target, lineterminator="\n").writerows([table.columns, *lines])
    return target.getvalue()


def _cell(value: object) -> object:
    return msgspec.json.encode(value).decode() if isinstance(value, list | dict) else value


def _readme(bundle: Bundle) -> str:
    """What each file is, and how it is read in."""
    badges = (
        "The numbers of all badges stand in it: keep it as you keep a key."
        if bundle.credentials
        else ("No number of a badge stands in it: each is laid on a reader anew.")
    )
    site = (
        f"{BUNDLE}: the site itself: members, carnets with what they paid, bookings, trainings, rota, hours; the bank "
        f'of hours as one credit a member, "{WHY}". Read in with: loquet server --bundle {BUNDLE}. {badges}'
    )
    said = [
        f"{bundle.site.name}: all that a site takes along to another server or program.",
        "",
        site,
        "",
        "The other files are tables (CSV, UTF-8, commas, a heading; instants in UTC) that no server has to read:",
    ]
    for table in TABLES:
        said += ["", f"{table.model.__tablename__}.csv: each line is {table.said}."]
    return "\n".join([*said, ""])


def _file(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
