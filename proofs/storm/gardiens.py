"""How do gardiens hold their evenings? They come, come late or not at all, hand over, and go, often the last of all."""

from datetime import date
from random import Random
from typing import TYPE_CHECKING

from policy.terms import MINUTE, SECOND, Instant
from proofs.storm.hours import instant_of

if TYPE_CHECKING:
    from proofs.storm.site import Site

COME, CLOSE = 0.85, 0.7
"""How likely a gardien comes, and lays the badge on once more when somebody is left."""
COMES, GOES = (-25, 60), (-20, 12)
"""Minutes from the start of a shift, and from its end."""
AGAIN = (3, 25)
"""Seconds from the tap on the way out to the second: now and then too late to close."""


def hold_evenings(site: "Site", luck: Random, today: date) -> None:
    """Enter what the gardiens of today's shifts do."""
    badges = {who: uid for uid, who in site.uids}
    for shift in site.office.bundle.shifts:
        if not shift.start.startswith(today.isoformat()) or luck.random() >= COME:
            continue
        uid, door = badges[shift.gardien], luck.choice(site.doors)
        goes = instant_of(shift.end) + _minutes(luck, GOES)
        _tap(site, instant_of(shift.start) + _minutes(luck, COMES), luck.choice(site.doors), "in", uid)
        for other in luck.sample(site.uids, 3):  # who stays until the end
            _tap(site, goes - luck.randint(1, 60) * MINUTE, "front", "in", other[0])
        _tap(site, goes, door, "out", uid)
        if luck.random() < CLOSE:
            _tap(site, goes + luck.randint(*AGAIN) * SECOND, door, "out", uid)


def _minutes(luck: Random, between: tuple[int, int]) -> Instant:
    return luck.randint(*between) * MINUTE


def _tap(site: "Site", at: Instant, door: str, way: str, uid: str) -> None:
    pi = next(pi for pi in site.pis if pi.name == door)
    site.agenda.at_instant(at, lambda: site.tap(pi, f"{door}-{way}", uid))
