"""What do fab managers decide about a machine? It is locked out, and put back. In the caller's transaction.

Rules go by it: they are to be published then. What somebody else did meanwhile is a value, not overwritten. That a
session goes on, which its holder may want as well, is an order to the machine's edge.
"""

from dataclasses import dataclass
from datetime import date

from msgspec.structs import replace
from sqlmodel import Session

from policy.bundle import LockOut, Machine
from policy.extend import refused
from policy.instants import YEARS
from policy.reasons import Reason
from policy.terms import Instant
from server.audit import Decided
from server.changes.bundle import put
from server.changes.outcomes import Done, Meanwhile, Wrong
from server.database.engine import Database
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.models import MachineOut
from server.publish.bundle import held
from server.publish.orders import Given, Orders
from server.queries.current import Current
from server.queries.machine_out import out_now
from server.queries.site_state import state_at
from wire.row import Order

LONGEST_WHY = 200
"""Characters."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """name: of who decides, as people know them. urgent: at once, whatever runs. until: the last day, if known."""

    name: str
    why: str
    urgent: bool = False
    until: date | None = None


def lock_out(session: Session, decided: Decided, machine: str, wanted: Wanted, today: date) -> Done | Wrong | Meanwhile:
    """No session starts on it from then on; one that runs goes on to its end, unless it is urgent."""
    known = known_machine(session, machine)
    if fields := wrong(wanted, today):
        return Wrong(fields)
    if known.locked_out is not None:
        return Meanwhile()
    out = LockOut(by=wanted.name, why=wanted.why, urgent=wanted.urgent)
    put(session, [replace(known, locked_out=out)], decided)
    _is_back(session, machine, decided, None)  # one that a bundle put back
    session.add(
        MachineOut(
            machine=machine,
            since=moment(decided.at),
            by=decided.by,
            name=wanted.name,
            why=wanted.why,
            urgent=wanted.urgent,
            until=wanted.until,
        )
    )
    return Done()


def wrong(wanted: Wanted, today: date) -> tuple[str, ...]:
    """The fields of a lock-out that cannot stay as they are."""
    why = () if 0 < len(wanted.why) <= LONGEST_WHY else ("why",)
    until = wanted.until
    return (*why, "until") if until is not None and (until < today or until.year not in YEARS) else why


def put_back(session: Session, decided: Decided, machine: str, name: str, seen: LockOut) -> Done | Meanwhile:
    """It may be used again. seen: the lock-out that whoever decides has read; another one stays. name: theirs."""
    known = known_machine(session, machine)
    if known.locked_out != seen:
        return Meanwhile()
    put(session, [replace(known, locked_out=None)], decided)
    _is_back(session, machine, decided, name)
    return Done()


def _is_back(session: Session, machine: str, decided: Decided, name: str | None) -> None:
    row = out_now(session, machine)
    if row is not None:
        row.back, row.back_by = moment(decided.at), name
        session.add(row)


def extend(
    database: Database,
    orders: Orders,
    current: Current,
    machine: str,
    by: str,
    told: str,
    at: Instant,
    *,
    holder: str = "",
) -> Given | Reason | None:
    """Let the session that runs on a machine go on for as long as a new one might: its edge works out until when.

    by, told: as for `Orders.give`. holder: whose session it must be; empty for a fab manager or the team. Gives the
    reason why its holder may not have the machine now, if there is one; None where no such session runs. Raises what
    `Orders.give` does.
    """
    with database.reading() as session:
        state = state_at(session, at)
    running = state.sessions.running(machine, at)
    if running is None or (holder and running.member != holder) or machine not in current.rules.machines:
        return None
    why = refused(current.rules, state, running, at)
    return why or orders.give(Order.EXTEND, machine, by, told=told, began=running.start)


def end(
    database: Database, orders: Orders, machine: str, by: str, told: str, began: Instant, at: Instant
) -> Given | None:
    """End the session that began then on a machine, which stays in service. None where no such session runs.

    by, told: as for `Orders.give`. Raises what that does.
    """
    with database.reading() as session:
        running = state_at(session, at).sessions.running(machine, at)
    if running is None or running.start != began:
        return None
    return orders.give(Order.END, machine, by, told=told, began=began)


def known_machine(session: Session, machine: str) -> Machine:
    """Raises ChangeRefusedError for one that is not there."""
    found = held(session, "machines", {"id": machine})
    if not found:
        raise ChangeRefusedError(Refused.MACHINE_UNKNOWN)
    one: Machine = found[0]
    return one
