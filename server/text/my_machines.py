"""What runs for a member now, and whether somebody overruns into their booking: for their own page."""

from dataclasses import dataclass

from policy.extend import may_go_on
from policy.ruleset import RuleSet
from policy.sessions import Session as Use
from policy.state import SiteState
from policy.terms import MINUTE, Instant
from server.queries.bookings import Slot
from server.queries.names import Called
from server.text.dates import hour, lasting, when
from server.text.translate import gettext

BEFORE: Instant = 30 * MINUTE
"""So long before a booking a session that overruns is told to whoever has booked."""


@dataclass(frozen=True, slots=True)
class Running:
    """colour, mark: of its end. said: until when. goes_on: whether it would go on for longer if one asked."""

    machine: str
    colour: str
    mark: str
    said: str
    goes_on: bool


def running(rules: RuleSet, state: SiteState, who: str, at: Instant) -> list[Running]:
    """The machines that this member uses now, by the rules' order."""
    found = ((machine, state.sessions.running(machine, at)) for machine in rules.machines)
    theirs = [(machine, use) for machine, use in found if use is not None and use.member == who]
    return [_said(machine, use, at, may_go_on(rules, state, use, at)) for machine, use in theirs]


def _said(machine: str, use: Use, at: Instant, goes_on: bool) -> Running:
    if use.until is None:
        return Running(machine, "good", gettext("en marche"), gettext("sans fin prévue"), goes_on)
    if at < use.until:
        said = gettext("jusqu’à %(until)s", until=when(use.until, at))
        return Running(machine, "good", gettext("en marche"), said, goes_on)
    said = gettext("devait finir à %(hour)s ; compté dans votre temps", hour=hour(use.until))
    return Running(machine, "warn", gettext("dépasse"), said, goes_on)


def waits(state: SiteState, slot: Slot, at: Instant) -> str:
    """That somebody else is still at it; empty where nobody is, or the booking is far away."""
    use = state.sessions.running(slot.machine, at)
    if use is None or use.member == slot.member or use.until is None or at < max(use.until, slot.start - BEFORE):
        return ""
    over = lasting(max(1, -(-(at - use.until) // MINUTE)))
    return gettext("encore prise : la session d’avant dépasse de %(time)s", time=over)


def fell(by: str | None, who: str, called: Called) -> str:
    """By whom a booking was ended, to the member `who`. by: of server/queries/booking_falls.py."""
    if by == "":
        return gettext("rendue aux autres : personne n’y était")
    if by == who:
        return gettext("annulée par vous")
    name = called.member(by) if by is not None else ""
    return gettext("annulée par %(who)s", who=name) if name else gettext("annulée par l’équipe")
