"""Who comes for a booking, and who is there before or meanwhile? Badges at the machine, and presses on its page."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from policy.terms import MINUTE, Instant
from proofs.storm.casting import MACHINE
from proofs.storm.turns import Booked

if TYPE_CHECKING:
    from proofs.storm.site import Site

STEP: Instant = 15 * MINUTE
COMES, STOPS, GOES_ON, DURING = 0.6, 0.6, 0.4, 0.4
"""How likely the holder comes, ends by the badge, presses to go on; somebody else taps meanwhile."""
BEFORE, GIVES_UP, LEFT = 0.3, 0.1, 0.25
"""Somebody has the machine before, and it is given up half as often; it is given up anyway; the rest is booked."""
CUT_OFF = 0.1
"""The machine's edge has no network from the press on until the booking is over."""
Act = tuple[Instant, Callable[[], object]]


def come(site: "Site", luck: Random, which: str, mine: Booked) -> None:
    """Enter what comes of it. which: the booking, as the server calls it."""
    other = luck.choice([who for who in people(site) if who != mine.member])
    acts = [*_before(site, luck, which, mine, other), *_during(site, luck, mine, other)]
    acts.append((mine.start - luck.randint(1, 40) * MINUTE, partial(put_back, site)))
    if luck.random() < LEFT:
        rest = mine.start + 2 * STEP
        wish = [(other, rest, max(mine.end, rest + 2 * STEP))]
        acts.append((mine.start + luck.randint(16, 29) * MINUTE, partial(site.bookings.press, site, luck, wish)))
    now = site.clock.now()
    if luck.random() < GIVES_UP:
        acts.append((now + luck.randrange(1, 12 * 60) * MINUTE, partial(site.bookings.give_up, which)))
    if luck.random() < CUT_OFF:
        site.network.cable(MACHINE, False)
        acts.append((mine.end, partial(site.network.cable, MACHINE, True)))
    for at, act in acts:
        if at > now:
            site.agenda.at_instant(at, act)


def people(site: "Site") -> list[str]:
    """Who may use the machine, those with a good badge twice."""
    good = {badge.member for badge in site.office.bundle.credentials if badge.status == "active"}
    return sorted([*site.workshop.standing, *(good & site.workshop.standing.keys())])


def _before(site: "Site", luck: Random, which: str, mine: Booked, other: str) -> list[Act]:
    """Somebody may have the machine until it begins, and for longer once it is given up."""
    if luck.random() >= BEFORE:
        return []
    acts: list[Act] = [
        (mine.start - luck.randint(6, 25) * MINUTE, partial(_lay, site, other)),
        (mine.start - luck.choice((2, 5)) * MINUTE, partial(site.bookings.go_on, other)),
    ]
    given_up = mine.start - 4 * MINUTE, partial(site.bookings.give_up, which)
    return [*acts, given_up] if luck.random() < 0.5 else acts


def _during(site: "Site", luck: Random, mine: Booked, other: str) -> list[Act]:
    acts: list[Act] = []
    if luck.random() < COMES:
        comes = mine.start + luck.randint(-4, 20) * MINUTE
        acts.append((comes, partial(_lay, site, mine.member)))
        if luck.random() < STOPS:
            acts.append((comes + luck.randint(10, 40) * MINUTE, partial(_lay, site, mine.member)))
        if luck.random() < GOES_ON:
            acts.append((comes + luck.randint(5, 30) * MINUTE, partial(site.bookings.go_on, mine.member)))
    if luck.random() < DURING:
        acts.append((mine.start + luck.randint(2, 30) * MINUTE, partial(_lay, site, other)))
    return acts


def put_back(site: "Site") -> None:
    """Somebody of the team sees the red lamp, and lays their badge there: after an emergency stop, or a lock-out."""
    edge = site.machine.edge
    if edge is not None and MACHINE in edge.control.controller.core.state.stopped:
        site.tap(site.machine, f"{MACHINE}-in", next(uid for uid, member in site.uids if member == "team-0"))


def _lay(site: "Site", who: str) -> None:
    """They come in, if they are not there, and lay their badge on the machine's reader."""
    uid = next(uid for uid, member in site.uids if member == who)
    if not site.is_inside(who):
        site.tap(site.pis[0], "front-in", uid)
    site.agenda.after(20, lambda: site.tap(site.machine, f"{MACHINE}-in", uid))
