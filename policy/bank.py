"""What is owed to whoever holds the place? The bank of hours, reckoned step by step.

The same for the same steps: what the site was told and when (`change`), what rows said (`hear`, `opened` and their
opposites), and each end of a site day (`settle`). Entries are only added: one that was wrong is countered.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from policy.bank_site import SINGLE, Evening, SiteThen, counting, source_of, watch_of
from policy.bank_units import in_order, minted, place, prices
from policy.bundle import Credit, Pass, RotaChange
from policy.held import ADHOC, Moves, Source, Terms, Watch, belonging, both, earned, length
from policy.presence import Move
from policy.rota import Slot
from policy.spans import Spans
from policy.terms import Instant

CREDIT, UNIT = "credit", "unit"


class Entry(Struct, frozen=True):
    """Minutes that came to a member's account, below 0 that left it, and what says so.

    source: a shift (policy/held.py), ("credit", id), or ("unit", id) for one that was minted. counters: the number of
    the entry that this one undoes. inside: when the gardien was there, of what belongs to the shift.
    """

    at: Instant
    member: str
    minutes: int
    source: Source
    counters: int | None = None
    inside: Spans = ()


class Bank:
    """The bank of a site, from the instant on at which it is first told of.

    entries: in the order in which they were booked. Of each member, minutes: what is not minted, minted: the units.
    since: shifts that began before it are final, as their rows are gone: they are not asked. good: credits that were
    found to be attested before the first instant.
    """

    def __init__(self, first: SiteThen, since: Instant | None = None, good: Iterable[Credit] = ()) -> None:
        self._since = since
        self.entries: list[Entry] = []
        self.minutes: dict[str, int] = {}
        self.minted: dict[str, list[Pass]] = {}
        self._booked: dict[Source, int] = {}
        self._past: list[SiteThen] = []
        self._settled: dict[Source, Terms | Evening] = {}
        self._watches: dict[Source, Watch] = {}
        self._ends: dict[str, list[tuple[Instant, Watch]]] = {}
        """Of each gardien what was settled, by its end."""
        self._gone: set[Source] = set()
        self._adhoc: dict[Source, Watch] = {}
        self._ran: set[Watch] = set()
        """What had begun and not ended when a site day ended last."""
        self._moves: dict[str, Moves] = {}
        self._doubtful: dict[str, Instant] = {}
        """Of each gardien from when on what was settled may be wrong."""
        self._good: dict[str, Credit] = {credit.id: credit for credit in good}
        self._wanted: dict[Source, Credit] = {}
        """The credits that count, from their day on."""
        self._credited: set[Source] = set()
        self._order: list[str] = []
        self.change(first)

    @property
    def now(self) -> SiteThen:
        """The site as it is since the last change."""
        return self._past[-1]

    @property
    def live(self) -> Mapping[Source, Entry]:
        """Of each source the entry that no other undoes."""
        return {source: self.entries[number] for source, number in self._booked.items()}

    def watch(self, source: Source) -> Watch | None:
        """The shift that was settled, as it is now; None for one that is none any more, and what is no shift."""
        return self._watches.get(source)

    @property
    def passes(self) -> tuple[Pass, ...]:
        """The carnets as the site has them, with the units of the bank in their places."""
        bundle = self.now.bundle
        members = {member.id for member in bundle.members}
        held = {one.id: one for one in (*bundle.passes, *self._units()) if one.member in members}
        return tuple(held[name] for name in self._order if name in held)

    def _units(self) -> Iterator[Pass]:
        for units in self.minted.values():
            yield from units

    # What is told

    def hear(self, member: str, move: Move) -> None:
        """A row says that somebody moved."""
        self._moves.setdefault(member, Moves()).add(move)
        self._doubt(member, move.at)

    def unhear(self, member: str, move: Move) -> None:
        """It does no more: its clock was set right, or its edge was revoked."""
        self._moves[member].drop(move)
        self._doubt(member, move.at)

    def opened(self, gardien: str, start: Instant, end: Instant) -> None:
        """A row says that a gardien made a shift by two taps."""
        watch = Watch(start, end, (ADHOC, gardien, str(start)), gardien)
        self._adhoc[watch.source] = watch

    def unopened(self, gardien: str, start: Instant) -> None:
        """It does no more."""
        source = (ADHOC, gardien, str(start))
        self._adhoc.pop(source, None)
        self._place(source, None)

    def change(self, then: SiteThen) -> None:
        """People stored something. Credits are booked at once, shifts settled again at the end of the site day."""
        before = self._past[-1].bundle.rota_changes if self._past else ()
        self._past.append(then)
        self._rota_changed(before, then.bundle.rota_changes)
        for source in [source for source in self._settled if source[0] == SINGLE]:
            self._place(source, then.singles.get(source))
        self._order = in_order(self._order, [one.id for one in then.bundle.passes], [one.id for one in self._units()])
        self._judge(then)
        known = len(self.entries)
        self._counter_credits(then.at)
        self._book_credits(then.at)
        if len(self.entries) > known:
            self._mint(then.at)

    def settle(self, at: Instant) -> None:
        """A site day ends: what has ended since is settled, what changed of the rest again, and units are minted."""
        near = self.now.slots_near(at)
        for source, watch, terms in list(self._ended(at, near)):
            self._settled[source] = terms
            self._place(source, watch)
        running = set(self._running(at, near))
        for watch in running ^ self._ran:
            self._doubt(watch.gardien, watch.start)
        self._ran = running
        doubtful, self._doubtful = self._doubtful, {}
        for gardien, since in sorted(doubtful.items()):
            self._settle_again(gardien, since, at, [watch for watch in running if watch.gardien == gardien])
        for source in sorted(source for source in self._gone if source not in self._watches):
            self._counter(source, at)
        self._gone.clear()
        self._book_credits(at)
        self._mint(at)

    # Shifts

    def _doubt(self, gardien: str, since: Instant) -> None:
        self._doubtful[gardien] = min(since, self._doubtful.get(gardien, since))

    def _place(self, source: Source, watch: Watch | None) -> None:
        """What a shift now is that was settled before, or is about to be; None for none any more."""
        old = self._watches.get(source)
        if source not in self._settled or old == watch:
            return
        if old is not None:
            self._ends[old.gardien].remove((old.end, old))
            self._doubt(old.gardien, old.start)
            del self._watches[source]
            self._gone.add(source)
        if watch is not None:
            self._watches[source] = watch
            insort(self._ends.setdefault(watch.gardien, []), (watch.end, watch))
            self._doubt(watch.gardien, watch.start)

    def _rota_changed(self, before: Sequence[RotaChange], after: Sequence[RotaChange]) -> None:
        """Of an evening that was settled nothing counts but what is changed on its own date."""
        if before == after:
            return
        old, new = ({(change.rota, change.date): change for change in changes} for changes in (before, after))
        for rota, day in old.keys() | new.keys():
            evening = self._settled.get(source_of(rota, day))
            if isinstance(evening, Evening) and old.get((rota, day)) != new.get((rota, day)):
                self._place(source_of(rota, day), evening.watch(new.get((rota, day))))

    def _ended(self, at: Instant, near: Sequence[Slot]) -> Iterator[tuple[Source, Watch | None, Terms | Evening]]:
        """What is settled for the first time, gaps too, and by what."""
        then, since = self.now, self._since
        for slot in near:
            source = source_of(slot.rota, slot.date)
            if source in self._settled or slot.end > at or (since is not None and slot.start < since):
                continue
            if self._was_there_when_it_ended(slot):
                yield source, None if slot.gardien is None else watch_of(slot), then.evening(slot)
        for watch in (*then.singles.values(), *self._adhoc.values()):
            if watch.end <= at and watch.source not in self._settled and (since is None or watch.start >= since):
                yield watch.source, watch, then.terms

    def _was_there_when_it_ended(self, slot: Slot) -> bool:
        """And ever since: a slot that comes to be after its end earns nothing."""
        first = bisect_right(self._past, slot.end, key=lambda then: then.at)
        return first > 0 and all(then.has_slot(slot) for then in self._past[first - 1 :])

    def _running(self, at: Instant, near: Sequence[Slot]) -> Iterator[Watch]:
        """What has begun and not ended: what it holds belongs to no shift that began later."""
        slots = (watch_of(slot) for slot in near if slot.gardien is not None)
        for watch in (*slots, *self.now.singles.values(), *self._adhoc.values()):
            if watch.start < at < watch.end and watch.source not in self._settled:
                yield watch

    def _settle_again(self, gardien: str, since: Instant, at: Instant, running: Sequence[Watch]) -> None:
        """Everything of a gardien that ended after `since`."""
        ends = self._ends.get(gardien, [])
        watches = [watch for _, watch in ends[bisect_right(ends, since, key=_end) :]]
        first = min((watch.start for watch in watches), default=at)
        others = [*(watch for _, watch in ends[bisect_right(ends, first, key=_end) :]), *running]
        moves = self._moves.get(gardien, Moves())
        for watch in watches:
            terms = self._settled[watch.source]
            if terms.bank is None:  # it was settled when there was no bank
                continue
            own = belonging(watch, (other for other in others if other.start < watch.end))
            inside = both(own, moves.inside(terms.calendar, watch.start, watch.end))
            minutes = earned(length(own), length(inside), terms.bank, adhoc=watch.source[0] == ADHOC)
            if watch.end > at:  # it was settled, and then put off
                minutes = 0
                self._doubt(gardien, watch.start)
            self._book(Entry(at, gardien, minutes, watch.source, inside=inside))

    # Credits and units

    def _judge(self, then: SiteThen) -> None:
        """Whether somebody vouches who may is judged when a credit is stored."""
        known = {credit.id: credit for credit in then.bundle.credits}
        self._good = {name: credit for name, credit in self._good.items() if name in known}
        for name in then.stored:
            self._good.pop(name, None)
            if name in known and then.may_attest(known[name]):
                self._good[name] = known[name]
        counted = counting(self._good.values())
        self._wanted = {(CREDIT, name, credit.date.isoformat()): credit for name, credit in sorted(counted.items())}

    def _counter_credits(self, at: Instant) -> None:
        """Those that are others now, or none."""
        for source in sorted(self._credited):
            booked, credit = self.entries[self._booked[source]], self._wanted.get(source)
            if credit is None or (credit.member, credit.minutes) != (booked.member, booked.minutes):
                self._credited.discard(source)
                self._counter(source, at)

    def _book_credits(self, at: Instant) -> None:
        """Those whose day has come, where there is a bank."""
        then = self.now
        if then.bundle.site.time_bank is None:
            return
        for source, credit in self._wanted.items():
            if source not in self._credited and then.calendar.day_start(credit.date) <= at:
                self._credited.add(source)
                self._book(Entry(at, credit.member, credit.minutes, source))

    def _mint(self, at: Instant) -> None:
        """For every whole unit in the bank one, to each whose tier needs a pass."""
        then = self.now
        for member, unit, cost in prices(then.bundle):
            while self.minutes.get(member, 0) >= cost:
                units = self.minted.setdefault(member, [])
                new = minted(then, member, unit, len(units) + 1, at)
                place(self._order, then.carnets.get(member, ()), units, new)
                units.append(new)
                self._add(Entry(at, member, -cost, (UNIT, new.id)))

    # Entries

    def _book(self, entry: Entry) -> None:
        """Unless it says what is booked already."""
        number = self._booked.get(entry.source)
        known = None if number is None else self.entries[number]
        if known is not None and (known.member, known.minutes) == (entry.member, entry.minutes):
            return
        self._counter(entry.source, entry.at)
        self._booked[entry.source] = len(self.entries)
        self._add(entry)

    def _counter(self, source: Source, at: Instant) -> None:
        number = self._booked.pop(source, None)
        if number is not None:
            wrong = self.entries[number]
            self._add(Entry(at, wrong.member, -wrong.minutes, source, number, wrong.inside))

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.minutes[entry.member] = self.minutes.get(entry.member, 0) + entry.minutes


def _end(known: tuple[Instant, Watch]) -> Instant:
    return known[0]
