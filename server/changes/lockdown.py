"""How is a lockdown declared and lifted? One row says whether there is one."""

from sqlmodel import Session

from policy.terms import Instant
from server.database.types import moment
from server.models import Lockdown
from server.queries.site_state import is_locked_down


def set_lockdown(session: Session, on: bool, at: Instant, by: str = "") -> None:
    """Declare a lockdown, or lift it. One that is on already stays the one that it is."""
    if is_locked_down(session) is not on:
        session.merge(Lockdown(id=1, on=on, since=moment(at), by=by))
