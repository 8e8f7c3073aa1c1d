"""What does an account of the bank of hours hold, and which half-day did each unit pay? Derived, never stored."""

from collections.abc import Collection, Iterator
from datetime import date
from enum import StrEnum

from msgspec import Struct

from policy.bank import UNIT, Bank, Entry
from policy.bundle import Pass
from policy.carnets import compiled
from policy.passes import charged
from policy.ruleset import Unit


class Account(StrEnum):
    """Between which minutes move."""

    PLACE = "place"
    MEMBER = "member"
    MINTED = "minted"
    USED = "used"
    EXPIRED = "expired"


class Transfer(Struct, frozen=True):
    """Minutes that left one account of a member for another; never below 0. of: the source of an entry, or a unit."""

    minutes: int
    left: Account
    came_to: Account
    of: tuple[str, ...]


def transfers(bank: Bank, member: str, paid: Collection[str], today: date) -> Iterator[Transfer]:
    """All that moved. paid: the days and half-days that the member ever paid at doors. today: the site day."""
    costs: dict[str, int] = {}
    for entry in bank.entries:
        if entry.member == member:
            if entry.source[0] == UNIT:
                costs[entry.source[1]] = -entry.minutes
            yield transfer(entry)
    used = spent(bank, member, paid)
    for unit in bank.minted.get(member, ()):
        if unit.id in used:
            yield Transfer(costs[unit.id], Account.MINTED, Account.USED, (UNIT, unit.id))
        elif unit.valid_until is not None and unit.valid_until < today:
            yield Transfer(costs[unit.id], Account.MINTED, Account.EXPIRED, (UNIT, unit.id))


def balances(bank: Bank, member: str, paid: Collection[str], today: date) -> dict[Account, int]:
    """Minutes on each account: their sum is 0, and that of the place the negative of all that was earned."""
    found = dict.fromkeys(Account, 0)
    for moved in transfers(bank, member, paid, today):
        found[moved.left] -= moved.minutes
        found[moved.came_to] += moved.minutes
    return found


def spent(bank: Bank, member: str, paid: Collection[str]) -> dict[str, str]:
    """Of each unit of a member that is used the day or half-day that it paid."""
    minted = {unit.id for unit in bank.minted.get(member, ())}
    found: dict[str, str] = {}
    for kind in Unit:
        own = [held for held in bank.passes if held.member == member and held.unit == kind]
        for held, names in zip(own, charged([compiled(held) for held in own], kind, paid), strict=True):
            if held.id in minted and names:
                found[held.id] = min(names)
    return found


def left(bank: Bank, member: str, paid: Collection[str], today: date) -> list[Pass]:
    """The units of a member that are good on this site day."""
    used = spent(bank, member, paid)
    return [
        unit
        for unit in bank.minted.get(member, ())
        if unit.id not in used and not (unit.valid_until is not None and unit.valid_until < today)
    ]


def transfer(entry: Entry) -> Transfer:
    """What an entry moves."""
    ends = (Account.MEMBER, Account.MINTED) if entry.source[0] == UNIT else (Account.PLACE, Account.MEMBER)
    comes = entry.minutes if entry.source[0] != UNIT else -entry.minutes
    return Transfer(abs(comes), *(ends if comes >= 0 else ends[::-1]), entry.source)
