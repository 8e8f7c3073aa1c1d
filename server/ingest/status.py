"""What does an edge say of itself, and what follows from it? Its row, and whether the server is behind it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from msgspec import to_builtins
from sqlmodel import Session, col, select

from policy.forms import TOPIC_ID
from policy.instants import believed, instant, of, text
from policy.ruleset import SPEAKS
from policy.terms import ClockState, Instant
from server.database.types import moment
from server.ingest.rows import LARGEST
from server.models import AccessPoint, Edge, Machine, Member, Published, Versioned
from server.queries.known_edges import KnownEdge
from wire.errors import WireError
from wire.messages import Status
from wire.row import DETAIL

JUMP = 1_000_000
"""At most so far above its own does the server follow a version that an edge reports: years of changes."""
CEILING = 2**30
"""No edge, honest or not, gets it above that; there it goes on by ones."""
MOST_OFFERED = 8
"""Readers of an edge of which nobody has said yet which it has; a Pi has places for five."""


@dataclass(frozen=True, slots=True)
class StatusTaken:
    """An edge said how it is.

    server_behind: what it holds that the server never made. speaks_anew: it reads another form.
    """

    edge: str
    status: Status
    server_behind: tuple[Versioned, ...]
    speaks_anew: bool = False


class Rows(NamedTuple):
    """What statuses change, by id: read once for all of a batch, since every edge speaks when the rules are new.

    described: whether anybody ever said something of this site. One of which nobody did has nothing to say to edges
    that hold rules: it may be the wrong database, or an empty one in its place.
    """

    edges: Mapping[str, Edge]
    published: Mapping[int, Published]
    described: bool = True


def rows_of(session: Session, edges: Collection[str]) -> Rows:
    """The rows of these edges, and what was published last."""
    if not edges:
        return Rows({}, {})
    rows = session.exec(select(Edge).where(col(Edge.id).in_(edges)))
    published = {last.id: last for last in session.exec(select(Published))}
    described = any(session.exec(select(table).limit(1)).first() for table in (AccessPoint, Machine, Member))
    return Rows({row.id: row for row in rows}, published, described)


def take_status(rows: Rows, edge: KnownEdge, status: Status, topic: str, now: Instant, *, repeats: bool) -> StatusTaken:
    """Keep what an edge says of itself. Raises WireError for one that is not newer than those before it.

    repeats: whether rules and state may be said anew for it.
    """
    _check_values(status, topic)
    said_at = moment(_said_at(status, topic, now))
    row, anew = rows.edges.get(edge.id), False
    if row is not None:
        _check_newer(row, status, said_at, topic)
        spoke = SPEAKS if row.last_seen is None else row.speaks  # queries/forms.py counts none before its first
        anew = status.online and status.speaks != spoke and repeats
        _apply(row, edge, status, said_at)
    held = _held(status) if repeats and rows.described else []
    behind = tuple(lane for lane, version, digest in held if _server_behind(rows.published.get(lane), version, digest))
    return StatusTaken(edge.id, status, behind, anew)


def _check_values(status: Status, topic: str) -> None:
    """Raises WireError for a number that the database cannot keep, and for what is no instant."""
    for name in ("rules_version", "state_version", "speaks", "unacknowledged", "free_disk", "wear"):
        number = getattr(status, name)
        if number is not None and abs(number) >= LARGEST:
            raise WireError(f"{topic}: {name} {number} is not below {LARGEST}")
    told = [(f"unlocked {place!r} until", until) for place, until in status.unlocked.items()]
    ends = {"certificate_until": status.certificate_until, "rules_until": status.rules_until}
    told += [(name, said) for name, said in ends.items() if said is not None]
    for machine, printer in status.printers.items():
        told += [(f"printer {machine!r}", said) for said in (printer.since, printer.ends) if said is not None]
    for machine, plug in status.plugs.items():
        told += [(f"plug {machine!r}", said) for said in (plug.since, plug.audited) if said is not None]
    told += [(f"service key {key!r}", one.service) for key, one in status.sensed.items() if one.service is not None]
    for what, said in told:
        try:
            believed(said)
        except (ValueError, OverflowError) as error:
            raise WireError(f"{topic}: {what} {said!r}, which is no instant ({error})") from None


def _said_at(status: Status, topic: str, now: Instant) -> Instant:
    """When the edge said so: never later than now. A will has been written long before it is sent, and a clock that is
    lost says nothing."""
    if status.at is None or not status.online or status.clock is ClockState.UNKNOWN:
        return now
    try:
        return of(believed(text(min(instant(status.at), now))))
    except (ValueError, OverflowError) as error:
        raise WireError(f"{topic}: at {status.at!r} is no instant ({error})") from None


def _held(status: Status) -> list[tuple[Versioned, int, str | None]]:
    """What the edge holds: version, and hash of the body."""
    rules = (Versioned.RULES, status.rules_version, status.rules_hash)
    state = (Versioned.STATE, status.state_version, status.state_hash)
    return [(lane, version, digest) for lane, version, digest in (rules, state) if version is not None]


def _check_newer(edge: Edge, status: Status, at: datetime, topic: str) -> None:
    """Raises WireError for a status that is older than one that was taken: kept by somebody, and sent once more.

    A clock that is not trusted tells nothing. A will is always older, and is taken: so an edge is not believed to be
    there for longer than it says so.
    """
    if not status.online or status.clock in (None, ClockState.UNKNOWN):
        return
    if edge.said is not None and at < edge.said:
        raise WireError(
            f"{topic}: of {at.isoformat()}, older than one of {edge.said.isoformat()}; an edge whose clock was set says"
            " so in its journal: see who writes to the broker"
        )
    edge.said = at


def _apply(edge: Edge, known: KnownEdge, status: Status, at: datetime) -> None:
    """Of places that are not its own it says nothing that is kept. Until somebody says which readers it has, those that
    it tells of are, for the first start to offer them."""
    if edge.online != status.online:
        edge.since = at
    edge.online = status.online
    if not status.online:
        return
    edge.last_seen = at if edge.last_seen is None else max(at, edge.last_seen)
    edge.software = status.software[:DETAIL]
    edge.rules_version = status.rules_version
    edge.state_version = status.state_version
    edge.speaks = status.speaks
    edge.clock = status.clock
    said = status.readers if known.readers else dict(islice(status.readers.items(), MOST_OFFERED))
    edge.readers = {
        name: why and why[:DETAIL]
        for name, why in said.items()
        if name in known.readers or (not known.readers and TOPIC_ID.fullmatch(name))
    }
    edge.unacknowledged = status.unacknowledged
    edge.journal_fault = status.journal_fault and status.journal_fault[:DETAIL]
    edge.temperature = status.temperature
    edge.free_disk = status.free_disk
    edge.wear = status.wear
    edge.certificate_until = _moment(status.certificate_until)
    edge.rules_until = _moment(status.rules_until)
    edge.unlocked = {place: until for place, until in status.unlocked.items() if place in known.doors}
    edge.devices = {machine: _devices(status, machine) for machine in sorted(known.access_points)}


def _moment(written: str | None) -> datetime | None:
    return None if written is None else believed(written)


def _devices(status: Status, machine: str) -> dict[str, Any]:
    """What stands at a machine, as server/queries/devices.py reads it."""
    said = {
        "printer": status.printers.get(machine),
        "plug": status.plugs.get(machine),
        "sensed": status.sensed.get(machine),
    }
    return {device: to_builtins(one) for device, one in said.items() if one is not None}


def _server_behind(last: Published | None, held: int, digest: str | None) -> bool:
    """Whether an edge holds a version that was never made here, or was made with another body than this.

    So it is where this database was restored from a backup. What is published next gets a version above the edge's:
    edges take nothing else. last: what was published last. digest: of the body that it holds, None where it does not
    say.
    """
    if last is None or not last.version <= held <= min(last.version + JUMP, CEILING):
        return False
    if held == last.version and digest in (last.hash, None):
        return False
    last.version, last.hash = held, ""
    return True
