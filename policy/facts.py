"""What changes the state of a site? Facts: what an edge tells others, what the server reads from journal rows.

Taking them in is the same in any order and any number of times. Stopped alone is read in the order of the journal
that holds it: only the machine's own edge does, and its clock may have been lost between.
"""

from typing import TypeAlias, assert_never

from msgspec import Struct

from policy import ruleset
from policy.presence import Move
from policy.sessions import Session
from policy.state import SiteState
from policy.terms import Instant


class Moved(Struct, frozen=True, tag=True):
    """A member went in or out."""

    member: str
    at: Instant
    inside: bool


class Paid(Struct, frozen=True, tag=True):
    """A member's day or half-day is paid with a unit of a pass."""

    member: str
    unit: ruleset.Paid


class Opened(Struct, frozen=True, tag=True):
    """A gardien made a shift for [start, end) by two taps."""

    member: str
    start: Instant
    end: Instant


class Ran(Struct, frozen=True, tag=True):
    """A session began, ended, or may go on for longer."""

    session: Session


class Busy(Struct, frozen=True, tag=True):
    """A member found the machine busy."""

    machine: str
    member: str
    at: Instant


class Stopped(Struct, frozen=True, tag=True):
    """A machine was stopped (emergency stop, lock-out by the server), or was put back in service."""

    machine: str
    stopped: bool


Fact: TypeAlias = Moved | Paid | Opened | Ran | Busy | Stopped


def apply(state: SiteState, fact: Fact) -> None:
    """Take one fact into the state."""
    match fact:
        case Moved(member, at, inside):
            state.presence.apply(member, Move(at, inside))
        case Paid(member, unit):
            state.units[member].add(unit)
        case Opened(member, start, end):
            state.adhoc[member].add((start, end))
        case Ran(session):
            state.sessions.apply(session)
        case Busy(machine, member, at):
            state.busy[machine].add((member, at))
        case Stopped(machine, stopped):
            (state.stopped.add if stopped else state.stopped.discard)(machine)
        case _:
            assert_never(fact)
