"""How long does it take to reckon the bank of hours of twenty gardiens over five years again, from its rows?"""

import time
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

from benches.figure import Figures, figure
from policy.bank_site import SiteThen
from policy.bundle import AccessPoint, Bundle, Credit, Member, Pattern, Readers, Role, Site, Tier, TimeBank
from policy.calendar import WEEKDAYS
from policy.presence import Move
from policy.recount import Heard, recount
from policy.rota import slots
from policy.terms import DAY, MINUTE

GARDIENS, YEARS = 20, 5
ROUNDS = 3
ZONE = ZoneInfo("Europe/Paris")
FIRST = date(2026, 1, 1)
UNIT: Literal["half_day"] = "half_day"
LATE = 50
"""One row in so many comes in days after the others."""


def figures() -> Figures:
    """Seconds of one core, the least of some rounds. Beside it the bare sorting of the same rows."""
    changes, rows, until = history(Random(7))
    ours = min(_cost(lambda: recount(changes, rows, until)) for _ in range(ROUNDS))
    bare = min(_cost(lambda: sorted(rows, key=lambda row: (row.member, row.move.at))) for _ in range(ROUNDS))
    yield "bank_recount", figure(ours, "s", bare)


def _cost(job: Callable[[], object]) -> float:
    began = time.process_time()
    job()
    return time.process_time() - began


def history(luck: Random, years: int = YEARS) -> tuple[list[SiteThen], list[Heard], int]:
    """Fourteen evenings a week, each held by somebody, about on time; a credit a month; the last instant of it."""
    site = SiteThen(0, _bundle(luck), ZONE, lambda year: ())
    start = site.calendar.day_start(FIRST)
    rows = []
    for slot in slots(site.rota, FIRST, FIRST + timedelta(365 * years)):
        late = luck.randrange(9) * DAY if luck.randrange(LATE) == 0 else 0
        for at, inside in ((slot.start, True), (slot.end, False)):
            moved = at + luck.randint(-20, 20) * MINUTE
            rows.append(Heard(moved + late, slot.gardien or "", Move(moved, inside)))
    first = SiteThen(start, site.bundle, ZONE, site.holidays, frozenset(c.id for c in site.bundle.credits))
    return [first], rows, start + years * 365 * DAY


def _bundle(luck: Random) -> Bundle:
    names = [f"gardien{number:02}" for number in range(GARDIENS)]
    evenings = [(weekday, hours) for weekday in WEEKDAYS for hours in (("12:00", "14:00"), ("18:00", "22:00"))]
    return Bundle(
        format="loquet.bundle/1",
        site=Site(id="s", name="S", timezone=ZONE.key, time_bank=TimeBank(valid_months=12)),
        access_points=(AccessPoint("door", Readers("in", "out")),),
        tiers=(Tier("carnet", (), pass_=UNIT),),
        members=tuple(Member(name, name, "carnet", (Role.GARDIEN,)) for name in names),
        rota=tuple(
            Pattern(f"{weekday}-{start}-{turn}", weekday, start, end, 2, FIRST + timedelta(7 * turn), gardien=name)
            for number, (weekday, (start, end)) in enumerate(evenings)
            for turn, name in enumerate((names[number % GARDIENS], names[(number + 7) % GARDIENS]))
        ),
        credits=tuple(
            Credit(f"c{month}", luck.choice(names[1:]), 60, FIRST + timedelta(30 * month), "travaux", "x", names[0])
            for month in range(12 * YEARS)
        ),
    )
