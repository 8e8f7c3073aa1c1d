"""Random scenarios that mean something: short scenes around the instants at which something changes.

`python -m tests.oracle.stories 500` prints how often each reason is reached over that many seeds.
"""

import copy
import random
import sys
from collections import Counter
from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from tests.oracle import days, sites
from tests.oracle.knowledge import MINUTE, SERVER, Thing
from tests.oracle.office import office
from tests.oracle.reading import SECOND, read
from tests.oracle.teller import Teller

MOST_STEPS = 40


def story(seed: int) -> Thing:
    """A scenario; each seed always gives the same one. Expected values in it are placeholders."""
    teller = Scenes(random.Random(seed))
    while len(teller.steps) < teller.length:
        teller.scene()
    teller.mend()
    head = {"format": "loquet.scenario/1", "title": f"Story {seed}", **teller.head}
    return {**head, "steps": teller.steps[:MOST_STEPS]}


class Scenes(Teller):
    """The scenes of which stories are made."""

    def scene(self) -> None:
        """Tell a scene."""
        scenes = {
            self.people_come: 6,
            self.something_begins_or_ends: 6,
            self.gardien_evening: 3,
            self.closing: 3,
            self.open_evening: 4,
            self.pair_of_taps: 4,
            self.work_at_a_machine: 11,
            self.booked_machine: 4,
            self.carnet_days: 3,
            self.lockdown: 2,
            self.cut_off: 3,
            self.power_cut: 3,
            self.long_silence: 1,
            self.office_works: 5,
        }
        self.wait()
        if self.rng.random() < 0.25:
            self.wake_up()
        self.rng.choices(list(scenes), weights=list(scenes.values()))[0]()

    def wake_up(self) -> None:
        """Go on to working hours, if it is not yet or no longer day."""
        site = self.view().site
        hour = self.now.astimezone(ZoneInfo(site["timezone"])).hour
        if not 8 <= hour <= 18:
            day = days.local_date(site, self.now) + (1 if hour > 18 else 0) * days.DAY
            start = datetime.combine(day, time(self.rng.choice([9, 10, 14])))
            self.now = max(self.now, days.instant(site, start, end=False))

    def people_come(self) -> None:
        """Some people come and go."""
        for _ in range(self.rng.randint(1, 4)):
            if self.rng.random() < 0.75:
                self.tap_in(self.rng.choice([None, self.welcome()]))
            else:
                self.tap_out()
            self.wait()

    def something_begins_or_ends(self) -> None:
        """Someone taps just when something begins or ends."""
        self.soon()
        if self.rng.random() < 0.4:
            self.ask()
        member = self.someone()
        self.tap_in(member)
        if self.rng.random() < 0.5:
            self.wait(1, 1, 2)
            self.tap_in(member)

    def gardien_evening(self) -> None:
        """A gardien comes for a shift, others come, the gardien leaves."""
        view = self.view()
        lead = view.site.get("shift_lead", 30) * MINUTE
        starts = [days.moment(view.site, shift["start"], end=False) for shift in view.all("shifts")]
        self.go(starts + [start - lead for start in starts])
        gardien = self.someone("gardien")
        self.tap_in(gardien)
        self.wait()
        self.tap_in()
        if self.rng.random() < 0.5:
            self.soon()
            self.tap_in()
        if self.rng.random() < 0.5:
            self.tap_out(gardien)
            self.wait()
            self.tap_in()

    def closing(self) -> None:
        """A gardien holds an evening in which others come, and leaves with one tap or two, most often about its end."""
        self.gardien_evening()
        view = self.view()
        guests = [name for name in self.members() if name not in self.members("staff")]
        for guest in self.rng.sample(guests, min(len(guests), self.rng.randint(1, 3))):
            self.tap_in(guest)
        for _ in range(self.rng.randint(1, 2)):
            inside = [name for name in self.insiders() if name in self.members("gardien")]
            gardien = self.rng.choice(inside) if inside else self.someone("gardien")
            if self.rng.random() < 0.5:
                grace = view.site.get("shift_grace", 15) * MINUTE
                ends = [end for _, end in view.own_shifts(gardien)]
                self.go(sorted(end for end in (*ends, *(end + grace for end in ends)) if end > self.now)[:1])
            uid = self.uid(gardien)
            for _ in range(self.rng.choice([1, 2, 2, 2, 3])):
                if self.readers("out"):
                    reader = self.rng.choice(self.readers("out"))
                    self.tell(tap={"reader": reader, "uid": uid})
                    self.wait(1, 5, 19, 20, 20, 21)
                    if self.rng.random() < 0.25:
                        self.rng.choice([self.tap_in, partial(self.between, reader)])()
            self.ask()

    def open_evening(self) -> None:
        """Guests come while an event or an invitation runs, most often where nothing else would let them in."""
        view = self.view()
        running = view.all("events") + view.all("invitations")
        ahead = [thing for thing in running if days.moment(view.site, thing["end"], end=True) > self.now]
        if not ahead:
            self.something_begins_or_ends()
            return
        thing = self.rng.choice(ahead)
        start = days.moment(view.site, thing["start"], end=False)
        self.go([start, start + 10 * MINUTE, days.moment(view.site, thing["end"], end=True)])
        guests = [member["id"] for member in view.all("members") if member["tier"] in ("guest", "evening", "carnet")]
        for _ in range(self.rng.randint(1, 3)):
            self.tap_in(thing.get("member") or self.rng.choice(guests or self.members()))
            self.wait()
        if self.insiders() and self.machine():
            machine = self.machine() or ""
            self.tap_machine(machine, self.worker(machine))

    def pair_of_taps(self) -> None:
        """Someone, a gardien most often, lays a badge on twice, or three or four times, outside hours most often."""
        if self.rng.random() < 0.7:
            late = [datetime.combine(self.day + n * days.DAY, time(self.rng.choice([5, 7, 19, 21]))) for n in (0, 1, 2)]
            self.go(sorted(t for t in (days.instant(self.site, one, end=False) for one in late) if t > self.now)[:1])
        member = self.someone("gardien") if self.rng.random() < 0.8 else None
        if self.rng.random() < 0.5:
            self.tap_in(member, taps=self.rng.choice([2, 2, 2, 3, 4]))
        else:
            reader, uid = self.rng.choice(self.readers("in")), self.uid(member)
            self.tell(tap={"reader": reader, "uid": uid})
            self.wait(0, 1, 2, 4, 5, 5, 6)
            self.rng.choice([lambda: None] * 5 + [self.tap_in, lambda: self.between(reader)])()
            self.tell(tap={"reader": reader, "uid": uid})
        for _ in range(self.rng.randint(0, 2)):
            self.wait()
            self.tap_in()

    def between(self, reader: str) -> None:
        """What ends a pair: a tap at a machine of the same edge, or a power cut, while the pair may last."""
        place = next(door["id"] for door in self.bundle["access_points"] if reader in door["readers"].values())
        edge = self.world.edge_of(place)
        machines = [thing for thing in self.world.edges[edge]["places"] if thing.startswith("m")]
        if machines and self.rng.random() < 0.6:
            self.tap_machine(self.rng.choice(machines), self.someone())
        elif not machines and self.world.edges[edge]["power"]:
            self.tell(power={"edge": edge, "up": False})
            self.power_up(edge)

    def fill(self, people: int) -> None:
        """Bring some people in."""
        for _ in range(people):
            self.tap_in(self.welcome())
            self.wait(0, 1, 6, 20)

    def work_at_a_machine(self) -> None:
        """Someone starts a machine, and something becomes of it."""
        machine = self.machine()
        if machine is None:
            self.people_come()
            return
        if not self.insiders() or self.rng.random() < 0.3:
            self.fill(self.rng.choice([1, 2, 3]))
        member = self.worker(machine)
        answer = self.tap_machine(machine, member)
        if not answer.get("granted"):
            self.wait()
            member = self.worker(machine)
            self.tap_machine(machine, member)
        for _ in range(self.rng.randint(1, 3)):
            self.machine_turn(machine, member)

    def machine_turn(self, machine: str, member: str) -> None:
        """One turn of events at a machine."""
        turn = self.rng.choice(
            ["again", "other", "leave", "stop", "until", "until", "end", "locked", "second", "expect"]
        )
        self.wait()
        if turn == "again":
            self.tap_machine(machine, member, taps=self.rng.choice([1, 2, 7]))
        elif turn == "other":
            self.tap_machine(machine, self.worker(machine))
        elif turn == "leave":
            self.tap_out(member if self.rng.random() < 0.6 else None)
            self.wait(60, 299, 300, 301)
            if self.rng.random() < 0.4:
                self.tap_in(member)
                self.wait(1, 299, 300)
            self.ask()
        elif turn == "stop":
            self.emergency(machine)
        elif turn == "until":
            self.go(self.session_ends())
            self.tap_machine(machine, self.rng.choice([member, member, self.worker(machine)]))
            self.wait(6, 20)
            self.tap_machine(machine, member)
        elif turn == "end":
            self.wait(6, 60, 600)
            self.tap_machine(machine, member)
        elif turn == "locked":
            self.lock_out(machine)
        elif turn == "second":
            kind = (self.view().one("machines", id=machine) or {})["kind"]
            alike = [thing["id"] for thing in self.view().all("machines") if thing["kind"] == kind]
            self.tap_machine(self.rng.choice(alike), member)
        else:
            self.ask()

    def emergency(self, machine: str) -> None:
        """The emergency stop is pressed; someone tries, someone resets."""
        self.tell(estop={"machine": machine})
        self.wait(1, 6, 60)
        self.tap_machine(machine, self.someone())
        for _ in range(2):
            self.wait(6, 60)
            if self.view().is_stopped(machine):
                self.tap_machine(machine, self.someone(self.rng.choice(["staff", "fab_manager"])))

    def lock_out(self, machine: str) -> None:
        """A machine is locked out, or free again."""
        found = copy.deepcopy(self.view().one("machines", id=machine))
        assert found is not None
        lock = {"by": "alice", "why": "smoke", "urgent": self.rng.random() < 0.5}
        found["locked_out"] = None if found.get("locked_out") else lock
        self.tell(change={"machines": [found]})
        self.wait()
        self.tap_machine(machine, self.someone())

    def booked_machine(self) -> None:
        """Someone comes to a machine that is booked, perhaps only just."""
        machine = self.machine()
        if machine and self.rng.random() < 0.6:
            self.fill(2)
            self.book(machine, self.worker(machine))
        view = self.view()
        late = self.now - 15 * MINUTE
        ahead = [thing for thing in view.all("bookings") if days.moment(view.site, thing["start"], end=False) > late]
        if not ahead:
            self.work_at_a_machine()
            return
        booking = self.rng.choice(ahead)
        start = days.moment(view.site, booking["start"], end=False)
        if self.rng.random() < 0.6:
            self.now = max(self.now, start - 5 * MINUTE)
            self.fill(2)
            self.tap_in(booking["member"])
            if self.rng.random() < 0.4:
                self.tap_machine(booking["machine"], self.worker(booking["machine"]))
        self.go([start, start + 5 * MINUTE, start + 15 * MINUTE])
        for _ in range(2):
            member = booking["member"] if self.rng.random() < 0.4 else self.worker(booking["machine"])
            self.tap_machine(booking["machine"], member)
            if self.rng.random() < 0.6:
                self.go([start + 15 * MINUTE])

    def book(self, machine: str, member: str) -> None:
        """A machine is booked, from soon on."""
        self.made += 1
        start = self.now + self.rng.choice([0, 1, 5, 20]) * MINUTE
        end = start + self.rng.choice([20, 60]) * MINUTE
        booking = {"id": f"new{self.made}", "machine": machine, "member": member}
        booking |= {"start": self.text(start), "end": self.text(end)}
        if sites.can_book(self.site, self.view().all("bookings"), booking):
            self.tell(change={"bookings": [booking]})

    def carnet_days(self) -> None:
        """A pass holder comes in one half-day after another."""
        passes = {thing["member"] for thing in self.view().all("passes")}
        member = self.rng.choice(sorted(passes) or self.members())
        for _ in range(self.rng.randint(1, 3)):
            self.tap_in(member)
            self.wait()
            self.tap_out(member)
            site = self.view().site
            today = days.local_date(site, self.now)
            hours = [time(10), time(14), days.clock(site.get("half_day_split", "13:00"))]
            ahead = [datetime.combine(today + n * days.DAY, hour) for n in (0, 1) for hour in hours]
            self.go(sorted(t for t in (days.instant(site, one, end=False) for one in ahead) if t > self.now)[:3])
        self.tap_in(member)
        self.ask()

    def lockdown(self) -> None:
        """A lockdown, some taps, its end."""
        self.tell(lockdown=True)
        for _ in range(self.rng.randint(1, 3)):
            self.wait()
            self.any_tap()
        if self.rng.random() < 0.85:
            self.wait()
            self.tell(lockdown=False)

    def any_tap(self, edge: str | None = None) -> None:
        """A tap somewhere, or somewhere at an edge."""
        places = self.world.edges[edge]["places"] if edge else self.places
        place = self.rng.choice(places)
        if place.startswith("m"):
            self.tap_machine(place, self.rng.choice([None, self.worker(place), self.worker(place)]))
            return
        door = next(door for door in self.bundle["access_points"] if door["id"] == place)
        readers = door["readers"]
        side = "out" if "out" in readers and self.rng.random() < 0.25 else "in"
        self.tell(tap={"reader": readers[side], "uid": self.uid()})

    def gardien_tap(self, edge: str) -> None:
        """A gardien comes to a door of an edge: stale rules let them pass."""
        doors = [door for door in self.bundle["access_points"] if door["id"] in self.world.edges[edge]["places"]]
        if not doors:
            self.any_tap(edge)
            return
        self.tell(tap={"reader": self.rng.choice(doors)["readers"]["in"], "uid": self.uid(self.someone("gardien"))})

    def cut_off(self) -> None:
        """An edge without link sees and misses something."""
        edge = self.edge()
        self.tell(link={"edge": edge, "up": False})
        for _ in range(self.rng.randint(1, 3)):
            self.wait()
            self.rng.choice(
                [self.any_tap, lambda: self.any_tap(edge), self.office_works, self.something_begins_or_ends]
            )()
        self.ask()
        if self.rng.random() < 0.75:
            self.wait()
            self.tell(link={"edge": edge, "up": True})
            self.ask()

    def power_cut(self) -> None:
        """Power goes at an edge, perhaps the link too, and comes back."""
        edge = self.edge()
        self.wait(6, 10, 60)
        if not self.world.edges[edge]["power"]:
            self.power_up(edge)
            return
        silent = self.world.edges[edge]["link"] and self.rng.random() < 0.6
        if silent:
            self.tell(link={"edge": edge, "up": False})
        self.tell(power={"edge": edge, "up": False})
        self.wait(6, 60, 600)
        if self.rng.random() < 0.3:
            self.any_tap(edge)
        machines = [place for place in self.world.edges[edge]["places"] if place.startswith("m")]
        if machines and self.rng.random() < 0.4:
            self.tell(estop={"machine": self.rng.choice(machines)})
        if self.rng.random() < 0.3:
            self.soon()
        self.wait(6, 60)
        self.power_up(edge)
        for _ in range(self.rng.randint(1, 4)):
            self.wait(6, 20, 60)
            self.any_tap(edge)
        if silent and self.rng.random() < 0.8:
            self.wait(0, 5, 60)
            self.tell(link={"edge": edge, "up": True})
            self.any_tap(edge)

    def power_up(self, edge: str) -> None:
        """Power returns; a clock that was lost before is not found again by that."""
        lost = not self.world.edges[edge]["trusted"] or self.rng.random() < 0.7
        clock = {"clock": "lost"} if lost else self.rng.choice([{}, {"clock": "trusted"}])
        self.tell(power={"edge": edge, "up": True, **clock})

    def long_silence(self) -> None:
        """An edge has no link for as many days as it may have none, or some more."""
        edge = self.edge()
        self.tell(link={"edge": edge, "up": False})
        limit = self.now + timedelta(days=self.view().site.get("offline_days", 14))
        self.now = limit + self.rng.choice([-1, 0, 1, 1, 3600, 40000, 90000]) * SECOND
        if self.rng.random() < 0.3:
            self.now += (31 + self.rng.choice([-1, 0, 1, 20])) * days.DAY
        for _ in range(self.rng.randint(2, 4)):
            self.rng.choice([self.any_tap, self.any_tap, self.gardien_tap])(edge)
            self.wait(0, 1, 5, 60)
        if self.rng.random() < 0.7:
            self.tell(link={"edge": edge, "up": True})
            self.any_tap(edge)

    def office_works(self) -> None:
        """The server's rules change, and someone taps."""
        self.made += 1
        self.tell(**office(self.rng, self.world.view(SERVER), f"new{self.made}"))
        self.wait()
        self.any_tap()

    def mend(self) -> None:
        """Most stories end with everything back, and all questions asked."""
        self.wait(6, 60)
        if self.rng.random() < 0.7:
            for name, edge in self.world.edges.items():
                if not edge["power"]:
                    self.power_up(name)
                if not edge["link"]:
                    self.tell(link={"edge": name, "up": True})
        self.ask()


def histogram(seeds: range) -> Counter[str]:
    """How often each reason is reached, at doors and at machines, and each question asked."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        scenario = story(seed)
        machines = {machine["reader"] for machine in scenario["bundle"]["machines"]}
        for step, answer in zip(scenario["steps"], read(scenario), strict=True):
            counts["steps"] += 1
            if "tap" in step:
                place = "machine" if step["tap"]["reader"] in machines else "door"
                counts[f"{place} {answer.get('reason', '(no power)')}"] += 1
                counts["until"] += bool(answer.get("until"))
            else:
                counts.update(f"step {name}" for name in step if name not in ("at", "taps", "expect"))
                counts.update(f"expect {name}" for name in step.get("expect", {}))
    return counts


if __name__ == "__main__":
    for what, count in sorted(histogram(range(int(sys.argv[1]))).items()):
        sys.stdout.write(f"{count:7} {what}\n")
