"""What does somebody know at an instant? Rules, presence, sessions, units: all derived from one plain list of facts.

A fact is a dict: `at` (instant in UTC), `what`, `by` (the edge that saw it, or `server`), `known` (the set of the edges
and the server that have heard it) and what belongs to its kind. Nothing is stored but facts.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.oracle import days, rota

SERVER = "server"
MINUTE = timedelta(minutes=1)
Thing = dict[str, Any]


class View:
    """All that one decider (an edge by its name, or the server) knows at an instant.

    made: when the rules that it holds were made.
    """

    def __init__(self, facts: list[Thing], who: str, now: datetime, made: datetime) -> None:
        self.facts = [fact for fact in facts if who in fact["known"]]
        self.now = now
        self.rules: Thing = self.of("rules")[-1]["bundle"]
        self.site: Thing = self.rules["site"]
        self.made = made

    @property
    def knows_calendar(self) -> bool:
        """Whether the rules still know the calendar."""
        # "A rule set knows the calendar until `offline_days` + 31 days after it was made; beyond that no hours, shifts,
        # events, invitations or bookings hold" (the server makes one on every site day; the last of them is included)
        last = days.site_day(self.site, self.made) + (self.site.get("offline_days", 14) + 31) * days.DAY
        return days.site_day(self.site, self.now) <= last

    def of(self, what: str) -> list[Thing]:
        """The known facts of one kind, in the order in which they happened."""
        return [fact for fact in self.facts if fact["what"] == what]

    # --- the rules -------------------------------------------------------------------------------------------------

    def all(self, collection: str) -> list[Thing]:
        """The objects of a collection of the rules."""
        return list(self.rules.get(collection, []))

    def one(self, collection: str, **wanted: Any) -> Thing | None:
        """The object of a collection with these values."""
        for thing in self.all(collection):
            if all(thing[key] == value for key, value in wanted.items()):
                return thing
        return None

    def credential(self, uid: str) -> Thing | None:
        """The credential with this UID, in any case."""
        for thing in self.all("credentials"):
            if thing["uid"].upper() == uid.upper():
                return thing
        return None

    def tier(self, member: Thing) -> Thing:
        """The tier of a member."""
        found = self.one("tiers", id=member["tier"])
        assert found is not None
        return found

    def covers(self, thing: Thing, t: datetime) -> bool:
        """Whether an event, an invitation or a booking covers an instant. "Intervals are half-open, [start, end)"."""
        if not self.knows_calendar:
            return False
        start = days.moment(self.site, thing["start"], end=False)
        return start <= t < days.moment(self.site, thing["end"], end=True)

    # --- who is inside ---------------------------------------------------------------------------------------------

    def moves(self) -> list[Thing]:
        """What lets somebody in or out: taps, a closing, and what the desk writes down of moves that no badge made."""
        return [*self.of("tap"), *self.of("checked_out"), *self.of("correction")]

    def inside(self) -> set[str]:
        """The ids of the members who are inside."""
        members = {fact["arrives"] for fact in self.moves() if fact["arrives"]}
        return {member for member in members if self.is_inside(member)}

    def is_inside(self, member: str) -> bool:
        """Whether a member is inside."""
        # "Presence and units merge by the instant of the tap."
        arrivals = [fact.get("moved", fact["at"]) for fact in self.moves() if fact["arrives"] == member]
        departures = [fact.get("moved", fact["at"]) for fact in self.moves() if fact["leaves"] == member]
        if not arrivals:
            return False
        # "of an `in` and an `out` at one instant the `out` counts"
        if departures and max(departures) >= max(arrivals):
            return False
        # "at `day_cutoff` whoever is still inside is checked out (derived, `auto_out`)"
        return days.site_day(self.site, max(arrivals)) == days.site_day(self.site, self.now)

    # --- shifts and the place --------------------------------------------------------------------------------------

    def in_own_shift(self, member: str) -> bool:
        """Whether a shift of this member covers the instant, lead and grace included."""
        # "A shift covers from `shift_lead` (30 min) before its start until `shift_grace` (15 min) after its end, ad hoc
        # shifts too."
        lead = self.site.get("shift_lead", 30) * MINUTE
        grace = self.site.get("shift_grace", 15) * MINUTE
        return any(start - lead <= self.now < end + grace for start, end in self.own_shifts(member))

    def own_shifts(self, member: str) -> list[days.Span]:
        """The shifts of this member about now, without lead and grace."""
        found = []
        for shift in self.all("shifts") if self.knows_calendar else []:
            if shift["gardien"] == member:
                start = days.moment(self.site, shift["start"], end=False)
                found.append((start, days.moment(self.site, shift["end"], end=True)))
        # "A slot with a gardien is a shift like those of `shifts`."
        today = days.local_date(self.site, self.now)
        around = rota.shifts(self.rules, today - 3 * days.DAY, today + 2 * days.DAY) if self.knows_calendar else []
        found += [(shift["start"], shift["end"]) for shift in around if shift["gardien"] == member]
        found += [fact["shift"] for fact in self.of("tap") if fact["shift"] and fact["member"] == member]
        return found

    def held(self) -> bool:
        """Whether the place is held."""
        return any(self.holds(member) for member in self.all("members"))

    def holds(self, member: Thing) -> bool:
        """Whether this member holds the place."""
        # "held: at least one gardien is inside, with status active, whose shift covers the instant."
        active = is_gardien(member) and member.get("status", "active") == "active"
        return active and self.is_inside(member["id"]) and self.in_own_shift(member["id"])

    def left(self) -> list[str]:
        """Whoever is *left*."""
        # "a member still inside, not staff, of whom at that instant no ground of the tier, no invitation and no event
        # holds at any access point"
        return sorted(
            member["id"]
            for member in self.all("members")
            if self.is_inside(member["id"]) and not is_staff(member)
            if self.ground(member) is None and not self.invited(member, None) and not self.events(None)
        )

    def staffed(self) -> bool:
        """Whether the place is staffed."""
        return self.knows_calendar and days.is_staffed(self.site, self.now)

    def ground(self, member: Thing) -> str | None:
        """The first ground of the member's tier that holds, by the reason that it gives."""
        tier = self.tier(member)
        if "always" in tier["grounds"]:
            return "always"
        if (
            "hours" in tier["grounds"]
            and self.knows_calendar
            and days.in_week(self.site, tier.get("hours", {}), self.now)
        ):
            return "tier_hours"
        if "staffed" in tier["grounds"] and self.staffed():
            return "staffed_hours"
        if "held" in tier["grounds"] and self.held():
            return "gardien_present"
        return None

    def invited(self, member: Thing, access_point: str | None) -> bool:
        """Whether an invitation of the member runs: at this access point, or (None) anywhere."""
        # "invited: inside a personal invitation of the member, at its access points (left out: all)"
        own = [thing for thing in self.all("invitations") if thing["member"] == member["id"]]
        return any(self.covers(thing, self.now) and is_at(thing, access_point) for thing in own)

    def events(self, access_point: str | None) -> list[Thing]:
        """The events that run now: at this access point, or (None) anywhere."""
        # "event: inside an event's window, at its access points (left out: all)."
        return [thing for thing in self.all("events") if self.covers(thing, self.now) and is_at(thing, access_point)]

    # --- passes ----------------------------------------------------------------------------------------------------

    def unit_now(self, unit: str) -> str:
        """The day ("2026-11-20") or half-day ("2026-11-20am") that this instant lies in."""
        day = days.site_day(self.site, self.now).isoformat()
        return day if unit == "day" else day + days.half_day(self.site, self.now)

    def units_paid(self, member: Thing) -> set[str]:
        """The days and half-days that the member has paid at doors."""
        return {fact["pays"] for fact in self.of("tap") if fact["pays"] and fact["member"] == member["id"]}

    def passes(self, member: Thing) -> list[Thing]:
        """The member's passes that count, in the order given."""
        # "Passes count whose unit is the tier's"
        unit = self.tier(member).get("pass", "none")
        return [thing for thing in self.all("passes") if thing["member"] == member["id"] and thing["unit"] == unit]

    def is_paid(self, member: Thing) -> bool:
        """Whether the day or half-day of this instant is paid."""
        unit = self.unit_now(self.tier(member)["pass"])
        own = [thing for thing in self.all("passes") if thing["member"] == member["id"]]
        ticked = {paid for thing in own for paid in (*thing.get("used", []), *thing.get("given_back", []))}
        paid = self.units_paid(member) | ticked
        # "A paid day counts as both its halves paid ...; a paid half-day pays no day."
        return unit in paid or unit[: len("2026-11-20")] in paid

    def pass_left(self, member: Thing) -> int:
        """The units that the member has left on the site day of this instant."""
        passes = self.passes(member)
        # what a pass gave back stays paid, and takes nothing from it
        free = {thing["id"]: set(thing.get("given_back", [])) for thing in passes}
        costs = {thing["id"]: set(thing.get("used", [])) - free[thing["id"]] for thing in passes}
        ticked = set().union(*free.values(), *costs.values())
        left = {thing["id"]: thing["total"] - len(costs[thing["id"]]) for thing in passes}
        width = len("2026-11-20" if self.tier(member).get("pass") == "day" else "2026-11-20am")
        for unit in sorted(self.units_paid(member)):
            # "charged to day passes alone"
            if unit in ticked or len(unit) != width:
                continue
            # "each unit is taken from the first, in the order given, that is valid on that site day and has one left"
            for thing in passes:
                if left[thing["id"]] > 0 and is_valid(thing, date.fromisoformat(unit[:10])):
                    left[thing["id"]] -= 1
                    break
        # "What is left on a site day is what the passes valid on it have left, never less than 0"
        today = days.site_day(self.site, self.now)
        return sum(max(0, left[thing["id"]]) for thing in passes if is_valid(thing, today))

    # --- machines --------------------------------------------------------------------------------------------------

    def sessions(self) -> list[Thing]:
        """All known sessions: `machine`, `kind`, `member`, `cut`, `until`, `start`, and `end` (None while running)."""
        found = []
        for fact in self.of("tap"):
            if not fact["session"]:
                continue
            # "of two `until`s of one session the later counts (null is the latest), in whatever order they come"
            extended = [more for more in self.of("extended") if more["session"] == fact["session"]["id"]]
            untils = [fact["session"]["until"], *(more["until"] for more in extended)]
            until = None if None in untils else max(untils)
            ends = [end["at"] for end in self.of("end") if end["session"] == fact["session"]["id"]]
            # "at `until` it loses power and the session counts as ended at that instant in every view that knows it"
            if fact["session"]["cut"] and until is not None and until <= self.now:
                ends.append(until)
            found.append({**fact["session"], "until": until, "start": fact["at"], "end": min(ends, default=None)})
        return found

    def running_on(self, machine: str) -> Thing | None:
        """The session that runs on a machine."""
        for session in self.sessions():
            if session["machine"] == machine and session["end"] is None:
                return session
        return None

    def is_stopped(self, machine: str) -> bool:
        """Whether a machine is stopped by an emergency stop."""
        stopped = False
        for fact in self.facts:
            if fact["what"] == "estop" and fact["machine"] == machine:
                stopped = True
            if fact["what"] == "tap" and fact["reason"] == "machine_reset" and fact["place"] == machine:
                stopped = False
        return stopped

    def bookings(self, machine: str) -> list[Thing]:
        """The bookings of a machine."""
        return [thing for thing in self.all("bookings") if thing["machine"] == machine]

    def is_released(self, booking: Thing) -> bool:
        """Whether a booking is released."""
        # "A booking is released when its holder, in its first 15 min, neither had a session running on the machine
        # (begun before or in them) nor was refused `machine_busy` there."
        first = days.moment(self.site, booking["start"], end=False)
        last = first + 15 * MINUTE
        if self.now < last:
            return False
        for session in self.sessions():
            theirs = session["machine"] == booking["machine"] and session["member"] == booking["member"]
            if theirs and max(session["start"], first) < min(session["end"] or self.now, last):
                return False
        for fact in self.of("tap"):
            refused = fact["reason"] == "machine_busy" and fact["place"] == booking["machine"]
            if refused and fact["member"] == booking["member"] and first <= fact["at"] < last:
                return False
        return True

    def quota_used(self, member: str, kind: str) -> int:
        """Whole seconds of the member's sessions on machines of a kind in the quota's period."""
        # "Quota counts whole seconds of the member's sessions on machines of that kind inside the period"
        quota = self.one("quotas", kind=kind)
        assert quota is not None
        first, last = days.period(self.site, quota["period"], self.now)
        total = 0
        for session in self.sessions():
            if session["member"] == member and session["kind"] == kind:
                inside = min(session["end"] or self.now, last) - max(session["start"], first)
                total += max(0, inside // timedelta(seconds=1))
        return total

    def quota_left(self, member: str, kind: str) -> int | None:
        """Seconds left of the quota for a kind, never less than 0; None without a quota."""
        quota = self.one("quotas", kind=kind)
        if quota is None:
            return None
        return int(max(0, quota["minutes"] * 60 - self.quota_used(member, kind)))


def is_staff(member: Thing) -> bool:
    """Whether a member is staff."""
    return "staff" in member.get("roles", [])


def is_gardien(member: Thing) -> bool:
    """Whether a member is a gardien."""
    return "gardien" in member.get("roles", [])


def is_at(thing: Thing, access_point: str | None) -> bool:
    """Whether an event or invitation is for an access point ("left out: all"); for None, wherever it is."""
    return access_point is None or "access_points" not in thing or access_point in thing["access_points"]


def is_valid(thing: Thing, day: date) -> bool:
    """Whether a pass is valid on a site day."""
    # "a pass is valid from its `valid_from` (a site day, if it has one) to its last day"
    began = "valid_from" not in thing or day >= date.fromisoformat(thing["valid_from"])
    return began and not is_past(thing.get("valid_until"), day)


def is_past(last_day: str | None, day: date) -> bool:
    """Whether a site day is after a last day. "Last day" of anything is included, and is a site day."""
    return last_day is not None and day > date.fromisoformat(last_day)


def as_instant(text: str) -> datetime:
    """The instant that a scenario's time with offset means."""
    return datetime.fromisoformat(text).astimezone(UTC)
