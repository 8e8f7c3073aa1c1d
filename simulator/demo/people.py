"""What do the invented people mean to do on one day? A list of intents, from a seed.

Each intent carries the word that its author expects from the door (`expect`), told from the story and not computed
with policy/: simulator/demo/recount.py counts from it, and the pages must agree.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random

from policy.bundle import Bundle, Member
from simulator.demo.casaco import FORGOTTEN, works
from simulator.demo.cast import IN, Cast, Intent
from simulator.demo.evenings import closed_out, evening, eventful, hold, too_late

BY_DAY, BY_HALF_DAY = 3, (2, 3)
"""So many on carnets come each working day: by days, and by half-days in the morning and in the afternoon."""


def day(bundle: Bundle, seed: int, on: date) -> list[Intent]:
    """The intents of the site day that bears the date, sorted by instant; the same for the same seed."""
    cast = Cast(bundle, Random(f"people/{seed}/{on}"), on)
    for act in WORKING_DAY if works(on) else QUIET_DAY:
        act(cast)
    closed_out(cast)
    return sorted(cast.intents, key=lambda intent: intent.at)


def fabricate(cast: Cast) -> None:
    """Who has booked a machine comes for it, and who was certified comes to try; one booking is forgotten at home."""
    booked = {one.member: one for one in cast.bundle.bookings if one.start.startswith(cast.day.isoformat())}
    late = {one.member for one in cast.bundle.certifications if one.until is not None}
    cast.resting = [member for member in cast.resting if member.id not in booked.keys() | late]
    for member in cast.bundle.members if booked else ():
        booking = booked.get(member.id)
        if booking is None and member.id not in late:
            continue
        if booking is not None and booking.start[11:] == FORGOTTEN:
            continue
        starts = int(booking.start[11:13]) * 60 if booking else 11 * 60
        cast.comes(member, (starts - 50, starts - 8), "always" if member.tier == "resident" else "staffed_hours")
        cast.leaves(member, (16 * 60 + 5, 17 * 60 + 20))


def team(cast: Cast) -> None:
    """The first opens before nine, the others come around nine."""
    for number, member in enumerate(cast.call("equipe", cast.chance.randint(4, 5))):
        window = (482.0, 525.0) if number == 0 else (515.0, 560.0)
        stays(cast, member, cast.comes(member, window, "staff"), "staff", (1035, 1115))


def residents(cast: Cast) -> None:
    for member in cast.call("resident", cast.chance.randint(13, 16)):
        stays(cast, member, cast.comes(member, (482, 640), "always"), "always", (985, 1200))


def nomads(cast: Cast) -> None:
    for member in cast.call("nomade", cast.chance.randint(28, 33)):
        window = (545.0, 645.0) if cast.chance.random() < 0.75 else (780.0, 880.0)
        stays(cast, member, cast.comes(member, window, "staffed_hours"), "staffed_hours", (960, 1100))


def stays(cast: Cast, member: Member, came: float, expect: str, until: tuple[float, float]) -> None:
    """Goes out for lunch or not, and home by badge or, when in thought, by the handle without badging."""
    if came < 690 and cast.chance.random() < 0.3:
        cast.leaves(member, (712, 770))
        cast.comes(member, (785, 845), expect)
    if cast.chance.random() < 0.05:
        cast.add(until, who=member.id, reader=None)
    else:
        cast.leaves(member, until)


def carnets(cast: Cast) -> None:
    """Whole days, mornings and afternoons; half-days change at 13:00, so nobody on a carnet lunches out."""
    for member in in_turn(cast, "carnet-jour", BY_DAY):
        cast.comes(member, (550, 630), "staffed_hours")
        cast.leaves(member, (970, 1070))
    mornings, afternoons = BY_HALF_DAY
    halves = in_turn(cast, "carnet-demi", mornings + afternoons)
    for member in halves[:mornings]:
        cast.comes(member, (545, 600), "staffed_hours")
        cast.leaves(member, (745, 778))
    for member in halves[mornings:]:
        cast.comes(member, (785, 860), "staffed_hours")
        cast.leaves(member, (1020, 1075))


def in_turn(cast: Cast, tier: str, count: int) -> list[Member]:
    """So many of the tier, each day those who follow on the day before: nobody uses up a carnet before the others."""
    members = [member for member in cast.bundle.members if member.tier == tier and cast.valid(member)]
    first = cast.day.toordinal() * count
    return [members[(first + number) % len(members)] for number in range(count)]


def night(cast: Cast) -> None:
    """A resident with a deadline."""
    for member in cast.call("resident", cast.chance.randint(1, 2)):
        came = cast.comes(member, (22 * 60 + 25, 23 * 60 + 40), "always")
        cast.leaves(member, (came + 30, 26 * 60))


def too_early(cast: Cast) -> None:
    """Comes before nine, is refused, drinks a coffee and comes back."""
    for member in cast.call("nomade", 1):
        cast.taps(member, IN, (485, 522), "outside_hours", pushes=False)
        cast.comes(member, (543, 555), "staffed_hours")
        cast.leaves(member, (960, 1060))


def strangers(cast: Cast) -> None:
    """A travel card tried on the door, somebody's lost badge, members who have no access, a Fabriqueur at the front."""
    members = cast.bundle.members
    lost = [c for c in cast.bundle.credentials if c.status != "active"]
    found = cast.chance.choice(lost)
    travel_card = b"\x08" + cast.chance.randbytes(3)
    refused(cast, None, travel_card, "unknown_credential")
    refused(cast, found.member, bytes.fromhex(found.uid), "credential_blocked")
    suspended = cast.chance.choice([m for m in members if m.status == "suspended"])
    refused(cast, suspended.id, cast.badges[suspended.id], "member_suspended")
    outside = cast.chance.choice([m for m in members if not cast.valid(m)])
    refused(cast, outside.id, cast.badges[outside.id], "membership_not_valid")
    for member in cast.call("fabriqueur", 1):
        refused(cast, member.id, cast.badges[member.id], "not_allowed_here")


def refused(cast: Cast, who: str | None, uid: bytes, expect: str) -> None:
    """Tries once or twice in the course of the day."""
    tries = cast.chance.randint(1, 2)
    for half in range(tries):
        window = (590.0 + 230 * half, 780.0 + 230 * half)
        cast.add(window, who=who, reader=IN, uids=(uid,), pushes=False, expect=expect)


def oddities(cast: Cast) -> None:
    """What people do at doors, once a day each."""
    for act in (lapses, two_on_one_opening, left_lying, two_badges, delivery):
        act(cast)


def lapses(cast: Cast) -> None:
    """Badges, is called on the phone and walks off; comes back later."""
    for member in cast.call("nomade", 1):
        went = cast.taps(member, IN, (560, 640), "staffed_hours", pushes=False)
        cast.comes(member, (cast.minutes(went) + 3, cast.minutes(went) + 12), "staffed_hours")
        cast.leaves(member, (960, 1060))


def two_on_one_opening(cast: Cast) -> None:
    """The second badges while the first still holds the door."""
    first, second = cast.call("nomade", 2)
    came = cast.taps(first, IN, (560, 640), "staffed_hours", busy=25, reach=1.0, open_for=9.0)
    uids = (cast.badges[second.id],)
    cast.intents.append(Intent(came + 5000, second.id, IN, uids, expect="staffed_hours", open_for=4.0))
    for member in (first, second):
        cast.leaves(member, (960, 1060))


def left_lying(cast: Cast) -> None:
    """Leaves the badge on the reader and fetches it a minute later: one tap."""
    for member in cast.call("nomade", 1):
        lies = cast.chance.uniform(30, 70)
        cast.comes(member, (545, 640), "staffed_hours", lies=lies, busy=lies + 20)
        cast.leaves(member, (960, 1060))


def two_badges(cast: Cast) -> None:
    """A purse with two badges, which nobody can read; then the right one alone."""
    for member in cast.call("nomade", 1):
        purse = (cast.badges[member.id], b"\x08" + cast.chance.randbytes(3))
        at = cast.add((560, 640), busy=30, who=member.id, reader=IN, uids=purse, pushes=False, lies=1.5)
        cast.intents.append(
            replace(cast.intents[-1], at=at + 9000, uids=purse[:1], pushes=True, expect="staffed_hours")
        )
        cast.leaves(member, (960, 1060))


def delivery(cast: Cast) -> None:
    """Somebody of the day holds the door open for boxes: longer than a minute."""
    for member in cast.call("resident", 1):
        cast.comes(member, (610, 700), "always", open_for=85.0, busy=110)
        cast.leaves(member, (985, 1060))


def weekend_work(cast: Cast) -> None:
    for member in cast.call("resident", cast.chance.randint(2, 5)):
        came = cast.comes(member, (570, 900), "always")
        cast.leaves(member, (came + 40, 1200))


Act = Callable[[Cast], None]
WORKING_DAY: tuple[Act, ...] = (
    fabricate,
    oddities,
    hold,
    strangers,
    team,
    residents,
    nomads,
    carnets,
    too_early,
    evening,
    eventful,
    too_late,
    night,
)
QUIET_DAY: tuple[Act, ...] = (hold, weekend_work, evening, too_late)
