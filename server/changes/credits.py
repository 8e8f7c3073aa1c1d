"""How does a credit of the bank come to count? One proposes it, another vouches for it; a gift is two, whole or none.

Each function is one change, in the caller's transaction; the ledger follows in it. Raises ChangeRefusedError.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from msgspec.structs import replace
from sqlmodel import Session

from policy.bundle import Credit, Role
from server import models
from server.audit import Decided
from server.changes.bank import book
from server.changes.bundle import end, put
from server.changes.outcomes import Wrong
from server.changes.people import Done
from server.errors import ChangeRefusedError, Refused
from server.publish.bundle import held

MOST_MINUTES = 60_000
"""A thousand hours at once are a slip of the pen."""


class Wanted(NamedTuple):
    """minutes: below 0 to take away. giver: whose bank it leaves, of a gift; empty where it comes from the place."""

    member: str
    minutes: int
    day: date
    giver: str = ""


def propose(session: Session, decided: Decided, by: str, wanted: Wanted, token: str) -> Done | Wrong:
    """Counts nothing yet. by: the member who proposes. token: of the form, which writes once."""
    _require_voucher(session, by)
    known = {one.id for one in held(session, "members")}
    wrong = {
        "member": wanted.member not in known,
        "minutes": not 0 < abs(wanted.minutes) <= MOST_MINUTES or (bool(wanted.giver) and wanted.minutes < 0),
        "giver": bool(wanted.giver) and (wanted.giver not in known or wanted.giver == wanted.member),
        "why": not decided.why,
    }
    if any(wrong.values()):
        return Wrong(tuple(field for field, bad in wrong.items() if bad))
    name = f"k-{token}"
    pair = name if wanted.giver else None
    new = [Credit(name, wanted.member, wanted.minutes, wanted.day, decided.why, by, pair=pair)]
    if wanted.giver:
        new.append(Credit(f"{name}-", wanted.giver, -wanted.minutes, wanted.day, decided.why, by, pair=pair))
    if session.get(models.Credit, name) is None:
        put(session, new, decided)
    return Done(wanted.member)


def attest(session: Session, decided: Decided, by: str, which: str, days: int) -> Done:
    """It counts from now on, or from its day. by: a member of the team or a gardien whom it concerns in nothing.

    days: how long rows are kept.
    """
    _require_voucher(session, by)
    credits_ = _whole(session, which)
    if any(one.attested is not None for one in credits_):
        raise ChangeRefusedError(Refused.CREDIT_UNKNOWN)
    if any(by in (one.member, one.by) for one in credits_):
        raise ChangeRefusedError(Refused.CREDIT_OWN)
    put(session, [replace(one, attested=by) for one in credits_], decided)
    book(session, decided.at, days)
    return Done(credits_[0].member)


def remove(session: Session, decided: Decided, by: str | None, which: str, days: int, *, team: bool) -> Done:
    """It is countered where it was booked. by: who proposed it and takes it back before it counts; or the team."""
    credits_ = _whole(session, which)
    own = all(one.by == by and one.attested is None for one in credits_)
    if not (own or team):
        raise ChangeRefusedError(Refused.NOT_ALLOWED)
    end(session, "credits", [(one.id,) for one in credits_], decided)
    book(session, decided.at, days)
    return Done(credits_[0].member)


def _whole(session: Session, which: str) -> Sequence[Credit]:
    """The credit, and the other one of its pair."""
    known: Sequence[Credit] = held(session, "credits")
    one = next((credit for credit in known if credit.id == which), None)
    if one is None:
        raise ChangeRefusedError(Refused.CREDIT_UNKNOWN)
    return [credit for credit in known if credit is one or (one.pair is not None and credit.pair == one.pair)]


def _require_voucher(session: Session, by: str) -> None:
    """Gardiens and the team, as the bank judges them (policy/bank_site.py:SiteThen.may_attest)."""
    row = session.get(models.Member, by)
    if row is None or row.ended is not None or not {Role.STAFF.value, Role.GARDIEN.value} & {*row.roles}:
        raise ChangeRefusedError(Refused.NOT_ALLOWED)
