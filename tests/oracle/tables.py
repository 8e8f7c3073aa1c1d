"""What is decided? The two tables of the rules, line after line, for somebody's view of the facts.

Each function returns (granted, reason), or None where none of its lines applies.
"""

from datetime import date, datetime, timedelta

from tests.oracle import days
from tests.oracle.knowledge import Thing, View, is_gardien, is_past, is_staff

Answer = tuple[bool, str] | None


def lines_2_to_6(view: View, uid: str, today: date) -> Answer:
    """Lines 2 to 6 of both tables. `today` is the site day of the (last trusted) instant."""
    credential = view.credential(uid)
    member = view.one("members", id=credential["member"]) if credential else None
    good = credential is not None and credential.get("status", "active") == "active"
    good = good and credential is not None and not is_past(credential.get("valid_until"), today)
    # "lockdown is on and this is not the credential (active, not past its last day) of a member who is staff"
    lockdowns = view.of("lockdown")
    if lockdowns and lockdowns[-1]["on"] and not (good and member is not None and is_staff(member)):
        return False, "lockdown"
    # "nobody has this credential"
    if member is None:
        return False, "unknown_credential"
    # "the credential is lost, stolen, returned or past its last day"
    if not good:
        return False, "credential_blocked"
    # "the member is suspended"
    if member.get("status", "active") == "suspended":
        return False, "member_suspended"
    # "the site day is before the membership's first day or after its last"
    if "valid_from" in member and today < date.fromisoformat(member["valid_from"]):
        return False, "membership_not_valid"
    if is_past(member.get("valid_until"), today):
        return False, "membership_not_valid"
    return None


def line_7(view: View, member: Thing, access_point: str) -> Answer:
    """Line 7 of the door."""
    # "the access point is not one of the tier's"
    tier = view.tier(member)
    if "access_points" in tier and access_point not in tier["access_points"]:
        return False, "not_allowed_here"
    return None


def stale_or_untrusted_door(view: View, member: Thing, *, stale: bool, trusted: bool) -> Answer:
    """The lines that "stand between 7 and 8 of the door, stale before clock"."""
    # "rules confirmed longer ago: staff and gardiens pass this line, others are denied `rules_stale`"
    if stale and not is_staff(member) and not is_gardien(member):
        return False, "rules_stale"
    if trusted:
        return None
    # "staff granted `staff`, gardiens `gardien_grace`, tiers with `always` granted `always`, nothing else asked or
    # paid; others denied `clock_untrusted`"
    if is_staff(member):
        return True, "staff"
    if is_gardien(member):
        return True, "gardien_grace"
    if "always" in view.tier(member)["grounds"]:
        return True, "always"
    return False, "clock_untrusted"


def makes_adhoc_shift(view: View, member: Thing) -> bool:
    """Whether the second tap of a pair, which lines 2 to 7 let pass with a trusted clock, makes a shift."""
    # "if `adhoc_hours` is not 0, lines 2 to 7 let the second tap pass, the clock is trusted, no shift of theirs covers
    # the instant, and the place is neither staffed nor held then."
    if not is_gardien(member) or view.site.get("adhoc_hours", 0) == 0:
        return False
    if view.in_own_shift(member["id"]):
        return False
    return not view.staffed() and not view.held()


def would_grant(view: View, member: Thing, access_point: str) -> str | None:
    """The reason that line 14 of the door would name."""
    # "granted, with the first that holds of `always`, `tier_hours`, `staffed_hours`, `gardien_present`, `invited`,
    # `event`"
    ground = view.ground(member)
    if ground is not None:
        return ground
    if view.invited(member, access_point):
        return "invited"
    if view.events(access_point):
        return "event"
    return None


def would_pay(view: View, member: Thing, access_point: str) -> bool:
    """Whether a grant on line 14 pays a unit."""
    # "A grant on line 14 pays one unit if the tier needs a pass, the ground is neither `invited` nor `event`, no `free`
    # event runs at the access point and the day or half-day is not paid yet."
    if view.tier(member).get("pass", "none") == "none":
        return False
    if would_grant(view, member, access_point) in ("invited", "event"):
        return False
    if any(event.get("free", False) for event in view.events(access_point)):
        return False
    return not view.is_paid(member)


def lines_8_to_14(view: View, member: Thing, access_point: str, *, linked: bool, adhoc: bool) -> tuple[bool, str]:
    """Lines 8 to 14 of the door; after an ad hoc opening "decided without line 9"."""
    own_shift = view.in_own_shift(member["id"]) or adhoc
    # "the member is staff"
    if is_staff(member):
        return True, "staff"
    # "anti-passback is `hard`, the link is up, and the member is inside already"
    hard = view.site.get("anti_passback", "off") == "hard"
    if not adhoc and hard and linked and view.is_inside(member["id"]):
        return False, "already_inside"
    # "the member is a gardien and a shift of theirs covers the instant"
    if is_gardien(member) and own_shift:
        return True, "own_shift"
    # "no ground of the tier holds, no invitation and no event"
    reason = would_grant(view, member, access_point)
    if reason is None:
        return False, "outside_hours"
    # "the tier needs a pass, line 14 would name neither `invited` nor `event`, no event with `free` runs at this access
    # point, this day or half-day is not paid yet, and nothing is left"
    if would_pay(view, member, access_point) and view.pass_left(member) == 0:
        return False, "pass_exhausted"
    # "`at_capacity` is `deny`, as many members are inside as the capacity, and this one is not"
    capacity = view.site.get("capacity")
    full = capacity is not None and len(view.inside()) >= capacity
    if view.site.get("at_capacity", "warn") == "deny" and full and not view.is_inside(member["id"]):
        return False, "site_full"
    return True, reason


def lines_7_to_9_of_the_machine(view: View, member: Thing, machine: Thing) -> Answer:
    """Lines 7 to 9 of the machine."""
    stopped = view.is_stopped(machine["id"])
    # "it is stopped by an emergency stop, and the member is staff or a fab manager"
    if stopped and (is_staff(member) or "fab_manager" in member.get("roles", [])):
        return True, "machine_reset"
    # "it is stopped by an emergency stop or locked out"
    if stopped or machine.get("locked_out") is not None:
        return False, "machine_locked_out"
    # "another member's session runs"
    if view.running_on(machine["id"]) is not None:
        return False, "machine_busy"
    return None


def lines_10_to_18_of_the_machine(view: View, member: Thing, machine: Thing) -> tuple[bool, str]:
    """Lines 10 to 18 of the machine."""
    certification = view.one("certifications", member=member["id"], kind=machine["kind"])
    # "the member was never certified for this kind of machine"
    if certification is None:
        return False, "not_certified"
    # "that certification is past its last day"
    if is_past(certification.get("until"), days.site_day(view.site, view.now)):
        return False, "certification_expired"
    # "the member is not inside"
    if not view.is_inside(member["id"]):
        return False, "not_inside"
    # "none of the machine's hours covers the instant (no hours given, or empty: always)"
    if machine.get("hours") and not days.in_week(view.site, machine["hours"], view.now):
        return False, "outside_machine_hours"
    # "the member is not staff, no ground of the tier holds, no own shift covers the instant, and no invitation of
    # theirs and no event runs anywhere"
    shift = is_gardien(member) and view.in_own_shift(member["id"])
    ground = view.ground(member) is not None or shift or view.invited(member, None) or bool(view.events(None))
    if not is_staff(member) and not ground:
        return False, "outside_hours"
    # "fewer members are inside than the machine's `min_people`"
    if len(view.inside()) < machine.get("min_people", 0):
        return False, "companion_required"
    # "another member's booking covers the instant and is not released"
    now = [booking for booking in view.bookings(machine["id"]) if view.covers(booking, view.now)]
    if any(booking["member"] != member["id"] and not view.is_released(booking) for booking in now):
        return False, "booked_by_other"
    # "the member is not staff and the quota for this kind is used up in this period"
    if not is_staff(member) and view.quota_left(member["id"], machine["kind"]) == 0:
        return False, "quota_exhausted"
    # "granted `booking` (a booking of the member covers the instant, released or not) or `walk_up`, with `until`"
    return True, "booking" if any(booking["member"] == member["id"] for booking in now) else "walk_up"


def holds_up(view: View, member: Thing, machine: Thing) -> bool:
    """Whether line 8, 13, 16 or 17 of the machine would refuse a start."""
    if view.is_stopped(machine["id"]) or machine.get("locked_out") is not None:
        return True
    if machine.get("hours") and not days.in_week(view.site, machine["hours"], view.now):
        return True
    for booking in view.bookings(machine["id"]):
        if booking["member"] != member["id"] and view.covers(booking, view.now) and not view.is_released(booking):
            return True
    return not is_staff(member) and view.quota_left(member["id"], machine["kind"]) == 0


def until(view: View, member: Thing, machine: Thing, *, running: bool = False) -> datetime | None:
    """The earliest of the three ends of a session that starts now, or is running; None if none applies."""
    ends = [quota_end(view, member, machine["kind"], 0 if running else 1)]
    # "the start of the next booking of another member"
    for booking in view.bookings(machine["id"]):
        start = days.moment(view.site, booking["start"], end=False)
        if booking["member"] != member["id"] and start > view.now:
            ends.append(start)
    # "and the end of the machine's hours"
    if machine.get("hours"):
        ends.append(days.hours_end(view.site, machine["hours"], view.now))
    return min((end for end in ends if end is not None), default=None)


def quota_end(view: View, member: Thing, kind: str, starting: int) -> datetime | None:
    """The instant at which the quota would be used up; None if it never would. starting: sessions that start now."""
    quota = view.one("quotas", kind=kind)
    left = view.quota_left(member["id"], kind)
    # "(not for staff; ...)"
    if quota is None or left is None or is_staff(member):
        return None
    running = [session for session in view.sessions() if session["end"] is None and session["kind"] == kind]
    # "with n sessions of the member running on this kind, this one included, each uses 1/n of it, in whole seconds
    # rounded down"
    n = starting + len([session for session in running if session["member"] == member["id"]])
    at = view.now
    for _ in range(100):
        _, last = days.period(view.site, quota["period"], at)
        used_up = at + left // n * timedelta(seconds=1)
        if used_up < last:
            return used_up
        # "a new period, from its first instant, brings a fresh quota"
        at, left = last, quota["minutes"] * 60
    return None
