"""What can keep the server from starting, from storing, or from changing something for somebody?"""

from collections.abc import Sequence
from enum import StrEnum

SHOWN = 20
"""Of what would end."""


class ServerError(Exception):
    """Whoever runs the server can mend it. The message names the thing, the value and the remedy."""


class ConfigError(ServerError):
    """The configuration cannot be used."""


class DatabaseError(ServerError):
    """The database cannot be opened, read or written now."""


class BackupError(ServerError):
    """A copy of the database cannot be made, kept, opened or put back."""


class FullError(DatabaseError):
    """The disk that holds the database is full."""


class MistakeError(DatabaseError):
    """The database refuses what it is given, and would refuse it again: our mistake."""


class ImportRefusedError(ServerError):
    """A bundle says what the server cannot keep."""


class WouldEndError(ImportRefusedError):
    """A bundle lacks what the site has, and nobody agreed that it ends.

    ending: the name of each collection, and how the thing is called.
    """

    def __init__(self, ending: Sequence[tuple[str, str]]) -> None:
        self.ending = ending
        shown = "".join(f"\n  {collection}: {called}" for collection, called in ending[:SHOWN])
        more = f"\n  and {len(ending) - SHOWN} more" if len(ending) > SHOWN else ""
        super().__init__(
            f"the site has what the bundle has not, and it would end (it is kept in the history):{shown}{more}\n"
            "nothing was imported; where that is meant, say --agree"
        )


class OrderRefusedError(ServerError):
    """What was ordered cannot be sent to an edge."""


class Refused(StrEnum):
    """Why nothing was changed. server/text/refusals.py says it to people."""

    NOT_ALLOWED = "not_allowed"
    NO_BANK = "no_bank"
    LAST_ADMIN = "last_admin"
    LINK_UNKNOWN = "link_unknown"
    LINK_USED = "link_used"
    LINK_LATE = "link_late"
    LOGIN_BAD = "login_bad"
    LOGIN_TAKEN = "login_taken"
    LOGIN_CONFIGURED = "login_configured"
    MEMBER_UNKNOWN = "member_unknown"
    STILL_INSIDE = "still_inside"
    AGREEMENT_WRONG = "agreement_wrong"
    AGREEMENT_OVER = "agreement_over"
    GUEST_DAY_OVER = "guest_day_over"
    CHANNEL_UNKNOWN = "channel_unknown"
    CHANNEL_ADDRESS = "channel_address"
    MAIL_BAD = "mail_bad"
    UNIT_NOT_PAID = "unit_not_paid"
    CARNET_SPENT = "carnet_spent"
    CARNET_EMPTY = "carnet_empty"
    BADGE_UNKNOWN = "badge_unknown"
    BADGE_CHANGED = "badge_changed"
    DAY_BADGE_LENT = "day_badge_lent"
    MEMBER_HAS_ACCOUNT = "member_has_account"
    ACCOUNT_UNKNOWN = "account_unknown"
    ACCOUNT_ENDED = "account_ended"
    NO_ROLES = "no_roles"
    PASSWORD_SHORT = "password_short"
    PASSWORD_LONG = "password_long"
    PASSWORD_COMMON = "password_common"
    PASSWORDS_DIFFER = "passwords_differ"
    PASSWORD_WRONG = "password_wrong"
    TOO_OFTEN = "too_often"
    PASSKEY_REFUSED = "passkey_refused"
    LAST_KEY = "last_key"
    OIDC_UNREACHED = "oidc_unreached"
    OIDC_REFUSED = "oidc_refused"
    OIDC_STALE = "oidc_stale"
    OIDC_UNFIT = "oidc_unfit"
    OIDC_UNKNOWN = "oidc_unknown"
    OIDC_TAKEN = "oidc_taken"
    NAME_MISSING = "name_missing"
    SCOPE_MISSING = "scope_missing"
    OWN_PRESENCE = "own_presence"
    GARDIENS_PRESENCE = "gardiens_presence"
    NOT_INSIDE = "not_inside"
    ALERT_TAKEN = "alert_taken"
    CORRECTION_UNKNOWN = "correction_unknown"
    MACHINE_UNKNOWN = "machine_unknown"
    MANY_FAULTS = "many_faults"
    FAULT_SETTLED = "fault_settled"
    VISITOR_UNNAMED = "visitor_unnamed"
    KIND_UNKNOWN = "kind_unknown"
    NOT_CERTIFIED = "not_certified"
    GROUP_SIZE = "group_size"
    BADGE_FIRST = "badge_first"
    TRAINING_GONE = "training_gone"
    TRAINING_OVER = "training_over"
    TRAINING_AHEAD = "training_ahead"
    TRAINING_NOBODY = "training_nobody"
    TURN_GONE = "turn_gone"
    TURN_OVER = "turn_over"
    TURN_NOT_YOURS = "turn_not_yours"
    TURN_NOT_ENDING = "turn_not_ending"
    TURN_HOURS = "turn_hours"
    NOT_GARDIEN = "not_gardien"
    SWAP_OVER = "swap_over"
    NO_SERIES = "no_series"
    ENTRY_UNKNOWN = "entry_unknown"
    CREDIT_UNKNOWN = "credit_unknown"
    CREDIT_OWN = "credit_own"


class ChangeRefusedError(ServerError):
    """What somebody wanted was not done; nothing was changed."""

    def __init__(self, why: Refused) -> None:
        super().__init__(why.value)
        self.why = why
