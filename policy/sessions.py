"""Who ran which machine, from when to when? Sessions, and how much of a quota they used."""

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from policy.terms import SECOND, Instant


class Session(Struct, frozen=True):
    """A member's use of a machine. What it is was fixed when it began.

    until: when it should end, None for no end. cuts: it loses power then. end: when it did end, None while it runs.
    """

    machine: str
    kind: str
    member: str
    start: Instant
    until: Instant | None = None
    cuts: bool = False
    end: Instant | None = None

    @property
    def over(self) -> Instant | None:
        """When it ended for every view that knows it: a session that cuts is over at `until`, heard of or not."""
        if not self.cuts or self.until is None:
            return self.end
        return self.until if self.end is None else min(self.end, self.until)

    def runs(self, at: Instant) -> bool:
        """Whether it runs at the instant."""
        over = self.over
        return self.start <= at and (over is None or at < over)

    def overlaps(self, start: Instant, end: Instant) -> bool:
        """Whether it ran at some moment of [start, end)."""
        over = self.over
        return self.start < end and (over is None or over > start) and over != self.start

    def seconds(self, start: Instant, end: Instant) -> int:
        """The whole seconds of it that lie in [start, end)."""
        over = self.over
        last = end if over is None else min(over, end)
        return max(0, last - max(self.start, start)) // SECOND


def merged(one: Session, other: Session) -> Session:
    """What two words of one session come to: of two ends the earlier counts, of two `until`s the later."""
    ends = [end for end in (one.end, other.end) if end is not None]
    return replace(one, until=later(one.until, other.until), end=min(ends, default=None))


def later(one: Instant | None, other: Instant | None) -> Instant | None:
    """Of two `until`s the later; None, which is no end, is the latest."""
    return None if one is None or other is None else max(one, other)


class Sessions:
    """All sessions that are known, by machine and by member. Merging them in any order gives the same."""

    def __init__(self, sessions: Iterable[Session] = ()) -> None:
        self._of_machine: dict[str, dict[tuple[Instant, str], Session]] = defaultdict(dict)
        self._of_member: dict[str, dict[tuple[str, Instant], Session]] = defaultdict(dict)
        for session in sessions:
            self.apply(session)

    def apply(self, session: Session) -> None:
        """Take a session in: begun, ended, or one that may go on for longer."""
        known = self._of_machine[session.machine].get((session.start, session.member))
        if known is not None:
            session = merged(known, session)
        self._of_machine[session.machine][(session.start, session.member)] = session
        self._of_member[session.member][(session.machine, session.start)] = session

    def of_machine(self, machine: str) -> Iterable[Session]:
        return self._of_machine.get(machine, {}).values()

    def of_member(self, member: str, kind: str) -> Iterable[Session]:
        return (session for session in self._of_member.get(member, {}).values() if session.kind == kind)

    def running(self, machine: str, at: Instant) -> Session | None:
        """The session that runs on the machine at the instant."""
        return next((session for session in self.of_machine(machine) if session.runs(at)), None)

    def forget(self, before: Instant) -> None:
        """Drop the sessions that were over before the instant."""
        for index in (self._of_machine, self._of_member):
            for sessions in index.values():
                for key in [key for key, session in sessions.items() if (session.over or before) < before]:
                    del sessions[key]  # type: ignore[arg-type]
