"""Who would get in no more until the site day ends? The door's own decision, before and after a change of members."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from policy.bundle import Member, Pass
from policy.case import Tap
from policy.compile import compile_rules
from policy.door import decide
from policy.presence import Move, Presence
from policy.ruleset import Credential, RuleSet
from policy.state import SiteState
from policy.terms import HOUR, Direction, Instant
from server.queries.current import Current
from server.queries.public_holidays import holidays_of


def shut_out(
    current: Current, state: SiteState, changed: Sequence[Member], passes: Sequence[Pass], at: Instant
) -> list[str]:
    """The ids of members as they would be whom no door lets in any more, at any hour, and who get in now at some."""
    theirs = {member.id for member in changed}
    held = tuple(one for one in current.bundle.passes if one.member in theirs)
    small = replace(
        current.bundle, members=tuple(changed), credentials=(), passes=(*held, *passes), shifts=(), events=(),
        invitations=(), machines=(), certifications=(), quotas=(), bookings=(), kinds=(), rota=(), rota_changes=(),
        credits=(),
    )  # fmt: skip
    found = compile_rules(
        small,
        zone=current.zone,
        holidays=holidays_of(current.bundle.site.holidays, kept=True),
        pseudonym=lambda uid: uid.hex(),
        edges={},
        at=at,
        speaks=current.rules.speaks,
    )
    badges = {member.id: Credential(member.id) for member in changed}  # whether one has a good badge stays as it is
    now = replace(current.rules, credentials=badges)
    after = replace(now, members=now.members | found.members, passes=now.passes | found.passes)
    hours = [(when, _staffed_by_gardiens(now, state, when)) for when in _hours(now, at)]
    return [
        member.id
        for member in changed
        if member.id in now.members and _enters(now, hours, member.id) and not _enters(after, hours, member.id)
    ]


def _hours(rules: RuleSet, at: Instant) -> Iterator[Instant]:
    """Now, and every hour until the site day ends."""
    return iter(range(at, rules.day_end(at), HOUR))


def _staffed_by_gardiens(rules: RuleSet, state: SiteState, at: Instant) -> SiteState:
    """The site with the gardiens inside whose shift it is."""
    known = SiteState(
        presence=Presence(state.presence.moves.items()),
        not_after=state.not_after,
        lockdown=False,
        units=state.units,
        adhoc=state.adhoc,
    )
    for gardien in rules.on_duty(at):
        known.presence.apply(gardien, Move(at, inside=True))
    return known


def _enters(rules: RuleSet, hours: Sequence[tuple[Instant, SiteState]], member: str) -> bool:
    doors = [reader for reader, where in rules.readers.items() if where.direction is Direction.IN]
    return any(decide(rules, state, Tap(door, member), at).granted for at, state in hours for door in doors)
