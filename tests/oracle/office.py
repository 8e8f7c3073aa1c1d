"""What the office changes while a story runs: random changes and removals that keep the bundle valid."""

import copy
import random
from datetime import date

from tests.oracle import days, sites
from tests.oracle.knowledge import Thing, View


def office(rng: random.Random, view: View, name: str) -> Thing:
    """A `change` or a `remove` step; `name` is a fresh id for what is new."""
    day = days.site_day(view.site, view.now)
    works = [
        change_credential,
        change_credential,
        change_member,
        change_member,
        change_machine,
        change_pass,
        change_diary,
        change_diary,
        change_rota,
        change_booking,
        change_certification,
        change_quota,
        change_site,
        change_site,
        change_tier,
        change_tier,
        remove_something,
        remove_something,
    ]
    return rng.choice(works)(rng, view, name, day)


def some(rng: random.Random, view: View, collection: str) -> Thing | None:
    """A copy of some object of a collection."""
    things = written(view, collection)
    return copy.deepcopy(rng.choice(things)) if things else None


def written(view: View, collection: str) -> list[Thing]:
    """The objects of a collection that people wrote: units of the bank are none."""
    return [thing for thing in view.all(collection) if not thing.get("minted")]


def change_credential(rng: random.Random, view: View, name: str, day: date) -> Thing:
    """A badge is lost, found, ends, or is new."""
    thing = some(rng, view, "credentials")
    if thing is None or rng.random() < 0.2:
        uid = "04" + name.encode().hex()[-6:].rjust(6, "0")
        return {"change": {"credentials": [{"uid": uid, "member": rng.choice(view.all("members"))["id"]}]}}
    thing["status"] = rng.choice(["active", "active", "lost", "stolen", "returned"])
    if rng.random() < 0.3:
        thing["valid_until"] = sites.near(rng, day, 1)
    return {"change": {"credentials": [thing]}}


def change_member(rng: random.Random, view: View, name: str, day: date) -> Thing:
    """A member is suspended, comes back, ends, or has other roles."""
    thing = some(rng, view, "members")
    assert thing is not None
    what = rng.choice(["status", "status", "roles", "until", "from"])
    if what == "status":
        thing["status"] = "active" if thing.get("status") == "suspended" else "suspended"
    elif what == "roles":
        thing["roles"] = rng.choice([[], ["gardien"], ["staff"], ["fab_manager"], ["gardien", "fab_manager"]])
    elif what == "until":
        thing["valid_until"] = sites.near(rng, day, 1)
        thing.pop("valid_from", None)
    else:
        thing["valid_from"] = sites.near(rng, day, 1)
        thing.pop("valid_until", None)
    return {"change": {"members": [thing]}}


def change_machine(rng: random.Random, view: View, name: str, day: date) -> Thing:
    """A machine gets other properties while somebody may be using it."""
    thing = some(rng, view, "machines")
    if thing is None:
        return change_site(rng, view, name, day)
    what = rng.choice(["min_people", "on_end", "hours", "attended", "kind"])
    values: Thing = {
        "min_people": rng.choice([0, 1, 2, 3]),
        "on_end": rng.choice(["warn", "cut"]),
        "hours": sites.week(rng, rng.choice(sites.WEEKS)),
        "attended": rng.random() < 0.5,
        "kind": rng.choice(sites.KINDS),
    }
    thing[what] = values[what]
    return {"change": {"machines": [thing]}}


def change_pass(rng: random.Random, view: View, name: str, day: date) -> Thing:
    """A pass is bought or made larger."""
    thing = some(rng, view, "passes")
    if thing is None:
        return change_site(rng, view, name, day)
    if rng.random() < 0.7:
        thing = {"id": name, "member": thing["member"], "unit": thing["unit"], "total": rng.choice([1, 2, 10])}
        thing |= sites.maybe(rng, 0.3, valid_from=sites.near(rng, day, 1))
        thing |= sites.maybe(rng, 0.3, valid_until=sites.near(rng, day + days.DAY, 1))
    else:
        thing["total"] += rng.choice([1, 2])
    return {"change": {"passes": [thing]}}


def change_tier(rng: random.Random, view: View, name: str, day: date) -> Thing:
    """A tier is paid for by another unit; or a member has another tier."""
    if rng.random() < 0.5:
        thing = some(rng, view, "members")
        assert thing is not None
        payers = [tier["id"] for tier in view.all("tiers") if tier.get("pass", "none") != "none"]
        thing["tier"] = rng.choice(payers or [tier["id"] for tier in view.all("tiers")])
        return {"change": {"members": [thing]}}
    thing = some(rng, view, "tiers")
    assert thing is not None
    thing["pass"] = rng.choice(["none", "day", "half_day", "half_day"])
    return {"change": {"tiers": [thing]}}


def change_diary(rng: random.Random, view: View, name: str, day: date) -> Thing:
    """A shift, an event or an invitation is new."""
    doors = [door["id"] for door in view.all("access_points")]
    window = sites.span(rng, view.site, day)
    gardiens = [member["id"] for member in view.all("members") if "gardien" in member.get("roles", [])]
    what = rng.choice(["shifts", "events", "invitations"])
    if what == "shifts" and gardiens:
        return {"change": {"shifts": [{"id": name, "gardien": rng.choice(gardiens), **window}]}}
    few = sites.maybe(rng, 0.4, access_points=rng.sample(doors, 1))
    if what == "events":
        event = {"id": name, "title": "Party", "audience": rng.choice(["members", "public"]), **window, **few}
        return {"change": {"events": [event | sites.maybe(rng, 0.4, free=True)]}}
    return {"change": {"invitations": [{"id": name, "member": rng.choice(view.all("members"))["id"], **window, **few}]}}


def change_rota(rng: random.Random, view: View, name: str, day: date) -> Thing:
    """An evening of the rota is new, or other on one date, or on one date again as it was."""
    known, changed = some(rng, view, "rota"), some(rng, view, "rota_changes")
    if changed is not None and rng.random() < 0.4:
        return {"remove": {"rota_changes": [[changed["rota"], changed["date"]]]}}
    if known is not None and rng.random() < 0.7:
        return {"change": {"rota_changes": [sites.rota_change(rng, view.rules, known, day)]}}
    return {"change": {"rota": [sites.pattern(rng, view.rules, name, day)]}}


def change_booking(rng: random.Random, view: View, name: str, day: date) -> Thing:
    """A machine is booked."""
    machine, member = some(rng, view, "machines"), some(rng, view, "members")
    if machine is not None and member is not None:
        window = sites.span(rng, view.site, day)
        booking = {"id": name, "machine": machine["id"], "member": member["id"], **window}
        if sites.can_book(view.site, view.all("bookings"), booking):
            return {"change": {"bookings": [booking]}}
    return change_site(rng, view, name, day)


def change_certification(rng: random.Random, view: View, name: str, day: date) -> Thing:
    """A certification is given, or given a last day."""
    member = rng.choice(view.all("members"))["id"]
    last = sites.maybe(rng, 0.5, until=sites.near(rng, day, 1))
    return {"change": {"certifications": [{"member": member, "kind": rng.choice(sites.KINDS), **last}]}}


def change_quota(rng: random.Random, view: View, name: str, day: date) -> Thing:
    """A quota is set."""
    quota = {"kind": rng.choice(sites.KINDS), "minutes": rng.choice([0, 1, 5, 30, 120])}
    return {"change": {"quotas": [{**quota, "period": rng.choice(["week", "month"])}]}}


def change_site(rng: random.Random, view: View, name: str, day: date) -> Thing:
    """The site gets other rules."""
    has_outs = all("out" in door["readers"] for door in view.all("access_points"))
    changes: list[Thing] = [
        {"capacity": rng.choice([1, 2, 3, 10])},
        {"at_capacity": "deny", "capacity": rng.choice([1, 2])},
        {"at_capacity": "warn"},
        {"anti_passback": rng.choice(["off", "soft", "hard"] if has_outs else ["off", "soft"])},
        {"adhoc_hours": rng.choice([0, 1, 3])},
        {"staff_hours": sites.week(rng, rng.choice(sites.WEEKS))},
        {"openings": [{"date": day.isoformat(), "hours": rng.choice(sites.WEEKS)}]},
        {"openings": []},
        {"closures": [{"from": day.isoformat(), "to": (day + days.DAY).isoformat()}]},
        {"day_cutoff": rng.choice(["02:00", "03:00", "05:00", "06:00"])},
        {"half_day_split": rng.choice(["11:00", "12:30", "14:00"])},
        {"shift_lead": rng.choice([0, 45]), "shift_grace": rng.choice([0, 60])},
    ]
    return {"change": {"site": rng.choice(changes)}}


def remove_something(rng: random.Random, view: View, name: str, day: date) -> Thing:
    """Something that nothing else refers to is deleted."""
    names = ["credentials", "shifts", "events", "invitations", "bookings", "certifications", "quotas", "passes"]
    full = [collection for collection in names if len(written(view, collection)) > 1]
    if not full:
        return change_site(rng, view, name, day)
    collection = rng.choice(full)
    thing = rng.choice(written(view, collection))
    key: object = thing.get("id")
    if collection == "credentials":
        key = thing["uid"]
    if collection == "certifications":
        key = [thing["member"], thing["kind"]]
    if collection == "quotas":
        key = thing["kind"]
    return {"remove": {collection: [key]}}
