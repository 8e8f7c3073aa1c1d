"""Why a tap was granted or refused: the closed list, stored, shown, counted and tested under these words."""

from enum import StrEnum


class Reason(StrEnum):
    """One for each line of the tables in docs/rules.md."""

    EGRESS = "egress"
    STAFF = "staff"
    OWN_SHIFT = "own_shift"
    ALWAYS = "always"
    TIER_HOURS = "tier_hours"
    STAFFED_HOURS = "staffed_hours"
    GARDIEN_PRESENT = "gardien_present"
    INVITED = "invited"
    EVENT = "event"
    GARDIEN_GRACE = "gardien_grace"

    LOCKDOWN = "lockdown"
    UNKNOWN_CREDENTIAL = "unknown_credential"
    CREDENTIAL_BLOCKED = "credential_blocked"
    MEMBER_SUSPENDED = "member_suspended"
    MEMBERSHIP_NOT_VALID = "membership_not_valid"
    NOT_ALLOWED_HERE = "not_allowed_here"
    RULES_STALE = "rules_stale"
    CLOCK_UNTRUSTED = "clock_untrusted"
    ALREADY_INSIDE = "already_inside"
    OUTSIDE_HOURS = "outside_hours"
    PASS_EXHAUSTED = "pass_exhausted"
    SITE_FULL = "site_full"

    SESSION_ENDED = "session_ended"
    MACHINE_RESET = "machine_reset"
    BOOKING = "booking"
    WALK_UP = "walk_up"
    MACHINE_LOCKED_OUT = "machine_locked_out"
    MACHINE_BUSY = "machine_busy"
    NOT_CERTIFIED = "not_certified"
    CERTIFICATION_EXPIRED = "certification_expired"
    NOT_INSIDE = "not_inside"
    OUTSIDE_MACHINE_HOURS = "outside_machine_hours"
    COMPANION_REQUIRED = "companion_required"
    BOOKED_BY_OTHER = "booked_by_other"
    QUOTA_EXHAUSTED = "quota_exhausted"


class Family(StrEnum):
    """All that the lamp at a door shows of a decision: nobody's suspension is read out to the queue."""

    GRANTED = "granted"
    SEE_DESK = "see_desk"
    """Something about the badge or the membership: the desk can mend it."""
    NOT_NOW = "not_now"
    """The badge is good; it is the hour, the place or the machine that is not."""
    CALL_GARDIEN = "call_gardien"
    """The site or the box is not in order: somebody inside must help."""


_NOT_NOW = {
    Reason.OUTSIDE_HOURS,
    Reason.SITE_FULL,
    Reason.MACHINE_BUSY,
    Reason.MACHINE_LOCKED_OUT,
    Reason.NOT_INSIDE,
    Reason.OUTSIDE_MACHINE_HOURS,
    Reason.COMPANION_REQUIRED,
    Reason.BOOKED_BY_OTHER,
}
_CALL_GARDIEN = {Reason.LOCKDOWN, Reason.RULES_STALE, Reason.CLOCK_UNTRUSTED}


def family(granted: bool, reason: Reason) -> Family:
    """The family whose signal lamp and buzzer give."""
    if granted:
        return Family.GRANTED
    if reason in _NOT_NOW:
        return Family.NOT_NOW
    return Family.CALL_GARDIEN if reason in _CALL_GARDIEN else Family.SEE_DESK
