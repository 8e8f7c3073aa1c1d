"""What can be said with a stolen edge's key? Anything that a row can hold, and as much of it as can be sent."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeAlias

from msgspec import Raw, Struct
from msgspec.json import encode as json

from policy.instants import text
from policy.terms import DAY, HOUR, SECOND, ClockState, Instant
from proofs.silenced import PLACES
from wire.messages import MAX_ROWS, Events, Facts, Reply, Status
from wire.row import Kind

Said: TypeAlias = tuple[str, Struct | bytes]
"""The last level of the topic, and what is said there."""
MEMBERS = ("alice", "gregoire", "remy", "zoe")
INSTANTS = (
    "0001-01-01T00:00:00+14:00",
    "1970-01-01T00:00:00Z",
    "2000-01-01T00:00:00Z",
    "2035-06-01T12:00:00Z",
    "2099-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999-14:00",
    "noon",
)
FIELDS = (
    *("access_point", "reader", "credential", "member", "machine_kind", "nonce", "detail", "until", "pays", "started"),
    *("ended", "adhoc_until", "granted", "reason", "rules_version", "settles", "pending", "cuts", "order", "marks"),
)
ODD: tuple[Any, ...] = (
    None,
    "",
    "front",
    "front-in",
    "laser",
    "alice",
    "é" * 200,
    "x" * 3000,
    -1,
    2**31,
    2**70,
    True,
    [],
    *INSTANTS,
)


class Thief:
    """Who has the key. edge: whose. luck: what is drawn from. now: tells the instant."""

    def __init__(self, edge: str, luck: Random, now: Callable[[], Instant]) -> None:
        self.edge = edge
        self.place = PLACES[edge]
        self.at_door = edge == "garage"
        self.luck = luck
        self.now = now

    def rows(self, rows: list[dict[str, Any]], journal: str | None = None) -> Iterator[Said]:
        """They begin a journal of their own, or of that name."""
        journal = journal or f"{self.luck.getrandbits(64):x}"
        raws = [Raw(json({"seq": seq} | self.plain() | row)) for seq, row in enumerate(rows, start=1)]
        for first in range(0, len(raws), MAX_ROWS):
            yield "events", Events(journal, tuple(raws[first : first + MAX_ROWS]))

    def plain(self) -> dict[str, Any]:
        at = text(self.now())
        return {"at": at, "mono_ms": 1000, "boot": "stolen", "clock": "synced", "access_point": self.place}

    def instant(self) -> str:
        return text(self.now() - self.luck.randrange(30 * DAY))

    def session(self, **fields: Any) -> dict[str, Any]:
        began = {"kind": "session_started", "member": "remy", "started": self.instant(), "machine_kind": "laser"}
        return began | fields

    def passage(self, who: str, **fields: Any) -> dict[str, Any]:
        """What a door's edge may say; of a machine's it is a session."""
        said = {"kind": "door_opened"} if self.at_door else self.session()
        return said | {"member": who} | fields


def huge_rows(thief: Thief) -> Iterator[Said]:
    """As long as a message may be: what is found broken is that eleven of them silence a site."""
    for _ in range(11):
        size = thief.luck.choice((4000, 20_000, 200_000, 400_000))
        field = thief.luck.choice(("machine_kind", "detail", "member", "boot"))
        yield from thief.rows([thief.passage("remy", **{field: "k" * size}) for _ in range(max(1, 300_000 // size))])


def invented_people(thief: Thief) -> Iterator[Said]:
    """As many as a site never had, in rows that are well made."""
    yield from thief.rows([thief.passage(f"nobody-{n}-{'x' * 150}") for n in range(thief.luck.choice((400, 2000)))])


def invented_kinds(thief: Thief) -> Iterator[Said]:
    yield from thief.rows([thief.session(machine_kind=f"kind {n}") for n in range(400)])


def years_of_claims(thief: Thief) -> Iterator[Said]:
    """More than one edge may leave in the state: half-days paid, or sessions, each of them possible."""

    def claim(n: int) -> dict[str, Any]:
        if thief.at_door:
            return thief.passage("zoe", pays=text(thief.now() + n * DAY // 2))
        return thief.session(started=text(thief.now() - n * SECOND), member=MEMBERS[n % 4])

    yield from thief.rows([claim(n) for n in range(20_800)])


def claims(thief: Thief) -> Iterator[Said]:
    """So many that a small broker is full: with instants that pack badly."""
    many = [thief.session(started=thief.instant(), member=thief.luck.choice(MEMBERS)) for _ in range(1500)]
    if thief.at_door:
        many = [thief.passage("zoe", pays=thief.instant()) for _ in range(1500)]
    yield from thief.rows(many)


def odd_fields(thief: Thief) -> Iterator[Said]:
    """Any kind of row with anything in any field."""
    kinds, luck = [*Kind, "teleported", ""], thief.luck
    rows = [
        thief.plain()
        | {"kind": luck.choice(kinds), "member": luck.choice(MEMBERS), "clock": luck.choice(list(ClockState))}
        | ({"at": luck.choice(INSTANTS)} if luck.random() < 0.3 else {})
        | {field: luck.choice(ODD) for field in luck.sample(FIELDS, luck.randrange(6))}
        for _ in range(400)
    ]
    yield from thief.rows(rows)


def wrong_times(thief: Thief) -> Iterator[Said]:
    """Passages and sessions of all ages: what pages and order go by."""
    luck = thief.luck
    yield from thief.rows([thief.passage("remy", at=luck.choice(INSTANTS), clock="rtc") for _ in range(30)])
    yield from thief.rows(
        [thief.session(started=luck.choice(INSTANTS), until=luck.choice(INSTANTS)) for _ in range(30)]
    )


def many_journals(thief: Thief) -> Iterator[Said]:
    for number in range(60):
        yield from thief.rows([{"kind": "tap"}], f"journal {number} {'j' * 150}")


def flood_of_facts(thief: Thief) -> Iterator[Said]:
    """One for each row: each costs an edge that believes it a write to its card."""
    for seq in range(1, 700):
        row = {"seq": seq} | thief.plain() | thief.passage("remy", at=text(thief.now()))
        yield "facts", Facts("flood", (Raw(json(row)),))


def flood_of_words(thief: Thief) -> Iterator[Said]:
    """All else that an edge may say, and what is no message at all."""
    for number in range(100):
        faults: dict[str, str | None] = {f"{thief.place}-{number}-{n}": "x" for n in range(500)}
        yield "status", Status(True, journal_fault="x" * 100_000, readers=faults)
        yield "reply", Reply(f"{number}", done=True, why="y" * 100_000)
        yield "events", b"[" * 100_000
        yield "facts", b'{"journal":"j","rows":[1,2,3]}'


def ends_and_stops(thief: Thief) -> Iterator[Said]:
    """A machine's own words, said as often as can be; at a door they are none."""
    kinds = ("estop", "machine_reset", "session_ended", "command")
    more = {"member": "remy", "started": text(thief.now() - HOUR), "machine_kind": "laser", "nonce": "n"}
    yield from thief.rows([{"kind": thief.luck.choice(kinds), "ended": thief.instant()} | more for _ in range(200)])


MISUSES: tuple[Callable[[Thief], Iterator[Said]], ...] = (
    huge_rows,
    invented_people,
    invented_kinds,
    claims,
    odd_fields,
    wrong_times,
    many_journals,
    flood_of_facts,
    flood_of_words,
    ends_and_stops,
)
SELDOM = years_of_claims
"""It takes seconds: in one round of SELDOM_EVERY."""
SELDOM_EVERY = 24
