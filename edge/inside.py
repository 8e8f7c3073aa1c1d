"""Who is inside and what runs, as this edge knows it, with the server dead? Read from a copy of its journal.

Names never lie on an edge: members are told by their ids.
"""

from dataclasses import dataclass, replace

from edge.config import Config
from edge.core import Memory
from edge.inbound_queue import InboundQueue
from edge.machine import MachineSetup
from edge.observer import Nobody
from edge.ports import Clock
from edge.salvage import copied
from edge.status import Health, vitals
from edge.storage_worker import StorageWorker
from policy.instants import instant
from policy.sessions import Session
from policy.terms import DAY, ClockState, Instant
from wire.row import Kind, Order, Row


@dataclass(frozen=True, slots=True)
class Roll:
    """at: now; the last instant that the edge trusted where its clock is lost. inside: member ids, and since when.

    doubtful: who came in within 24 h and was checked out by the end of the site day alone. closed: whom a gardien's
    closing at this edge checked out within 24 h, and when. told: the newest row of this edge. unlocked: its doors that
    stood unlocked by order on this site day, from when, and until when at the latest.
    """

    at: Instant
    inside: tuple[tuple[str, Instant], ...]
    doubtful: tuple[tuple[str, Instant], ...]
    closed: tuple[tuple[str, Instant], ...]
    told: Instant | None
    unlocked: tuple[tuple[str, Instant, Instant], ...]


def remembered(config: Config, clock: Clock) -> tuple[Memory, list[Row]]:
    """What a copy of the journal holds, and its rows. Raises JournalError for one that nothing can be read of."""
    with copied(config.journal) as copy:
        worker = StorageWorker(
            replace(config, journal=copy),
            clock,
            lambda _event: None,
            Nobody(),
            "reader",
            Health("", lambda: vitals(copy)),
            InboundQueue(lambda _item: None),
            None,
        )
        try:
            memory = worker.recover()
            return memory, [] if worker.writer.journal is None else worker.writer.journal.rows()
        finally:
            worker.close()


def sessions(config: Config, clock: Clock) -> list[Session]:
    """Those that run on the edge's own machines, in the order of edge.toml. Raises JournalError, as `remembered`."""
    memory, _ = remembered(config, clock)
    at = clock.now() if clock.state() is not ClockState.UNKNOWN else max(memory.last_at, 0)
    machines = [place.machine for place in config.places if isinstance(place, MachineSetup)]
    found = (memory.knowledge.state.sessions.running(machine, at) for machine in machines)
    return [session for session in found if session is not None]


def roll(config: Config, clock: Clock) -> Roll | None:
    """None for a new edge, which has no rules yet. Raises JournalError for a journal that nothing can be read of."""
    memory, rows = remembered(config, clock)
    if memory.held is None:
        return None
    at = clock.now() if clock.state() is not ClockState.UNKNOWN else max(memory.last_at, 0)
    day_start = memory.held.rules.day_start(at)
    moves = memory.knowledge.state.presence.moves
    came = sorted((move.at, who) for who, move in moves.items() if move.inside and move.at > at - DAY)
    return Roll(
        at=at,
        inside=tuple((who, since) for since, who in came if since >= day_start),
        doubtful=tuple((who, since) for since, who in came if since < day_start),
        closed=tuple(
            (row.member, move.at)
            for row in rows
            if row.kind is Kind.CHECKED_OUT and row.member is not None
            for move in [moves.get(row.member)]
            if move is not None and not move.inside and move.at == instant(row.at) and move.at > at - DAY
        ),
        told=max((instant(row.at) for row in rows if row.clock is not ClockState.UNKNOWN), default=None),
        unlocked=tuple(
            (row.access_point, instant(row.at), instant(row.until))
            for row in rows
            if row.kind is Kind.COMMAND and row.order is Order.UNLOCK and row.granted
            if row.access_point is not None and row.until is not None and instant(row.at) >= day_start
        ),
    )
