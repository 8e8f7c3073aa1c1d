"""How is a lockdown declared and lifted? One row says whether there is one."""

from sqlmodel import Session

from server.audit import Change, Decided, record
from server.database.types import moment
from server.models import Lockdown
from server.queries.site_state import is_locked_down


def set_lockdown(session: Session, on: bool, decided: Decided) -> None:
    """Declare a lockdown, or lift it. One that is on already stays the one that it is."""
    if is_locked_down(session) is on:
        return
    session.merge(Lockdown(id=1, on=on, since=moment(decided.at), by=decided.by))
    record(session, decided, [Change(Lockdown, (1,), "declared" if on else "lifted", {"on": not on}, {"on": on})])
