"""What is kept about a member? All of it, for the member: rows of plain values, by what they are.

Numbers of badges are told by their ends: with the whole number a badge could be copied.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
from sqlmodel import Session, SQLModel, col, select

from policy.bundle import Bundle
from server import models
from server.audit import LOOKED
from server.queries.people import BADGE_END

Rows: TypeAlias = Mapping[str, list[dict[str, Any]]]

OF_BUNDLE = {
    "passes": "member",
    "shifts": "gardien",
    "invitations": "member",
    "certifications": "member",
    "bookings": "member",
    "rota": "gardien",
    "rota_changes": "gardien",
    "credits": "member",
}
"""Collections of the bundle, and the field that names whose it is."""
OF_TABLES: dict[str, tuple[type[SQLModel], str]] = {
    "passages": (models.JournalRow, "member"),
    "paid": (models.PaidUnit, "member"),
    "carnet_entries": (models.CarnetEntry, "member"),
    "training_seats": (models.TrainingSeat, "member"),
    "certification_entries": (models.CertificationEntry, "member"),
    "shifts_without_rota": (models.AdhocShift, "gardien"),
    "calendar_feeds": (models.CalendarFeed, "member"),
    "booking_waits": (models.BookingWait, "member"),
    "rota_offers": (models.RotaOffer, "member"),
    "carnet_mail": (models.CarnetMail, "member"),
    "channel": (models.ChannelChoice, "member"),
    "evening_watches": (models.EveningWatch, "member"),
    "machine_sessions": (models.MachineSession, "member"),
    "machine_busy": (models.MachineBusy, "member"),
    "machine_faults": (models.MachineFault, "member"),
}
HIDDEN = frozenset(
    {
        "id",
        "credential",
        "raw",
        "mono_ms",
        "boot",
        "rules_version",
        "nonce",
        "password_hash",
        "token_hash",
        "salt",
        "digest",
        "link",
    }
)
"""Columns that say nothing of a person, or what a door or a login could be opened with."""


def my_data(session: Session, bundle: Bundle, member: str) -> Rows:
    """By kind. Lists that hold nothing are there, too: nothing is kept of that kind."""
    found: dict[str, list[dict[str, Any]]] = {
        "member": [_plain(one) for one in bundle.members if one.id == member],
        "badges": [_badge(_plain(one)) for one in bundle.credentials if one.member == member],
    }
    for name, field in OF_BUNDLE.items():
        found[name] = [_plain(one) for one in getattr(bundle, name) if getattr(one, field) == member]
    for name, (table, field) in OF_TABLES.items():
        rows = session.exec(select(table).where(getattr(table, field) == member))
        found[name] = [_row(row) for row in rows]
    found |= dict(_account(session, member))
    audit = models.AuditRow
    of_members = (col(audit.noun) == models.Member.__tablename__) | (
        col(audit.did) == LOOKED
    )  # others have such keys, too
    about = select(audit).where(col(audit.subject) == member, of_members).order_by(col(audit.id))
    found["audit"] = [_row(row) for row in session.exec(about)]
    return found


OF_ACCOUNTS: tuple[tuple[str, type[models.AccountSession | models.Passkey | models.OidcIdentity]], ...] = (
    ("sessions", models.AccountSession),
    ("passkeys", models.Passkey),
    ("identities", models.OidcIdentity),
)


def _account(session: Session, member: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    account = session.exec(select(models.Account).where(models.Account.member == member)).one_or_none()
    yield "account", [] if account is None else [_row(account)]
    which = None if account is None else account.id
    for name, table in OF_ACCOUNTS:
        rows = session.exec(select(table).where(col(table.account) == which))
        yield name, [_row(row) | {"public_key": None} if name == "passkeys" else _row(row) for row in rows]


def _badge(said: dict[str, Any]) -> dict[str, Any]:
    return said | {"uid": f"…{said['uid'][-BADGE_END:]}"}


def _row(row: SQLModel) -> dict[str, Any]:
    return {name: msgspec.to_builtins(value) for name, value in row.model_dump().items() if name not in HIDDEN}


def _plain(part: msgspec.Struct) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.to_builtins(part)
    return said
