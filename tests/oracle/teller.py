"""Tells a random story step by step: where it stands, which instants matter next, who taps where."""

import copy
import random
from datetime import datetime, time
from zoneinfo import ZoneInfo

from tests.oracle import days, rota, sites
from tests.oracle.knowledge import MINUTE, SERVER, Thing, View
from tests.oracle.reading import SECOND, Story

STRANGERS = ["DEADBEEF", "04FFEEDDCCBBAA"]
JITTER = [-1, -1, 0, 0, 0, 1]


class Teller:
    """Tells a story step by step, and follows it with the slow reading to know which instants matter."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.bundle, self.day = sites.bundle_of(rng)
        self.prepare(self.bundle)
        self.site: Thing = self.bundle["site"]
        self.places = [place["id"] for place in self.bundle["access_points"] + self.bundle["machines"]]
        start = datetime.combine(self.day - rng.choice([0, 1, 1]) * days.DAY, time(rng.choice([6, 8])))
        self.now = days.instant(self.site, start, end=False)
        self.head: Thing = {"bundle": self.bundle, "start": self.text(self.now)}
        if rng.random() < 0.8:
            names = ["edge-a", "edge-b", "edge-c"][: rng.randint(1, min(3, len(self.places)))]
            parts: dict[str, list[str]] = {name: [place] for name, place in zip(names, self.places, strict=False)}
            for place in self.places[len(names) :]:
                parts[rng.choice(names)].append(place)
            self.head["edges"] = parts
        self.steps: list[Thing] = []
        self.length = rng.randint(10, 34)
        self.world = Story({**copy.deepcopy(self.head), "steps": []})
        self.made = 0

    def prepare(self, bundle: Thing) -> None:
        """Make more of the site than it is anyway."""

    # --- telling ---------------------------------------------------------------------------------------------------

    def text(self, t: datetime) -> str:
        """An instant as a scenario writes it."""
        return t.astimezone(ZoneInfo(self.site["timezone"])).isoformat()

    def tell(self, **what: object) -> Thing:
        """Add a step now; a question to the server follows now and then."""
        step: Thing = {"at": self.text(self.now), **what}
        self.steps.append(step)
        answer = self.world.step(copy.deepcopy(step))
        self.now += (int(what.get("taps", 1)) - 1) * SECOND  # type: ignore[call-overload]
        if "expect" not in what and self.rng.random() < 0.18:
            self.ask()
        return answer

    def view(self) -> View:
        """What the server has now."""
        return self.world.view(SERVER)

    def wait(self, *seconds: int) -> None:
        """Let one of these times pass."""
        self.now += self.rng.choice(seconds or (0, 1, 2, 3, 5, 6, 10, 30, 60, 120, 299, 300)) * SECOND

    def go(self, instants: list[datetime]) -> None:
        """Go to one of these instants, a second before or after it, if they are ahead."""
        ahead = [t for t in instants if t > self.now + SECOND]
        if ahead:
            self.now = self.rng.choice(ahead) + self.rng.choice(JITTER) * SECOND

    def soon(self) -> None:
        """Go to one of the next instants at which something begins or ends."""
        ahead = sorted(t for t in self.instants() if t > self.now + SECOND)
        self.go(ahead[: self.rng.choice([2, 4, 8])])

    def instants(self) -> list[datetime]:
        """The instants near now at which something begins or ends, by the server's rules and sessions."""
        view = self.view()
        site, bundle = view.site, view.rules
        found = []
        lead, grace = site.get("shift_lead", 30) * MINUTE, site.get("shift_grace", 15) * MINUTE
        for day in days.days_around(site, self.now):
            noon = datetime.combine(day, days.clock(site.get("half_day_split", "13:00")))
            midnight = days.instant(site, datetime.combine(day, time(0)), end=False)
            found += [days.cutoff(site, day), days.instant(site, noon, end=False), midnight]
            ranges = days.spans_of_date(site, day, days.staff_hours(site, day))
            found += [t for opens_closes in ranges for t in opens_closes]
        for thing in bundle["tiers"] + bundle["machines"]:
            spans = days.week_spans(site, thing.get("hours", {}), self.now)
            found += [t for opens_closes in spans for t in opens_closes]
        for name in ("shifts", "events", "invitations", "bookings"):
            for thing in view.all(name):
                start = days.moment(site, thing["start"], end=False)
                end = days.moment(site, thing["end"], end=True)
                found += {"shifts": [start - lead, end + grace], "bookings": [start + 15 * MINUTE]}.get(name, [])
                found += [start, end]
        today = days.local_date(site, self.now)
        for thing in rota.shifts(bundle, today - 2 * days.DAY, today + 2 * days.DAY):
            found += [thing["start"] - lead, thing["start"], thing["end"], thing["end"] + grace]
        found += [row["shift"][1] + grace for row in view.of("tap") if row["shift"]]
        return found + self.session_ends()

    def session_ends(self) -> list[datetime]:
        """The instants at which sessions reach their `until`."""
        return [session["until"] for session in self.view().sessions() if session["until"] and session["end"] is None]

    # --- who and where ---------------------------------------------------------------------------------------------

    def uid(self, member: str | None = None) -> str:
        """A badge: of this member, or any, or a stranger's."""
        credentials = self.view().all("credentials")
        if self.rng.random() < 0.7:
            credentials = [thing for thing in credentials if thing.get("status", "active") == "active"] or credentials
        own = [thing["uid"] for thing in credentials if member in (None, thing["member"])]
        uid = self.rng.choice(own) if own and (member or self.rng.random() < 0.96) else self.rng.choice(STRANGERS)
        return uid.swapcase() if self.rng.random() < 0.1 else uid

    def members(self, role: str | None = None) -> list[str]:
        """The members (with a role)."""
        return [thing["id"] for thing in self.view().all("members") if role in (None, *thing.get("roles", []))]

    def someone(self, role: str | None = None) -> str:
        """A member, with the role if anybody has it."""
        active = [thing["id"] for thing in self.view().all("members") if thing.get("status") != "suspended"]
        found = self.members(role) or self.members()
        if self.rng.random() < 0.6:
            found = [name for name in found if name in active] or found
        return self.rng.choice(found)

    def welcome(self) -> str:
        """A member who would most likely be let in."""
        view = self.view()
        found = [thing for thing in view.all("members") if thing.get("status", "active") == "active"]
        found = [thing for thing in found if "staff" in thing.get("roles", []) or view.ground(thing) is not None]
        outside = [thing["id"] for thing in found if not view.is_inside(thing["id"])]
        return self.rng.choice(outside) if outside and self.rng.random() < 0.8 else self.someone()

    def worker(self, machine: str) -> str:
        """Someone inside who is certified for a machine most often."""
        view = self.view()
        kind = (view.one("machines", id=machine) or {})["kind"]
        trained = {thing["member"] for thing in view.all("certifications") if thing["kind"] == kind}
        fit = [member for member in self.insiders() if member in trained]
        return self.rng.choice(fit) if fit and self.rng.random() < 0.85 else self.someone()

    def insiders(self) -> list[str]:
        """Members who are inside and have a badge left."""
        badges = {thing["member"] for thing in self.view().all("credentials")}
        return sorted(member for member in self.view().inside() if member in badges)

    def readers(self, side: str) -> list[str]:
        """The readers of the access points on a side."""
        return [door["readers"][side] for door in self.bundle["access_points"] if side in door["readers"]]

    def machine(self) -> str | None:
        """A machine, if there is one."""
        return self.rng.choice(self.bundle["machines"])["id"] if self.bundle["machines"] else None

    def edge(self) -> str:
        """An edge."""
        return self.rng.choice(sorted(self.world.edges))

    def tap_in(self, member: str | None = None, **more: int) -> Thing:
        """A tap at an `in` reader."""
        return self.tell(tap={"reader": self.rng.choice(self.readers("in")), "uid": self.uid(member)}, **more)

    def tap_out(self, member: str | None = None) -> None:
        """A tap at an `out` reader, where there is one."""
        if self.readers("out"):
            self.tell(tap={"reader": self.rng.choice(self.readers("out")), "uid": self.uid(member)})

    def tap_machine(self, machine: str, member: str | None = None, **more: int) -> Thing:
        """A tap at a machine."""
        return self.tell(tap={"reader": f"{machine}-reader", "uid": self.uid(member)}, **more)

    def slots(self) -> Thing:
        """The names of slots around today, of those that there are and of those that there are not."""
        today = days.local_date(self.view().site, self.now)
        dates = [today + n * days.DAY for n in (-1, 0, 1, 7)]
        return dict.fromkeys(f"{thing['id']}/{day}" for thing in self.view().all("rota") for day in dates)

    def ask(self) -> None:
        """Ask the server for some of what it has."""
        view = self.view()
        passes = {tier["id"] for tier in view.all("tiers") if tier.get("pass", "none") != "none"}
        holders = [member["id"] for member in view.all("members") if member["tier"] in passes]
        plain = [member["id"] for member in view.all("members") if "staff" not in member.get("roles", [])]
        kinds = [quota["kind"] for quota in view.all("quotas")]
        everything: Thing = {
            "inside": [],
            "held": False,
            "staffed": False,
            "pass_left": dict.fromkeys(holders, 0),
            "running": dict.fromkeys([machine["id"] for machine in view.all("machines")]),
            "quota_left": {f"{member}:{kind}": 0 for member in plain for kind in kinds},
            "slots": self.slots(),
            "history": {"taps": 0, "granted": 0},
        }
        names = [name for name, value in everything.items() if value != {}]
        chosen = self.rng.sample(names, self.rng.randint(1, len(names)))
        self.tell(expect={name: everything[name] for name in names if name in chosen})
