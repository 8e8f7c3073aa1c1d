"""Does the place shut when the last gardien goes? By an independent reading of docs/rules.md, Closing, link or no link.

The first tap says that somebody is left; the second of the same badge there, soon after, checks them all out. What the
server's pages say of it is held against what the edges did.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session

from policy.bundle import Bundle, Member
from policy.terms import MINUTE, SECOND, Instant
from proofs.storm.hours import PARIS, day_start, local_time, site_day
from proofs.storm.reading import Knowledge, held, staffed
from proofs.storm.record import WRONG_BY, Move, Record
from server.queries.closing import checked_out
from wire.row import Row

if TYPE_CHECKING:
    from proofs.storm.pi import Pi

SPEAKS = 4
"""The form of the rules from which on edges close a place."""
SOON: Instant = 20 * SECOND
"""From a tap that says that somebody is left to the second one, ms."""


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """Somebody whom a gardien's second tap checked out. at: true instant."""

    at: Instant
    member: str
    by: str
    move: Move


class Closings:
    """What the taps of gardiens on their way out must do, and what came of them."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._marked: dict[str, tuple[str, Instant, int]] = {}
        """Of each edge its last tap, if that was marked: badge, true instant, start of the edge."""
        self._out: list[CheckedOut] = []

    def decided(self, pi: "Pi", row: Row, uid: str, known: Knowledge) -> None:
        """A tap at a door."""
        marked = self._marked.pop(pi.name, None)
        bundle = self._record.bundles.get(row.rules_version or 0)
        member = next((one for one in bundle.members if one.id == row.member), None) if bundle else None
        expected, second = False, False
        if bundle is not None and member is not None and self._may_close(pi, row, known, bundle, member):
            behind = _left(bundle, known, member)
            second = marked is not None and marked[::2] == (uid, pi.boots) and self._record.now() - marked[1] <= SOON
            expected = not second and bool(behind) and _was_on_shift(bundle, known, member)
            if second:
                self._closed(pi, row, member, behind)
        if ("left_inside" in row.marks) != expected:
            left = "somebody" if expected else "nobody"
            self._record.broken(pi, f"{row.member} goes and leaves {left} who may not stay; the lamp says the opposite")
        if expected:
            self._marked[pi.name] = uid, self._record.now(), pi.boots
        self._record.counts["gardiens who left somebody"] += expected
        self._record.counts["closings"] += second

    def _may_close(self, pi: "Pi", row: Row, known: Knowledge, bundle: Bundle, member: Member) -> bool:
        """Whether it is a gardien who goes while nobody else keeps the place open."""
        rules = pi.edge.control.controller.core.held.rules if pi.edge and pi.edge.control.controller.core.held else None
        if row.reason != "egress" or "gardien" not in member.roles or rules is None or rules.speaks < SPEAKS:
            return False
        local = local_time(known.at)
        return known.trusted and not staffed(bundle, local) and not held(bundle, local, known.inside - {member.id})

    def _closed(self, pi: "Pi", row: Row, gardien: Member, behind: list[str]) -> None:
        """The second tap: a row says that the place is closed, and one of each who was left that they are out."""
        journal = pi.edge.storage.writer.journal if pi.edge else None
        if journal is None:
            return
        doubtful = abs(pi.clock.offset) > WRONG_BY
        self._record.counts["closings while something was away"] += self._record.hampered(pi.name)
        for place, who in enumerate(behind, 2):
            move = Move(self._record.now(), False, pi.name, journal.id, row.seq + place, pi.boots, doubtful)
            self._record.moved(who, move)
            self._out.append(CheckedOut(self._record.now(), who, gardien.id, move))
        self._record.counts["people checked out by a closing"] += len(behind)

    def compare(self, session: Session, now: Instant) -> None:
        """What the server's pages say of today is what happened."""
        today = day_start(now)
        kept = {id(move) for moves in self._record.moves.values() for move in moves}
        self._out = [one for one in self._out if one.at >= today and id(one.move) in kept]
        if any(one.move.doubtful for one in self._out):
            return
        said: Counter[tuple[str, str | None]] = Counter(
            (one.member, one.by) for one in checked_out(session, today, now + MINUTE)
        )
        true: Counter[tuple[str, str | None]] = Counter((one.member, one.by) for one in self._out)
        if said != true:
            wrong = sorted((said - true) + (true - said), key=str)[:3]
            self._record.broken("server", f"who closed the place for whom is told wrong: {wrong}")


def _left(bundle: Bundle, known: Knowledge, gardien: Member) -> list[str]:
    """Who is inside and may not be without a gardien: neither the team, nor whom their tier lets in at any time."""
    always = {tier.id for tier in bundle.tiers if "always" in tier.grounds}
    inside = known.inside - {gardien.id}
    return sorted(m.id for m in bundle.members if m.id in inside and m.tier not in always and "staff" not in m.roles)


def _was_on_shift(bundle: Bundle, known: Knowledge, gardien: Member) -> bool:
    """Whether they held the place until now, or their shift of this site day is over."""
    local = local_time(known.at)
    ends = (datetime.fromisoformat(one.end) for one in bundle.shifts if one.gardien == gardien.id)
    over = (end.replace(tzinfo=PARIS) for end in ends)
    return held(bundle, local, known.inside & {gardien.id}) or any(
        end <= local and site_day(end) == site_day(local) for end in over
    )
