"""Which evenings would have been held? The shifts of the changed bundle, by who would have been inside."""

from collections import defaultdict
from datetime import timedelta, tzinfo

from policy.bank_site import SiteThen
from policy.bundle import Bundle
from policy.held import Moves
from policy.presence import Move
from policy.rota import Holidays, slots
from policy.terms import Instant


class Evenings:
    """Told of each move, in order of time; `counted` at the end."""

    def __init__(self, bundle: Bundle, zone: tzinfo, holidays: Holidays) -> None:
        self._bundle, self._zone, self._holidays = bundle, zone, holidays
        self._moves: defaultdict[str, Moves] = defaultdict(Moves)

    def moved(self, member: str, at: Instant, *, inside: bool) -> None:
        self._moves[member].add(Move(at, inside))

    def counted(self, first: Instant, last: Instant) -> dict[str, int]:
        """Of the evenings between two taps: held by their gardien, for a moment at least, not held, and gaps."""
        site = SiteThen(first, self._bundle, self._zone, self._holidays)
        days = site.calendar.day_at(first) - timedelta(1), site.calendar.day_at(last)
        planned = [(slot.gardien, slot.start, slot.end) for slot in slots(site.rota, *days)]
        planned += [(watch.gardien, watch.start, watch.end) for watch in site.singles.values()]
        found = {"held": 0, "not_held": 0, "without_gardien": 0}
        for gardien, start, end in planned:
            if start >= first and end <= last:
                there = gardien is not None and self._moves[gardien].inside(site.calendar, start, end)
                found["without_gardien" if gardien is None else "held" if there else "not_held"] += 1
        return found
