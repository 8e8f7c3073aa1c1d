"""A small random site: a valid bundle around a date at which something happens to the calendar."""

import random
from datetime import date, datetime, time, timedelta
from typing import Any

from tests.oracle import days

Thing = dict[str, Any]
# zone, holiday code, dates (changes of the clock, holidays, turns of a week, month or year, ordinary days)
PLACES = [
    ("Europe/Paris", "FR", ["2026-10-25", "2027-03-28", "2026-11-11", "2026-11-30", "2026-12-31", "2026-11-24"]),
    ("Europe/Paris", "FR", ["2026-10-24", "2027-03-27", "2026-11-23", "2027-01-01", "2028-02-29", "2026-11-26"]),
    ("Europe/Paris", "FR-57", ["2026-04-03", "2026-12-25", "2026-12-26"]),
    ("America/New_York", "US-NY", ["2026-11-01", "2027-03-14", "2026-11-26"]),
    ("Australia/Lord_Howe", "AU-NSW", ["2026-04-05", "2026-10-04", "2026-12-25"]),
]
HOURS = [0, 1, 1.5, 2, 2.25, 2.5, 3, 8, 9, 10, 12, 13, 14, 15, 17, 18, 20, 22, 23]
LENGTHS = [30, 45, 60, 90, 120, 180, 240, 480]
NAMES = ["alice", "brigitte", "claude", "djamila", "etienne", "fatou", "gregoire", "helene"]
KINDS = ["printer", "cnc"]
WEEKS: list[list[list[str]]] = [
    [["09:00", "18:00"]],
    [["09:00", "18:00"]],
    [["09:00", "12:00"], ["12:00", "17:30"]],
    [["10:00", "13:00"], ["20:00", "02:30"]],
    [["02:15", "02:45"], ["08:00", "20:00"]],
    [["22:00", "04:00"]],
]


def week(rng: random.Random, ranges: list[list[str]]) -> Thing:
    """Weekly hours: the same ranges on most days."""
    return {name: ranges for name in days.WEEKDAYS if rng.random() < 0.85}


def maybe(rng: random.Random, chance: float, **values: Any) -> Thing:
    """The values, by chance, else nothing."""
    return values if rng.random() < chance else {}


def near(rng: random.Random, day: date, reach: int = 2) -> str:
    """A date near a date."""
    return (day + rng.randint(-reach, reach) * days.DAY).isoformat()


def span(rng: random.Random, site: Thing, day: date) -> Thing:
    """A `start` and an `end` near a date, whose instants differ also where the clock jumps."""
    first = day + rng.choice([-1, 0, 0, 0, 1]) * days.DAY
    start = datetime.combine(first, time(0, 0)) + timedelta(hours=rng.choice(HOURS))
    end = start + timedelta(minutes=rng.choice(LENGTHS))
    while days.instant(site, end, end=True) <= days.instant(site, start, end=False):
        end += timedelta(hours=1)
    return {"start": start.isoformat(timespec="minutes"), "end": end.isoformat(timespec="minutes")}


def site_of(rng: random.Random, day: date, zone: str, code: str, *, has_outs: bool) -> Thing:
    """The `site` object."""
    return {
        "id": "casaco",
        "name": "Casaco",
        "timezone": zone,
        **maybe(rng, 0.8, holidays=code),
        **maybe(rng, 0.6, capacity=rng.choice([1, 2, 2, 3, 4])),
        **maybe(rng, 0.5, at_capacity="deny"),
        **maybe(rng, 0.35, day_cutoff=rng.choice(["00:00", "02:15", "02:30", "03:00", "05:00"])),
        **maybe(rng, 0.2, half_day_split=rng.choice(["12:00", "13:30"])),
        **maybe(rng, 0.3, shift_lead=rng.choice([0, 10, 60]), shift_grace=rng.choice([0, 5, 30])),
        **maybe(rng, 0.6, adhoc_hours=rng.choice([1, 2, 3])),
        **maybe(rng, 0.3, offline_days=rng.choice([1, 2, 7])),
        **maybe(rng, 0.5, anti_passback=rng.choice(["hard", "hard", "soft"] if has_outs else ["soft"])),
        **maybe(rng, 0.85, staff_hours=week(rng, rng.choice(WEEKS))),
        **maybe(rng, 0.15, closures=[{"from": near(rng, day - days.DAY, 1), "to": near(rng, day + 2 * days.DAY, 1)}]),
        **maybe(rng, 0.25, openings=[{"date": near(rng, day, 1), "hours": rng.choice([*WEEKS, []])}]),
    }


def places_of(rng: random.Random) -> tuple[list[Thing], list[Thing]]:
    """The access points and machines."""
    every = rng.random() < 0.7
    doors = []
    for name in ["front", "garden", "garage"][: rng.randint(1, 3)]:
        out = {"out": f"{name}-out"} if every or rng.random() < 0.4 else {}
        doors.append({"id": name, "readers": {"in": f"{name}-in", **out}})
    machines = []
    for n in range(rng.choice([0, 1, 2, 2, 3, 3])):
        locked = rng.choice([None, {"by": "alice", "why": "smoke", "urgent": rng.random() < 0.5}])
        machine = {
            "id": f"m{n}",
            "kind": rng.choice(["printer", "printer", "cnc"]),
            "reader": f"m{n}-reader",
            **maybe(rng, 0.4, hours=week(rng, rng.choice([*WEEKS, [["08:00", "14:00"], ["14:00", "20:00"]]]))),
            **maybe(rng, 0.45, min_people=rng.choice([1, 2, 2, 3])),
            **maybe(rng, 0.6, on_end=rng.choice(["cut", "cut", "warn"])),
            **maybe(rng, 0.2, attended=rng.random() < 0.5),
            **maybe(rng, 0.1, locked_out=locked),
        }
        machines.append(machine)
    return doors, machines


def tiers_of(rng: random.Random, doors: list[str]) -> list[Thing]:
    """One tier of each sort."""
    few = rng.sample(doors, rng.randint(1, len(doors)))
    return [
        {"id": "resident", "grounds": ["always"], **maybe(rng, 0.15, **{"pass": "half_day"})},
        {"id": "nomad", "grounds": ["staffed", "held"], **maybe(rng, 0.3, access_points=few)},
        {"id": "carnet", "grounds": ["staffed", "held"], "pass": rng.choice(["half_day", "half_day", "day"])},
        {
            "id": "own",
            "grounds": ["held", "hours"],
            "hours": week(rng, rng.choice(WEEKS)),
            **maybe(rng, 0.3, access_points=few),
        },
        {"id": "guest", "grounds": [], **maybe(rng, 0.3, **{"pass": "day"})},
        {"id": "evening", "grounds": ["held"]},
    ]


def member_of(rng: random.Random, name: str, n: int, day: date) -> Thing:
    """A member: the first is staff, the second a gardien, the others anything."""
    tier = rng.choice(
        ["resident", "resident", "nomad", "nomad", "nomad", "carnet", "carnet", "own", "guest", "guest", "evening"]
    )
    usual = [["staff"], ["gardien"]]
    roles = usual[n] if n < 2 else rng.choice([[], [], [], [], ["gardien"], ["fab_manager"], ["staff", "gardien"]])
    return {
        "id": name,
        "name": name.capitalize(),
        "tier": tier,
        **({"roles": roles} if roles else {}),
        **maybe(rng, 0.04, status="suspended"),
        **maybe(rng, 0.06, valid_from=near(rng, day)),
        **maybe(rng, 0.09, valid_until=near(rng, day)),
    }


def credentials_of(rng: random.Random, members: list[Thing], day: date) -> list[Thing]:
    """One or two badges for each member."""
    found = []
    for n, member in enumerate(members):
        for copy in range(rng.choice([1, 1, 1, 2])):
            status = maybe(rng, 0.35 if copy else 0.03, status=rng.choice(["lost", "stolen", "returned"]))
            last = maybe(rng, 0.08, valid_until=near(rng, day))
            found.append({"uid": f"04A{n}{copy}0EF", "member": member["id"], **status, **last})
    for thing in found:
        if rng.random() < 0.2:
            thing["uid"] = (thing["uid"] + "AABBCC").lower()
    return found


def given_back_of(rng: random.Random, unit: str, used: list[str], day: date) -> Thing:
    """Now and then what a pass paid before, or what a tap of today pays."""
    today = day.isoformat() if unit == "day" else day.isoformat() + rng.choice(["am", "pm"])
    return {"given_back": [rng.choice([*used, today])]} if rng.random() < 0.2 else {}


def passes_of(rng: random.Random, bundle: Thing, day: date) -> list[Thing]:
    """Small passes, some nearly used up, some that end."""
    units = {tier["id"]: tier.get("pass", "none") for tier in bundle["tiers"]}
    found: list[Thing] = []
    for member in bundle["members"]:
        for _ in range(rng.choice([0, 1, 1, 2, 2]) if units[member["tier"]] != "none" else 0):
            unit = units[member["tier"]] if rng.random() < 0.9 else rng.choice(["day", "half_day"])
            total = rng.choice([1, 1, 2, 3])
            used = []
            for n in range(rng.randint(0, total)):
                past = (day - (n + 2 + 5 * len(found)) * days.DAY).isoformat()
                used.append(past if unit == "day" else past + rng.choice(["am", "pm"]))
            if used and rng.random() < 0.3:
                used[0] = day.isoformat() if unit == "day" else day.isoformat() + rng.choice(["am", "pm"])
            found.append(
                {
                    "id": f"pass{len(found)}",
                    "member": member["id"],
                    "unit": unit,
                    "total": total,
                    **({"used": used} if used else {}),
                    **given_back_of(rng, unit, used, day),
                    **maybe(rng, 0.2, valid_from=near(rng, day, 1)),
                    **maybe(rng, 0.3, valid_until=near(rng, day + days.DAY, 1)),
                }
            )
    # two passes of one member never tick the same day
    seen: set[tuple[str, str]] = set()
    for thing in found:
        fresh = [used for used in thing.get("used", []) if (thing["member"], used) not in seen]
        seen |= {(thing["member"], used) for used in fresh}
        if "used" in thing:
            thing["used"] = fresh
    return found


EVENINGS = [("18:00", "22:00"), ("19:30", "23:00"), ("22:00", "01:00"), ("21:00", "02:30"), ("01:30", "03:15")]
"""Of the rota; some past midnight, some where the clocks change."""


def can_book(site: Thing, bookings: list[Thing], booking: Thing) -> bool:
    """Whether a booking overlaps none of its machine."""
    start = days.moment(site, booking["start"], end=False)
    end = days.moment(site, booking["end"], end=True)
    for other in bookings:
        apart = days.moment(site, other["end"], end=True) <= start or end <= days.moment(
            site, other["start"], end=False
        )
        if other["machine"] == booking["machine"] and other["id"] != booking["id"] and not apart:
            return False
    return True


def add_diary(rng: random.Random, bundle: Thing, day: date) -> None:
    """Shifts, events, invitations and bookings."""
    site, members = bundle["site"], [member["id"] for member in bundle["members"]]
    doors = [door["id"] for door in bundle["access_points"]]
    gardiens = [member["id"] for member in bundle["members"] if "gardien" in member.get("roles", [])]
    bundle["shifts"] = [
        {"id": f"s{n}", "gardien": rng.choice(gardiens), **span(rng, site, day)} for n in range(rng.randint(0, 3))
    ]
    if rng.random() < 0.2:
        # one that lasts for longer than any rule set knows the calendar
        last = {"start": f"{day}T08:00", "end": f"{day + 500 * days.DAY}T20:00"}
        bundle["shifts"].append({"id": "long", "gardien": rng.choice(gardiens), **last})
    bundle["events"] = [
        {
            "id": f"e{n}",
            "title": "Talk",
            **span(rng, site, day),
            "audience": rng.choice(["members", "public"]),
            **maybe(rng, 0.4, free=True),
            **maybe(rng, 0.5, access_points=rng.sample(doors, 1)),
        }
        for n in range(rng.choice([0, 0, 1, 1, 2]))
    ]
    bundle["invitations"] = [
        {
            "id": f"i{n}",
            "member": rng.choice(members),
            **span(rng, site, day),
            **maybe(rng, 0.4, access_points=doors[:1]),
        }
        for n in range(rng.choice([0, 0, 1, 2]))
    ]
    bundle["bookings"] = []
    for n in range(rng.choice([0, 2, 3, 4, 6]) if bundle["machines"] else 0):
        machine = rng.choice(bundle["machines"])["id"]
        booking = {"id": f"b{n}", "machine": machine, "member": rng.choice(members), **span(rng, site, day)}
        if can_book(site, bundle["bookings"], booking):
            bundle["bookings"].append(booking)


def bundle_of(rng: random.Random) -> tuple[Thing, date]:
    """A bundle, and the date around which it is built."""
    zone, code, dates = rng.choice(PLACES)
    day = date.fromisoformat(rng.choice(dates))
    doors, machines = places_of(rng)
    site = site_of(rng, day, zone, code, has_outs=all("out" in door["readers"] for door in doors))
    members = [member_of(rng, name, n, day) for n, name in enumerate(NAMES[: rng.randint(3, 8)])]
    bundle: Thing = {
        "format": "loquet.bundle/1",
        "site": site,
        "access_points": doors,
        "machines": machines,
        "tiers": tiers_of(rng, [door["id"] for door in doors]),
        "members": members,
        "credentials": credentials_of(rng, members, day),
    }
    bundle["passes"] = passes_of(rng, bundle, day)
    bundle["certifications"] = [
        {"member": member["id"], "kind": kind, **maybe(rng, 0.15, until=near(rng, day))}
        for member in members
        for kind in KINDS
        if rng.random() < 0.8
    ]
    bundle["quotas"] = [
        {"kind": kind, "minutes": rng.choice([1, 1, 5, 10, 30, 600]), "period": rng.choice(["week", "month"])}
        for kind in KINDS
        if rng.random() < 0.6
    ]
    add_diary(rng, bundle, day)
    add_rota(rng, bundle, day)
    return bundle, day


def add_rota(rng: random.Random, bundle: Thing, day: date) -> None:
    """Evenings of every week or second week, and what is other on single dates."""
    bundle["rota"] = [pattern(rng, bundle, f"r{n}", day) for n in range(rng.choice([0, 0, 1, 2]))]
    bundle["rota_changes"] = []
    for thing in bundle["rota"]:
        if rng.random() < 0.5:
            bundle["rota_changes"].append(rota_change(rng, bundle, thing, day))


def pattern(rng: random.Random, bundle: Thing, name: str, day: date) -> Thing:
    """A pattern that has a slot around a date, most often."""
    on = day + rng.choice([-1, 0, 0, 0, 1]) * days.DAY
    start, end = rng.choice(EVENINGS)
    often = {} if rng.random() < 0.6 else {"every": 2, "since": (on - rng.randint(0, 20) * days.DAY).isoformat()}
    holds = [member["id"] for member in bundle["members"] if "gardien" in member.get("roles", [])]
    return {
        "id": name,
        "weekday": days.WEEKDAYS[on.weekday()],
        "from": start,
        "to": end,
        **often,
        **maybe(rng, 0.1, until=(on + rng.randint(0, 9) * days.DAY).isoformat()),
        **maybe(rng, 0.8, gardien=rng.choice(holds or [bundle["members"][0]["id"]])),
        **maybe(rng, 0.3, holidays=True),
    }


def rota_change(rng: random.Random, bundle: Thing, on: Thing, day: date) -> Thing:
    """Something is other on the date of a pattern's slot around a date, or on a date on which it has none."""
    dates = [day + n * days.DAY for n in (-1, 0, 1)]
    own = [date for date in dates if days.WEEKDAYS[date.weekday()] == on["weekday"]]
    members = [member["id"] for member in bundle["members"]]
    changes: list[Thing] = [
        {"cancelled": True},
        {"gardien": None},
        {"gardien": rng.choice(members)},
        {"gardien": rng.choice(members), "start": "20:10"},
        {"end": rng.choice(["23:05", "01:20", "24:00"])},
    ]
    return {"rota": on["id"], "date": rng.choice(own or dates).isoformat(), **rng.choice(changes)}
