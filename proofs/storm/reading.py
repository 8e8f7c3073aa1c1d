"""What do the rules say of a tap? An independent reading of docs/rules.md, for the stormy site.

It looks into the bundle with the calendar, not into compiled tables, and shares no code with policy/. It knows what
that site has: no events, invitations, machine hours, ad hoc shifts or refusal for capacity. Whose turn it is at the
machine: proofs/storm/turns.py.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from holidays import country_holidays

from policy.bundle import Bundle, Credential, Member, Pass
from policy.ruleset import Paid
from policy.terms import Instant
from proofs.storm.casting import MACHINE, QUOTA
from proofs.storm.hours import half_day, local_time, parsed, site_day
from proofs.storm.turns import Turns, booked, is_staff

LEAD, GRACE = timedelta(minutes=30), timedelta(minutes=15)
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What an edge says that it knows when it decides.

    at: by its clock; the last trusted instant while that is not trusted. inside: who is, as far as it knows. paid: the
    half-days that the member has paid, in all. turns: who ran the machine and found it busy. stopped: whether it is
    under an emergency stop; pressed: whether the button is down. recording: whether the journal takes rows.
    """

    at: Instant
    trusted: bool
    stale: bool
    lockdown: bool
    linked: bool
    inside: frozenset[str]
    paid: frozenset[Paid]
    turns: Turns = field(default_factory=Turns)
    stopped: bool = False
    pressed: bool = False
    recording: bool = True


Answer = tuple[bool, str]


def read(bundle: Bundle, uid: str, reader: str, known: Knowledge) -> Answer:
    """(granted, reason) of a tap."""
    place, _, way = reader.rpartition("-")
    badge = next((badge for badge in bundle.credentials if badge.uid.upper() == uid.upper()), None)
    member = next((m for m in bundle.members if badge is not None and m.id == badge.member), None)
    if way == "out":
        return True, "egress"
    if place == MACHINE and member is not None and known.turns.running(known.at) == member.id:
        return True, "session_ended"
    refused = _refused(badge, member, known)
    if refused is not None or member is None:
        return False, refused or "unknown_credential"
    return read_machine(bundle, member, known) if place == MACHINE else read_door(bundle, member, place, known)


def _refused(badge: Credential | None, member: Member | None, known: Knowledge) -> str | None:
    """Lines 2 to 6, the same at doors and machines."""
    today = site_day(local_time(known.at))
    if known.lockdown and not (
        badge
        and member
        and "staff" in member.roles
        and badge.status == "active"
        and not _past(badge.valid_until, today)
    ):
        return "lockdown"
    if badge is None or member is None:
        return "unknown_credential"
    if badge.status != "active" or _past(badge.valid_until, today):
        return "credential_blocked"
    if member.status == "suspended":
        return "member_suspended"
    if _past(member.valid_until, today) or (member.valid_from is not None and today < member.valid_from):
        return "membership_not_valid"
    return None


def read_door(bundle: Bundle, member: Member, place: str, known: Knowledge) -> Answer:
    """From line 7 on."""
    tier = next(tier for tier in bundle.tiers if tier.id == member.tier)
    if isinstance(tier.access_points, tuple) and place not in tier.access_points:
        return False, "not_allowed_here"
    staff, gardien, local = "staff" in member.roles, "gardien" in member.roles, local_time(known.at)
    if known.stale and not (staff or gardien):
        return False, "rules_stale"
    if not known.trusted:
        if staff:
            return True, "staff"
        if gardien:
            return True, "gardien_grace"
        return (True, "always") if "always" in tier.grounds else (False, "clock_untrusted")
    if staff:
        return True, "staff"
    if known.linked and member.id in known.inside:
        return False, "already_inside"
    if gardien and on_shift(bundle, member.id, local):
        return True, "own_shift"
    reason = ground(bundle, member, local, known.inside)
    if reason is None:
        return False, "outside_hours"
    carnets = [carnet for carnet in bundle.passes if carnet.member == member.id]
    paid = half_day(local) in known.paid
    if member.tier in ("carnet", "gardien") and not paid and not _any_left(carnets, known, site_day(local)):
        return False, "pass_exhausted"
    return True, reason


def _any_left(carnets: list[Pass], known: Knowledge, today: date) -> bool:
    """Whether a carnet that is good today has a half-day left. Each that was paid is of the first that was good then.

    Two doors that do not hear each other may both sell the last one: what was paid too much no later carnet owes.
    """
    left = [carnet.total for carnet in carnets]
    for day in sorted(f"{name}"[:10] for name in known.paid):
        good = (place for place, one in enumerate(carnets) if left[place] and _good(one, day))
        place = next(good, None)
        if place is not None:
            left[place] -= 1
    return any(rest and _good(one, f"{today}") for rest, one in zip(left, carnets, strict=True))


def _good(carnet: Pass, day: str) -> bool:
    return f"{carnet.valid_from or ''}" <= day and (carnet.valid_until is None or day <= f"{carnet.valid_until}")


def read_machine(bundle: Bundle, member: Member, known: Knowledge) -> Answer:
    """From staleness on."""
    may_reset = "staff" in member.roles or "fab_manager" in member.roles
    not_near, not_free = _not_near(bundle, member, known), _not_free(bundle, member.id, known)
    table: tuple[tuple[bool, Answer], ...] = (
        (known.stale, (False, "rules_stale")),
        (not known.trusted, (False, "clock_untrusted")),
        (known.stopped and not known.pressed and may_reset, (True, "machine_reset")),
        (_is_out(bundle, known), (False, "machine_locked_out")),
        (known.turns.running(known.at) is not None, (False, "machine_busy")),
        (not_near is not None, (False, f"{not_near}")),
        (not_free is not None, (False, f"{not_free}")),
        (not known.recording, (False, "machine_locked_out")),
    )
    own = any(one.member == member.id and one.start <= known.at < one.end for one in booked(bundle))
    return next((answer for holds, answer in table if holds), (True, "booking" if own else "walk_up"))


def read_extension(bundle: Bundle, who: str, known: Knowledge) -> str | None:
    """Why a session of theirs may not go on; None when it may."""
    return "machine_locked_out" if _is_out(bundle, known) else _not_free(bundle, who, known)


def read_press(bundle: Bundle, member: Member, known: Knowledge) -> str | None:
    """Why nobody is asked to let a session of theirs go on: they may not be near the machine any more. Of any badge."""
    badges = [badge for badge in bundle.credentials if badge.member == member.id]
    refused = [_refused(badge, member, known) for badge in badges]
    return _not_near(bundle, member, known) if None in refused else refused[0]


def _is_out(bundle: Bundle, known: Knowledge) -> bool:
    """Line 8."""
    out = next(machine.locked_out for machine in bundle.machines if machine.id == MACHINE)
    return known.stopped or known.pressed or out is not None


def _not_near(bundle: Bundle, member: Member, known: Knowledge) -> str | None:
    """Lines 10 to 15; whoever is inside is company enough here."""
    local = local_time(known.at)
    shift = "gardien" in member.roles and on_shift(bundle, member.id, local)
    welcome = is_staff(bundle, member.id) or shift or ground(bundle, member, local, known.inside) is not None
    lasts = [one.until for one in bundle.certifications if one.member == member.id]
    table = (
        (not lasts, "not_certified"),
        (all(_past(last, site_day(local)) for last in lasts), "certification_expired"),
        (member.id not in known.inside, "not_inside"),
        (not welcome, "outside_hours"),
    )
    return next((why for holds, why in table if holds), None)


def _not_free(bundle: Bundle, who: str, known: Knowledge) -> str | None:
    """Lines 16 and 17."""
    if known.turns.kept_for(bundle, known.at) not in (None, who):
        return "booked_by_other"
    used_up = not is_staff(bundle, who) and known.turns.used(who, known.at) >= QUOTA * 60
    return "quota_exhausted" if used_up else None


def ground(bundle: Bundle, member: Member, local: datetime, inside: frozenset[str]) -> str | None:
    """The first ground of the member's tier that holds."""
    grounds = next(tier.grounds for tier in bundle.tiers if tier.id == member.tier)
    if "always" in grounds:
        return "always"
    if "staffed" in grounds and staffed(bundle, local):
        return "staffed_hours"
    if "held" in grounds and held(bundle, local, inside):
        return "gardien_present"
    return None


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
        parsed(shift.start) - LEAD <= local < parsed(shift.end) + GRACE
        for shift in bundle.shifts
        if shift.gardien == who
    )


def _past(last_day: date | None, today: date) -> bool:
    return last_day is not None and today > last_day


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(country_holidays("FR", years=year))


def _is_holiday(on: date) -> bool:
    return on in _holidays(on.year)
