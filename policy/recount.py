"""What should the bank of hours say? Reckoned again from what was stored when, and from the rows as they came in."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from policy.bank import Bank
from policy.bank_site import SiteThen
from policy.bundle import Credit
from policy.presence import Move
from policy.terms import Instant


class Heard(Struct, frozen=True):
    """A row that came in at an instant: somebody moved."""

    received: Instant
    member: str
    move: Move


class Opens(Struct, frozen=True):
    """A row that came in at an instant: a gardien made a shift by two taps."""

    received: Instant
    gardien: str
    start: Instant
    end: Instant


class Step(NamedTuple):
    """The bank after what happened at an instant. settled: a site day ended; else something was stored."""

    at: Instant
    settled: bool
    bank: Bank


def recount(changes: Sequence[SiteThen], rows: Iterable[Heard | Opens], until: Instant) -> Bank:
    """The bank at an instant, after all that happened up to it, a site day's end then included.

    changes: in order, the first is the site at the start. What comes in at the end of a site day comes after it.
    """
    *_, last = steps(changes, rows, until)
    return last.bank


def steps(
    changes: Sequence[SiteThen],
    rows: Iterable[Heard | Opens],
    until: Instant,
    since: Instant | None = None,
    good: Iterable[Credit] = (),
) -> Iterator[Step]:
    """One bank, again and again: after the start and after each step up to the instant. since, good: see Bank."""
    first, *later = changes
    bank, waiting = Bank(first, since, good), sorted(rows, key=lambda row: row.received)
    taken, now = 0, first.at
    yield Step(now, False, bank)
    for then in [*later, None]:
        while (end := bank.now.calendar.day_end(bank.now.calendar.day_at(now))) is not None:
            if end > until or (then is not None and then.at < end):
                break
            while taken < len(waiting) and waiting[taken].received < end:
                _take(bank, waiting[taken])
                taken += 1
            now = end
            bank.settle(now)
            yield Step(now, True, bank)
        if then is None or then.at > until:
            return
        now = then.at
        bank.change(then)
        yield Step(now, False, bank)


def _take(bank: Bank, row: Heard | Opens) -> None:
    if isinstance(row, Opens):
        bank.opened(row.gardien, row.start, row.end)
    else:
        bank.hear(row.member, row.move)
