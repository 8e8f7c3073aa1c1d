"""What should the bank of hours say? Reckoned again from what was stored when, and from the rows as they came in."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from policy.bank import Bank
from policy.bank_site import SiteThen
from policy.presence import Move
from policy.terms import Instant


class Heard(Struct, frozen=True):
    """A row that came in at an instant: somebody moved, or made a shift by two taps that lasts until `opens_until`."""

    received: Instant
    member: str
    move: Move
    opens_until: Instant | None = None


def recount(changes: Sequence[SiteThen], rows: Iterable[Heard], until: Instant) -> Bank:
    """The bank at an instant, after all that happened up to it, a site day's end then included.

    changes: in order, the first is the site at the start. What comes in at the end of a site day comes after it.
    """
    first, *later = changes
    bank, waiting = Bank(first), sorted(rows, key=lambda row: row.received)
    taken, now = 0, first.at
    while True:
        end = bank.now.calendar.day_end(bank.now.calendar.day_at(now))
        if later and (end is None or later[0].at < end):
            if later[0].at > until:
                return bank
            now = later[0].at
            bank.change(later.pop(0))
        elif end is None or end > until:
            return bank
        else:
            while taken < len(waiting) and waiting[taken].received < end:
                _take(bank, waiting[taken])
                taken += 1
            now = end
            bank.settle(now)


def _take(bank: Bank, row: Heard) -> None:
    bank.hear(row.member, row.move)
    if row.opens_until is not None:
        bank.opened(row.member, row.move.at, row.opens_until)
