"""Who is there to play, and what does it take to mean something? The cast of one day, and what each of it intends."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from policy.bundle import Bundle, Member, Role
from policy.terms import Instant
from simulator.demo.diary import Diary

IN, OUT = "front-in", "front-out"


@dataclass(frozen=True, slots=True)
class Intent:
    """One person at a reader, most often the front door's.

    at: when the badge is laid or the handle pressed, ms since 1970 UTC. who: member id, None for a stranger.
    reader: None for the handle inside, which is mechanical and asks nobody. uids: what is laid on the reader.
    pushes: opens the door once it is unlocked. lies: seconds for which the badge stays on the reader after the answer.
    reach: seconds from the answer to the push. open_for: seconds for which the door stays open.
    expect: the reason that the story expects; None where nothing is decided (handle, two badges at once).
    once: not laid on again when the reader says nothing: at a machine that would be another tap.
    second: the same badge once more, as soon as the tap before it was answered. closes: who is taken off the list of
    those inside by it, as the story has it.
    """

    at: Instant
    who: str | None
    reader: str | None
    uids: tuple[bytes, ...] = ()
    pushes: bool = True
    lies: float = 0.3
    reach: float = 1.2
    open_for: float = 4.0
    expect: str | None = None
    once: bool = False
    second: bool = False
    closes: tuple[str, ...] = ()

    @property
    def inward(self) -> bool:
        return self.reader == IN

    @property
    def passes(self) -> bool:
        """Whether the person goes through the door, if all is as the story expects."""
        return self.pushes and (self.reader is None or self.expect in GRANTED)


GRANTED = {"egress", "staff", "own_shift", "always", "staffed_hours", "gardien_present"}


@dataclass(slots=True)
class Cast:
    """Who is there to play: members not yet sent anywhere today, by what they can do."""

    bundle: Bundle
    chance: Random
    day: date
    diary: Diary = field(init=False)
    intents: list[Intent] = field(default_factory=list)
    resting: list[Member] = field(init=False)
    badges: dict[str, bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.diary = Diary()
        self.resting = [m for m in self.bundle.members if m.status == "active" and self.valid(m)]
        self.chance.shuffle(self.resting)
        good = [c for c in self.bundle.credentials if c.status == "active"]
        self.badges = {credential.member: bytes.fromhex(credential.uid) for credential in good}

    def valid(self, member: Member) -> bool:
        return (member.valid_from or self.day) <= self.day <= (member.valid_until or self.day)

    def call(self, tier: str, count: int) -> list[Member]:
        """So many members of the tier who rest today; gardiens wait for their shifts."""
        called = [m for m in self.resting if m.tier == tier and Role.GARDIEN not in m.roles][:count]
        self.resting = [m for m in self.resting if m not in called]
        return called

    def at(self, minutes: float) -> Instant:
        """The instant so many minutes after local midnight of the day; past 24 h on the next."""
        whole = datetime.combine(self.day, time()) + timedelta(minutes=minutes)
        return round(whole.replace(tzinfo=ZoneInfo(self.bundle.site.timezone)).timestamp() * 1000)

    def add(self, between: tuple[float, float], busy: float = 15, **intent: object) -> Instant:
        """An intent at a free instant of the window (minutes of the day); nobody else for `busy` seconds after it."""
        first, last = self.at(between[0]), self.at(between[1])
        at = self.diary.take(self.chance, first, last, round(busy * 1000))
        self.intents.append(Intent(at=at, **intent))  # type: ignore[arg-type]
        return at

    def minutes(self, at: Instant) -> float:
        """Minutes of the day at an instant."""
        return (at - self.at(0)) / 60_000

    def taps(self, member: Member, reader: str, between: tuple[float, float], expect: str, **more: object) -> Instant:
        """A member's own badge at a reader, then through the door."""
        manner = {"reach": self.chance.uniform(0.6, 1.6), "open_for": self.chance.uniform(2.5, 6), **more}
        uids = (self.badges[member.id],)
        return self.add(between, who=member.id, reader=reader, uids=uids, expect=expect, **manner)  # type: ignore[arg-type]

    def comes(self, member: Member, between: tuple[float, float], expect: str, **more: object) -> float:
        """Comes in; the minute at which it was."""
        return self.minutes(self.taps(member, IN, between, expect, **more))

    def leaves(self, member: Member, between: tuple[float, float]) -> float:
        return self.minutes(self.taps(member, OUT, between, "egress"))

    def again(self, expect: str, after: float) -> None:
        """The badge of the last intent is laid on once more, so many seconds later; then through the door."""
        last = self.intents[-1]
        at = last.at + round(after * 1000)
        self.intents.append(replace(last, at=at, pushes=True, second=True, expect=expect))
