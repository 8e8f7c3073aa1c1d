"""What a lamp shows of a reason."""

import pytest

from policy.reasons import Family, Reason, family


@pytest.mark.parametrize("reason", Reason)
def test_every_grant_shows_the_same(reason: Reason) -> None:
    assert family(True, reason) == Family.GRANTED


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        (Reason.UNKNOWN_CREDENTIAL, Family.SEE_DESK),
        (Reason.CREDENTIAL_BLOCKED, Family.SEE_DESK),
        (Reason.MEMBER_SUSPENDED, Family.SEE_DESK),
        (Reason.MEMBERSHIP_NOT_VALID, Family.SEE_DESK),
        (Reason.NOT_ALLOWED_HERE, Family.SEE_DESK),
        (Reason.PASS_EXHAUSTED, Family.SEE_DESK),
        (Reason.OUTSIDE_HOURS, Family.NOT_NOW),
        (Reason.SITE_FULL, Family.NOT_NOW),
        (Reason.RULES_STALE, Family.CALL_GARDIEN),
        (Reason.CLOCK_UNTRUSTED, Family.CALL_GARDIEN),
        (Reason.LOCKDOWN, Family.CALL_GARDIEN),
    ],
)
def test_a_refusal_says_where_help_is_and_no_more(reason: Reason, shown: Family) -> None:
    assert family(False, reason) == shown
