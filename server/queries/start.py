"""Will a member be able to start a machine at an hour to come? Asked of the rule book's lines, as its edge asks them.

Of the time to come it is known what is planned (server/queries/entry.py). Whoever the door would let in is taken to be
inside, the machine to be free of other sessions, and each booking of the member before then to be used to its end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

from msgspec.structs import replace as replace_known
from sqlmodel import Session

from policy import machine as lines
from policy import quota
from policy.booking_terms import Against, Wish, against, closure_of, same_terms, terms_of
from policy.bundle import Closure, Machine
from policy.case import Case
from policy.degrees import Known, Stretch, stretches
from policy.presence import Move
from policy.reasons import Reason
from policy.ruleset import Credential
from policy.sessions import Session as Use
from policy.state import SiteState
from policy.terms import DAY, MINUTE, SECOND, Instant
from server.queries.bookings import RUNS, Free, Slot, beginning, holding, in_the_way, next_free, slots
from server.queries.current import Current
from server.queries.entry import Entry, badges, entry, planned, units_paid
from server.queries.site_state import machines_at

WEEK: Instant = 7 * DAY


class Sign(StrEnum):
    """GOOD: it will do. WARN: nobody knows yet, or it is scarce. BAD: it would be refused, and can still be mended.
    NEVER: it cannot, and so cannot be booked."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    NEVER = "never"


class About(StrEnum):
    """What is looked at, in the order in which it is told."""

    TERMS = "terms"
    MACHINE = "machine"
    DOOR = "door"
    TRAINING = "training"
    QUOTA = "quota"
    COMPANY = "company"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. reason: what the tap would be told. against: which of the site's terms it breaks.

    free: of a machine that is booked, when it is free next. stretch, entry: who opens then, what the door says.
    before, after: seconds of the quota, without and with this booking.
    """

    about: About
    sign: Sign
    reason: Reason | None = None
    against: Against | None = None
    own: bool = False
    free: Free | None = None
    stretch: Stretch | None = None
    entry: Entry | None = None
    until: Instant | None = None
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """machine, member, start, end: what was asked."""

    machine: str
    member: str
    start: Instant
    end: Instant
    checks: tuple[Check, ...]

    @property
    def bookable(self) -> bool:
        """Whether what would refuse can still be mended."""
        return all(check.sign is not Sign.NEVER for check in self.checks)

    @property
    def sure(self) -> bool:
        """Whether the machine would start, as far as anybody can know."""
        return all(check.sign in (Sign.GOOD, Sign.WARN) for check in self.checks)


class Asker:
    """For one member and one moment: what all their wishes are held against is read once."""

    def __init__(self, session: Session, current: Current, known: Known, member: str) -> None:
        """known: as the pages know the place now."""
        self._session, self._current, self._member, self._at = session, current, member, known.at
        state = replace(known.state, lockdown=False, sessions=machines_at(session, known.at, member).sessions)
        state.units[member].update(units_paid(session, member))
        self._known = replace_known(known, state=state)
        self._held = slots(session, known.at - 8 * DAY, member=member)
        self._calendar = current.calendar
        self._badges = badges(current, member)

    def start(self, machine: Machine, start: Instant, end: Instant, *, but: str = "") -> Start:
        """but: the booking that it is asked of, at its own start, which is then not in its own way."""
        stretch = _stretch(self._known, start)
        case = self._case(machine, start, stretch)
        checks = [
            self._terms(machine, start, end, but),
            self._free(machine, start, end, but, case),
            self._door(case, stretch),
            _training(case),
            _quota(case, (end - start) // SECOND),
            _company(case),
        ]
        return Start(machine.id, self._member, start, end, tuple(check for check in checks if check is not None))

    def _case(self, machine: Machine, start: Instant, stretch: Stretch) -> Case:
        rules = self._current.rules
        member = rules.members[self._member]
        state = planned(self._known, stretch, self._member, start)
        state.presence.apply(self._member, Move(start, inside=True))
        for use in self._known.state.sessions.of_member(self._member, machine.kind):
            state.sessions.apply(use)
        kinds = {one.id: one.kind for one in self._current.bundle.machines}
        for slot in self._held:
            if self._at < slot.end and slot.start < start and kinds.get(slot.machine) == machine.kind:
                begun = max(slot.start, self._at)
                state.sessions.apply(Use(slot.machine, machine.kind, self._member, begun, end=min(slot.end, start)))
        return Case(
            rules, state, start, machine.id, self._member, Credential(self._member), member, rules.tiers[member.tier]
        )

    def _terms(self, machine: Machine, start: Instant, end: Instant, but: str) -> Check | None:
        if but:
            return None
        together = same_terms(machine, self._current.bundle.machines)
        held = [(one.start, one.end) for one in self._held if one.machine in together]
        member = self._current.people.people[self._member].member
        wish = Wish(machine, member, start, end, held)
        why = against(self._current.bundle.site, self._calendar, wish, self._at)
        return Check(About.TERMS, Sign.NEVER, against=why) if why is not None else None

    def _free(self, machine: Machine, start: Instant, end: Instant, but: str, case: Case) -> Check:
        site = self._current.bundle.site
        buffer = terms_of(site, machine).buffer * MINUTE
        span = (start - buffer, end + buffer)
        near = holding(self._session, self._at, self._member, *span, machines=[machine.id])
        met = [one for one in near if one.id != but and in_the_way(one, self._member, start, end, buffer)]
        if met:
            own = any(one.member == self._member for one in met)
            why = Reason.MACHINE_BUSY if all(one.id.startswith(RUNS) for one in met) else Reason.BOOKED_BY_OTHER
            free = next_free(self._session, site, self._calendar, [machine], self._member, start, end, self._at)
            return Check(About.MACHINE, Sign.NEVER, why, own=own, free=free)
        for line in (lines.machine_locked_out, lines.outside_machine_hours):
            if (said := line(case)) is not None:
                return Check(About.MACHINE, Sign.BAD, said.reason)
        return Check(About.MACHINE, Sign.GOOD)

    def _door(self, case: Case, stretch: Stretch) -> Check:
        said = entry(case.rules, planned(self._known, stretch, self._member, case.at), self._badges, case.at)
        if said is None:
            return Check(About.DOOR, Sign.BAD, Reason.UNKNOWN_CREDENTIAL, stretch=stretch)
        if not said.decision.granted:
            reason = said.decision.reason
            return Check(About.DOOR, _mended(reason), reason, stretch=stretch, entry=said)
        refused = lines.outside_hours(case)
        if refused is not None:
            return Check(About.DOOR, Sign.BAD, refused.reason, stretch=stretch, entry=said)
        return Check(About.DOOR, Sign.GOOD, said.decision.reason, stretch=stretch, entry=said)


def _mended(reason: Reason) -> Sign:
    return Sign.NEVER if reason is Reason.MEMBER_SUSPENDED else Sign.BAD


def _training(case: Case) -> Check:
    if (said := lines.not_certified(case)) is not None:
        return Check(About.TRAINING, Sign.BAD, said.reason)
    until = case.rules.certifications[case.who][lines.machine(case).kind]
    said = lines.certification_expired(case)
    return Check(
        About.TRAINING, Sign.GOOD if said is None else Sign.BAD, said.reason if said is not None else None, until=until
    )


def _quota(case: Case, seconds: int) -> Check | None:
    left = quota.left(case.rules, case.state, case.who, lines.machine(case).kind, case.at)
    if left is None or case.member.staff:
        return None
    said = lines.quota_exhausted(case)
    after = max(0, left - seconds)
    sign = Sign.BAD if said is not None else Sign.WARN if left < seconds else Sign.GOOD
    return Check(About.QUOTA, sign, said.reason if said is not None else None, before=left, after=after)


def _company(case: Case) -> Check | None:
    """Who else will be there nobody knows."""
    said = lines.companion_required(case)
    return None if said is None else Check(About.COMPANY, Sign.WARN, said.reason)


def _stretch(known: Known, at: Instant) -> Stretch:
    return next(one for one in reversed(stretches(known, at, at + MINUTE)) if one.start <= at)


def without_gardien(session: Session, current: Current, known: Known, until: Instant) -> list[Slot]:
    """The bookings to come for whose start nobody has said that they open: what is asked of the gardiens.

    Left out are those that fall into a closure: no gardien is asked for then.
    """
    return [slot for slot, closure in unopened(session, current, known, until) if closure is None]


def unopened(session: Session, current: Current, known: Known, until: Instant) -> Iterator[tuple[Slot, Closure | None]]:
    """The bookings after `known.at` for whose start nobody opens, the first ones first, each with the closure it falls
    into.

    Left out are those of members whom the door lets in at any hour.
    """
    # A week at a time, of which the first ones may do.
    weeks = ((first, min(first + WEEK, until)) for first in range(known.at, until, WEEK))
    coming = (slot for first, last in weeks for slot in beginning(session, first, last))
    for start, together in groupby(coming, attrgetter("start")):
        if (stretch := _stretch(known, start)).by is not None:
            continue
        state = planned(known, stretch, "", start)  # with nobody inside, whoever asks
        closure = closure_of(current.bundle.site, current.calendar.date_at(start))
        yield from ((slot, closure) for slot in together if _hangs(current, state, slot))


def _hangs(current: Current, state: SiteState, slot: Slot) -> bool:
    """Whether nothing lets its member be there at its start."""
    rules = current.rules
    member = rules.members.get(slot.member)
    if member is None or slot.machine not in rules.machines:
        return False
    tier, credential = rules.tiers[member.tier], Credential(slot.member)
    case = Case(rules, state, slot.start, slot.machine, slot.member, credential, member, tier)
    return lines.outside_hours(case) is not None
