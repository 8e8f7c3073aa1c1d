"""Where on somebody's carnets stands a half-day that the bank minted, and until when is it good?"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from policy.bundle import Pass

NEVER = date.max


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
