"""What does the desk do to carnets? Each function is one change, in the caller's transaction.

Sold, moved to a new carnet, a day or half-day given back or paid after all: each leaves an entry in the account
(server/models/ledger.py) that is never changed, and what the doors reckon by follows (policy/bundle.py:Pass). Rules go
by it: they are to be published then.
"""

from dataclasses import dataclass
from datetime import date
from secrets import token_hex
from typing import Literal, cast

from msgspec.structs import replace
from sqlmodel import Session, select

from policy.bundle import Pass
from policy.carnets import compiled
from policy.instants import BELIEVED
from policy.passes import is_valid
from policy.terms import DAY, Instant
from policy.units import DATE, is_name, unit_of
from server import models
from server.audit import Change, Decided, record
from server.changes.bundle import put
from server.changes.outcomes import Wrong
from server.changes.people import Done
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import CarnetEntry, PaidUnit
from server.queries.carnets import Carnet, account_of

MOST_UNITS, MOST_PRICE = 1000, 100
"""Of one carnet that is sold; characters of a price."""


@dataclass(frozen=True, slots=True)
class Sale:
    """price: in words. last: its last day, None for none."""

    units: int
    price: str
    first: date | None
    last: date | None


def sell(session: Session, decided: Decided, member: str, sale: Sale, today: date, token: str = "") -> Done | Wrong:
    """A new carnet, in the unit of the member's formule. token: of the form, which sells once."""
    new = f"c-{token or token_hex(6)}"
    if (sold_before := session.get(models.Pass, new)) is not None and sold_before.member == member:
        return Done(member)
    unit = _unit_of(session, member)
    wrong = mistakes(sale, today)
    if unit == "none":
        wrong.append("unit")
    if wrong:
        return Wrong(tuple(wrong))
    known = cast(Literal["day", "half_day"], unit)
    sold = Pass(new, member, known, sale.units, valid_from=sale.first, valid_until=sale.last)
    put(session, [sold], decided)
    enter(session, decided, member, "sold", sold.id, sale.units, price=sale.price)
    return Done(member)


def mistakes(sale: Sale, today: date) -> list[str]:
    """The fields of a sale that cannot be as they are."""
    wrong = {
        "units": not 1 <= sale.units <= MOST_UNITS,
        "price": len(sale.price) > MOST_PRICE,
        "last": sale.last is not None and sale.last < max(today, sale.first or today),
    }
    return [field for field, bad in wrong.items() if bad]


def give_back(session: Session, decided: Decided, member: str, unit: str) -> Done | Wrong:
    """A day or half-day stays paid and costs nothing any more. Raises ChangeRefusedError where no carnet pays it."""
    if not decided.why:
        return Wrong(("why",))
    carnet = next((one for one in _carnets(session, member) if unit in one.paid), None)
    if carnet is None:
        raise ChangeRefusedError(Refused.UNIT_NOT_PAID)
    held = carnet.held
    put(session, [replace(held, given_back=(*held.given_back, unit))], decided)
    enter(session, decided, member, "given_back", held.id, 1, unit)
    return Done(member)


def charge_again(session: Session, decided: Decided, member: str, unit: str) -> Done | Wrong:
    """What was given back costs its unit after all. Raises ChangeRefusedError where none was."""
    carnet = next((one for one in _carnets(session, member) if unit in one.held.given_back), None)
    if carnet is None:
        raise ChangeRefusedError(Refused.UNIT_NOT_PAID)
    left = tuple(one for one in carnet.held.given_back if one != unit)
    held, others = replace(carnet.held, given_back=left), []
    if unit in held.used and not carnet.rest:  # what it had left was moved: another one pays, as of a tap
        payer = _payer(session, member, carnet, unit)
        held = replace(held, used=tuple(one for one in held.used if one != unit))
        others = [replace(payer, used=(*payer.used, unit))]
    put(session, [held, *others], decided)
    enter(session, decided, member, "charged_again", carnet.held.id, -1, unit)
    return Done(member)


def _payer(session: Session, member: str, instead_of: Carnet, unit: str) -> Pass:
    """The first other carnet that pays such a unit on its day. Raises ChangeRefusedError where there is none."""
    for one in _carnets(session, member):
        there = one.held.unit == instead_of.held.unit and one.rest and is_valid(compiled(one.held), unit[:DATE])
        if there and one.held.id != instead_of.held.id:
            return one.held
    raise ChangeRefusedError(Refused.CARNET_SPENT)


def pay(session: Session, decided: Decided, member: str, unit: str) -> Done | Wrong:
    """A day or half-day is paid that no badge paid, by whichever carnet is next. Paid already: nothing changes."""
    if not _counts(_unit_of(session, member), unit, decided.at):
        return Wrong(("unit",))
    if session.get(PaidUnit, (member, unit)) is None:
        session.add(PaidUnit(member=member, unit=unit, edge="", heard=moment(decided.at)))
        session.flush()
        record(session, decided, [Change(PaidUnit, (member, unit), "added", None, {"unit": unit})])
        enter(session, decided, member, "paid", None, -1, unit)
    return Done(member)


def _counts(kind: str, unit: str, now: Instant) -> bool:
    """Whether this is a day or half-day, as the formule counts them, that has begun and that the doors believe."""
    if not is_name(unit) or unit_of(unit).value != kind or int(unit[:4]) not in BELIEVED:
        return False
    return date.fromisoformat(unit[:DATE]) <= moment(now + DAY).date()


def move(session: Session, decided: Decided, member: str, which: str, last: date | None, today: date) -> Done | Wrong:
    """What a carnet has left goes to a new one with another last day. Raises ChangeRefusedError where it has none."""
    carnet = next((one for one in _carnets(session, member) if one.held.id == which), None)
    if carnet is None or not carnet.rest:
        raise ChangeRefusedError(Refused.CARNET_EMPTY)
    if last is not None and last < today:
        return Wrong(("last",))
    old, rest = carnet.held, carnet.rest
    new = Pass(f"c-{token_hex(6)}", member, old.unit, rest, valid_from=old.valid_from, valid_until=last)
    put(session, [replace(old, total=old.total - rest), new], decided)
    enter(session, decided, member, "moved", old.id, -rest)
    enter(session, decided, member, "moved", new.id, rest)
    return Done(member)


def _carnets(session: Session, member: str) -> list[Carnet]:
    _unit_of(session, member)
    return account_of(session, member).carnets


def _unit_of(session: Session, member: str) -> str:
    """What the formule of the member counts: none, day, half_day. Raises ChangeRefusedError for who is no member."""
    tier = models.Tier
    asked = select(tier.pass_).join(models.Member, models.Member.tier == tier.id)  # type: ignore[arg-type]
    unit = session.exec(asked.where(models.Member.id == member, models.Member.ended == None)).first()  # noqa: E711
    if unit is None:
        raise ChangeRefusedError(Refused.MEMBER_UNKNOWN)
    return unit


def enter(
    session: Session,
    decided: Decided,
    member: str,
    did: str,
    carnet: str | None,
    units: int,
    unit: str | None = None,
    *,
    price: str = "",
) -> None:
    session.add(
        CarnetEntry(
            at=moment(decided.at),
            by=decided.by,
            did=did,
            member=member,
            carnet=carnet,
            units=units,
            unit=unit,
            price=price,
            why=decided.why,
        )
    )
    session.flush()
