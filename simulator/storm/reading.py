"""What do the rules say of a tap at a door? An independent reading of docs/rules.md, for the stormy site.

It looks into the bundle with the calendar, not into compiled tables, and shares no code with policy/. It knows what
that site has: no events, invitations, ad hoc shifts, anti-passback or refusal for capacity.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from holidays import country_holidays

from policy.bundle import Bundle, Member
from policy.terms import Instant

PARIS = ZoneInfo("Europe/Paris")
CUTOFF, SPLIT = time(4), time(13)
LEAD, GRACE = timedelta(minutes=30), timedelta(minutes=15)
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What an edge says that it knows when it decides.

    at: by its clock; the last trusted instant while that is not trusted. inside: who is, as far as it knows. paid: the
    half-days (their starts) that the member has paid, in all.
    """

    at: Instant
    trusted: bool
    stale: bool
    lockdown: bool
    inside: frozenset[str]
    paid: frozenset[Instant]


def read(bundle: Bundle, uid: str, place: str, out: bool, known: Knowledge) -> tuple[bool, str]:
    """(granted, reason) of a tap at a door."""
    if out:
        return True, "egress"
    badge = next((badge for badge in bundle.credentials if badge.uid.upper() == uid.upper()), None)
    member = next((m for m in bundle.members if badge is not None and m.id == badge.member), None)
    local = local_time(known.at)
    today = site_day(local)
    if known.lockdown and not (
        badge
        and member
        and "staff" in member.roles
        and badge.status == "active"
        and not _past(badge.valid_until, today)
    ):
        return False, "lockdown"
    if badge is None or member is None:
        return False, "unknown_credential"
    if badge.status != "active" or _past(badge.valid_until, today):
        return False, "credential_blocked"
    if member.status == "suspended":
        return False, "member_suspended"
    if _past(member.valid_until, today) or (member.valid_from is not None and today < member.valid_from):
        return False, "membership_not_valid"
    tier = next(tier for tier in bundle.tiers if tier.id == member.tier)
    if isinstance(tier.access_points, tuple) and place not in tier.access_points:
        return False, "not_allowed_here"
    return _open_to(bundle, member, local, known)


def _open_to(bundle: Bundle, member: Member, local: datetime, known: Knowledge) -> tuple[bool, str]:
    staff, gardien = "staff" in member.roles, "gardien" in member.roles
    grounds = next(tier.grounds for tier in bundle.tiers if tier.id == member.tier)
    if known.stale and not (staff or gardien):
        return False, "rules_stale"
    if not known.trusted:
        if staff:
            return True, "staff"
        if gardien:
            return True, "gardien_grace"
        return (True, "always") if "always" in grounds else (False, "clock_untrusted")
    if staff:
        return True, "staff"
    if gardien and on_shift(bundle, member.id, local):
        return True, "own_shift"
    if "always" in grounds:
        return True, "always"
    reason = None
    if "staffed" in grounds and staffed(bundle, local):
        reason = "staffed_hours"
    elif "held" in grounds and held(bundle, local, known.inside):
        reason = "gardien_present"
    if reason is None:
        return False, "outside_hours"
    carnets = [carnet for carnet in bundle.passes if carnet.member == member.id]
    if (
        member.tier == "carnet"
        and half_day(local) not in known.paid
        and len(known.paid) >= sum(c.total for c in carnets)
    ):
        return False, "pass_exhausted"
    return True, reason


def staffed(bundle: Bundle, local: datetime) -> bool:
    """The week's ranges of the site; none of them passes midnight."""
    if _is_holiday(local.date()):
        return False
    hours = bundle.site.staff_hours.get(NAMES[local.weekday()], ())  # type: ignore[call-overload]
    return any(time.fromisoformat(start) <= local.time() < time.fromisoformat(end) for start, end in hours)


def held(bundle: Bundle, local: datetime, inside: frozenset[str]) -> bool:
    """Whether an active gardien is inside whose shift covers the instant."""
    return any(
        "gardien" in m.roles and m.status == "active" and m.id in inside and on_shift(bundle, m.id, local)
        for m in bundle.members
    )


def on_shift(bundle: Bundle, who: str, local: datetime) -> bool:
    """Lead and grace included; the rota's hours never touch a change of the clocks."""
    return any(
        _local(shift.start) - LEAD <= local < _local(shift.end) + GRACE
        for shift in bundle.shifts
        if shift.gardien == who
    )


def half_day(local: datetime) -> Instant:
    """The start of the half-day that holds the moment, as an instant."""
    today = site_day(local)
    split = datetime.combine(today, SPLIT, PARIS)
    start = split if local >= split else datetime.combine(today, CUTOFF, PARIS)
    return round(start.astimezone(UTC).timestamp() * 1000)


def day_start(at: Instant) -> Instant:
    """The start of the site day that holds the instant."""
    start = datetime.combine(site_day(local_time(at)), CUTOFF, PARIS)
    return round(start.astimezone(UTC).timestamp() * 1000)


def local_time(at: Instant) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(PARIS)


def site_day(local: datetime) -> date:
    return local.date() if local.time() >= CUTOFF else local.date() - timedelta(days=1)


def _past(last_day: date | None, today: date) -> bool:
    return last_day is not None and today > last_day


@lru_cache(maxsize=4096)
def _local(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=PARIS)


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(country_holidays("FR", years=year))


def _is_holiday(on: date) -> bool:
    return on in _holidays(on.year)
