"""How does a bundle become what an edge decides by? Calendar, shifts and holidays become sorted UTC intervals.

Windows of events and invitations: policy/windows.py. Passes: policy/carnets.py. What belongs to machines:
policy/fablab.py.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta, tzinfo
from functools import lru_cache

from msgspec import UNSET, Struct

from policy import carnets, fablab, ruleset, windows
from policy.bundle import Bundle, Credential, Member, Role, Tier
from policy.calendar import Calendar, resolve, staff_hours
from policy.closing import CLOSES_FROM
from policy.degrees import OFFERS_FROM
from policy.rota import Holidays, rota_of, slots
from policy.ruleset import SPEAKS, AntiPassback, Ground, Period, Reader, RuleSet, Unit
from policy.sitedays import SiteDay, irregular
from policy.spans import Spans, before, spans
from policy.terms import HOUR, MINUTE, Direction, Instant
from policy.windows import Reach

PAST_DAYS = 3
"""Days before the instant of compiling that are kept, so that taps which arrive late can be decided again."""
DAYS_BEYOND = 31
"""For so many days beyond offline_days the rules know the calendar: longer than any machine's hours run without a gap
(a week, or two where the clocks skip what is between), so that no session's end comes from where the rules stop."""
LONGEST = timedelta(3)
"""From the date of a slot no more than so many days pass until its grace is over, nor from its lead to its date."""
SITE_DAYS = 400
"""For so many days the starts of site days and half-days are told, by the zone's rules as they are known now."""


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
    speaks: int = SPEAKS,
    offered: Mapping[str, Spans] = {},
) -> RuleSet:
    """The rule set of a checked bundle. It knows the calendar from PAST_DAYS before the site day of `at` to
    `offline_days` and DAYS_BEYOND after it; beyond, no hours, shifts, events and invitations hold.

    The same for the same site on the same site day, whatever the order of the bundle's parts. pseudonym: of a UID
    (wire/credential.py). speaks: the form to write (policy/ruleset.py). offered: shifts that are in doubt, by gardien;
    no bundle says so. Raises ValueError when two edges own one access point.
    """
    site = bundle.site
    calendar = Calendar(zone, site.day_cutoff)
    today = calendar.day_at(at)
    dates = _dates(today, site.offline_days + DAYS_BEYOND + 1)
    days = _site_days(calendar, site.half_day_split, today)
    told = irregular(days) if speaks > 1 else days
    reach = Reach(calendar.day_start(dates[0]), calendar.day_start(dates[-1]))
    return RuleSet(
        site=site.id,
        days=tuple(day.start for day in told),
        staffed=before(spans(_staffed(bundle, calendar, holidays, dates)), reach.until),
        tiers={tier.id: _tier(tier, calendar, dates, reach) for tier in bundle.tiers},
        members={member.id: _member(member, calendar) for member in bundle.members},
        credentials={
            pseudonym(bytes.fromhex(credential.uid)): _credential(credential, calendar)
            for credential in bundle.credentials
        },
        shifts={
            gardien: known
            for gardien, shifts in shift_table(
                bundle, zone=zone, holidays=holidays, since=reach.since, lead=site.shift_lead, grace=site.shift_grace
            ).items()
            if (known := before(shifts, reach.until))
        },
        readers=_readers(bundle, _owners(edges)),
        edges={edge: key.public_key for edge, key in edges.items()},
        splits=tuple(day.split for day in told),
        dates=tuple(day.date.isoformat() for day in told) if speaks > 1 else (),
        speaks=speaks,
        events=windows.of_events(bundle, zone, reach),
        free_events=windows.of_events(bundle, zone, reach, only=lambda event: event.free),
        public_events=windows.of_events(bundle, zone, reach, only=lambda event: event.audience == "public"),
        invitations=windows.of_invitations(bundle, zone, reach),
        passes=carnets.passes(bundle) if speaks > 1 else carnets.passes_of_form_1(bundle, calendar, today),
        paid=carnets.days_paid(bundle, dates[0]) if speaks > 1 else {},
        capacity=site.capacity,
        full_denies=site.at_capacity == "deny",
        anti_passback=AntiPassback(site.anti_passback),
        shift_lead=site.shift_lead * MINUTE,
        shift_grace=site.shift_grace * MINUTE,
        adhoc=site.adhoc_hours * HOUR,
        machines=fablab.machines(bundle, calendar, dates, reach.until),
        certifications=fablab.certifications(bundle, calendar),
        quotas=fablab.quotas(bundle),
        bookings=fablab.bookings(bundle, zone, reach.since),
        weeks=fablab.period_starts(zone, dates[0], dates[-1], Period.WEEK),
        months=fablab.period_starts(zone, dates[0], dates[-1], Period.MONTH),
        planned=_planned(bundle, zone, holidays, reach) if speaks >= CLOSES_FROM else {},
        offered=_offered(bundle, offered, reach) if speaks >= OFFERS_FROM else {},
    )


def shift_table(
    bundle: Bundle, *, zone: tzinfo, holidays: Holidays, since: Instant, lead: int = 0, grace: int = 0
) -> dict[str, Spans]:
    """When the shifts of each gardien cover, of those that end after `since`: single ones however far ahead, those of
    the rota as far as the rules know the calendar.

    lead, grace: minutes before the start and after the end; without them (policy/opening.py) let `since` be a day ago,
    that a shift in its grace is there still. Only members who have the role: a shift of anybody else
    has no effect.
    """
    gardiens = _gardiens(bundle)
    intervals: dict[str, list[tuple[Instant, Instant]]] = {}
    for gardien, first, last in _shifts(bundle, zone, holidays, since):
        start, end = first - lead * MINUTE, last + grace * MINUTE
        if gardien in gardiens and start < end and end > since:
            intervals.setdefault(gardien, []).append((start, end))
    return {gardien: spans(kept) for gardien, kept in intervals.items()}


def _planned(
    bundle: Bundle, zone: tzinfo, holidays: Holidays, reach: Reach
) -> dict[str, tuple[tuple[Instant, Instant], ...]]:
    """The shifts of each gardien, neither widened nor merged: each has an end of its own."""
    gardiens = _gardiens(bundle)
    found: dict[str, list[tuple[Instant, Instant]]] = {}
    for gardien, start, end in _shifts(bundle, zone, holidays, reach.since):
        if gardien in gardiens and start < end and reach.since < end <= reach.until:
            found.setdefault(gardien, []).append((start, end))
    return {gardien: tuple(sorted(shifts)) for gardien, shifts in found.items()}


def _offered(bundle: Bundle, offered: Mapping[str, Spans], reach: Reach) -> dict[str, Spans]:
    gardiens = _gardiens(bundle)
    return {who: known for who, times in offered.items() if who in gardiens and (known := before(times, reach.until))}


def _gardiens(bundle: Bundle) -> set[str]:
    return {member.id for member in bundle.members if Role.GARDIEN in member.roles}


def _shifts(bundle: Bundle, zone: tzinfo, holidays: Holidays, since: Instant) -> Iterator[tuple[str, Instant, Instant]]:
    """Who holds from when to when: the single shifts, and the slots of the rota that somebody has."""
    for shift in bundle.shifts:
        yield shift.gardien, resolve(shift.start, zone), resolve(shift.end, zone, last=True)
    rota = rota_of(bundle, zone, holidays)
    first = rota.calendar.date_at(since) - LONGEST
    last = first + 2 * LONGEST + timedelta(PAST_DAYS + bundle.site.offline_days + DAYS_BEYOND + 1)
    for slot in slots(rota, first, last):
        if slot.gardien is not None:
            yield slot.gardien, slot.start, slot.end


@lru_cache(maxsize=64)
def _site_days(calendar: Calendar, split: str, today: date) -> tuple[SiteDay, ...]:
    """From PAST_DAYS before today to SITE_DAYS after it. Remembered: a site asks the same at each change of a day."""
    return tuple(calendar.site_day(day, split) for day in _dates(today, SITE_DAYS))


def _dates(today: date, days: int) -> list[date]:
    """From PAST_DAYS before today to so many days after it, both included."""
    return [today + timedelta(days=number) for number in range(-PAST_DAYS, days + 1)]


def _staffed(
    bundle: Bundle, calendar: Calendar, holidays: Holidays, dates: list[date]
) -> Iterator[tuple[Instant, Instant]]:
    off = {year: holidays(year) for year in {day.year for day in dates}}
    for day in dates:
        yield from calendar.hours(day, staff_hours(bundle.site, off[day.year], day))


def _tier(tier: Tier, calendar: Calendar, dates: list[date], reach: Reach) -> ruleset.Tier:
    allowed = None if tier.access_points is UNSET else tuple(sorted(set(tier.access_points)))
    return ruleset.Tier(
        grounds=tuple(ground for ground in Ground if ground in tier.grounds),
        hours=before(calendar.week(dates, tier.hours), reach.until),
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
