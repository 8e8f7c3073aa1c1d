"""What is the demo's site? Casaco as a bundle: its tiers, hours, fablab and 148 invented members, from a seed.

The figures are those of the place (docs/glossary.md names its words); the people are invented.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Literal

import msgspec
from holidays import country_holidays

from policy.bundle import (
    AccessPoint,
    Booking,
    Bundle,
    Certification,
    Credential,
    Credit,
    Event,
    HourRange,
    LockOut,
    Machine,
    Member,
    Pass,
    Pattern,
    Readers,
    Role,
    RotaChange,
    Shift,
    Site,
    Tier,
    TimeBank,
    Week,
)
from policy.ruleset import Ground
from server.queries.recurring import Series, times
from simulator.demo.names import names

SEED = 148
STAFF_DAY: tuple[HourRange, ...] = (("09:00", "18:00"),)
WEEK: Week = {"mon": STAFF_DAY, "tue": STAFF_DAY, "wed": STAFF_DAY, "thu": STAFF_DAY, "fri": STAFF_DAY}
SITE = Site(
    id="casaco",
    name="Casaco, Malakoff",
    timezone="Europe/Paris",
    holidays="FR",
    capacity=100,
    staff_hours=WEEK,
    adhoc_hours=1,
    time_bank=TimeBank(),
)
FRONT = AccessPoint(id="front", readers=Readers(in_="front-in", out="front-out"), name="Porte d’entrée")
GARAGE = AccessPoint(id="garage", readers=Readers(in_="garage-in"), name="Garage")

ALWAYS = (Ground.ALWAYS, Ground.STAFFED, Ground.HELD)
OPEN = (Ground.STAFFED, Ground.HELD)
TIERS = (
    Tier(id="equipe", grounds=ALWAYS, name="équipe"),
    Tier(id="resident", grounds=ALWAYS, name="résident"),
    Tier(id="nomade", grounds=OPEN, name="nomade"),
    Tier(id="carnet-jour", grounds=OPEN, pass_="day", name="carnet de journées"),  # noqa: S106
    Tier(id="carnet-demi", grounds=OPEN, pass_="half_day", name="carnet de demi-journées"),  # noqa: S106
    Tier(id="fabriqueur", grounds=OPEN, access_points=("garage",), name="Fabriqueur"),
)

FABLAB: Week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat"), (("09:00", "22:00"),))
MACHINES = (
    Machine(id="cnc", kind="fraiseuse", reader="cnc-tap", hours=FABLAB, attended=True, name="Fraiseuse CNC"),
    Machine(id="printer-1", kind="impression 3D", reader="printer-1-tap", name="Imprimante 1"),
    Machine(
        id="printer-2",
        kind="impression 3D",
        reader="printer-2-tap",
        locked_out=LockOut(by="l’équipe", why="buse bouchée"),
        name="Imprimante 2",
    ),
)
"""In the garage, with an edge of their own."""
PRINTS, MILLS, FORGOTTEN = ("10:00", "12:00"), "14:00", "10:30"
"""Starts of the bookings of a working day: two of the first printer, two of the CNC, whose first nobody comes for."""
BOOKED = (
    ("printer-1", PRINTS[0], "12:00"),
    ("printer-1", PRINTS[1], "13:00"),
    ("cnc", FORGOTTEN, "11:30"),
    ("cnc", MILLS, "16:00"),
)
TRAINED = {"fraiseuse": 18, "impression 3D": 42}
"""Members who have learnt each kind: most of the Fabriqueurs have a desk here as well."""
TALK = ("causerie", "Causerie : réparer plutôt que jeter", "19:00", "21:00")
"""Every Thursday on which the team works: id, title, hours."""

ACTIVE = {"equipe": 5, "resident": 29, "nomade": 68, "carnet-jour": 19, "carnet-demi": 19, "fabriqueur": 8}
"""Active members of each tier, 148 in all."""
UNIT: dict[str, Literal["day", "half_day"]] = {"carnet-jour": "day", "carnet-demi": "half_day"}
UNITS = {"half_day": 15, "day": 10}
"""Of one carnet."""
CARNETS = 3
"""Of each who pays by them, as many as somebody needs who comes in their turn (simulator/demo/people.py:carnets) for
as long as the demo's shifts reach; the last one is sold in the weeks before. What is used of them the door's rows
say."""
PRICE = "150 €"
WOMEN = 70
"""47 % of 148."""
GARDIENS = {"resident": 3, "nomade": 5}
SUSPENDED, ENDED = 2, 3
OUTSIDERS = (
    "Marguerite Plessier",
    "Théodore Langlade",
    "Oriane Cazeneuve-Roy",
    "Bertille Fontenoy",
    "Ambroise Kervadec",
    "Nour Belkacem-Thiry",
    "Lazare Montfermy",
)
"""Beside the active ones: two suspended, three whose membership has ended, and two who are yet to begin."""
LOST: tuple[Literal["lost", "stolen", "returned"], ...] = ("lost", "lost", "stolen", "returned")
SEVEN_BYTES = 0.6
"""Share of badges with a 7-byte UID; the others have 4 bytes."""

WEEKS_BEFORE, WEEKS_AHEAD = 4, 26
EVENINGS: tuple[tuple[HourRange, ...], ...] = (
    (("18:00", "20:00"),),
    (("18:00", "20:00"), ("20:00", "22:00")),
    (("18:00", "20:00"),),
    (("18:00", "20:00"), ("20:00", "22:00")),
    (("18:00", "20:30"),),
)
"""When a gardien holds the place, Monday to Friday: on some evenings nobody is found after eight."""
SATURDAY: tuple[HourRange, ...] = (("10:00", "13:00"),)
TAKEN_LATE = Pattern(id="mercredi-tard", weekday="wed", start="20:00", end="22:00")
LATE = (
    Pattern(id="lundi-tard", weekday="mon", start="20:00", end="22:00"),
    TAKEN_LATE,
    Pattern(id="vendredi-tard", weekday="fri", start="20:30", end="22:00"),
)
"""Evenings that look for a gardien after eight; the first Monday's somebody has taken, the Wednesdays' somebody takes
the day before (simulator/demo/agreed.py)."""


def first_day(today: date) -> date:
    """The working Tuesday on which the demo starts: the last one up to today that is no public holiday."""
    tuesday = today - timedelta(days=(today.weekday() - 1) % 7)
    while not works(tuesday):
        tuesday -= timedelta(days=7)
    return tuesday


def _taken(gardiens: list[str], shifts: tuple[Shift, ...], start: date) -> RotaChange:
    """The first Monday's late evening, taken by a gardien who has no other shift that day."""
    monday = start + timedelta(days=-start.weekday() % 7)
    busy = {shift.gardien for shift in shifts if shift.start.startswith(monday.isoformat())}
    return RotaChange(LATE[0].id, monday, gardien=next(one for one in gardiens if one not in busy))


def works(day: date) -> bool:
    """Whether the team works on the date: a weekday that is no public holiday in France."""
    return day.weekday() < 5 and day not in country_holidays("FR", years=day.year)


def bundle(start: date, seed: int = SEED) -> Bundle:
    """All that the site knows at the start date; the same bundle for the same date and seed."""
    chance = Random(f"casaco/{seed}")
    members = tuple(_members(chance, start))
    return Bundle(
        format="loquet.bundle/1",
        site=SITE,
        access_points=(FRONT, GARAGE),
        tiers=TIERS,
        members=members,
        credentials=tuple(_credentials(chance, members)),
        passes=tuple(_passes(members, start)),
        shifts=(shifts := tuple(_shifts(gardiens := [m.id for m in members if Role.GARDIEN in m.roles], start))),
        rota=LATE,
        rota_changes=(_taken(gardiens, shifts, start),),
        credits=tuple(_credits(seed, members, start)),
        events=tuple(_talks(start)),
        machines=MACHINES,
        certifications=(certified := tuple(_certifications(seed, members, start))),
        bookings=tuple(_bookings(members, certified, start)),
    )


def bundle_json(start: date, seed: int = SEED) -> bytes:
    """The bundle as a file, `loquet.bundle/1`."""
    return msgspec.json.format(msgspec.json.encode(bundle(start, seed)), indent=1)


def _members(chance: Random, start: date) -> Iterator[Member]:
    """The active ones in shuffled tiers, then those who may not come in."""
    tiers = [tier for tier, count in ACTIVE.items() for _ in range(count)]
    chance.shuffle(tiers)
    called = names(chance, WOMEN, len(tiers) - WOMEN)
    gardiens = dict(GARDIENS)
    for number, tier in enumerate(tiers, 1):
        roles = (Role.FAB_MANAGER,) if tier == "fabriqueur" and tier not in tiers[number:] else _roles(tier, gardiens)
        joined = start - timedelta(days=chance.randrange(30, 2000))
        yield Member(id=f"m{number:03}", name=called.pop(), tier=tier, roles=roles, valid_from=joined)
    for number, name in enumerate(OUTSIDERS):
        yield _kept_out(number, f"m{len(tiers) + number + 1:03}", name, start)


def _roles(tier: str, gardiens: dict[str, int]) -> tuple[Role, ...]:
    if tier == "equipe":
        return (Role.STAFF,)
    if gardiens.get(tier, 0) > 0:
        gardiens[tier] -= 1
        return (Role.GARDIEN,)
    return ()


def _credits(seed: int, members: tuple[Member, ...], start: date) -> Iterator[Credit]:
    """What the gardiens' paper book said when the bank began, and what two of them did for the house."""
    chance = Random(f"credits/{seed}")
    first, second = [one.id for one in members if Role.STAFF in one.roles][:2]
    gardiens = [one.id for one in members if Role.GARDIEN in one.roles]
    for member in gardiens:
        minutes, day = 15 * chance.randrange(-8, 60), start - timedelta(weeks=WEEKS_BEFORE)
        yield Credit(f"report-{member}", member, minutes, day, "report du cahier des gardes", first, attested=second)
    for member, why in zip(gardiens, ("peinture de la réserve", "ménage de l’atelier"), strict=False):
        day = start - timedelta(days=chance.randrange(3, 10))
        yield Credit(f"travaux-{member}", member, 120, day, why, member, attested=first)


def _kept_out(number: int, member: str, name: str, start: date) -> Member:
    """Suspended, left last month, or coming in half a year: for as long as the demo's shifts reach."""
    if number < SUSPENDED:
        return Member(id=member, name=name, tier="nomade", status="suspended")
    if number < SUSPENDED + ENDED:
        return Member(id=member, name=name, tier="carnet-jour", valid_until=start - timedelta(days=30 + number))
    return Member(id=member, name=name, tier="nomade", valid_from=start + timedelta(weeks=WEEKS_AHEAD + 1))


def _credentials(chance: Random, members: tuple[Member, ...]) -> Iterator[Credential]:
    """A badge for everybody, and those that were lost before."""
    taken: set[str] = set()
    for member in members:
        yield Credential(uid=_uid(chance, taken), member=member.id)
    losers = chance.sample([m for m in members if m.tier in ("resident", "nomade") and m.status == "active"], len(LOST))
    for member, status in zip(losers, LOST, strict=True):
        yield Credential(uid=_uid(chance, taken), member=member.id, status=status)


def _uid(chance: Random, taken: set[str]) -> str:
    """A UID as ISO 14443-3 allows: a single one starts neither with 88 nor 08, NXP's 7-byte ones start with 04."""
    while True:
        rest = bytes(chance.randrange(0x10, 0x80) for _ in range(6))
        uid = (b"\x04" + rest if chance.random() < SEVEN_BYTES else rest[:4]).hex().upper()
        if uid not in taken:
            taken.add(uid)
            return uid


def _passes(members: tuple[Member, ...], start: date) -> Iterator[Pass]:
    begun, last = start - timedelta(weeks=WEEKS_BEFORE), start + timedelta(weeks=WEEKS_AHEAD + 1)
    for member in members:
        if member.tier not in UNIT or member.valid_until is not None:
            continue
        unit = UNIT[member.tier]
        for number in range(CARNETS):
            yield Pass(
                id=f"p{number}-{member.id}",
                member=member.id,
                unit=unit,
                total=UNITS[unit],
                valid_from=begun,
                valid_until=last,
            )


def _certifications(seed: int, members: tuple[Member, ...], start: date) -> Iterator[Certification]:
    """All Fabriqueurs may print; the others who are trained are residents, nomads and two of the team.

    One of them was trained for the CNC as well, and has not been for too long.
    """
    fabriqueurs = [member.id for member in members if member.tier == "fabriqueur"]
    others = [m.id for m in members if m.tier in ("equipe", "resident", "nomade") and m.status == "active"]
    Random(f"fablab/{seed}").shuffle(others)
    for kind, count in TRAINED.items():
        for member in sorted([*fabriqueurs, *others][:count]):
            yield Certification(member=member, kind=kind)
    lapsed = next(one for one in others[TRAINED["impression 3D"] :] if _comes_by_day(members, one))
    yield Certification(member=lapsed, kind="fraiseuse", until=start - timedelta(days=12))


def _comes_by_day(members: tuple[Member, ...], member: str) -> bool:
    """Whether it is a resident or a nomad who holds no evenings."""
    found = next(one for one in members if one.id == member)
    return found.tier in ("resident", "nomade") and not found.roles


def _bookings(members: tuple[Member, ...], certified: tuple[Certification, ...], start: date) -> Iterator[Booking]:
    """The same four on each working day, each day of others who may.

    Who mills on the first afternoon has booked nothing else: they may hold three at a time, and shall be able to try.
    """
    may = [one.member for one in certified if one.kind == "fraiseuse" and one.until is None]
    may = [member for member in may if _comes_by_day(members, member)]
    turn = 0
    for offset in range(7 * WEEKS_AHEAD):
        day = start + timedelta(days=offset)
        for machine, begin, end in BOOKED if works(day) else ():
            holder = may[turn % len(may)]
            turn += 1
            if turn == len(BOOKED):
                may.remove(holder)
            yield Booking(
                id=f"{machine}-{day}-{begin[:2]}",
                machine=machine,
                member=holder,
                start=f"{day}T{begin}",
                end=f"{day}T{end}",
            )


def talks(start: date) -> Series:
    """One series from the weeks before the demo on. It knows of no public holidays: those times are cancelled."""
    which, title, begin, end = TALK
    begun = start - timedelta(weeks=WEEKS_BEFORE)
    first = begun + timedelta(days=(3 - begun.weekday()) % 7)
    return Series(
        id=which,
        title=title,
        start=f"{first}T{begin}",
        end=f"{first}T{end}",
        rule="FREQ=WEEKLY;BYDAY=TH",
        audience="members",
        access_points=("front",),
    )


def cancelled(series: Series, since: date, until: date) -> Iterator[Event]:
    """Its times on which the team does not work."""
    return (one for one in times(series, since, until) if not works(date.fromisoformat(one.start[:10])))


def _talks(start: date) -> Iterator[Event]:
    series, span = talks(start), (start - timedelta(weeks=WEEKS_BEFORE), start + timedelta(weeks=WEEKS_AHEAD))
    free = set(cancelled(series, *span))
    return (one for one in times(series, *span) if one not in free)


def _shifts(gardiens: list[str], start: date) -> Iterator[Shift]:
    """The gardiens take turns, from the weeks before on."""
    turn = 0
    for offset in range(-7 * WEEKS_BEFORE, 7 * (WEEKS_AHEAD + 1)):
        day = start + timedelta(days=offset)
        for begin, end in _held(day):
            gardien = gardiens[turn % len(gardiens)]
            turn += 1
            yield Shift(id=f"s-{day}-{begin[:2]}", gardien=gardien, start=f"{day}T{begin}", end=f"{day}T{end}")


def _held(day: date) -> tuple[HourRange, ...]:
    if works(day):
        return EVENINGS[day.weekday()]
    return SATURDAY if day.weekday() == 5 and day.isocalendar().week % 2 else ()
