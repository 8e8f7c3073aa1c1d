"""What happens at the demo's machines on one day? Sessions, refusals, a booking nobody came for, an emergency stop.

Those who have booked come through the front door like everybody (simulator/demo/people.py); here they walk over to the
machines, and lay their badges there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from policy.bundle import Booking, Bundle, Member
from policy.terms import Instant
from simulator.demo import casaco
from simulator.demo.cast import IN, Intent

STOPPED = "cnc"
"""It alone has an emergency stop."""
STARTS, ENDS = ("booking", "walk_up"), ("session_ended", "machine_locked_out")
"""What a tap is answered that begins to use a machine, or finds that one does not any more."""


@dataclass(frozen=True, slots=True)
class AtMachines:
    """intents: badges laid on machines' readers. stops: when the CNC's emergency stop is pressed (True) and raised."""

    intents: tuple[Intent, ...] = ()
    stops: tuple[tuple[Instant, bool], ...] = ()


def day(bundle: Bundle, on: date, at_door: list[Intent]) -> AtMachines:
    """The story of the site day that bears the date. at_door: who comes in and goes on it. Empty without bookings."""
    booked = {(one.machine, one.start[11:]): one.member for one in booked_on(bundle, on)}
    if not booked:
        return AtMachines()
    return AtMachines(tuple(_story(_Day(bundle, on), booked, at_door)), tuple(_stops(_Day(bundle, on))))


def begun(told: AtMachines, reader: str, now: Instant) -> tuple[Intent, ...]:
    """The taps by which somebody started the machine until then; empty where nobody uses it any more."""
    taps = [one for one in told.intents if one.reader == reader and one.at <= now and one.expect in (*STARTS, *ENDS)]
    return tuple(one for one in taps if one.expect in STARTS) if taps and taps[-1].expect in STARTS else ()


def pressed(told: AtMachines, now: Instant) -> bool:
    """Whether the emergency stop is down then."""
    return next((on for at, on in reversed(told.stops) if at <= now), False)


def booked_on(bundle: Bundle, on: date) -> list[Booking]:
    """The bookings of the date, those whose holders will not come as well."""
    return [one for one in bundle.bookings if one.start.startswith(on.isoformat())]


def expired(bundle: Bundle) -> Member:
    """Who was certified for the CNC and is no more."""
    member = next(one.member for one in bundle.certifications if one.until is not None)
    return next(m for m in bundle.members if m.id == member)


class _Day:
    """Instants and badges of one day."""

    def __init__(self, bundle: Bundle, on: date) -> None:
        self.bundle = bundle
        self._midnight = datetime.combine(on, time(), ZoneInfo(bundle.site.timezone))
        self._readers = {machine.id: machine.reader for machine in bundle.machines}

    def at(self, clock: str, seconds: int = 0) -> Instant:
        """The instant of an hour of the day, as 14:05."""
        hour, minute = map(int, clock.split(":"))
        return round((self._midnight + timedelta(hours=hour, minutes=minute, seconds=seconds)).timestamp() * 1000)

    def tap(self, clock: str, machine: str, member: str, expect: str) -> Intent:
        """A badge is laid on a machine's reader, once: twice would be two taps."""
        badge = next(c.uid for c in self.bundle.credentials if c.member == member and c.status == "active")
        uids = (bytes.fromhex(badge),)
        reader = self._readers[machine]
        return Intent(self.at(clock), member, reader, uids, pushes=False, expect=expect, once=True)


def _story(day: _Day, booked: dict[tuple[str, str], str], at_door: list[Intent]) -> Iterator[Intent]:
    """Who booked the CNC in the morning stays away: a quarter of an hour later it is anybody's."""
    printing, next_one = booked["printer-1", casaco.PRINTS[0]], booked["printer-1", casaco.PRINTS[1]]
    milling = booked["cnc", casaco.MILLS]
    team = {member.id for member in day.bundle.members if member.tier == "equipe"}
    boss = next(intent.who for intent in at_door if intent.who in team and intent.reader == IN)
    yield day.tap("10:03", "printer-1", printing, "booking")
    yield day.tap("10:06", "printer-2", printing, "machine_locked_out")
    yield day.tap("10:38", "cnc", printing, "booked_by_other")
    yield day.tap("10:50", "cnc", printing, "walk_up")
    yield day.tap("11:35", "cnc", expired(day.bundle).id, "machine_busy")
    yield day.tap("11:52", "cnc", printing, "session_ended")
    yield day.tap("11:55", "cnc", expired(day.bundle).id, "certification_expired")
    yield day.tap("12:08", "printer-1", next_one, "machine_busy")
    yield day.tap("12:20", "printer-1", printing, "session_ended")
    yield day.tap("12:22", "printer-1", next_one, "booking")
    yield day.tap("13:05", "printer-1", next_one, "session_ended")
    yield day.tap("14:04", "cnc", milling, "booking")
    yield day.tap("15:13", "cnc", milling, "machine_locked_out")
    yield day.tap("15:20", "cnc", boss or "", "machine_reset")
    yield day.tap("15:22", "cnc", milling, "booking")
    yield day.tap("15:50", "cnc", milling, "session_ended")


def _stops(day: _Day) -> Iterator[tuple[Instant, bool]]:
    """A clamp comes loose; it is screwed down again, and the button is raised."""
    yield day.at("15:10"), True
    yield day.at("15:17"), False
