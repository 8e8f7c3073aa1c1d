"""The bank of hours, counted again from the facts: everything anew at each end of a site day, piece by piece.

The sentences in quotation marks are those of the description of the bank.
"""

import copy
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import floor

from tests.oracle import days, rota
from tests.oracle.knowledge import Thing, View

MS = timedelta(milliseconds=1)


def terms(site: Thing) -> Thing | None:
    """The settings of the bank; None: "left out: no bank"."""
    if site.get("time_bank") is None:
        return None
    return {"rate": 100, "unit_minutes": 240, "round": 15, "min_share": 50, "valid_months": 0, **site["time_bank"]}


class Books:
    """What everybody's account holds, and what moved."""

    def __init__(self) -> None:
        self.minutes: dict[str, int] = {}
        self.units: dict[str, int] = {}
        self.first: dict[str, Thing] = {}
        """Of each shift the rules at its first settlement, and what it was then."""
        self.worth: dict[str, tuple[str, int]] = {}
        self.vouched: dict[str, Thing] = {}
        self.credited: dict[str, Thing] = {}

    def move(self, member: str, minutes: int) -> None:
        """Minutes come to an account, or leave it."""
        self.minutes[member] = self.minutes.get(member, 0) + minutes

    # --- shifts ----------------------------------------------------------------------------------------------------

    def settle(self, view: View) -> Thing:
        """A site day has ended: the rules, with what is minted now."""
        for name, shift in known_shifts(view).items():
            # "A shift is settled at the first `day_cutoff` at or after its end"
            if shift["end"] <= view.now and name not in self.first and came_in_time(view, shift):
                self.first[name] = {**shift, "rules": copy.deepcopy(view.rules)}
        shifts = {name: again(view, name, first) for name, first in self.first.items()}
        held = {name: shift for name, shift in shifts.items() if shift is not None}
        others = [*held.values(), *(shift for name, shift in known_shifts(view).items() if self.still_runs(view, name))]
        for name in self.first:
            new = ("", 0)
            if name in held:
                new = held[name]["gardien"], self.earned(view, name, held[name], others)
            old = self.worth.get(name, ("", 0))
            # "the old entry is countered by its negative and the new one stands beside it"
            if new != old:
                self.move(old[0], -old[1])
                self.move(new[0], new[1])
                self.worth[name] = new
        self.book_credits(view)
        return self.mint(view)

    def still_runs(self, view: View, name: str) -> bool:
        """Whether a shift has begun, and its end is ahead."""
        shift = known_shifts(view)[name]
        return name not in self.first and bool(shift["start"] < view.now < shift["end"]) and bool(shift["gardien"])

    def earned(self, view: View, name: str, shift: Thing, others: list[Thing]) -> int:
        """What a shift earns."""
        site = self.first[name]["rules"]["site"]
        bank = terms(site)
        if bank is None or shift["end"] > view.now:
            return 0
        own = there = timedelta()
        for start, end in pieces(view, site, shift, others):
            # "A second belongs to the earliest-starting shift of that gardien that contains it (at one start: the one
            # with the earlier end)."
            claims = [s for s in others if s["gardien"] == shift["gardien"] and s["start"] <= start < s["end"]]
            if min(claims, key=lambda s: (s["start"], s["end"], s["name"]))["name"] == name:
                own += end - start
                there += end - start if was_inside(view, site, shift["gardien"], start) else timedelta()
        # "Below `min_share` the shift earns 0; this is not asked of ad hoc shifts."
        if own == timedelta() or (not shift["adhoc"] and Fraction(there // MS, own // MS) * 100 < bank["min_share"]):
            return 0
        # "rounded to the nearest multiple of `round` (a half rounds up), times `rate` / 100, rounded down"
        steps = floor(Fraction(there // MS, 60_000 * bank["round"]) + Fraction(1, 2))
        return floor(Fraction(steps * bank["round"] * bank["rate"], 100))

    # --- credits ---------------------------------------------------------------------------------------------------

    def store(self, view: View, ids: list[str]) -> Thing:
        """Something was stored, these credits among it: the rules, with what is minted now."""
        there = {thing["id"]: thing for thing in view.all("credits")}
        self.vouched = {name: thing for name, thing in self.vouched.items() if name in there}
        for name in ids:
            self.vouched.pop(name, None)
            if is_attested(view, there[name]):
                self.vouched[name] = there[name]
        return self.mint(view) if self.book_credits(view) else view.rules

    def book_credits(self, view: View) -> bool:
        """Book credits whose time has come, counter those that are no more; whether there were any."""
        count = {name: thing for name, thing in self.vouched.items() if is_whole(thing, list(self.vouched.values()))}
        moved = False
        for name, old in list(self.credited.items()):
            new = count.get(name)
            if new is None or any(new[key] != old[key] for key in ("member", "minutes", "date")):
                # "changed or removed, it is countered by its negative then"
                self.move(old["member"], -old["minutes"])
                del self.credited[name]
                moved = True
        for name, thing in count.items():
            # "at the later of the first instant of its date's site day and the instant at which it was stored"
            is_due = days.cutoff(view.site, date.fromisoformat(thing["date"])) <= view.now
            if name not in self.credited and is_due and terms(view.site) is not None:
                self.move(thing["member"], thing["minutes"])
                self.credited[name] = thing
                moved = True
        return moved

    # --- units -----------------------------------------------------------------------------------------------------

    def mint(self, view: View) -> Thing:
        """The rules, with a new pass for each whole unit."""
        rules, bank = copy.deepcopy(view.rules), terms(view.site)
        for member in view.all("members") if bank is not None else []:
            unit = view.tier(member).get("pass", "none")
            if bank is None or unit == "none":
                continue
            cost = bank["unit_minutes"] * {"day": 2, "half_day": 1}[unit]
            while self.minutes.get(member["id"], 0) >= cost:
                self.move(member["id"], -cost)
                self.units[member["id"]] = self.units.get(member["id"], 0) + 1
                insert(rules, member["id"], unit, days.site_day(view.site, view.now), bank["valid_months"])
        return rules


def known_shifts(view: View) -> dict[str, Thing]:
    """The shifts and gaps of now, by a name: of the rota those of the last days."""
    found: dict[str, Thing] = {}
    today = days.local_date(view.site, view.now)
    for pattern in view.all("rota"):
        for n in range(-5, 1):
            slot = rota.slot(view.rules, pattern, today + n * days.DAY)
            if slot is not None:
                key = {"pattern": pattern["id"], "date": today + n * days.DAY, "adhoc": False}
                found[f"rota {slot['id']}"] = {**slot, **key, "name": f"rota {slot['id']}"}
    for thing in view.all("shifts"):
        name = f"shift {thing['id']}"
        found[name] = {"name": name, "gardien": thing["gardien"], "adhoc": False, "pattern": None}
        found[name]["start"] = days.moment(view.site, thing["start"], end=False)
        found[name]["end"] = days.moment(view.site, thing["end"], end=True)
    for fact in view.of("tap"):
        if fact["shift"]:
            start, end = fact["shift"]
            name = f"adhoc {fact['member']} {start.isoformat()}"
            found[name] = {"name": name, "gardien": fact["member"], "start": start, "end": end, "adhoc": True}
            found[name]["pattern"] = None
    return found


def came_in_time(view: View, shift: Thing) -> bool:
    """Whether it was there when it ended and ever since: "A slot of the rota that comes to be after its end never
    earns"."""
    if shift["pattern"] is None:
        return True
    told = view.of("rules")
    before = [fact for fact in told if fact["at"] <= shift["end"]]
    since = [*before[-1:], *(fact for fact in told if fact["at"] > shift["end"])]
    for fact in since:
        patterns = [thing for thing in fact["bundle"].get("rota", []) if thing["id"] == shift["pattern"]]
        if not patterns or rota.slot(fact["bundle"], patterns[0], shift["date"]) is None:
            return False
    return bool(before)


def again(view: View, name: str, first: Thing) -> Thing | None:
    """What a shift is now that was settled once; None for none."""
    if first["pattern"] is not None:
        # "afterwards only its date's `rota_changes` ... change what it earned"
        rules = {**first["rules"], "rota_changes": view.all("rota_changes")}
        pattern = next(thing for thing in rules["rota"] if thing["id"] == first["pattern"])
        slot = rota.slot(rules, pattern, first["date"])
        return None if slot is None or slot["gardien"] is None else {**first, **slot}
    return known_shifts(view).get(name)


def pieces(view: View, site: Thing, shift: Thing, others: list[Thing]) -> list[tuple[datetime, datetime]]:
    """A shift, cut wherever somebody's claim or presence may change."""
    cuts = {shift["start"], shift["end"]}
    for other in others:
        cuts |= {other["start"], other["end"]}
    cuts |= {moved(fact) for fact in view.moves()}
    first, last = (days.local_date(site, shift[key]) for key in ("start", "end"))
    cuts |= {days.cutoff(site, first + n * days.DAY) for n in range(-1, (last - first).days + 2)}
    inside = sorted(cut for cut in cuts if shift["start"] <= cut <= shift["end"])
    return list(pairwise(inside))


def moved(fact: Thing) -> datetime:
    """When somebody moved, by a tap or by what the desk wrote down."""
    when: datetime = fact.get("moved", fact["at"])
    return when


def was_inside(view: View, site: Thing, member: str, t: datetime) -> bool:
    """Whether a member was inside at an instant, by what is known now."""
    ins = [moved(fact) for fact in view.moves() if fact["arrives"] == member and moved(fact) <= t]
    outs = [moved(fact) for fact in view.moves() if fact["leaves"] == member and moved(fact) <= t]
    if not ins or (outs and max(outs) >= max(ins)):
        return False
    return days.site_day(site, max(ins)) == days.site_day(site, t)


def is_attested(view: View, credit: Thing) -> bool:
    """Whether somebody may vouch for a credit, and does."""
    # "another person, staff or gardien, never the one who profits nor the one who proposes"
    if credit.get("attested") in (None, credit["member"], credit["by"]):
        return False
    person = view.one("members", id=credit["attested"])
    return person is not None and bool({"staff", "gardien"} & set(person.get("roles", [])))


def is_whole(credit: Thing, all_of_them: list[Thing]) -> bool:
    """Whether a credit counts. "A pair counts only whole: two credits", "of opposite sign"."""
    if credit.get("pair") is None:
        return True
    pair = [other["minutes"] for other in all_of_them if other.get("pair") == credit["pair"]]
    return len(pair) == 2 and min(pair) < 0 < max(pair)


def insert(rules: Thing, member: str, unit: str, day: date, months: int) -> None:
    """A new unit among the member's passes."""
    passes = rules.setdefault("passes", [])
    mine = [thing for thing in passes if thing["member"] == member]
    new: Thing = {"id": f"minted {member} {len(passes)} {day}", "member": member, "unit": unit, "total": 1}
    new |= {"valid_from": day.isoformat(), "minted": True}
    if months > 0:
        # "the last day of the month `valid_months` after that of `valid_from`, or none"
        following = (day.replace(day=1) + timedelta(31 * (months + 1))).replace(day=1)
        while (following.year - day.year) * 12 + following.month - day.month > months + 1:
            following = (following - days.DAY).replace(day=1)
        new["valid_until"] = (following - days.DAY).isoformat()
    # "inserted before the first of the member's passes, in the order given, whose last day is the same or later than
    # its own (none is the latest); units of the bank among themselves oldest first"
    last = new.get("valid_until", "9999")
    later = [thing for thing in mine if not thing.get("minted") and thing.get("valid_until", "9999") >= last]
    place = passes.index(later[0]) if later else len(passes)
    older = [n + 1 for n, thing in enumerate(passes) if thing["member"] == member and thing.get("minted")]
    passes.insert(max([place, *older]), new)
