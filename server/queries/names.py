"""What are people, doors and machines called on the pages? Short names that nobody shares; names, not ids."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import combining, normalize

from policy.bundle import Bundle, Member
from policy.terms import Direction
from server.queries.differing import differing

MOST_NAMES = 1 << 16
"""Whose way of being read is remembered: the list of a large site is sorted anew after each change."""
NBSP = "\N{NO-BREAK SPACE}"
FIRST_LETTERS = 3
"""Of the surname, where one letter does not tell two people apart."""


@dataclass(frozen=True, slots=True)
class ReaderOf:
    """A reader's place; direction: None at a machine."""

    place: str
    direction: Direction | None


@dataclass(frozen=True, slots=True)
class Called:
    """All names of a bundle, by id; what has none is called by its id. readers: where each of them is."""

    members: Mapping[str, str]
    places: Mapping[str, str]
    tiers: Mapping[str, str]
    kinds: Mapping[str, str]
    readers: Mapping[str, ReaderOf]

    def member(self, who: str | None) -> str | None:
        """The short name of a member, None of whoever is no member any more."""
        return self.members.get(who or "")

    def place(self, place: str) -> str:
        return self.places.get(place, place)

    def tier(self, tier: str) -> str:
        return self.tiers.get(tier, tier)

    def kind(self, kind: str) -> str:
        return self.kinds.get(kind, kind)


def called(bundle: Bundle, before: tuple[Bundle, Called] | None = None) -> Called:
    """before: another bundle, and what was called how in it: names that follow from what is the same are kept."""
    tiers = {tier.id: tier.name or tier.id for tier in bundle.tiers}
    if before is None or before[1].tiers != tiers:
        members = short_names(bundle.members, tiers)
    else:
        members = short_names(bundle.members, tiers, (before[0].members, before[1].members))
    return Called(
        members=members,
        places={point.id: point.name or point.id for point in bundle.access_points}
        | {machine.id: machine.name or machine.id for machine in bundle.machines},
        tiers=tiers,
        kinds={kind.id: kind.name or kind.id for kind in bundle.kinds},
        readers=dict(_readers(bundle)),
    )


def _readers(bundle: Bundle) -> Iterator[tuple[str, ReaderOf]]:
    for point in bundle.access_points:
        yield point.readers.in_, ReaderOf(point.id, Direction.IN)
        if point.readers.out is not None:
            yield point.readers.out, ReaderOf(point.id, Direction.OUT)
    for machine in bundle.machines:
        yield machine.reader, ReaderOf(machine.id, None)


def short_names(
    members: Sequence[Member],
    tiers: Mapping[str, str],
    before: tuple[Sequence[Member], Mapping[str, str]] | None = None,
) -> Mapping[str, str]:
    """Maëlle B. for Maëlle Bernard; Marie Mar. and Marie Mor. where one letter is not enough, the tier where the names
    are equal, and a number where that is, too: each of them is somebody else's in no way of reading it.

    Every short name begins with the first word of the name, so people of one first name are told apart from each other
    alone. before: members and their short names, with the same tiers: people of a first name that nobody of those who
    came, went or changed has are called as they were.
    """
    changed = None if before is None else differing(before[0], members)
    if before is not None and changed == []:
        return before[1]
    firsts = [_first(member.name) for member in members]
    if not all(firsts):  # a name that begins with dots alone is read as what comes after them, which is no first name
        return _told_apart(members, tiers)
    names, fresh = dict[str, str](), set(firsts)
    if before is not None and changed is not None:
        fresh = {_first(member.name) for member in changed}
        names = dict(before[1])
        for member in changed:
            names.pop(member.id, None)
    alike = defaultdict(list)
    for member, first in zip(members, firsts, strict=True):
        if first in fresh:
            alike[first].append(member)
    for group in alike.values():
        names |= _told_apart(group, tiers)
    return names


def _told_apart(everybody: Sequence[Member], tiers: Mapping[str, str]) -> dict[str, str]:
    longest = max((len(_surname(member)) for member in everybody), default=0)
    forms: list[Callable[[Member], str]] = [_shortened(letters) for letters in (1, *range(FIRST_LETTERS, longest + 1))]
    forms += [lambda member: member.name, lambda member: f"{member.name} ({tiers.get(member.tier, member.tier)})"]
    names: dict[str, str] = {}
    taken: set[str] = set()
    left = everybody
    for form in forms:
        if not left:
            break
        alike = defaultdict(list)
        for member in left:
            alike[_read(form(member))].append(member)
        alone = {written: them[0] for written, them in alike.items() if len(them) == 1 and written not in taken}
        names |= {member.id: form(member) for member in alone.values()}
        taken |= alone.keys()
        left = [member for member in left if member.id not in names]
    for number, member in enumerate(left, 1):
        names[member.id] = f"{forms[-1](member)}{NBSP}{number}"
    return names


@lru_cache(MOST_NAMES)
def alphabetical(name: str) -> str:
    """To sort by: Élodie stands before Emma."""
    return "".join(letter for letter in normalize("NFD", _read(name)) if not combining(letter))


def _shortened(letters: int) -> Callable[[Member], str]:
    def form(member: Member) -> str:
        first, surname = _parts(member.name)
        if not surname:
            return first
        return f"{first}{NBSP}{surname if letters >= len(surname) else surname[:letters] + '.'}"

    return form


def _surname(member: Member) -> str:
    return _parts(member.name)[1]


@lru_cache(MOST_NAMES)
def _parts(name: str) -> tuple[str, str]:
    """The first word and the last; of one word that, and nothing."""
    words = name.split()
    return (words[0], words[-1]) if len(words) > 1 else (name.strip(), "")


def by_surname(name: str) -> str:
    """As a list of names is read that is called over: Amrani Rachid, for Rachid Amrani."""
    words = name.split()
    return " ".join((words[-1], *words[:-1]))


@lru_cache(MOST_NAMES)
def _first(name: str) -> str:
    """The first word, as it is read."""
    return _read(_parts(name)[0])


@lru_cache(MOST_NAMES)
def _read(name: str) -> str:
    """As somebody reads it who does not look twice."""
    return " ".join(name.casefold().replace(".", "").split())
