"""Who holds which evening of the rota? Read afresh from the patterns and what was changed on single dates."""

from datetime import date, datetime, timedelta
from typing import Any

from tests.oracle import days

Thing = dict[str, Any]


def slot(rules: Thing, pattern: Thing, day: date) -> Thing | None:
    """`gardien` (None for a gap), `start`, `end` of the slot of a pattern on a date; None where there is none."""
    site = rules["site"]
    # "weekday, from, to, every n weeks counted from a date, from a first to a last day"
    if days.WEEKDAYS[day.weekday()] != pattern["weekday"] or not is_between(pattern, day):
        return None
    # "`every` 1 (weeks; above 1 `since` is needed, whose ISO week is the first)": a week has its Thursday in common
    if pattern.get("every", 1) > 1:
        weeks = (thursday(day) - thursday(date.fromisoformat(pattern["since"]))).days // 7
        if weeks % pattern["every"] != 0:
            return None
    # "No slot on a date inside a closure, nor on a public holiday unless `holidays`."
    for closure in site.get("closures", []):
        if closure["from"] <= day.isoformat() <= closure["to"]:
            return None
    if days.is_holiday(site, day) and not pattern.get("holidays", False):
        return None
    found = {"from": pattern["from"], "to": pattern["to"], "gardien": pattern.get("gardien")}
    for change in rules.get("rota_changes", []):
        if (change["rota"], change["date"]) == (pattern["id"], day.isoformat()):
            if change.get("cancelled", False):
                return None
            # "`gardien` (null: a gap; left out: as the pattern says), `start`, `end` (local times in place of ...)"
            found["gardien"] = change.get("gardien", found["gardien"])
            found["from"] = change.get("start") or found["from"]
            found["to"] = change.get("end") or found["to"]
    # "`to` (not after `from`: past midnight)"
    last = day if found["to"] > found["from"] else day + days.DAY
    return {
        "id": f"{pattern['id']}/{day}",
        "gardien": found["gardien"],
        "start": days.instant(site, at(day, found["from"]), end=False),
        "end": days.instant(site, at(last, found["to"]), end=True),
    }


def at(day: date, clock: str) -> datetime:
    """A local time of a date; 24:00 is the next midnight."""
    hours, minutes = clock.split(":")
    return datetime.combine(day, datetime.min.time()) + timedelta(hours=int(hours), minutes=int(minutes))


def thursday(day: date) -> date:
    """The Thursday of the ISO week of a date."""
    return day + timedelta(3 - day.weekday())


def is_between(pattern: Thing, day: date) -> bool:
    """Whether a date is from `since` to `until`, both included."""
    return bool(pattern.get("since", "0000") <= day.isoformat() <= pattern.get("until", "9999-12-31"))


def named(rules: Thing, name: str) -> str | None:
    """What the expectation `slots` says of a slot by its name: "gardien or null; cancelled or none: "none"."."""
    pattern, _, day = name.rpartition("/")
    known = [thing for thing in rules.get("rota", []) if thing["id"] == pattern]
    found = slot(rules, known[0], date.fromisoformat(day)) if known else None
    return found["gardien"] if found else "none"


def shifts(rules: Thing, first: date, last: date) -> list[Thing]:
    """The slots that somebody has, on these dates."""
    dates = [first + n * days.DAY for n in range((last - first).days + 1)]
    found = [slot(rules, pattern, day) for pattern in rules.get("rota", []) for day in dates]
    return [thing for thing in found if thing is not None and thing["gardien"] is not None]
