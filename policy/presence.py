"""Who is inside, from the last move of each member? The same on edge, server and in replay."""

from collections.abc import Iterable

from msgspec import Struct

from policy.terms import Instant


class Move(Struct, frozen=True):
    """A member went in (inside) or out at an instant."""

    at: Instant
    inside: bool


def later(known: Move | None, new: Move) -> Move:
    """The move that counts: the later one; of an `in` and an `out` at one instant the `out`."""
    if known is None or new.at > known.at:
        return new
    if new.at == known.at and not new.inside:
        return new
    return known


class Presence:
    """The last move of each member, and who of them is inside.

    Whoever came in before a site day began was checked out when it did (`auto_out`): every question names the start of
    the site day that it is about. Answers are quick for the day asked about last.
    """

    def __init__(self, moves: Iterable[tuple[str, Move]] = ()) -> None:
        self.moves: dict[str, Move] = {}
        self._day: Instant | None = None
        self._inside: set[str] = set()
        for member, move in moves:
            self.apply(member, move)

    def apply(self, member: str, move: Move) -> None:
        """Take a move in, in any order and any number of times."""
        self.moves[member] = last = later(self.moves.get(member), move)
        if self._day is not None and last.inside and last.at >= self._day:
            self._inside.add(member)
        else:
            self._inside.discard(member)

    def holds(self, member: str, day_start: Instant) -> bool:
        """Whether the member is inside on the site day that began at day_start."""
        move = self.moves.get(member)
        return move is not None and move.inside and move.at >= day_start

    def inside(self, day_start: Instant) -> set[str]:
        """The ids of all who are inside on the site day that began at day_start. Not to be changed."""
        if day_start != self._day:
            self._day = day_start
            self._inside = {who for who, move in self.moves.items() if move.inside and move.at >= day_start}
        return self._inside
