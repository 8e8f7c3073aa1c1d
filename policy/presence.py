"""Who is inside, from the last move of each member? The same on edge, server and in replay."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

from policy.ruleset import RuleSet
from policy.terms import Instant


class Move(Struct, frozen=True):
    """A member went in (inside) or out at an instant."""

    at: Instant
    inside: bool


Moves: TypeAlias = Mapping[str, Move]
"""The last move of each member, by member id."""


def later(known: Move | None, new: Move) -> Move:
    """The move that counts: the later one; of an `in` and an `out` at one instant the `out`."""
    if known is None or new.at > known.at:
        return new
    if new.at == known.at and not new.inside:
        return new
    return known


def is_inside(moves: Moves, member: str, day_start: Instant) -> bool:
    """Whether the member is inside on the site day that began at day_start.

    Whoever came in before it was checked out then (`auto_out`).
    """
    move = moves.get(member)
    return move is not None and move.inside and move.at >= day_start


def inside(moves: Moves, rules: RuleSet, at: Instant) -> list[str]:
    """The ids of all who are inside at the instant, sorted."""
    day_start = rules.day_start(at)
    return sorted(member for member in moves if is_inside(moves, member, day_start))


def gardiens_inside(moves: Moves, rules: RuleSet, at: Instant) -> Iterator[str]:
    """The gardiens with a shift, now or not, who are inside and not suspended."""
    return _active_inside(rules.shifts, moves, rules, at)


def holders(moves: Moves, rules: RuleSet, at: Instant) -> Iterator[str]:
    """The gardiens who hold the place: inside, not suspended, and with a shift that covers the instant."""
    return _active_inside(rules.on_duty(at), moves, rules, at)


def _active_inside(gardiens: Iterable[str], moves: Moves, rules: RuleSet, at: Instant) -> Iterator[str]:
    day_start = rules.day_start(at)
    for member in gardiens:
        if is_inside(moves, member, day_start) and not rules.members[member].suspended:
            yield member
