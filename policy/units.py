"""What is a day or half-day called that a unit of a pass pays for? By a site day's date, and am or pm.

2026-11-24 is a day, 2026-11-24am and 2026-11-24pm are its halves. What a day was called when it was paid it keeps,
whatever becomes of `day_cutoff`. In form 1 (policy/ruleset.py, SPEAKS) they are told by the instants at which they
start.
"""

from datetime import date

from policy.instants import BELIEVED, believed, of
from policy.ruleset import Paid, RuleSet, Unit
from policy.sitedays import SiteDay
from policy.terms import Instant

DATE = len("2026-11-24")
HALVES = ("am", "pm")


def name_at(rules: RuleSet, unit: Unit, at: Instant) -> str:
    """The day or half-day that holds the instant."""
    day = rules.site_days.at(at)
    half = "" if unit is Unit.DAY else HALVES[at >= day.split]
    return f"{day.date}{half}"


def start_at(rules: RuleSet, unit: Unit, at: Instant) -> Instant:
    """The start of the day or half-day that holds the instant: its name in form 1."""
    day = rules.site_days.at(at)
    return day.split if unit is Unit.HALF_DAY and at >= day.split else day.start


def unit_of(name: str) -> Unit:
    """Whether a name is that of a day or of a half-day."""
    return Unit.DAY if len(name) == DATE else Unit.HALF_DAY


def is_name(written: str) -> bool:
    """Whether this is the name of a day or half-day that exists."""
    try:
        return date.fromisoformat(written[:DATE]).isoformat() == written[:DATE] and written[DATE:] in ("", *HALVES)
    except ValueError:
        return False


def told(written: str) -> Paid:
    """What a machine says was paid, in either form. Raises ValueError for what is none, or of years not believed."""
    if not is_name(written):
        return of(believed(written))
    if int(written[:4]) not in BELIEVED:
        raise ValueError(f"{written!r} is not from {BELIEVED[0]} to {BELIEVED[-1]}, and so not believed")
    return written


def named(rules: RuleSet, unit: Unit, paid: Paid) -> str:
    """The name of what was paid: of an instant, that of the day or half-day which starts next to it.

    Next to it: far from the days that the rules know, a day may seem to start an hour off, by daylight saving; and
    `day_cutoff` may have moved since. unit: of the member's tier; an instant does not tell a day from its morning.
    """
    return paid if isinstance(paid, str) else nearest(paid, unit, rules.site_days.at(paid))


def nearest(at: Instant, unit: Unit, day: SiteDay) -> str:
    """The name of the day or half-day that starts next to an instant. day: the site day that holds it.

    It is the one that was paid unless `day_cutoff` or `half_day_split` has moved since by half of the shorter half of a
    day, or more: of that an instant cannot tell.
    """
    morning = "" if unit is Unit.DAY else HALVES[0]
    _, found, half = min(
        (abs(at - day.split), day.ordinal, HALVES[1]),
        (at - day.start, day.ordinal, morning),
        (day.end - at, day.ordinal + 1, morning),
    )
    return f"{date.fromordinal(found)}{half}"


def covers(paid: str, name: str) -> bool:
    """Whether what is paid pays for this day or half-day: a day for both its halves, a half-day for no day."""
    return paid in (name, name[:DATE])
