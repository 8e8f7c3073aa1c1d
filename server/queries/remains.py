"""Is anything left of what was to be forgotten? In the tables, and as bytes in the database's files."""

import mmap
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlmodel import Session, col, select

from policy.terms import Instant
from server.database.types import moment
from server.models import Credential, JournalRow
from wire.credential import pseudonym

SIZE = 32
_HEX = re.compile(rb"[0-9a-f]{32,}")


def unused(session: Session, key: bytes, kept_from: Instant) -> dict[str, str]:
    """The pseudonyms of badges of which no row is kept, with whose they were: of them no file may hold a byte."""
    seen = set(session.exec(select(JournalRow.credential).where(col(JournalRow.at) >= moment(kept_from)).distinct()))
    badges = session.exec(select(Credential.uid, Credential.member)).all()
    named = {pseudonym(key, bytes.fromhex(uid)): member for uid, member in badges}
    return {name: member for name, member in named.items() if name not in seen}


def found(files: Iterable[Path], names: dict[str, str]) -> Iterator[str]:
    """Where one of these pseudonyms stands all the same, in words."""
    wanted = {name.encode(): member for name, member in names.items()}
    for file in files:
        if not file.exists() or not file.stat().st_size:
            continue
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            for run in _HEX.finditer(content):
                text = run.group()
                for at in range(len(text) - SIZE + 1):  # a text that follows may begin with hex digits, too
                    if (member := wanted.get(text[at : at + SIZE])) is not None:
                        yield f"{file}: byte {run.start() + at}: a passage of {member}"
