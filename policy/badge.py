"""Is this badge good, and its member? Lines 2 to 6, the same at doors and machines."""

from policy.case import NOBODY, Case, Decision, Line, Table
from policy.reasons import Reason


def lockdown(case: Case) -> Decision | None:
    """Line 2: in a lockdown only a good badge of the staff passes on."""
    if not case.state.lockdown or (case.member.staff and not _is_blocked(case)):
        return None
    return case.deny(Reason.LOCKDOWN)


def unknown_credential(case: Case) -> Decision | None:
    """Line 3: nobody has this credential."""
    return case.deny(Reason.UNKNOWN_CREDENTIAL) if case.credential is NOBODY else None


def credential_blocked(case: Case) -> Decision | None:
    """Line 4: lost, stolen, returned or past its last day."""
    return case.deny(Reason.CREDENTIAL_BLOCKED) if _is_blocked(case) else None


def member_suspended(case: Case) -> Decision | None:
    """Line 5."""
    return case.deny(Reason.MEMBER_SUSPENDED) if case.member.suspended else None


def membership_not_valid(case: Case) -> Decision | None:
    """Line 6: the site day is before the first day of the membership or after its last."""
    first, end = case.member.valid_from, case.member.valid_until
    if (first is not None and case.at < first) or (end is not None and case.at >= end):
        return case.deny(Reason.MEMBERSHIP_NOT_VALID)
    return None


def _is_blocked(case: Case) -> bool:
    until = case.credential.valid_until
    return case.credential.blocked or (until is not None and case.at >= until)


LINES: Table = (
    Line("2", lockdown),
    Line("3", unknown_credential),
    Line("4", credential_blocked),
    Line("5", member_suspended),
    Line("6", membership_not_valid),
)
