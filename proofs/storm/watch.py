"""Is everything as it was promised? Looked at while the storm goes on; the first thing that is not raises.

What an edge decides must follow from what it says that it knows (proofs/storm/reading.py), and what it says that it
knows must be what it saw itself and was told (proofs/storm/claims.py): no less, and nothing else. So a decision may
differ from what an omniscient reader would say only by what has not reached the edge yet.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from policy.bundle import Bundle, Site
from policy.compile import DAYS_BEYOND, PAST_DAYS
from policy.instants import instant, text
from policy.terms import Instant
from proofs.storm.casting import MACHINE
from proofs.storm.claims import Claims
from proofs.storm.closings import Closings
from proofs.storm.extensions import Extensions
from proofs.storm.hours import day_start, local_time, site_day
from proofs.storm.reading import Knowledge, read
from proofs.storm.record import Record, Seen
from proofs.storm.relays import Relays
from proofs.storm.sittings import Sittings
from wire.row import Row

if TYPE_CHECKING:
    from proofs.storm.pi import Pi

STARTS = ("booking", "walk_up")


class Watch(Record):
    """The record, and what is held against it: decisions here, what edges know in claims, relays in relays."""

    def __init__(self, now: Callable[[], Instant], hampered: Callable[[str], bool]) -> None:
        super().__init__(now, hampered)
        self.claims = Claims(self)
        self.relays = Relays(self)
        self.closings = Closings(self)
        self.sittings = Sittings(self)
        self.extensions = Extensions(self, self.claims, self.sittings)
        self.done_at_machine: Callable[[str], object] = lambda who: None
        """Told who ended their session by their own badge."""

    def delivered(self, pi: "Pi", topic: str, payload: bytes) -> None:
        super().delivered(pi, topic, payload)
        if self.seen[pi.name].goes_on:
            self.extensions.comes(pi)

    def heard_out(self, pi: "Pi") -> None:
        super().heard_out(pi)
        if pi.name == MACHINE:
            self.extensions.heard_out(pi)

    def cut(self, pi: "Pi") -> None:
        super().cut(pi)
        if pi.name == MACHINE:
            self.sittings.cut(self.seen[pi.name].on_disk)

    def presented(self, pi: "Pi", reader: str, uid: str) -> None:
        """A badge is about to be laid on: what does the edge know now?"""
        self.seen[pi.name].presented = (reader, uid, self.claims.knowledge(pi, uid))

    def decided(self, pi: "Pi", row: Row) -> None:
        """An edge decided a tap."""
        self.counts["taps"] += 1
        self.counts["taps hampered"] += self.hampered(pi.name)
        self.unwritten[pi.name].add(row.seq)
        seen = self.seen[pi.name]
        seen.granted = bool(row.granted)
        self.diary(f"{text(self.now())} {pi.name} {row.reader} {row.member} {row.granted} {row.reason}".encode())
        self._compare(pi, row)
        if pi.name == MACHINE:
            self._at_machine(seen, row)
        else:
            self.remember(pi, row)
            self.counts["half-days spent by gardiens"] += row.pays is not None and str(row.member).startswith("gardien")
            if seen.presented is not None:
                self.closings.decided(pi, row, *seen.presented[1:])

    def _at_machine(self, seen: Seen, row: Row) -> None:
        self.counts[f"machine: {row.reason}"] += 1
        who, known = f"{row.member}", seen.presented[2] if seen.presented else None
        if row.reason in STARTS and known is not None:
            seen.starting = row.seq + 1
            self.sittings.starts(who, known.at, None if row.until is None else instant(row.until), row.seq + 1)
        elif row.reason == "session_ended":
            self.sittings.ends_by_badge(row.seq + 1)
            self.done_at_machine(who)

    def _compare(self, pi: "Pi", row: Row) -> None:
        """The decision follows from the rules and from what the edge says that it knows."""
        presented = self.seen[pi.name].presented
        if presented is None or presented[0] != row.reader:
            self.broken(pi, f"a tap at {row.reader} was decided that nobody made")
            return
        reader, uid, known = presented
        if row.rules_version is None:
            expected = (True, "egress") if reader.endswith("-out") else (False, "rules_stale")
        elif row.rules_version not in self.bundles:
            self.broken(pi, f"rules {row.rules_version} were never published")
            return
        else:
            expected = read(self._as_compiled(row.rules_version, known.at), uid, reader, known)
        said = bool(row.granted), str(row.reason)
        if said == expected and row.reason in STARTS:
            self._compare_until(pi, row, known)
        if said != expected:
            self.broken(pi, f"{uid} at {reader}: decided {said}, should be {expected} knowing {known}")
        self.never_let_in(pi, row, uid)
        self.never_held_up(pi, row, known)
        self.claims.check(pi, row, known)
        self._name_what_was_late(pi, uid, said, row.rules_version, known)

    def _compare_until(self, pi: "Pi", row: Row, known: Knowledge) -> None:
        """A session is to end with the quota, or where the next booking of somebody else begins."""
        bundle = self._as_compiled(row.rules_version or 0, known.at)
        expected = known.turns.until(bundle, f"{row.member}", known.at)
        if (None if row.until is None else instant(row.until)) != expected:
            until = None if expected is None else text(expected)
            self.broken(pi, f"{row.member} may have the machine until {row.until}, should be {until} knowing {known}")

    def _as_compiled(self, version: int, at: Instant) -> Bundle:
        """The calendar is known for some site days only: nobody's clock gets past them but one that is wrong for days.

        Before them shifts still cover, hours do not: none begins before the first of them. Bookings that are over then
        are not told.
        """
        bundle, made = self.bundles[version], self.compiled[version]
        since = (made - timedelta(PAST_DAYS)).isoformat()
        bundle = msgspec.structs.replace(
            bundle, bookings=tuple(one for one in bundle.bookings if one.end > f"{since}T04:00")
        )
        ahead = (site_day(local_time(at)) - made).days
        if ahead > bundle.site.offline_days + DAYS_BEYOND:
            return msgspec.structs.replace(bundle, site=_without_hours(bundle), shifts=())
        return bundle if ahead >= -PAST_DAYS else msgspec.structs.replace(bundle, site=_without_hours(bundle))

    def never_let_in(self, pi: "Pi", row: Row, uid: str) -> None:
        """A badge that the rules in force revoke opens and starts nothing."""
        bundle = self.bundles.get(row.rules_version or 0)
        if not row.granted or bundle is None or row.reason in ("egress", "session_ended"):
            return
        badge = next((badge for badge in bundle.credentials if badge.uid == uid), None)
        member = next((m for m in bundle.members if badge is not None and m.id == badge.member), None)
        if badge is None or member is None or badge.status != "active" or member.status != "active":
            self.broken(pi, f"{uid} was granted {row.reason} under rules {row.rules_version}, which revoke it")

    def never_held_up(self, pi: "Pi", row: Row, known: Knowledge) -> None:
        """Leaving is never refused, nor stopping one's own session."""
        leaves = str(row.reader).endswith("-out")
        stops = pi.name == MACHINE and row.member is not None and known.turns.running(known.at) == row.member
        if not row.granted and (leaves or stops):
            self.broken(pi, f"{row.member} was refused {row.reason} at {row.reader}, who only wants to leave or stop")

    def _name_what_was_late(
        self, pi: "Pi", uid: str, said: tuple[bool, str], version: int | None, known: Knowledge
    ) -> None:
        """Where somebody who knows everything would have said something else: which news had not come?"""
        reader = self.seen[pi.name].presented[0]  # type: ignore[index]
        bundle = self.bundles.get(version or 0, self.newest)
        truth = self._truth(uid, known)
        if read(self.newest, uid, reader, truth) == said:
            return
        late = {
            "rules": (bundle, truth),
            "lockdown": (self.newest, replace(truth, lockdown=known.lockdown)),
            "moves": (self.newest, replace(truth, inside=known.inside, paid=known.paid)),
            "clock": (self.newest, replace(truth, at=known.at, trusted=known.trusted, stale=known.stale)),
            "disk": (self.newest, replace(truth, recording=known.recording)),
        }
        names = [name for name, (rules, knows) in late.items() if read(rules, uid, reader, knows) == said]
        self.counts[f"late: {names[0] if names else 'several'}"] += 1

    def _truth(self, uid: str, known: Knowledge) -> Knowledge:
        """What somebody would know whom all news reach at once. What an edge sees for itself is the same."""
        now = self.now()
        today = day_start(now)
        owner = self.owner(uid, self.newest)
        last = {who: moves[-1] for who, moves in self.moves.items() if moves}
        return replace(
            known,
            at=now,
            trusted=True,
            stale=False,
            lockdown=self.locked_down,
            inside=frozenset(who for who, move in last.items() if move.inside and move.at >= today),
            paid=frozenset(unit.name for unit in self.units[owner]),
            recording=True,
        )


def _without_hours(bundle: Bundle) -> Site:
    return msgspec.structs.replace(bundle.site, staff_hours={})
