"""What did a site say of shifts, credits and the time bank, from one change to the next?"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, timedelta, tzinfo
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from policy.bundle import Bundle, Credit, Pass, Pattern, Role, RotaChange, TimeBank
from policy.calendar import Calendar, resolve
from policy.held import Source, Terms, Watch
from policy.rota import Holidays, Rota, Slot, rota_of, slot_on, slots
from policy.terms import Instant

ROTA, SINGLE = "rota", "shift"
LOOKED_BACK = timedelta(3)
"""A slot of an earlier date has ended before the last end of a site day."""


class Evening(Struct, frozen=True):
    """A slot of the rota and what it was first settled by: of what is changed later only its own date's counts."""

    calendar: Calendar
    bank: TimeBank | None
    rota: Rota
    pattern: Pattern
    day: date

    def watch(self, change: RotaChange | None) -> Watch | None:
        """The shift as it is with this change of its date; None for a gap, and where it was cancelled."""
        changes = {} if change is None else {(self.pattern.id, self.day): change}
        slot = slot_on(replace(self.rota, changes=changes), self.pattern, self.day)
        return None if slot is None or slot.gardien is None else watch_of(slot)


class SiteThen(Struct, frozen=True, dict=True):
    """A site from an instant on. stored: the ids of the credits that were stored at that instant."""

    at: Instant
    bundle: Bundle
    zone: tzinfo
    holidays: Holidays
    stored: frozenset[str] = frozenset()

    @cached_property
    def rota(self) -> Rota:
        return rota_of(self.bundle, self.zone, self.holidays)

    @cached_property
    def calendar(self) -> Calendar:
        return self.rota.calendar

    @cached_property
    def terms(self) -> Terms:
        return Terms(self.calendar, self.bundle.site.time_bank)

    @cached_property
    def singles(self) -> dict[Source, Watch]:
        """The shifts beside the rota."""
        found: dict[Source, Watch] = {}
        for shift in self.bundle.shifts:
            start, end = resolve(shift.start, self.zone), resolve(shift.end, self.zone, last=True)
            found[SINGLE, shift.id] = Watch(start, end, (SINGLE, shift.id), shift.gardien)
        return found

    @cached_property
    def _patterns(self) -> dict[str, Pattern]:
        return {pattern.id: pattern for pattern in self.bundle.rota}

    def slots_near(self, at: Instant) -> list[Slot]:
        """The slots, gaps too, that may run then, or have ended since the site day before began."""
        today = self.calendar.date_at(at)
        return list(slots(self.rota, today - LOOKED_BACK, today))

    def evening(self, slot: Slot) -> Evening:
        """By what the slot is settled if it is settled now."""
        return Evening(self.calendar, self.bundle.site.time_bank, self.rota, self._patterns[slot.rota], slot.date)

    def has_slot(self, slot: Slot) -> bool:
        """Whether the rota makes a slot of that name, whoever has it and whenever it runs."""
        pattern = self._patterns.get(slot.rota)
        return pattern is not None and slot_on(self.rota, pattern, slot.date) is not None

    def may_attest(self, credit: Credit) -> bool:
        """Whether somebody vouches for the credit who may: of the team or a gardien, and neither of the two."""
        if credit.attested is None or credit.attested in (credit.member, credit.by):
            return False
        return credit.attested in self._vouchers

    @cached_property
    def carnets(self) -> dict[str, list[Pass]]:
        """The passes of each member, in the order given."""
        found: dict[str, list[Pass]] = {}
        for held in self.bundle.passes:
            found.setdefault(held.member, []).append(held)
        return found

    @cached_property
    def _vouchers(self) -> Collection[str]:
        return {member.id for member in self.bundle.members if {Role.STAFF, Role.GARDIEN} & {*member.roles}}


def watch_of(slot: Slot) -> Watch:
    """A slot that somebody has, as a shift."""
    return Watch(slot.start, slot.end, source_of(slot.rota, slot.date), slot.gardien or "")


def source_of(rota: str, day: date) -> Source:
    return ROTA, rota, day.isoformat()


def counting(good: Iterable[Credit]) -> dict[str, Credit]:
    """Of credits that are attested those that count: of a pair both or none, one that gives and one that takes."""
    known = list(good)
    signs = {pair: Counter[bool]() for pair in {credit.pair for credit in known}}
    for credit in known:
        signs[credit.pair][credit.minutes > 0] += 1
    zero = {credit.pair for credit in known if credit.minutes == 0}
    return {
        credit.id: credit
        for credit in known
        if credit.pair is None or (credit.pair not in zero and signs[credit.pair] == {True: 1, False: 1})
    }
