"""What does a half-day of the bank cost, where on somebody's carnets does it stand, and until when is it good?"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Literal

from policy.bank_site import SiteThen
from policy.bundle import Bundle, Pass
from policy.terms import Instant

NEVER = date.max
BANKED = "garde/"
"""What the ids of all units of the bank begin with."""


def prices(bundle: Bundle) -> Iterator[tuple[str, Literal["day", "half_day"], int]]:
    """Each member whose tier needs a pass, in which unit, and the minutes that one costs; nobody without a bank."""
    bank, tiers = bundle.site.time_bank, {tier.id: tier.pass_ for tier in bundle.tiers}
    for member in bundle.members if bank else ():
        unit = tiers.get(member.tier, "none")
        if bank is not None and unit != "none":
            yield member.id, unit, bank.unit_minutes * (2 if unit == "day" else 1)


def minted(then: SiteThen, member: str, unit: Literal["day", "half_day"], number: int, at: Instant) -> Pass:
    """The unit of that number of a member."""
    day, bank = then.calendar.day_at(at), then.bundle.site.time_bank
    last = last_day(day, bank.valid_months if bank is not None else 0)
    return Pass(f"{BANKED}{member}/{number}", member, unit, 1, valid_from=day, valid_until=last)


def last_day(first: date, months: int) -> date | None:
    """The last day of the month that is so many months after that of the first; None for 0."""
    if months == 0:
        return None
    ahead = first.year * 12 + first.month - 1 + months + 1
    return date(ahead // 12, ahead % 12 + 1, 1) - timedelta(1)


def place(order: list[str], carnets: Iterable[Pass], older: Sequence[Pass], new: Pass) -> None:
    """Put a new unit into the order of all passes: before the first carnet of its member that ends on its last day or
    later, and after the older units. carnets, older: of its member."""
    last = new.valid_until or NEVER
    later = [order.index(held.id) for held in carnets if (held.valid_until or NEVER) >= last]
    after = order.index(older[-1].id) + 1 if older else 0
    order.insert(max(min(later, default=len(order)), after), new.id)


def in_order(order: Sequence[str], carnets: Sequence[str], minted: Iterable[str]) -> list[str]:
    """The order once the carnets are these: a unit stays before the carnet that it stood before."""
    units, kept = set(minted), set(carnets)
    before: dict[str | None, list[str]] = {}
    waiting: list[str] = []
    for name in order:
        if name in units:
            waiting.append(name)
        elif name in kept:
            before[name] = waiting
            waiting = []
    known = kept.intersection(order)
    end = max((position for position, name in enumerate(carnets, 1) if name in known), default=0)
    found: list[str] = []
    for position, name in enumerate(carnets):
        found += [*(waiting if position == end else ()), *before.get(name, ()), name]
    return [*found, *(waiting if end == len(carnets) else ())]
