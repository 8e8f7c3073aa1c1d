"""What have gardiens earned, and what was minted? Counted anew from who came and went.

Nothing of policy/bank.py, policy/held.py or policy/presence.py is used. One half of a shift must be held, or it counts
for nothing; 100 minutes bring 100; the clocks are those of Paris, and site days begin at 4 h.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from policy.bundle import Shift
from policy.terms import MINUTE, Instant
from server.queries.ledger import last_count, ledger

PARIS = ZoneInfo("Europe/Paris")
CUTOFF = 4


class Moved(NamedTuple):
    """Somebody came or went."""

    who: str
    at: Instant
    inside: bool


class Recount:
    """earned: of each shift whose it is, and minutes. given: the same of each credit that counts.

    unit, round: minutes, of what is minted and of what a shift is rounded to.
    """

    def __init__(self, gardiens: Iterable[str], unit: int, round_: int) -> None:
        self.earned: dict[str, tuple[str, int]] = {}
        self.given: dict[str, tuple[str, int]] = {}
        self.minted = dict.fromkeys(gardiens, 0)
        self._unit, self._round = unit, round_

    def settle(self, shifts: Iterable[Shift], moves: Iterable[Moved], ends: Instant) -> None:
        """What each of these that is over has earned, by all that is known now; others are as they were."""
        known = sorted((moved.at, not moved.inside, moved.who) for moved in moves)
        for shift in shifts:
            if instant_of(shift.end) <= ends:
                own = [(at, out) for at, out, who in known if who == shift.gardien]
                self.earned[shift.id] = shift.gardien, self._minutes(shift, own)

    def _minutes(self, shift: Shift, moves: Iterable[tuple[Instant, bool]]) -> int:
        start, over = instant_of(shift.start), instant_of(shift.end)
        day = date.fromisoformat(shift.start[:10])
        first, last = instant_at(day, CUTOFF), instant_at(day + timedelta(1), CUTOFF)
        inside, since, total = False, 0, 0
        for at, out in [*((at, out) for at, out in moves if first <= at < last), (last, True)]:
            if inside:
                total += max(0, min(at, over) - max(since, start))
            inside, since = not out, at
        if 2 * total < over - start:
            return 0
        return (2 * total + self._round * MINUTE) // (2 * self._round * MINUTE) * self._round

    def pay(self) -> None:
        """Half-days for all that is whole."""
        for who in self.minted:
            self.minted[who] += max(0, self.left(who) // self._unit)

    def left(self, who: str) -> int:
        """Minutes that are not minted."""
        all_of_it = (*self.earned.values(), *self.given.values())
        return sum(minutes for gardien, minutes in all_of_it if gardien == who) - self._unit * self.minted[who]

    def differs(self, session: Session) -> str | None:
        """How the server's ledger and half-days are other ones; None where they are not."""
        found, count = ledger(session), last_count(session)
        if count is None or count.off:
            return f"the server's own recount says {None if count is None else count.off} minutes off"
        for who in self.minted:
            if found.minutes[who] != self.left(who):
                return f"{who} has {found.minutes[who]} minutes in the ledger, {self.left(who)} by the recount"
        units = len(found.units)
        if units != sum(self.minted.values()):
            return f"{units} half-days were minted, {sum(self.minted.values())} by the recount"
        for name, (_, minutes) in self.earned.items():
            if found.sums["shift", name] != minutes:
                return f"shift {name} earned {found.sums['shift', name]} in the ledger, {minutes} by the recount"
        return None


def instant_at(day: date, hour: int) -> Instant:
    return round(datetime.combine(day, time(hour), PARIS).timestamp() * 1000)


def instant_of(local: str) -> Instant:
    return round(datetime.fromisoformat(local).replace(tzinfo=PARIS).timestamp() * 1000)
