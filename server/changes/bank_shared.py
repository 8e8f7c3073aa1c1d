"""Who reads what the bank owes each gardien? The team decides, and it stands in the audit."""

from msgspec.structs import replace
from sqlmodel import Session

from server.audit import Decided
from server.changes.bundle import set_site
from server.errors import ChangeRefusedError, Refused
from server.publish.bundle import site_said


def share(session: Session, decided: Decided, shared: bool) -> None:
    """Whether gardiens read each other's balance (policy/bundle.py:TimeBank). Twice the same is one change.

    Raises ChangeRefusedError where the site has no bank.
    """
    site = site_said(session)
    if site is None or site.time_bank is None:
        raise ChangeRefusedError(Refused.NO_BANK)
    set_site(session, replace(site, time_bank=replace(site.time_bank, shared=shared)), decided)
