"""What did the people really do? Counted from their intents alone, without policy/ or server/.

A careful porter's tally: who badged and went through, who tapped in vain, who was inside at an hour. The porter knows
people by their badges, as the door does: whoever left by the handle stays on the list until the site day ends.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

HOUR = 3_600_000


class Deed(Protocol):
    """What the tally needs of simulator/demo/cast.py's Intent."""

    @property
    def at(self) -> int: ...
    @property
    def who(self) -> str | None: ...
    @property
    def reader(self) -> str | None: ...
    @property
    def expect(self) -> str | None: ...
    @property
    def inward(self) -> bool: ...
    @property
    def passes(self) -> bool: ...
    @property
    def closes(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Passage:
    """A member known by the badge went through the door. at: ms since 1970 UTC."""

    at: int
    who: str
    inward: bool


@dataclass(frozen=True, slots=True)
class Recount:
    """passages: by badge, in order. taps: how often each reason was given. unseen: who left by the handle, in order.

    closed: when whom a gardien took off the list.
    """

    passages: tuple[Passage, ...]
    taps: Counter[str]
    unseen: tuple[str, ...]
    closed: tuple[Passage, ...] = ()

    @property
    def arrivals(self) -> int:
        """Entries by badge; a return from lunch is one more."""
        return sum(passage.inward for passage in self.passages)

    @property
    def visitors(self) -> int:
        """Different members who came."""
        return len({passage.who for passage in self.passages if passage.inward})

    def inside(self, at: int) -> set[str]:
        """The members on the list: whose last passage up to the instant was inward, but whom a closing took off it."""
        moves = sorted((*self.passages, *self.closed), key=lambda passage: passage.at)
        last = {passage.who: passage.inward for passage in moves if passage.at <= at}
        return {who for who, inward in last.items() if inward}

    def present(self, start: int, end: int) -> set[str]:
        """The members who were inside at some instant of [start, end)."""
        return self.inside(start) | {p.who for p in self.passages if p.inward and start <= p.at < end}

    def peak(self, start: int, end: int) -> int:
        """The most members inside at one instant of [start, end)."""
        moments = [start, *(p.at for p in self.passages if p.inward and start <= p.at < end)]
        return max(len(self.inside(moment)) for moment in moments)


def recount(deeds: Iterable[Deed]) -> Recount:
    """The tally of one site day, from deeds in order of time."""
    done: Sequence[Deed] = list(deeds)
    through = [deed for deed in done if deed.passes and deed.reader is not None and deed.who is not None]
    return Recount(
        passages=tuple(Passage(deed.at, deed.who or "", deed.inward) for deed in through),
        taps=Counter(deed.expect for deed in done if deed.expect is not None),
        unseen=tuple(deed.who for deed in done if deed.reader is None and deed.who is not None),
        closed=tuple(Passage(deed.at, who, inward=False) for deed in done for who in deed.closes),
    )
