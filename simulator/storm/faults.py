"""What goes wrong, when, and for how long? Drawn day by day; everything is mended again, most of it within hours."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from policy.bundle import Bundle, Pass
from policy.terms import DAY, HOUR, MINUTE, SECOND, ClockState, Instant
from simulator.storm.casting import DOORS, MACHINE, rota
from wire.row import Order

if TYPE_CHECKING:
    from simulator.storm.pi import Pi
    from simulator.storm.site import Site

Fault = Callable[["Site", Random], None]
FLAPS = (40, 160)
"""Cuts of one cable in a flap storm."""


def cable(site: "Site", luck: Random) -> None:
    """An edge, or the server, loses the broker for minutes to hours; people go on tapping."""
    name = luck.choice([*site.network.clients])
    site.network.cable(name, False)
    seconds = luck.choice((luck.uniform(5, 600), luck.uniform(600, 6 * 3600)))
    site.agenda.after(seconds, lambda: site.network.cable(name, True))
    if luck.random() < 0.5:
        site.crowd(luck.randint(20, 120), min(seconds, 3600))


def long_cable(site: "Site", luck: Random) -> None:
    """So long that rules get stale."""
    name = luck.choice(DOORS)
    site.network.cable(name, False)
    site.busy_until = site.clock.now() + luck.randint(13, 16) * DAY
    site.agenda.at_instant(site.busy_until, lambda: site.network.cable(name, True))


def flaps(site: "Site", luck: Random) -> None:
    """A bad plug: up and down again, many times a minute, at times within a message."""
    name = luck.choice([*site.network.clients])
    at = 0.0
    for number in range(2 * luck.randint(*FLAPS)):
        at += luck.choice((luck.uniform(0.0, 0.02), luck.uniform(0.02, 0.3)))
        site.agenda.after(at, lambda whole=bool(number % 2): site.network.cable(name, whole))  # type: ignore[misc]
    site.crowd(20, at)


def slow(site: "Site", luck: Random) -> None:
    """Messages take seconds."""
    client = luck.choice(list(site.network.clients.values()))
    client.slow = True
    site.agenda.after(luck.uniform(60, 7200), lambda: setattr(client, "slow", False))


def broker(site: "Site", luck: Random) -> None:
    site.network.restart_broker(running=False)
    site.agenda.after(luck.uniform(0.5, 600), lambda: site.network.restart_broker(running=True))


def power(site: "Site", luck: Random) -> None:
    """An edge loses power; its clock may be lost with it."""
    pi = luck.choice(site.pis)
    if pi.edge is None:
        return
    pi.switch_off(luck)
    lost = luck.random() < 0.4
    offset = -luck.randint(1, 3 * DAY) if lost else 0
    state = ClockState.UNKNOWN if lost else ClockState.RTC

    def back() -> None:
        pi.switch_on(state, offset)
        if lost and luck.random() < 0.5:
            site.agenda.after(luck.uniform(30, 3600), lambda: network_time(pi))

    site.agenda.after(luck.choice((luck.uniform(0.2, 30), luck.uniform(30, 7200))), back)


def network_time(pi: "Pi") -> None:
    """NTP has an answer."""
    pi.clock.step(0, ClockState.SYNCED)
    pi.turn()


def jump(site: "Site", luck: Random) -> None:
    """A clock that counts as set goes wrong, and is set right later."""
    pi = luck.choice(site.pis)
    by = luck.choice((luck.randint(2, 30) * MINUTE, DAY, 400 * DAY)) * luck.choice((-1, 1))
    pi.clock.step(by)
    pi.turn()
    site.agenda.after(luck.uniform(60, 3600), lambda: network_time(pi) if pi.edge else pi.clock.step(0))


def server(site: "Site", luck: Random) -> None:
    """The server ends, killed or without power, and starts again."""
    (site.office.stop if luck.random() < 0.5 else lambda: site.office.cut(luck))()
    site.agenda.after(luck.choice((luck.uniform(1, 60), luck.uniform(60, 7200))), site.office.start)


def full_disk(site: "Site", luck: Random) -> None:
    prefix = luck.choice([pi.prefix for pi in site.pis] + [site.office.path])
    site.disk.full.add(prefix)
    site.agenda.after(luck.uniform(10, 3600), lambda: site.disk.full.discard(prefix))


def silent_reader(site: "Site", luck: Random) -> None:
    pi = luck.choice(site.pis)
    pi.silence(luck.choice(list(pi.config.readers)))
    site.agenda.after(luck.uniform(5, 7200), lambda: pi.silence(None))


def lockdown(site: "Site", luck: Random) -> None:
    site.office.lock_down(True)
    site.agenda.after(luck.uniform(300, 3600), lambda: site.lift())


def commands(site: "Site", luck: Random) -> None:
    for _number in range(luck.randint(1, 4)):
        order, place = luck.choice(
            (
                (Order.OPEN, "front"),
                (Order.OPEN, "garage"),
                (Order.SOUND, "front-in"),
                (Order.LOCK_OUT, MACHINE),
                (Order.REREAD, "front"),
            )
        )
        site.agenda.after(luck.uniform(0, 3600), lambda order=order, place=place: site.office.order(order, place))  # type: ignore[misc]


def estop(site: "Site", luck: Random) -> None:
    """Pressed, and released a while later; somebody of the team puts the machine back in service."""
    machine = site.machine
    machine.press("estop", True)
    site.agenda.after(luck.uniform(30, 1800), lambda: machine.press("estop", False))


def changes(site: "Site", luck: Random) -> None:
    """Members and badges are changed on the server."""
    bundle = site.office.bundle
    at = luck.randrange(len(bundle.credentials))
    status = luck.choice(("active", "active", "lost", "stolen", "returned"))
    badges = list(bundle.credentials)
    badges[at] = replace(badges[at], status=status)
    who = luck.randrange(len(bundle.members))
    members = list(bundle.members)
    members[who] = replace(members[who], status=luck.choice(("active", "active", "active", "suspended")))
    passes = bundle.passes
    if luck.random() < 0.3:
        holder = luck.choice([m.id for m in bundle.members if m.tier == "carnet"])
        passes = (*passes, Pass(id=f"c{len(passes)}", member=holder, unit="half_day", total=15))
    site.office.change(replace(bundle, credentials=tuple(badges), members=tuple(members), passes=passes))


def new_rota(site: "Site", luck: Random, monday: date) -> None:
    """Next week's shifts; those of past weeks go."""
    bundle: Bundle = site.office.bundle
    recent = (monday - timedelta(days=21)).isoformat()
    kept = tuple(shift for shift in bundle.shifts if shift.start >= recent and shift.start < monday.isoformat())
    site.office.change(replace(bundle, shifts=kept + rota(monday, luck) + rota(monday + timedelta(days=7), luck)))


CHANCES: tuple[tuple[Fault, float], ...] = (
    (cable, 0.5),
    (flaps, 0.3),
    (slow, 0.1),
    (broker, 0.15),
    (power, 0.35),
    (jump, 0.04),
    (server, 0.2),
    (full_disk, 0.05),
    (silent_reader, 0.05),
    (lockdown, 0.04),
    (commands, 0.2),
    (estop, 0.05),
    (changes, 0.6),
    (long_cable, 0.004),
)
"""How likely on a day."""


def drawn(luck: Random, day_begins: Instant) -> list[tuple[Instant, Fault]]:
    """Today's, between seven in the morning and nine in the evening."""
    found = [fault for fault, chance in CHANCES if luck.random() < chance]
    return [(day_begins + 3 * HOUR + luck.randrange(14 * 3600) * SECOND, fault) for fault in found]
