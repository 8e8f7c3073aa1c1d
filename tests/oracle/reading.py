"""An independent reading of the rules: slow, obvious, and nothing like the product it is compared with.

`read` walks through a scenario and says what each step must lead to. The sentences in quotation marks are those of
docs/rules.md (beside the tables) and of the description of the scenario format.
"""

import copy
from datetime import datetime, timedelta
from typing import Any

from tests.oracle import bank, days, rota, tables
from tests.oracle.knowledge import MINUTE, SERVER, Thing, View, as_instant, is_gardien

SECOND = timedelta(seconds=1)


def read(scenario: Thing) -> list[Thing]:
    """What each step leads to: `granted`, `reason`, `until` of a tap; the values of the names that an `expect` asks."""
    story = Story(scenario)
    return [story.step(step) for step in scenario["steps"]]


class Story:
    """The world of one scenario: the facts so far and the state of each edge."""

    def __init__(self, scenario: Thing) -> None:
        bundle = copy.deepcopy(scenario["bundle"])
        places = bundle.get("access_points", []) + bundle.get("machines", [])
        # "`edges` (left out: one edge for each access point and each machine, named after it)"
        names: dict[str, list[str]] = scenario.get("edges") or {place["id"]: [place["id"]] for place in places}
        self.now = as_instant(scenario["start"])
        self.edges: dict[str, Thing] = {
            name: {"places": ids, "power": True, "link": True, "trusted": True, "sync": self.now, "timers": {}}
            for name, ids in names.items()
        }
        self.facts: list[Thing] = []
        # "`start` (instant of the first sync)"
        self.add(SERVER, "rules", bundle=bundle)
        self.books = bank.Books()
        self.booked(self.books.store(self.view(SERVER), [thing["id"] for thing in bundle.get("credits", [])]))
        self.share()

    # --- facts and who hears of them -------------------------------------------------------------------------------

    def add(self, by: str, what: str, **more: Any) -> Thing:
        """Add a fact that its author alone knows."""
        fact = {"at": self.now, "what": what, "by": by, "known": {by}, **more}
        self.facts.append(fact)
        return fact

    def view(self, who: str) -> View:
        """What somebody knows now."""
        return View(self.facts, who, self.now, self.edges[who]["sync"] if who in self.edges else self.now)

    def linked(self) -> list[str]:
        """The edges that have power and link."""
        return [name for name, edge in self.edges.items() if edge["power"] and edge["link"]]

    def share(self) -> None:
        """Let the network fall quiet."""
        # "an edge that has power and link has the rules, confirmed at every instant, and the presence, sessions and
        # units that others published; its clock is trusted."
        for name in self.linked():
            self.edges[name]["sync"] = self.now
            self.edges[name]["trusted"] = True
            for fact in self.facts:
                if fact["by"] == name:
                    fact["known"].add(SERVER)
        for fact in self.facts:
            if SERVER in fact["known"]:
                fact["known"].update(self.linked())

    # --- time passes -----------------------------------------------------------------------------------------------

    def pass_time(self, t: datetime) -> None:
        """Go on to an instant, stopping wherever something may happen by itself."""
        while True:
            stops = [t]
            server = self.view(SERVER).site
            ends = days.cutoff(server, days.site_day(server, self.now) + days.DAY)
            stops.append(ends)
            for name, edge in self.edges.items():
                site = self.view(name).site
                stops.append(days.cutoff(site, days.site_day(site, self.now) + days.DAY))
                stops += [since + 5 * MINUTE for since in edge["timers"].values()]
            self.now = min(stop for stop in stops if stop > self.now or stop == t)
            if self.now == ends:
                # "settled at the first `day_cutoff` at or after its end, by what the server has at that instant"
                self.share()
                self.booked(self.books.settle(self.view(SERVER)))
            self.settle()
            if self.now == t:
                return

    def booked(self, rules: Thing) -> None:
        """What the bank minted is in the rules from now on."""
        if rules.get("passes", []) != self.view(SERVER).rules.get("passes", []):
            self.add(SERVER, "rules", bundle=rules)

    def settle(self) -> None:
        """Let edges look at their machines and the network fall quiet, until nothing changes any more."""
        self.share()
        for name in self.edges:
            for machine in self.machines_of(name):
                self.watch(name, machine)
        self.share()

    def machines_of(self, edge: str) -> list[Thing]:
        """The machines of an edge, as it knows them."""
        return [thing for thing in self.view(edge).all("machines") if thing["id"] in self.edges[edge]["places"]]

    def end(self, edge: str, session: Thing) -> None:
        """End a session now."""
        self.add(edge, "end", session=session["id"])

    def watch(self, name: str, machine: Thing) -> None:
        """End the session on a machine where something other than a tap ends it."""
        view = self.view(name)
        session = view.running_on(machine["id"])
        if session is None:
            return
        # "A lock-out waits for the running session unless it is `urgent`."
        if machine.get("locked_out") and machine["locked_out"].get("urgent", False):
            self.end(name, session)
            return
        # "On an `attended` machine (default: those that `cut`) the session ends 5 min after its edge learns that the
        # holder is no longer inside or that fewer than `min_people` are, unless both are mended before (one timer)."
        timers = self.edges[name]["timers"]
        attended = machine.get("attended", machine.get("on_end", "warn") == "cut")
        enough = len(view.inside()) >= machine.get("min_people", 0)
        since = timers.get(session["id"])
        if since is not None and self.now >= since + 5 * MINUTE:
            self.end(name, session)
        elif attended and not (enough and view.is_inside(session["member"])):
            timers.setdefault(session["id"], self.now)
        else:
            timers.pop(session["id"], None)

    # --- the steps -------------------------------------------------------------------------------------------------

    def step(self, step: Thing) -> Thing:
        """Do a step."""
        self.pass_time(as_instant(step["at"]))
        answer: Thing = {}
        if "tap" in step:
            # "the same, N times, one second apart; `expect` is about the last"
            for n in range(step.get("taps", 1)):
                self.pass_time(as_instant(step["at"]) + n * SECOND)
                answer = self.tap(step["tap"]["reader"], step["tap"]["uid"])
                self.settle()
            return answer
        if "change" in step:
            self.add(SERVER, "rules", bundle=changed(self.view(SERVER).rules, step["change"]))
            stored = [thing["id"] for thing in step["change"].get("credits", [])]
            self.booked(self.books.store(self.view(SERVER), stored))
        elif "remove" in step:
            self.add(SERVER, "rules", bundle=removed(self.view(SERVER).rules, step["remove"]))
            self.booked(self.books.store(self.view(SERVER), []))
        elif "lockdown" in step:
            self.add(SERVER, "lockdown", on=step["lockdown"])
        elif "link" in step:
            self.edges[step["link"]["edge"]]["link"] = step["link"]["up"]
        elif "power" in step:
            self.power(step["power"]["edge"], up=step["power"]["up"], lost=step["power"].get("clock") == "lost")
        elif "estop" in step:
            self.emergency_stop(step["estop"]["machine"])
        elif "extend" in step:
            return self.extend(step["extend"]["machine"])
        elif "correct" in step:
            # "the desk writes down a move that no badge made; `at` (left out: now) is not later than the step; what it
            # means for passes is nothing, for presence and bank what a tap at `at` would have meant"
            told = step["correct"]
            who = told["member"]
            arrives, leaves = (who, None) if told["inside"] else (None, who)
            moved = as_instant(told.get("at", step["at"]))
            self.add(SERVER, "correction", arrives=arrives, leaves=leaves, moved=moved)
        self.settle()
        if "expect" in step:
            answer = self.answers(step["expect"])
        return answer

    def power(self, name: str, *, up: bool, lost: bool) -> None:
        """Cut or return the power of an edge."""
        edge = self.edges[name]
        if up:
            edge["power"] = True
            # "`clock` on return is `trusted` (RTC; the default) or `lost`"
            edge["trusted"] = not lost
            return
        # "A power cut ends the session at the last second that its edge recorded."
        for machine in self.machines_of(name):
            session = self.view(name).running_on(machine["id"])
            if session is not None:
                self.end(name, session)
        if edge["trusted"]:
            edge["trusted_at"] = self.now
        if edge["power"]:
            self.add(name, "cut", reader=None)
        edge["power"] = False

    def emergency_stop(self, machine: str) -> None:
        """Press the emergency stop of a machine."""
        # "The emergency stop ends the session, cuts power and stops the machine until `machine_reset`, also when
        # pressed while its edge has no power: the edge finds it stopped."
        edge = self.edge_of(machine)
        session = self.view(edge).running_on(machine)
        if session is not None:
            self.end(edge, session)
        self.add(edge, "estop", machine=machine)

    def extend(self, machine: str) -> Thing:
        """Send the order `extend` to a machine's edge."""
        # "only the order `extend` moves `until`, to what the same words give at the instant of the order if that is
        # later; it does nothing while line 8, 13, 16 or 17 would refuse a start, and is lost on an edge without link or
        # power"
        name = self.edge_of(machine)
        view, edge = self.view(name), self.edges[name]
        session, thing = view.running_on(machine), view.one("machines", id=machine)
        if not edge["power"] or session is None:
            return {}
        if edge["link"] and thing is not None:
            # "What a session is (kind, warn or cut, `until`) is fixed at its start"
            thing = {**thing, "kind": session["kind"]}
            holder = view.one("members", id=session["member"]) or {}
            if not tables.holds_up(view, holder, thing):
                until = tables.until(view, holder, thing, running=True)
                self.add(name, "extended", session=session["id"], until=until)
                self.settle()
                session = self.view(name).running_on(machine) or session
        return {"until": session["until"]}

    def edge_of(self, place: str) -> str:
        """The edge of an access point or machine."""
        return next(name for name, edge in self.edges.items() if place in edge["places"])

    def answers(self, asked: Thing) -> Thing:
        """What the server has."""
        view = self.view(SERVER)
        answer: Thing = {}
        if "inside" in asked:
            answer["inside"] = sorted(view.inside())
        if "held" in asked:
            answer["held"] = view.held()
        if "staffed" in asked:
            answer["staffed"] = view.staffed()
        if "pass_left" in asked:
            members = {name: view.one("members", id=name) for name in asked["pass_left"]}
            answer["pass_left"] = {name: view.pass_left(member) for name, member in members.items() if member}
        if "running" in asked:
            sessions = {machine: view.running_on(machine) for machine in asked["running"]}
            answer["running"] = {machine: found["member"] if found else None for machine, found in sessions.items()}
        if "quota_left" in asked:
            answer["quota_left"] = {name: view.quota_left(*name.split(":")) for name in asked["quota_left"]}
        if "slots" in asked:
            answer["slots"] = {name: rota.named(view.rules, name) for name in asked["slots"]}
        if "bank" in asked:
            answer["bank"] = {name: self.books.minutes.get(name, 0) for name in asked["bank"]}
        if "minted" in asked:
            answer["minted"] = {name: self.books.units.get(name, 0) for name in asked["minted"]}
        if "history" in asked:
            rows = view.of("tap")
            answer["history"] = {"taps": len(rows), "granted": len([row for row in rows if row["granted"]])}
        return answer

    # --- taps ------------------------------------------------------------------------------------------------------

    def tap(self, reader: str, uid: str) -> Thing:
        """Present a badge."""
        bundle = self.view(SERVER).rules
        machine = next((thing for thing in bundle.get("machines", []) if thing["reader"] == reader), None)
        door = next((thing for thing in bundle["access_points"] if reader in thing["readers"].values()), None)
        place = (machine or door or {})["id"]
        edge = self.edge_of(place)
        # "a tap at an edge without power does nothing and has no decision"
        if not self.edges[edge]["power"]:
            return {}
        taps = [
            fact for fact in self.facts if fact["by"] == edge and fact["what"] == "tap" and fact["reader"] == reader
        ]
        # "A badge laid on again at most 5 s after the last decided tap at that reader, if that was its own, is the same
        # tap: it gets the same answer and leaves no row"
        if machine and taps and taps[-1]["uid"] == uid.upper() and self.now - taps[-1]["at"] <= 5 * SECOND:
            self.add(edge, "repeat", reader=reader, uid=uid.upper())
            return {name: taps[-1][name] for name in ("granted", "reason", "until")}
        second, closes = self.is_second_of_a_pair(edge, reader, uid), self.is_second_after_a_marked_one(edge, uid)
        view = self.view(edge)
        credential = view.credential(uid)
        row = self.add(edge, "tap", reader=reader, place=place, uid=uid.upper(), second=second)
        row.update(member=credential["member"] if credential else None)
        row.update(granted=False, reason="", until=None, arrives=None, leaves=None, pays=None, shift=None, session=None)
        if machine:
            self.decide_machine(view, edge, row)
        elif door and reader == door["readers"]["in"]:
            self.decide_in(view, edge, row)
        else:
            # "the reader is an `out`: granted `egress`, whatever the badge; a member known by it is no longer inside"
            row.update(granted=True, reason="egress", leaves=row["member"])
            self.leave(view, edge, row, second=closes)
        return {name: row[name] for name in ("granted", "reason", "until")}

    def is_second_of_a_pair(self, edge: str, reader: str, uid: str) -> bool:
        """Whether a tap is the second of two."""
        # "two taps of one badge on one `in` reader, at most 5 s apart and with no other tap at that edge between them
        # (a machine's reader counts; a power cut ends a pair; a third tap starts a new pair, whatever the pair led to)"
        before = [fact for fact in self.facts if fact["by"] == edge and fact["what"] in ("tap", "repeat", "cut")]
        if not before or before[-1]["reader"] != reader or before[-1]["uid"] != uid.upper():
            return False
        return self.now - before[-1]["at"] <= 5 * SECOND and not before[-1].get("second", False)

    def is_second_after_a_marked_one(self, edge: str, uid: str) -> bool:
        """Whether a tap, on an `out` reader, is the second that closes."""
        # "A second tap of the same badge on an `out` reader of the same edge at most 20 s after the marked one, no
        # other tap at that edge between (a machine's reader counts, but for a badge laid on again there within 5 s; a
        # power cut ends the pair; the closing tap is not marked itself)"
        before = [fact for fact in self.facts if fact["by"] == edge and fact["what"] in ("tap", "cut")]
        marked = bool(before) and before[-1].get("marked", False) and before[-1]["uid"] == uid.upper()
        return marked and self.now - before[-1]["at"] <= 20 * SECOND

    def leave(self, view: View, edge: str, row: Thing, *, second: bool) -> None:
        """What else a granted `out` tap does. view: what the edge knew before it."""
        member = view.one("members", id=row["member"])
        after = self.view(edge)
        # "A granted `out` tap of a gardien, with a trusted clock, after which the place is neither staffed nor held"
        if member is None or not is_gardien(member) or not self.edges[edge]["trusted"]:
            return
        if after.staffed() or after.held():
            return
        if second:
            # "closes if the place is still neither staffed nor held: every member who is *left* then is no longer
            # inside from that instant on"
            for who in after.left():
                self.add(edge, "checked_out", arrives=None, leaves=who)
            return
        # "is marked `left_inside` if they held the place until that tap, or a shift of theirs (without grace) ended on
        # this site day before the tap (the role is enough, whatever the status), and somebody is *left*"
        today = days.site_day(view.site, self.now)
        ended = [end for _, end in view.own_shifts(member["id"]) if end <= self.now]
        was_theirs = view.holds(member) or any(days.site_day(view.site, end) == today for end in ended)
        row["marked"] = was_theirs and bool(after.left())

    def known_day(self, edge: str, view: View) -> Any:
        """The site day by which an edge judges last days."""
        # "While the clock is not trusted, lines 4 and 6, staleness and `auto_out` use the last trusted instant"
        return days.site_day(view.site, self.now if self.edges[edge]["trusted"] else self.edges[edge]["trusted_at"])

    def is_stale(self, edge: str, view: View) -> bool:
        """Whether an edge's rules are stale."""
        # "rules confirmed at most `offline_days` (14; of 24 h) ago"
        state = self.edges[edge]
        if state["link"]:
            return False
        known_time = self.now if state["trusted"] else state["trusted_at"]
        return bool(known_time - state["sync"] > view.site.get("offline_days", 14) * timedelta(hours=24))

    def decide_in(self, view: View, edge: str, row: Thing) -> None:
        """Decide a tap at an `in` reader."""
        state = self.edges[edge]
        member = view.one("members", id=row["member"]) or {}
        answer = tables.lines_2_to_6(view, row["uid"], self.known_day(edge, view))
        answer = answer or tables.line_7(view, member, row["place"])
        adhoc = False
        if answer is None and row["second"] and state["trusted"] and tables.makes_adhoc_shift(view, member):
            # "The second makes a shift from that instant for `adhoc_hours`, and is then decided without line 9."
            adhoc = True
            row["shift"] = (self.now, self.now + timedelta(hours=view.site["adhoc_hours"]))
        stale = self.is_stale(edge, view)
        answer = answer or tables.stale_or_untrusted_door(view, member, stale=stale, trusted=state["trusted"])
        if answer is None:
            answer = tables.lines_8_to_14(view, member, row["place"], linked=state["link"], adhoc=adhoc)
            on_line_14 = answer[0] and answer[1] not in ("staff", "own_shift")
            if on_line_14 and tables.would_pay(view, member, row["place"]):
                row["pays"] = view.unit_now(view.tier(member)["pass"])
        row["granted"], row["reason"] = answer
        # "A granted `in` tap makes the member inside, with an untrusted clock too"
        row["arrives"] = row["member"] if row["granted"] else None

    def decide_machine(self, view: View, edge: str, row: Thing) -> None:
        """Decide a tap at a machine."""
        machine = view.one("machines", id=row["place"]) or {}
        running = view.running_on(row["place"])
        # "a session of this credential's member runs on it: granted `session_ended`: the session ends"
        if running is not None and running["member"] == row["member"]:
            row.update(granted=True, reason="session_ended")
            self.end(edge, running)
            return
        member = view.one("members", id=row["member"]) or {}
        answer = tables.lines_2_to_6(view, row["uid"], self.known_day(edge, view))
        # "These lines stand between 6 and 7 of the machine, stale before clock": all are denied
        if answer is None and self.is_stale(edge, view):
            answer = (False, "rules_stale")
        if answer is None and not self.edges[edge]["trusted"]:
            answer = (False, "clock_untrusted")
        answer = answer or tables.lines_7_to_9_of_the_machine(view, member, machine)
        starts = answer is None
        row["granted"], row["reason"] = answer or tables.lines_10_to_18_of_the_machine(view, member, machine)
        if starts and row["granted"]:
            # "What a session is (kind, warn or cut, `until`) is fixed at its start."
            row["until"] = tables.until(view, member, machine)
            row["session"] = {
                "id": len(self.facts),
                "machine": row["place"],
                "kind": machine["kind"],
                "member": row["member"],
                "cut": machine.get("on_end", "warn") == "cut",
                "until": row["until"],
            }


KEYS = {
    "credentials": ["uid"],
    "certifications": ["member", "kind"],
    "quotas": ["kind"],
    "rota_changes": ["rota", "date"],
}


def key_of(collection: str, thing: Thing) -> list[str]:
    """The key of an object: `uid`, `[member, kind]`, `[rota, date]`, `kind`, else `id`."""
    key = [str(thing[name]) for name in KEYS.get(collection, ["id"])]
    return [part.upper() for part in key] if collection == "credentials" else key


def changed(bundle: Thing, change: Thing) -> Thing:
    """A bundle after a change."""
    bundle = copy.deepcopy(bundle)
    for collection, things in change.items():
        if collection == "site":
            # "`site` takes one object, merged into the site"
            bundle["site"].update(things)
            continue
        # "insert, or replace the one with the same key"
        stored = bundle.setdefault(collection, [])
        for thing in things:
            at = [n for n, old in enumerate(stored) if key_of(collection, old) == key_of(collection, thing)]
            if at:
                stored[at[0]] = copy.deepcopy(thing)
            else:
                stored.append(copy.deepcopy(thing))
    return bundle


def removed(bundle: Thing, remove: Thing) -> Thing:
    """A bundle after objects were removed."""
    bundle = copy.deepcopy(bundle)
    for collection, keys in remove.items():
        gone = [[key] if isinstance(key, str) else list(key) for key in keys]
        if collection == "credentials":
            gone = [[key[0].upper()] for key in gone]
        bundle[collection] = [thing for thing in bundle.get(collection, []) if key_of(collection, thing) not in gone]
    return bundle
