"""Stories of the bank of hours: shifts held, in part or twice, late rows, corrections, credits, units spent."""

import random
from datetime import datetime, time

from tests.oracle import days, rota, sites
from tests.oracle.knowledge import MINUTE, Thing
from tests.oracle.reading import SECOND
from tests.oracle.stories import MOST_STEPS, Scenes

HOUR = 60 * MINUTE


def bank_story(seed: int) -> Thing:
    """A scenario of a site with a bank; each seed always gives the same one."""
    teller = Guards(random.Random(seed))
    while len(teller.steps) < teller.length:
        teller.scene()
    teller.mend()
    head = {"format": "loquet.scenario/1", "title": f"Story of the bank {seed}", **teller.head}
    return {**head, "steps": teller.steps[:MOST_STEPS]}


def bank_year(seed: int) -> Thing:
    """A year of it, with everything that goes wrong in one."""
    teller = Guards(random.Random(seed))
    end = teller.now + 365 * days.DAY
    while teller.now < end:
        teller.scene()
        teller.guard()
        teller.day_ends()
        teller.now += teller.rng.choice([0, 1, 1, 2, 3]) * days.DAY
    teller.mend()
    head = {"format": "loquet.scenario/1", "title": f"Year of the bank {seed}", **teller.head}
    return {**head, "steps": teller.steps}


class Guards(Scenes):
    """The scenes of which they are made."""

    def prepare(self, bundle: Thing) -> None:
        """A bank, evenings enough, and credits."""
        rng, day = self.rng, self.day
        bundle["site"] |= sites.maybe(rng, 0.95, time_bank=self.terms())
        bundle["site"]["adhoc_hours"] = rng.choice([0, 1, 3])
        bundle["rota"] = [sites.pattern(rng, bundle, f"r{n}", day) for n in range(rng.choice([1, 2, 3]))]
        bundle["rota_changes"] = [
            sites.rota_change(rng, bundle, thing, day) for thing in bundle["rota"] if rng.random() < 0.3
        ]
        for member in bundle["members"]:
            if "gardien" in member.get("roles", []) and rng.random() < 0.7:
                member["tier"] = "carnet"
        bundle["credits"] = [self.credit(bundle, f"c{n}") for n in range(rng.choice([0, 0, 1, 2]))]

    def terms(self) -> Thing:
        """Settings of a bank."""
        rng = self.rng
        return {
            **sites.maybe(rng, 0.4, rate=rng.choice([0, 33, 50, 150])),
            **sites.maybe(rng, 0.8, unit_minutes=rng.choice([30, 60, 100, 120])),
            **sites.maybe(rng, 0.5, round=rng.choice([1, 7, 10, 60])),
            **sites.maybe(rng, 0.6, min_share=rng.choice([0, 25, 75, 100])),
            **sites.maybe(rng, 0.4, valid_months=rng.choice([1, 2, 14])),
        }

    def credit(self, bundle: Thing, name: str) -> Thing:
        """A credit, attested or not, now and then by somebody who may not."""
        rng = self.rng
        people = [member["id"] for member in bundle["members"]]
        member = rng.choice(people)
        return {
            "id": name,
            "member": member,
            "minutes": rng.choice([60, 120, 45, -30, -200, 500, 0]),
            "date": sites.near(rng, self.day),
            "why": "paint",
            "by": rng.choice([member, rng.choice(people)]),
            **sites.maybe(rng, 0.8, attested=rng.choice([*people[:2], *people[:2], member, "nobody"])),
            **sites.maybe(rng, 0.3, pair=rng.choice(["gift", "swap"])),
        }

    def scene(self) -> None:
        """Tell a scene."""
        scenes = {
            self.guard: 10,
            self.office_works: 2,
            self.bank_office: 5,
            self.late_truth: 6,
            self.correction: 2,
            self.pair_of_taps: 2,
            self.cut_off: 2,
            self.power_cut: 1,
            self.people_come: 1,
            self.day_ends: 3,
            self.carnet_days: 2,
        }
        self.wait()
        self.rng.choices(list(scenes), weights=list(scenes.values()))[0]()

    def guard(self) -> None:
        """A gardien holds a shift, about on time, in one go or in two."""
        view = self.view()
        today = days.local_date(view.site, self.now)
        found = rota.shifts(view.rules, today - days.DAY, today + 2 * days.DAY)
        for thing in view.all("shifts"):
            start, end = (days.moment(view.site, thing[key], end=key == "end") for key in ("start", "end"))
            found.append({"gardien": thing["gardien"], "start": start, "end": end})
        ahead = [shift for shift in found if shift["end"] > self.now and shift["end"] - shift["start"] < 30 * HOUR]
        if not ahead:
            self.day_ends()
            return
        shift = self.rng.choice(ahead)
        length = shift["end"] - shift["start"]
        offsets = [-40 * MINUTE, -10 * MINUTE, 0 * MINUTE, 7 * MINUTE, length / 3, length / 2]
        self.now = max(self.now, shift["start"] + self.rng.choice(offsets))
        if not self.tap_in(shift["gardien"]).get("granted") and self.rng.random() < 0.8:
            self.write_down(shift["gardien"], inside=True)
        if self.rng.random() < 0.3:
            self.now += self.rng.choice([5, 20, 33]) * MINUTE + self.rng.choice([0, 29, 30]) * SECOND
            self.tap_out(shift["gardien"])
            self.now += self.rng.choice([1, 25]) * MINUTE
            self.tap_in(shift["gardien"])
        left = [shift["end"], shift["end"] - 7 * MINUTE, shift["end"] + 10 * MINUTE, shift["start"] + length / 2]
        self.now = max(self.now, self.rng.choice(left))
        if self.rng.random() < 0.85:
            self.tap_out(shift["gardien"])
        if self.rng.random() < 0.8:
            self.day_ends()

    def late_truth(self) -> None:
        """What a shift that was settled has earned turns out to be wrong."""
        settled = [shift for shift in self.world.books.first.values() if shift["gardien"]]
        if not settled:
            self.guard()
            return
        shift = self.rng.choice(settled[-3:])
        span = (shift["end"] - shift["start"]) // SECOND
        first = self.rng.choice([0, self.rng.randint(0, span // 2)])
        when = [first, span - self.rng.choice([0, 60, 500, 4000])]
        moves = list(zip(when, [True, False], strict=True))
        for at, inside in self.rng.choice([moves, moves, moves[:1], moves[1:]]):
            self.write_down(shift["gardien"], inside=inside, at=min(self.now, shift["start"] + max(0, at) * SECOND))
        self.day_ends()

    def write_down(self, member: str, *, inside: bool, at: datetime | None = None) -> None:
        """The desk writes down that somebody came or left."""
        by = self.rng.choice([name for name in self.members() if name != member])
        when = {} if at is None else {"at": self.text(at)}
        self.tell(correct={"member": member, "inside": inside, "by": by, **when})

    def day_ends(self) -> None:
        """The site day ends, and everybody's bank is asked for."""
        site = self.view().site
        cutoff = days.cutoff(site, days.site_day(site, self.now) + days.DAY)
        self.now = cutoff + self.rng.choice([-1, 0, 0, 0, 1, 3600]) * SECOND
        self.ask_bank()
        if self.rng.random() < 0.5:
            self.now = max(self.now, days.instant(site, datetime.combine(self.morning(), time(10)), end=False))
            self.tap_in(self.rng.choice([self.someone("gardien"), None]))
            self.ask_bank()

    def morning(self) -> "days.date":
        """The date of the next morning."""
        return days.site_day(self.view().site, self.now)

    def ask_bank(self) -> None:
        """What everybody has."""
        people = self.members()
        payers = {tier["id"] for tier in self.view().all("tiers") if tier.get("pass", "none") != "none"}
        holders = [member["id"] for member in self.view().all("members") if member["tier"] in payers]
        asked = {"bank": dict.fromkeys(people, 0), "minted": dict.fromkeys(people, 0)}
        self.tell(expect=asked | ({"pass_left": dict.fromkeys(holders, 0)} if holders else {}))

    def correction(self) -> None:
        """The desk writes down a move of today, or of days ago."""
        member = self.someone("gardien")
        back = self.rng.choice([0 * MINUTE, 20 * MINUTE, 2 * HOUR, 5 * HOUR, 20 * HOUR, 30 * HOUR, 60 * HOUR])
        self.write_down(member, inside=self.rng.random() < 0.5, at=None if back == 0 * MINUTE else self.now - back)
        if self.rng.random() < 0.5:
            self.day_ends()

    def bank_office(self) -> None:
        """Credits, settings of the bank, and evenings that are past are changed."""
        self.made += 1
        rng, view = self.rng, self.view()
        day = days.site_day(view.site, self.now) - rng.choice([0, 0, 1, 2]) * days.DAY
        known = view.all("credits")
        works = [{"change": {"credits": [self.credit(view.rules, f"new{self.made}")]}}]
        works.append({"change": {"site": {"time_bank": rng.choice([*(self.terms() for _ in range(5)), None])}}})
        if known:
            one = rng.choice(known)
            again = {**one, "attested": rng.choice(self.members()), "minutes": one["minutes"] + rng.choice([0, 0, 60])}
            works += [{"change": {"credits": [again]}}, {"remove": {"credits": [one["id"]]}}]
        for thing in view.all("rota"):
            works += [{"change": {"rota_changes": [sites.rota_change(rng, view.rules, thing, day)]}}] * 2
            works.append({"change": {"rota": [{**thing, "to": rng.choice(["23:40", "00:50"])}]}})
        works += [{"remove": {"rota_changes": [[one["rota"], one["date"]]]}} for one in view.all("rota_changes")]
        works.append({"change": {"rota": [sites.pattern(rng, view.rules, f"new{self.made}", day)]}})
        shift = {"id": f"new{self.made}", "gardien": self.someone("gardien"), **sites.span(rng, view.site, day)}
        works.append({"change": {"shifts": [shift]}})
        for thing in view.all("shifts"):
            works.append({"change": {"shifts": [{**thing, "gardien": self.someone("gardien")}]}})
        self.tell(**rng.choice(works))
        if rng.random() < 0.5:
            self.ask_bank()
