"""What would a file of members change? A line for each of its lines: new, changed, the same, to be settled, or refused.

Nothing is written here, and nobody is ended because a file leaves them out. Who a line means: whoever has its badge,
else the only member of that name, in any order of its words and without accents. What a line leaves empty stays.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from unicodedata import normalize

from msgspec.structs import replace

from policy.bundle import Bundle, Member
from policy.check import contradictions
from policy.forms import malformed
from policy.uids import decimals, digits, doubt
from server.changes.member_table import day
from server.queries.current import Current
from server.queries.people import Person, folded

FIELDS = ("full", "first", "last", "tier", "badge", "carnet", "valid_from", "valid_until")
LEAVE, ALONE, YES, KEEP, ADD = "leave", "no_badge", "yes", "keep", "add"
"""Answers: leave the line aside; without its badge; it is that member; keep what the carnet has; add the difference."""
FORMULA = ("=", "+", "-", "@")
MOST_UNITS = 1000


class Kind(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    ASK = "ask"
    REFUSED = "refused"
    LEFT = "left"


class Why(StrEnum):
    """Why a line is refused, or what it asks."""

    NAME = "name"
    FORMULA = "formula"
    WIDE = "wide"
    TIER = "tier"
    NO_TIER = "no_tier"
    DAY = "day"
    ORDER = "order"
    UNITS = "units"
    TWICE = "twice"
    BADGE = "badge"
    BADGE_RANDOM = "badge_random"
    BADGE_DECIMAL = "badge_decimal"
    BADGE_TAKEN = "badge_taken"
    SAME_BADGE = "same_badge"
    SAME_NAME = "same_name"
    CARNET = "carnet"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a line, or that it asks.

    column: whose value is marked. told: what its sentence names. answers: what can be answered, of what is asked.
    """

    why: Why
    column: str = ""
    answers: tuple[str, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One line. faults: all that is wrong with it.

    before, after: the member, None for a new one. uid: a badge to give. units: of a carnet to add.
    """

    number: int
    cells: tuple[str, ...]
    kind: Kind
    name: str = ""
    before: Member | None = None
    after: Member | None = None
    uid: str | None = None
    units: int = 0
    faults: tuple[Fault, ...] = ()

    @property
    def asks(self) -> Fault | None:
        """What is to be answered next; nothing while something else must be mended in the file."""
        return self.faults[0] if self.kind is Kind.ASK else None


class _Stop(Exception):  # noqa: N818 - ends the reading of one thing in a line, nothing else
    def __init__(self, why: Why, column: str = "", answers: tuple[str, ...] = (), **told: str) -> None:
        super().__init__(why)
        self.fault = Fault(why, column, answers, told)


class _Faults(list[Fault]):
    """What was found in a line so far."""

    @contextmanager
    def noted(self) -> Iterator[None]:
        """What stops in here is noted, and the line is read on."""
        try:
            yield
        except _Stop as stop:
            self.append(stop.fault)


@dataclass
class Plan:
    """columns: what each position means. tiers: by what the file calls them. left: units on each member's carnets."""

    current: Current
    columns: Mapping[int, str]
    tiers: Mapping[str, str]
    answers: Mapping[str, str]
    left: Mapping[str, int]
    width: int

    def __post_init__(self) -> None:
        self._named: dict[tuple[str, ...], list[Person]] = defaultdict(list)
        self._holders: dict[str, Person] = {}
        for one in self.current.people.people.values():
            self._named[words(one.member.name)].append(one)
            for badge in one.badges:
                self._holders[badge.uid.upper()] = one
        self._met: dict[object, int] = {}
        self._good: dict[tuple[str, date | None, date | None], bool] = {}

    def lines(self, rows: Sequence[tuple[int, Sequence[str]]]) -> list[Line]:
        return [self._line(number, tuple(cells)) for number, cells in rows]

    def _line(self, number: int, cells: tuple[str, ...]) -> Line:
        answer = self.answers.get(str(number), "")
        if answer == LEAVE:
            return Line(number, cells, Kind.LEFT, faults=(Fault(Why.LEFT),))
        if any(cells[self.width :]):
            return Line(number, cells, Kind.REFUSED, faults=(Fault(Why.WIDE),))
        said = {means: cells[place].strip() for place, means in self.columns.items() if place < len(cells)}
        name, faults = _name(said), _Faults()
        line = self._read(number, cells, said, name, answer, faults)
        if line is not None:
            return line
        kind = Kind.ASK if all(fault.answers for fault in faults) else Kind.REFUSED
        return Line(number, cells, kind, name[:200], faults=tuple(faults))

    def _read(
        self, number: int, cells: tuple[str, ...], said: dict[str, str], name: str, answer: str, faults: _Faults
    ) -> Line | None:
        """What the line would do; None where it has a fault."""
        if name.startswith(FORMULA):
            faults.append(Fault(Why.FORMULA, "name"))
        uid, known = self._whose(name, said.get("badge", ""), answer, faults)
        meant = [known] if known is not None else self._named.get(words(name), [])
        before = meant[0].member if meant else None
        after = self._member(before, name, said, faults)
        met = [before.id if before is not None else words(name)]
        held = {badge.uid.upper() for badge in known.badges} if known is not None else set()
        uid = None if uid in held else uid
        met += [uid] if uid is not None else []
        for what in met:
            if (first := self._met.get(what, number)) != number:
                column = "badge" if what == uid else "name"
                faults.append(Fault(Why.TWICE, column, told={"line": str(first)}))
        units = 0
        if after is not None and (known is not None) == (before is not None):
            with faults.noted():
                units = self._units(before, after, said.get("carnet", ""), answer)
        if faults or after is None:
            return None
        self._met.update(dict.fromkeys(met, number))
        same = before == after and uid is None and not units
        kind = Kind.NEW if before is None else Kind.SAME if same else Kind.CHANGED
        return Line(number, cells, kind, after.name, before, after, uid, units)

    def _whose(self, name: str, badge: str, answer: str, faults: _Faults) -> tuple[str | None, Person | None]:
        """The badge to give, and whom the line means; None for somebody new."""
        uid = known = None
        with faults.noted():
            uid = self._uid(badge, answer)
        with faults.noted():
            known = self._known(name, uid, answer)
            if uid is not None and (holder := self._holders.get(uid)) is not None and holder is not known:
                if answer != ALONE:
                    raise _Stop(Why.BADGE_TAKEN, "badge", (ALONE, LEAVE), badge=uid, name=holder.member.name)
                uid = None
        return uid, known

    def _uid(self, written: str, answer: str) -> str | None:
        if not written or (answer == ALONE and self._refused_badge(written)):
            return None
        if answer.startswith("uid:") and answer.removeprefix("uid:") in decimals(written):
            return answer.removeprefix("uid:")
        try:
            uid = digits(written).upper()
        except ValueError:
            meant = decimals(written)
            known = [uid for uid in meant if uid in self._holders]
            if len(known) == 1:
                return known[0]
            if meant:
                answers = (*(f"uid:{uid}" for uid in meant), ALONE, LEAVE)
                raise _Stop(Why.BADGE_DECIMAL, "badge", answers, badge=written) from None
            raise _Stop(Why.BADGE, "badge", (ALONE, LEAVE), badge=written[:40]) from None
        if doubt(bytes.fromhex(uid)) is not None:
            raise _Stop(Why.BADGE_RANDOM, "badge", (ALONE, LEAVE), badge=uid)
        return uid

    def _refused_badge(self, written: str) -> bool:
        try:
            return doubt(bytes.fromhex(digits(written))) is not None
        except ValueError:
            return True

    def _known(self, name: str, uid: str | None, answer: str) -> Person | None:
        """Whom the line means; None for somebody new."""
        alike = self._named.get(words(name), [])
        holder = self._holders.get(uid or "")
        if holder is not None and (holder in alike or answer == YES):
            return holder
        if holder is not None and not alike and answer != ALONE:
            raise _Stop(Why.SAME_BADGE, "badge", (YES, ALONE, LEAVE), name=holder.member.name)
        if len(alike) > 1:
            chosen = next((one for one in alike if answer == f"is:{one.member.id}"), None)
            if chosen is None:
                answers = (*(f"is:{one.member.id}" for one in alike[:5]), LEAVE)
                raise _Stop(Why.SAME_NAME, "name", answers, name=name)
            return chosen
        return alike[0] if alike else None

    def _member(self, before: Member | None, name: str, said: dict[str, str], faults: _Faults) -> Member | None:
        """The member as the line has them; None where it names no formule that there is."""
        days: dict[str, date | None] = {}
        for which in ("valid_from", "valid_until"):
            try:
                days[which] = day(said.get(which, ""))
            except ValueError:
                faults.append(Fault(Why.DAY, which, told={"value": said[which][:40]}))
        tier = None
        with faults.noted():
            tier = self._tier(before, said.get("tier", ""))
        start = before or Member("", normalize("NFC", name), "")
        wanted = replace(start, **{which: value for which, value in days.items() if value is not None})
        checked = replace(wanted, tier=tier or self.current.bundle.tiers[0].id)
        faults += [Fault(why, "valid_until" if why is Why.ORDER else "name") for why in self._wrong(checked)]
        return checked if tier is not None else None

    def _tier(self, before: Member | None, written: str) -> str:
        if not written and before is not None:
            return before.tier
        called = self.current.called.tiers
        chosen = self.tiers.get(written) or next(
            (tier for tier, name in called.items() if folded(written) in (folded(tier), folded(name))), None
        )
        if chosen in called:
            return str(chosen)
        if not written:
            raise _Stop(Why.NO_TIER, "tier")
        names = {folded(name): tier for tier, name in called.items()}
        close = get_close_matches(folded(written), names, 1, 0.6)
        raise _Stop(Why.TIER, "tier", value=written[:40], near=called[names[close[0]]] if close else "")

    def _wrong(self, after: Member) -> list[Why]:
        """Why no bundle could have this member. Asked once for all that differ by their name alone, and then by it."""
        key = (after.tier, after.valid_from, after.valid_until)
        if key not in self._good:
            late = after.valid_from and after.valid_until and after.valid_until < after.valid_from
            days = any(".valid_" in place for place in self._problems(replace(after, name="n")))
            self._good[key] = not (late or days)
        found = [] if self._good[key] else [Why.ORDER]
        return [*found, *([Why.NAME] if any(".name" in place for place in self._problems(after)) else [])]

    def _problems(self, after: Member) -> list[str]:
        bundle = self.current.bundle
        said = Bundle(
            bundle.format, replace(bundle.site), tiers=bundle.tiers, access_points=bundle.access_points,
            members=(replace(after, id="m"),),
        )  # fmt: skip
        return [problem.key for problem in (*malformed(said), *contradictions(said)) if "members[" in problem.key]

    def _units(self, before: Member | None, after: Member, written: str, answer: str) -> int:
        """Of a carnet to add."""
        wanted = next(tier.pass_ for tier in self.current.bundle.tiers if tier.id == after.tier)
        if not written or wanted == "none":
            return 0
        plain = written.removesuffix(",0").removesuffix(".0")
        if not plain.isdecimal() or int(plain) > MOST_UNITS:
            raise _Stop(Why.UNITS, "carnet", value=written[:40])
        units, left = int(plain), self.left.get(before.id, 0) if before is not None else 0
        if before is None or units == left or answer == KEEP:
            return units if before is None else 0
        if answer == ADD and units > left:
            return units - left
        raise _Stop(Why.CARNET, "carnet", (KEEP, ADD, LEAVE) if units > left else (KEEP, LEAVE), left=str(left),
                    units=str(units), more=str(units - left))  # fmt: skip


def _name(said: Mapping[str, str]) -> str:
    """As members are called here: the first name first."""
    whole = said.get("full") or f"{said.get('first', '')} {said.get('last', '')}"
    return " ".join(whole.split())


def words(name: str) -> tuple[str, ...]:
    """To tell whether two names are one: without accents, case and order."""
    return tuple(sorted(folded(name).replace("-", " ").split()))
