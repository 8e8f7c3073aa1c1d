"""What goes wrong, when, and for how long? Drawn day by day; everything is mended again, most of it within hours."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from policy.bundle import Bundle, Pass
from policy.terms import DAY, HOUR, MINUTE, SECOND, ClockState, Instant
from proofs.storm.casting import MACHINE, rota
from proofs.storm.network import AFTER
from wire.row import Order

if TYPE_CHECKING:
    from proofs.storm.pi import Pi
    from proofs.storm.site import Site

Fault = Callable[["Site", Random], None]
RUSH = (215, 345)
"""Taps while the place is busy and something is away."""
FLAPS = (40, 160)
"""Cuts of one cable in a flap storm."""


def cable(site: "Site", luck: Random) -> None:
    """An edge, or the server, loses the broker for minutes to hours; people go on tapping."""
    name = luck.choice([*site.network.clients])
    site.network.cable(name, False)
    seconds = luck.choice((luck.uniform(5, 600), luck.uniform(600, 6 * 3600)))
    site.agenda.after(seconds, lambda: site.network.cable(name, True))
    if luck.random() < 0.5:
        site.crowd(luck.randint(3, 12), min(seconds, 3600))


def rush(site: "Site", luck: Random) -> None:
    """The place is busy, and broker, network or server are away or come and go."""
    seconds = luck.uniform(60, 3600)
    way = luck.choice(("broker", "broker", "server", "cable", "cables", "cables"))
    if way == "broker":
        broker_away(site, seconds)
    elif way == "server":
        server_away(site, luck, seconds)
    else:
        cables_away(site, site.doors if way == "cables" else ("server",), seconds)
    site.crowd(luck.randint(*RUSH), seconds)


def broker_away(site: "Site", seconds: float) -> None:
    site.network.restart_broker(running=False)
    site.agenda.after(seconds, lambda: site.network.restart_broker(running=True))


def server_away(site: "Site", luck: Random, seconds: float) -> None:
    (site.office.stop if luck.random() < 0.5 else lambda: site.office.cut(luck))()
    site.agenda.after(seconds, site.office.start)


def cables_away(site: "Site", names: Sequence[str], seconds: float) -> None:
    for name in names:
        site.network.cable(name, False)
        site.agenda.after(seconds, lambda name=name: site.network.cable(name, True))  # type: ignore[misc]


def slow_rush(site: "Site", luck: Random) -> None:
    """The place is busy, and every message takes seconds."""
    seconds = luck.uniform(60, 180)
    for client in site.network.clients.values():
        client.slow = True
        site.agenda.after(seconds, lambda client=client: setattr(client, "slow", False))  # type: ignore[misc]
    site.crowd(luck.randint(*RUSH), seconds)


def long_cable(site: "Site", luck: Random) -> None:
    """So long that rules get stale."""
    name = luck.choice(site.doors)
    site.network.cable(name, False)
    site.busy_until = site.clock.now() + luck.randint(13, 16) * DAY
    site.agenda.at_instant(site.busy_until, lambda: site.network.cable(name, True))


def flaps(site: "Site", luck: Random) -> None:
    """A bad plug: up and down again, many times a minute, at times within a message."""
    name = luck.choice([*site.network.clients])
    at = 0.0
    for _ in range(luck.randint(*FLAPS)):
        site.agenda.after(at, lambda: site.network.cable(name, False))
        at += luck.uniform(0.001, 0.02)
        site.agenda.after(at, lambda: site.network.cable(name, True))
        at += AFTER / 1e9 + luck.choices((luck.uniform(0.0005, 0.006), luck.uniform(0.01, 0.1)), (9, 1))[0]
    site.crowd(4, at)


def slow(site: "Site", luck: Random) -> None:
    """Messages take seconds."""
    client = luck.choice(list(site.network.clients.values()))
    client.slow = True
    site.agenda.after(luck.uniform(60, 7200), lambda: setattr(client, "slow", False))


def broker(site: "Site", luck: Random) -> None:
    broker_away(site, luck.uniform(0.5, 600))


def power(site: "Site", luck: Random) -> None:
    """An edge loses power; its clock may be lost with it."""
    pi = luck.choice(site.pis)
    if pi.edge is None:
        return
    if luck.random() < 0.3:
        _too_late_for_the_disk(site, pi, luck)
    pi.switch_off(luck)
    lost = luck.random() < 0.4
    offset = -luck.randint(1, 3 * DAY) if lost else 0
    state = ClockState.UNKNOWN if lost else ClockState.RTC

    def back() -> None:
        pi.switch_on(state, offset)
        if lost and luck.random() < 0.5:
            site.agenda.after(luck.uniform(30, 3600), lambda: network_time(pi))

    site.agenda.after(luck.choice((luck.uniform(0.2, 30), luck.uniform(30, 7200))), back)


def _too_late_for_the_disk(site: "Site", pi: "Pi", luck: Random) -> None:
    """The disk takes no more, people tap, and what waits in memory goes with the power."""
    site.disk.full.add(pi.prefix)
    for _ in range(luck.randint(1, 4)):
        uid, _ = luck.choice(site.uids)
        site.tap(pi, luck.choice(list(pi.config.readers)), uid)
    site.disk.full.discard(pi.prefix)


def network_time(pi: "Pi") -> None:
    """NTP has an answer."""
    pi.clock.step(0, ClockState.SYNCED)
    pi.turn()


def jump(site: "Site", luck: Random) -> None:
    """A clock that counts as set goes wrong while people come and go, and is set right later."""
    pi = luck.choice(site.pis)
    by = luck.choice((luck.randint(2, 30) * MINUTE, DAY, 400 * DAY)) * luck.choice((-1, 1))
    pi.clock.step(by)
    pi.turn()
    seconds = luck.uniform(60, 3600)
    site.crowd(luck.randint(3, 8), seconds)
    site.agenda.after(seconds, lambda: network_time(pi) if pi.edge else pi.clock.step(0))


def server(site: "Site", luck: Random) -> None:
    """The server ends, killed or without power, and starts again."""
    server_away(site, luck, luck.choice((luck.uniform(1, 60), luck.uniform(60, 7200))))


def restored(site: "Site", luck: Random) -> None:
    """The server's rows come from a backup, while an edge is cut off that has newer ones."""
    if site.office.exchange is None or site.disk.full:
        return
    pi = luck.choice(site.pis[: len(site.doors)])
    site.network.cable(pi.name, False)
    site.office.stop()
    lost = site.office.lose_rows(pi.name, luck.randint(1, 30))
    if lost is not None:
        site.quiet.look_again(pi.name, *lost)
    site.crowd(luck.randint(3, 8), 60)
    site.agenda.after(90, site.office.start)
    site.agenda.after(120, lambda: site.network.cable(pi.name, True))


def full_disk(site: "Site", luck: Random) -> None:
    """Of an edge or of the server, while some people come and go."""
    prefix = luck.choice((luck.choice([pi.prefix for pi in site.pis]), site.office.path))
    site.disk.full.add(prefix)
    seconds = luck.uniform(60, 600)
    site.agenda.after(seconds, lambda: site.disk.full.discard(prefix))
    site.crowd(luck.randint(3, 8), seconds)


def silent_reader(site: "Site", luck: Random) -> None:
    pi = luck.choice(site.pis)
    pi.silence(luck.choice(list(pi.config.readers)))
    site.agenda.after(luck.uniform(5, 7200), lambda: pi.silence(None))


def lockdown(site: "Site", luck: Random) -> None:
    if site.lock_down(True):
        site.agenda.after(luck.uniform(300, 3600), lambda: site.lift())


def commands(site: "Site", luck: Random, seconds: float = 3600) -> None:
    for _number in range(luck.randint(1, 4)):
        order, place = luck.choice(
            (
                (Order.OPEN, "front"),
                (Order.OPEN, luck.choice(site.doors)),
                (Order.UNLOCK, "front"),
                (Order.UNLOCK, luck.choice(site.doors)),
                (Order.RELOCK, luck.choice(site.doors)),
                (Order.SOUND, "front-in"),
                (Order.LOCK_OUT, MACHINE),
                (Order.REREAD, "front"),
            )
        )
        site.agenda.after(luck.uniform(0, seconds), lambda order=order, place=place: site.office.order(order, place))  # type: ignore[misc]


def captured(site: "Site", luck: Random) -> None:
    """Somebody has the broker, at times keeps commands back, and says them and older ones later, in any order."""
    site.network.withholds = luck.random() < 0.5
    commands(site, luck, 2)

    def say_again() -> None:
        site.network.withholds = False
        for topic, payload in luck.sample(site.network.commands, luck.randint(0, len(site.network.commands))):
            site.network.say_again(topic, payload)

    site.agenda.after(luck.choice((luck.uniform(7, 10), luck.uniform(10, 60))), say_again)


def estop(site: "Site", luck: Random) -> None:
    """Pressed, and released a while later; somebody of the team puts the machine back in service."""
    machine = site.machine
    machine.press(f"{machine.name}.estop", True)
    site.agenda.after(luck.uniform(30, 1800), lambda: machine.press(f"{machine.name}.estop", False))


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
    """Next week's shifts; those of past weeks go, and bookings that no edge is told any more."""
    bundle: Bundle = site.office.bundle
    recent = (monday - timedelta(days=21)).isoformat()
    kept = tuple(shift for shift in bundle.shifts if shift.start >= recent and shift.start < monday.isoformat())
    shifts = kept + rota(monday, luck) + rota(monday + timedelta(days=7), luck)
    told = (monday - timedelta(days=4)).isoformat()
    bookings = tuple(one for one in bundle.bookings if one.end >= told)
    site.office.change(replace(bundle, shifts=shifts, bookings=bookings))


CHANCES: tuple[tuple[Fault, float], ...] = (
    (rush, 0.9),
    (slow_rush, 0.2),
    (cable, 0.5),
    (flaps, 0.33),
    (slow, 0.1),
    (broker, 0.15),
    (power, 0.35),
    (jump, 0.12),
    (server, 0.2),
    (restored, 0.1),
    (full_disk, 0.25),
    (silent_reader, 0.05),
    (lockdown, 0.04),
    (commands, 0.2),
    (captured, 0.2),
    (estop, 0.05),
    (changes, 0.3),
    (long_cable, 0.004),
)
"""How likely on a day."""


def drawn(luck: Random, day_begins: Instant) -> list[tuple[Instant, Fault]]:
    """Today's, between seven in the morning and nine in the evening."""
    found = [fault for fault, chance in CHANCES if luck.random() < chance]
    return [(day_begins + 3 * HOUR + luck.randrange(14 * 3600) * SECOND, fault) for fault in found]


NAMES: dict[Fault, str] = {
    power: "power cuts of edges",
    server: "restarts of the server",
    broker: "restarts of the broker",
    cable: "partitions",
    long_cable: "partitions",
    rush: "rushes while something was away",
    slow_rush: "rushes over a slow network",
    flaps: "flap storms",
    jump: "clock jumps",
    restored: "restored backups",
    full_disk: "full disks",
    silent_reader: "silent readers",
    captured: "captured brokers",
    lockdown: "lockdowns",
    changes: "changes of the rules",
}
