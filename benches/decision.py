"""What does one decision cost, beside a bare look-up policy that asks the same of the same tables?"""

import random
import statistics
import time
from bisect import bisect_right
from collections.abc import Callable

from benches.figure import Figures, figure
from policy.case import Tap
from policy.door import decide
from policy.instants import text
from policy.presence import Move, Presence
from policy.ruleset import Credential, Ground, Member, Reader, RuleSet, Tier
from policy.spans import spans
from policy.state import SiteState
from policy.terms import DAY, HOUR, Direction, Instant

START: Instant = 1_795_000_000_000
WEEKS = 4
ROUNDS = 15
REQUESTS = 4000

Ask = Callable[[str, Instant], object]


def figures() -> Figures:
    small, large = 148, 100_000
    ours, bare = measure(small)
    yield f"decide_{small}", figure(ours, "µs", bare)
    slower, barer = measure(large)
    yield f"decide_{large}", figure(slower, "µs", barer)
    yield "decide_growth", figure(slower / ours, "times", barer / bare)


def measure(size: int) -> tuple[float, float]:
    """Microseconds of one decision, ours and bare: medians of rounds that take turns."""
    draw = random.Random(size)
    rules, state = site(size, draw)
    moments = sorted(_moment(draw) for _ in range(REQUESTS))
    requests = [(credential_id(draw.randrange(size + size // 20)), at) for at in moments]
    taps = [(Tap("in", credential), at) for credential, at in requests]
    bare = bare_policy(rules, state)
    ours_s, bare_s = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for tap, at in taps:
            decide(rules, state, tap, at)
        between = time.perf_counter()
        for credential, at in requests:
            bare(credential, at)
        bare_s.append(time.perf_counter() - between)
        ours_s.append(between - started)
    return statistics.median(ours_s) / REQUESTS * 1e6, statistics.median(bare_s) / REQUESTS * 1e6


def credential_id(number: int) -> str:
    return f"{number * 2654435761 % 2**64:032x}"


def _moment(draw: random.Random) -> Instant:
    return START + draw.randrange(WEEKS * 7 * DAY)


def site(size: int, draw: random.Random) -> tuple[RuleSet, SiteState]:
    """A site of so many members: a fifth residents, one gardien in twenty with evening shifts, a tenth inside."""
    members = {f"m{number}": _member(number) for number in range(size)}
    gardiens = [name for name, member in members.items() if member.gardien][:100]
    evenings = [(START + day * DAY + 18 * HOUR, START + day * DAY + 22 * HOUR) for day in range(WEEKS * 7)]
    rules = RuleSet(
        site="bench",
        dates=(text(START)[:10],),
        days=(START,),
        splits=(START + 12 * HOUR,),
        staffed=spans((START + day * DAY + 9 * HOUR, START + day * DAY + 18 * HOUR) for day in range(WEEKS * 7)),
        tiers={
            "resident": Tier((Ground.ALWAYS,)),
            "nomad": Tier((Ground.STAFFED, Ground.HELD), access_points=("front",)),
        },
        members=members,
        credentials={credential_id(number): Credential(f"m{number}") for number in range(size)},
        shifts={name: spans(draw.sample(evenings, 14)) for name in gardiens},
        readers={"in": Reader("front", Direction.IN, "front")},
        edges={},
        capacity=size,
    )
    inside = ((f"m{number}", Move(START + draw.randrange(DAY), inside=True)) for number in range(0, size, 10))
    return rules, SiteState(Presence(inside), not_after=START + 100 * DAY)


def _member(number: int) -> Member:
    until = START + (WEEKS * 7 - 1) * DAY if number % 30 == 0 else None
    return Member("resident" if number % 5 == 0 else "nomad", gardien=number % 20 == 1, valid_until=until)


def bare_policy(rules: RuleSet, state: SiteState) -> Ask:
    """The least that must be asked: whose badge, still valid, always or staffed or own shift or a gardien inside."""
    owner = {credential: found.member for credential, found in rules.credentials.items()}
    expires = {name: member.valid_until or 2**62 for name, member in rules.members.items()}
    always = {name for name, member in rules.members.items() if member.tier == "resident"}
    staffed, shifts, moves, far = rules.staffed, rules.shifts, state.presence.moves, rules.day_start

    def ask(credential: str, at: Instant) -> bool:
        member = owner.get(credential)
        if member is None or at >= expires[member]:
            return False
        if member in always or bisect_right(staffed, at) % 2:
            return True
        if bisect_right(shifts.get(member, ()), at) % 2:
            return True
        since = far(at)
        for gardien, times in shifts.items():
            move = moves.get(gardien)
            if move is not None and move.inside and move.at >= since and bisect_right(times, at) % 2:
                return True
        return False

    return ask
