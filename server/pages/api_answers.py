"""What does the API answer? One type for each answer: what is sent, and what /api/v1/openapi.json says is sent."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from policy.degrees import By
from policy.opening import Degree
from policy.reasons import Reason

At = Annotated[str, Meta(extra_json_schema={"format": "date-time"}, description="RFC 3339, UTC, with milliseconds")]
Day = Annotated[str, Meta(extra_json_schema={"format": "date"}, description="a date; of an end the last day, included")]

Given = Annotated[str, Meta(extra_json_schema={"format": "date-time"}, description="RFC 3339, with its offset")]
Id = Annotated[str, Meta(min_length=1, max_length=200)]


class EdgeState(Struct, frozen=True):
    """A Raspberry Pi at a door, as it last spoke of itself."""

    id: str
    online: bool
    rules_version: int | None


class Now(Struct, frozen=True):
    """The place at this moment.

    until: the end of the staff hours or of the shifts of gardiens who are inside, without grace: so far it is sure;
    null when shut, and when open round the clock. end: the same, with the shifts that follow without a gap, whose
    gardiens are not there yet. inside: null below 3. heard: null, or the last word of a door that is silent: what is
    told is then as of that instant, and no sure yes or no. ask_again: when the answer may change although nothing
    happens. held_by, edges: with read:now alone.
    """

    open: bool
    until: At | None
    end: At | None
    held: bool
    inside: int | None
    capacity: int | None
    heard: At | None
    degree: Degree
    ask_again: At
    held_by: list[str] | UnsetType = UNSET
    edges: list[EdgeState] | UnsetType = UNSET


class Opening(Struct, frozen=True):
    """From start to end somebody is to open. by: the team, a gardien, or an event that lets every active member in."""

    start: At
    end: At
    by: By
    degree: Degree


class Openings(Struct, frozen=True):
    """In order, without the times in which nobody opens."""

    items: list[Opening]


class Member(Struct, frozen=True):
    """A member. valid_from, valid_until: of the membership, null for no bound."""

    id: str
    name: str
    tier: str
    roles: list[str]
    status: Literal["active", "suspended"]
    valid_from: Day | None
    valid_until: Day | None


class Members(Struct, frozen=True):
    """next: what to send as `after` for those that follow, null at the end."""

    items: list[Member]
    next: str | None


class Badge(Struct, frozen=True):
    """A badge. id: its row, not its number: of that the end alone is told."""

    id: int
    member: str
    ends: str
    status: Literal["active", "lost", "stolen", "returned"]
    valid_until: Day | None


class Badges(Struct, frozen=True):
    """next: what to send as `after` for those that follow, null at the end."""

    items: list[Badge]
    next: int | None


class Pass(Struct, frozen=True):
    """A carnet. left: units that nobody has used yet, whether or not it is valid today."""

    id: str
    member: str
    unit: Literal["day", "half_day"]
    total: int
    left: int
    valid_from: Day | None
    valid_until: Day | None


class Passes(Struct, frozen=True):
    """next: what to send as `after` for those that follow, null at the end."""

    items: list[Pass]
    next: str | None


class Passage(Struct, frozen=True):
    """A tap. direction: empty at a machine. member, name: null for a badge that is nobody's."""

    edge: str
    journal: str
    seq: int
    at: At
    reader: str
    direction: Literal["in", "out", ""]
    member: str | None
    name: str | None
    granted: bool
    reason: Reason


class Passages(Struct, frozen=True):
    """In the order in which they were stored.

    next: what to send as `after` for those that follow; null when there are none yet, then ask again with the same.
    """

    items: list[Passage]
    next: int | None


class Booking(Struct, frozen=True):
    """A machine is kept for a member.

    lapsed: its time runs, but its holder did not come or is gone again: whoever books what is left of it has it.
    """

    id: str
    machine: str
    member: str
    start: At
    end: At
    lapsed: bool = False


class Bookings(Struct, frozen=True):
    """In order of their start; those that hold."""

    items: list[Booking]


class Wish(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What to book: one machine, or any of a kind. member: left out, whoever made the token."""

    start: Given
    end: Given
    machine: Id | UnsetType = UNSET
    kind: Id | UnsetType = UNSET
    member: Id | UnsetType = UNSET


MACHINE_OR_KIND = ("machine", "kind")
"""A wish has one of the two."""


class Gap(Struct, frozen=True):
    """When as long a booking would fit."""

    machine: str
    start: At
    end: At


class Taken(Struct, frozen=True):
    """It is booked or in use then, or the site's terms do not allow it: `why` says it in English.

    next_free: of what is booked, when it is free; null where it is not as far ahead as the site books.
    """

    held_by_other: bool
    next_free: Gap | None
    why: str


class Problem(Struct, frozen=True):
    """RFC 9457. detail: what to do about it, in English."""

    type: str
    title: str
    status: int
    detail: str | UnsetType = UNSET
