"""Who decided what, when and why, and who looked at whom? Each leaves its rows, in the same transaction.

The rows are a chain: `digest` is the SHA-256 of a random salt and of all that the row says, `link` that of the link
before it and of this digest. Whoever changes, inserts or removes a row breaks it from there on; whoever reckons the
whole chain anew has another last link than the one in the server's log.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec
from sqlmodel import Session, SQLModel, col, select

from policy.terms import Instant
from server.database.types import moment
from server.models import AuditRow

SECRET = frozenset({"uid"})
"""Columns whose values stay in their own table."""
LOOKED = "looked"
ALL = "*"
"""The subject of a look at everybody."""
SAID = ("account", "did", "noun", "subject", "before", "after", "why")


class Decided(NamedTuple):
    """by: the account, or who ran the command at the server's machine. why: empty where no reason is asked for."""

    by: str
    at: Instant
    why: str = ""


class Change(NamedTuple):
    """One thing that changed. before, after: columns; None for what was not there, or is not any more."""

    table: type[SQLModel]
    key: tuple[Any, ...]
    did: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class Chain(NamedTuple):
    """rows: how many there are. broken: the id of the first that does not follow, None where all do. last: its link."""

    rows: int
    broken: int | None
    last: str
    met: bool


def record(session: Session, decided: Decided, changes: list[Change]) -> None:
    """Write what changed into the audit."""
    _append(
        session,
        decided,
        [
            {
                "did": change.did,
                "noun": change.table.__tablename__,
                "subject": "/".join(map(str, change.key)),
                "before": _said(change.before),
                "after": _said(change.after),
            }
            for change in changes
        ],
    )


def looked(
    session: Session, decided: Decided, page: str, members: Sequence[str] | None, again_after: Instant = 0
) -> None:
    """Write down who looked at whose data. page: which, in a word (`passages`). members: None for all of them.

    again_after: of a page that is called up again and again, how long ago the same account's last look at the same
    member is that needs no second row.
    """
    subjects = [ALL] if members is None else list(members)
    if again_after:
        lately = select(AuditRow.subject).where(
            col(AuditRow.at) > moment(decided.at - again_after),
            col(AuditRow.did) == LOOKED,
            col(AuditRow.noun) == page,
            col(AuditRow.account) == decided.by,
        )
        noted = set(session.exec(lately))
        subjects = [one for one in subjects if one not in noted]
    _append(
        session,
        decided,
        [{"did": LOOKED, "noun": page, "subject": one, "before": None, "after": None} for one in subjects],
    )


def verify(session: Session, met: str = "") -> Chain:
    """Go through the whole chain. met: a link noted earlier, which must still be in it."""
    count, broken, link, found = 0, None, "", not met
    for row in session.exec(select(AuditRow).order_by(col(AuditRow.id))).yield_per(1_000):
        count += 1
        said = {name: getattr(row, name) for name in SAID}
        emptied = row.salt is None and not any(said.values())
        digest = row.digest if emptied else _digest(row.salt or "", row.at, said)
        link = _link(link, digest)
        if broken is None and (row.digest, row.link) != (digest, link):
            broken = row.id
        found = found or link == met
    return Chain(count, broken, link, found)


def last_link(session: Session) -> str:
    """The end of the chain; empty where there is none yet."""
    return session.exec(select(AuditRow.link).order_by(col(AuditRow.id).desc()).limit(1)).first() or ""


def _append(session: Session, decided: Decided, rows: Iterable[dict[str, Any]]) -> None:
    link, at = last_link(session), moment(decided.at)
    full = []
    for row in rows:
        said = {**row, "account": decided.by, "why": decided.why}
        salt = os.urandom(16).hex()
        digest = _digest(salt, at, said)
        link = _link(link, digest)
        full.append({**said, "at": at, "salt": salt, "digest": digest, "link": link})
    if full:
        session.connection().execute(AuditRow.__table__.insert(), full)  # type: ignore[attr-defined]


def _digest(salt: str, at: datetime, said: Mapping[str, Any]) -> str:
    words = json.dumps([at.isoformat(), *(said[name] for name in SAID)], sort_keys=True)
    return hashlib.sha256(f"{salt} {words}".encode()).hexdigest()


def _link(before: str, digest: str) -> str:
    return hashlib.sha256(f"{before} {digest}".encode()).hexdigest()


def _said(columns: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if columns is None:
        return None
    return {name: _plain(value) for name, value in columns.items() if name not in SECRET}


def _plain(value: Any) -> Any:
    """As JSON has it: dates and instants in words."""
    return value.isoformat() if isinstance(value, date | datetime) else msgspec.to_builtins(value, str_keys=True)
