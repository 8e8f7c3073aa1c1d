"""How does a bundle become what an edge decides by? Calendar, shifts and holidays become sorted UTC intervals.

Windows of events and invitations: policy/windows.py. What belongs to machines: policy/fablab.py.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, timedelta, tzinfo
from functools import lru_cache

from msgspec import UNSET, Struct

from policy import fablab, ruleset, windows
from policy.bundle import Bundle, Credential, Member, Role, Tier
from policy.calendar import Calendar, resolve, staff_hours
from policy.ruleset import AntiPassback, Ground, Period, Reader, RuleSet, Unit
from policy.spans import Spans, spans
from policy.terms import DAY, HOUR, MINUTE, Direction, Instant

PAST_DAYS = 3
"""Days before the instant of compiling that are kept, so that taps which arrive late can be decided again."""

LONGEST_RUN = 14
"""Days by which machine hours reach further than staff hours, so that a session's end does not come from where they
stop: ranges that touch run for a week at most, or for two where the clocks skip what is between them."""

Holidays = Callable[[int], Collection[date]]
"""The public holidays of a year."""


class EdgeKey(Struct, frozen=True):
    """An edge that may write, and the access points and machines that are its own. public_key: Ed25519, hex."""

    public_key: str
    access_points: tuple[str, ...]


def compile_rules(
    bundle: Bundle,
    *,
    zone: tzinfo,
    holidays: Holidays,
    pseudonym: Callable[[bytes], str],
    edges: Mapping[str, EdgeKey],
    at: Instant,
    days: int,
) -> RuleSet:
    """The rule set of a checked bundle, with the staff hours of the dates from PAST_DAYS before `at` to `days` after.

    The same for the same site, whatever the order of the bundle's parts. days: more than offline_days, so that no
    edge runs out of hours before its rules are stale. pseudonym: of a UID (wire/credential.py). Raises ValueError
    when two edges own one access point.
    """
    site = bundle.site
    calendar = Calendar(zone, site.day_cutoff)
    dates = _dates(calendar, at, days)
    since = at - PAST_DAYS * DAY
    return RuleSet(
        site=site.id,
        days=tuple(sorted({calendar.day_start(day) for day in dates})),
        staffed=spans(_staffed(bundle, calendar, holidays, dates)),
        tiers={tier.id: _tier(tier, calendar, dates) for tier in bundle.tiers},
        members={member.id: _member(member, calendar) for member in bundle.members},
        credentials={
            pseudonym(bytes.fromhex(credential.uid)): _credential(credential, calendar)
            for credential in bundle.credentials
        },
        shifts=shift_table(bundle, zone=zone, since=since, lead=site.shift_lead, grace=site.shift_grace),
        readers=_readers(bundle, _owners(edges)),
        edges={edge: key.public_key for edge, key in edges.items()},
        splits=tuple(sorted({calendar.half_day(day, site.half_day_split) for day in dates})),
        events=windows.of_events(bundle, zone, since),
        free_events=windows.of_events(bundle, zone, since, only=lambda event: event.free),
        public_events=windows.of_events(bundle, zone, since, only=lambda event: event.audience == "public"),
        invitations=windows.of_invitations(bundle, zone, since),
        passes=_passes(bundle, calendar),
        capacity=site.capacity,
        full_denies=site.at_capacity == "deny",
        anti_passback=AntiPassback(site.anti_passback),
        shift_lead=site.shift_lead * MINUTE,
        shift_grace=site.shift_grace * MINUTE,
        adhoc=site.adhoc_hours * HOUR,
        machines=fablab.machines(bundle, calendar, _dates(calendar, at, days + LONGEST_RUN)),
        certifications=fablab.certifications(bundle, calendar),
        quotas=fablab.quotas(bundle),
        bookings=fablab.bookings(bundle, zone, since),
        weeks=fablab.period_starts(zone, dates[0], dates[-1], Period.WEEK),
        months=fablab.period_starts(zone, dates[0], dates[-1], Period.MONTH),
    )


def shift_table(bundle: Bundle, *, zone: tzinfo, since: Instant, lead: int = 0, grace: int = 0) -> dict[str, Spans]:
    """When the shifts of each gardien cover, of those that end after `since`, however far ahead.

    lead, grace: minutes before the start and after the end; without them (policy/opening.py) let `since` be a day ago,
    that a shift in its grace is there still. Only members who have the role: a shift of anybody else
    has no effect.
    """
    gardiens = {member.id for member in bundle.members if Role.GARDIEN in member.roles}
    intervals: dict[str, list[tuple[Instant, Instant]]] = {}
    for shift in bundle.shifts:
        start = resolve(shift.start, zone) - lead * MINUTE
        end = resolve(shift.end, zone, last=True) + grace * MINUTE
        if shift.gardien in gardiens and start < end and end > since:
            intervals.setdefault(shift.gardien, []).append((start, end))
    return {gardien: spans(kept) for gardien, kept in intervals.items()}


def _dates(calendar: Calendar, at: Instant, days: int) -> list[date]:
    first = calendar.date_at(at) - timedelta(days=PAST_DAYS)
    return [first + timedelta(days=number) for number in range(PAST_DAYS + days + 2)]


def _staffed(
    bundle: Bundle, calendar: Calendar, holidays: Holidays, dates: list[date]
) -> Iterator[tuple[Instant, Instant]]:
    off = {year: holidays(year) for year in {day.year for day in dates}}
    for day in dates:
        yield from calendar.hours(day, staff_hours(bundle.site, off[day.year], day))


def _tier(tier: Tier, calendar: Calendar, dates: list[date]) -> ruleset.Tier:
    allowed = None if tier.access_points is UNSET else tuple(sorted(set(tier.access_points)))
    return ruleset.Tier(
        grounds=tuple(ground for ground in Ground if ground in tier.grounds),
        hours=calendar.week(dates, tier.hours),
        access_points=allowed,
        unit=None if tier.pass_ == "none" else Unit(tier.pass_),
    )


def _member(member: Member, calendar: Calendar) -> ruleset.Member:
    return ruleset.Member(
        tier=member.tier,
        staff=Role.STAFF in member.roles,
        gardien=Role.GARDIEN in member.roles,
        fab_manager=Role.FAB_MANAGER in member.roles,
        suspended=member.status == "suspended",
        valid_from=calendar.day_start(member.valid_from) if member.valid_from else None,
        valid_until=calendar.day_end(member.valid_until) if member.valid_until else None,
    )


def _credential(credential: Credential, calendar: Calendar) -> ruleset.Credential:
    return ruleset.Credential(
        member=credential.member,
        blocked=credential.status != "active",
        valid_until=calendar.day_end(credential.valid_until) if credential.valid_until else None,
    )


def _owners(edges: Mapping[str, EdgeKey]) -> dict[str, str]:
    owners: dict[str, str] = {}
    for edge, key in sorted(edges.items()):
        for access_point in key.access_points:
            if owners.setdefault(access_point, edge) != edge:
                raise ValueError(
                    f"access point {access_point!r} is owned by the edges {owners[access_point]!r} and {edge!r}: "
                    "take it from one of them"
                )
    return owners


def _readers(bundle: Bundle, owners: Mapping[str, str]) -> dict[str, Reader]:
    readers = {}
    for point in bundle.access_points:
        owner = owners.get(point.id)
        readers[point.readers.in_] = Reader(point.id, Direction.IN, owner)
        if point.readers.out is not None:
            readers[point.readers.out] = Reader(point.id, Direction.OUT, owner)
    for machine in bundle.machines:
        readers[machine.reader] = Reader(machine.id, None, owners.get(machine.id))
    return readers


def _passes(bundle: Bundle, calendar: Calendar) -> dict[str, tuple[ruleset.Pass, ...]]:
    """Of each member, in the order given, the passes whose unit is the tier's."""
    split = bundle.site.half_day_split
    units = {tier.id: tier.pass_ for tier in bundle.tiers}
    wanted = {member.id: units[member.tier] for member in bundle.members}
    passes: dict[str, tuple[ruleset.Pass, ...]] = {}
    for held in bundle.passes:
        if held.unit == wanted[held.member]:
            until = calendar.day_end(held.valid_until) if held.valid_until else None
            used = tuple(sorted({_unit(calendar, split, name) for name in held.used}))
            passes[held.member] = (*passes.get(held.member, ()), ruleset.Pass(held.total, used, until))
    return passes


@lru_cache(maxsize=1 << 16)
def _unit(calendar: Calendar, split: str, name: str) -> Instant:
    """The start of the day (2026-11-20) or half-day (2026-11-20am, 2026-11-20pm) of this name."""
    day = date.fromisoformat(name[:10])
    return calendar.half_day(day, split) if name.endswith("pm") else calendar.day_start(day)
