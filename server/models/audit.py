"""What did people decide, and whose data did they look at? One row for each; nothing but a purge changes it."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from server.models.fields import json_or_none, utc


class AuditRow(SQLModel, table=True):
    """account: who; of a command at the server's machine the one that ran it. did: what, as server/changes calls it.

    noun, subject: of what, by its table and key; a badge by its number in the table, not its UID. Of a look (did is
    `looked`): which page, and the member, `*` for all. before, after: the columns that changed, null for what was not
    there, or is not any more. why: the reason given, empty where none is asked for.

    salt, digest, link: what chains the rows (server/audit.py), in hex. Of a row whose time is over salt is null, all
    that it said is gone, and digest and link stay, so that the chain still holds.
    """

    __tablename__ = "audit"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = utc(index=True)
    account: str
    did: str
    noun: str
    subject: str = Field(index=True)
    before: dict[str, Any] | None = json_or_none()
    after: dict[str, Any] | None = json_or_none()
    why: str = ""
    salt: str | None
    digest: str
    link: str
