"""Which roles and scopes are there? Roles are people's, in their accounts; scopes are programs', in their tokens."""

from enum import StrEnum


class Role(StrEnum):
    """What an account may come from one of these. Whoever is not logged in has PUBLIC; everybody else MEMBER, too."""

    PUBLIC = "public"
    MEMBER = "member"
    GARDIEN = "gardien"
    FAB_MANAGER = "fab_manager"
    STAFF = "staff"
    ADMIN = "admin"


class Scope(StrEnum):
    """What a token of the API may be good for."""

    NOW = "read:now"
    PASSAGES = "read:passages"
    MEMBERS = "read:members"
    BADGES = "read:badges"
    PASSES = "read:passes"
    BOOKINGS = "write:bookings"


Roles = frozenset[Role]

NO_ROLE: Roles = frozenset()
"""For tokens alone."""
ADMINS: Roles = frozenset({Role.ADMIN})
STAFF: Roles = ADMINS | {Role.STAFF}
FAB_MANAGERS: Roles = STAFF | {Role.FAB_MANAGER}
GARDIENS: Roles = STAFF | {Role.GARDIEN}
MEMBERS: Roles = FAB_MANAGERS | GARDIENS | {Role.MEMBER}
EVERYBODY: Roles = MEMBERS | {Role.PUBLIC}
