"""Who belongs to the stormy site, and what does it look like? Invented people, as many doors as wanted, and a machine.

Shifts are entered week by week, as a rota is; what else changes on the way, proofs/storm/faults.py draws.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from policy.bundle import (
    AccessPoint,
    Bundle,
    Certification,
    Credential,
    Machine,
    Member,
    Pass,
    Quota,
    Readers,
    Role,
    Shift,
    Site,
    Tier,
    TimeBank,
)
from policy.ruleset import Ground, Unit

MACHINE = "cnc"
QUOTA = 60
"""Minutes of it in a week."""
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
KINDS = {"team": 2, "resident": 4, "nomad": 16, "gardien": 4, "carnet": 6}
"""How many of each. A gardien holds the place, and pays other half-days with those of the bank of hours."""
MINT, ROUND = 240, 15
"""Minutes of garde that one half-day costs, and to which a shift is rounded."""


KEPT = 20
"""Days for which the server keeps rows: an edge is cut off for no longer."""


def doors(count: int) -> tuple[str, ...]:
    """Their names: each has an edge of its own."""
    return ("front", *(f"door-{number}" for number in range(2, count + 1)))


def opening(luck: Random, doors: Sequence[str]) -> Bundle:
    """The site on its first day."""
    members = tuple(_member(kind, number) for kind, count in KINDS.items() for number in range(count))
    uids = iter(luck.sample(range(1, 2**32), len(members)))
    open_ = (Ground.STAFFED, Ground.HELD)
    hours = dict.fromkeys(WORKDAYS, (("09:00", "18:00"),))
    return Bundle(
        format="loquet.bundle/1",
        site=Site(
            id="storm",
            name="Orage",
            timezone="Europe/Paris",
            holidays="FR",
            capacity=20,
            anti_passback="hard",
            staff_hours=hours,  # type: ignore[arg-type]
            time_bank=TimeBank(unit_minutes=MINT, round=ROUND),
        ),
        access_points=tuple(AccessPoint(id=d, readers=Readers(in_=f"{d}-in", out=f"{d}-out")) for d in doors),
        tiers=(
            Tier(id="team", grounds=(Ground.ALWAYS, *open_)),
            Tier(id="resident", grounds=(Ground.ALWAYS, *open_)),
            Tier(id="nomad", grounds=open_, access_points=("front",)),
            Tier(id="gardien", grounds=open_, pass_=Unit.HALF_DAY.value),
            Tier(id="carnet", grounds=open_, pass_=Unit.HALF_DAY.value),
        ),
        members=members,
        credentials=tuple(Credential(uid=f"{next(uids):08X}", member=member.id) for member in members),
        passes=tuple(
            Pass(id=f"c-{m.id}", member=m.id, unit="half_day", total=40) for m in members if m.tier == "carnet"
        ),
        machines=(Machine(id=MACHINE, kind=MACHINE, reader=f"{MACHINE}-in", on_end="cut", min_people=1),),
        quotas=(Quota(kind=MACHINE, minutes=QUOTA, period="week"),),
        certifications=tuple(
            Certification(member=m.id, kind=MACHINE) for m in members if m.tier in ("resident", "gardien")
        ),
    )


def _member(kind: str, number: int) -> Member:
    roles = {"team": (Role.STAFF,), "gardien": (Role.GARDIEN,)}.get(kind, ())
    return Member(id=f"{kind}-{number}", name=f"{kind.title()} {number}", tier=kind, roles=roles)


def rota(monday: date, luck: Random) -> tuple[Shift, ...]:
    """The shifts of a week: most evenings, and Saturday; some are of two gardiens, one after the other."""
    shifts = []
    for day in range(6):
        on = monday + timedelta(days=day)
        who = f"gardien-{luck.randrange(KINDS['gardien'])}"
        start, shared, end = ("10:00", "13:00", "17:00") if day == 5 else ("18:00", "20:00", "22:00")
        if luck.random() >= 0.85:
            continue
        if luck.random() < 0.25:
            other = f"gardien-{luck.randrange(KINDS['gardien'])}"
            shifts.append(Shift(id=f"t-{on:%Y%m%d}", gardien=other, start=f"{on}T{shared}", end=f"{on}T{end}"))
            end = shared
        shifts.append(Shift(id=f"s-{on:%Y%m%d}", gardien=who, start=f"{on}T{start}", end=f"{on}T{end}"))
    return tuple(shifts)
