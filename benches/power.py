"""How soon does a machine have power once a badge is there, with the start of its session on the disk before?

The chip's time is emulated as in benches/reader.py; decision, journal and pin are this machine's, one after the other
in one thread. The floor is a badge's way through the air and a row that is synced to the same disk.
"""

import os
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from benches.disk import bench_folder
from benches.figure import Figures, figure, p99
from benches.journal import tap
from benches.reader import POLL_NS, POWER_UP_NS, UID7, edge_folder, open_rules, pass_time, radio_seconds
from edge.config import load
from edge.events import RulesSwapped, StateHeard
from edge.held import HeldRules
from edge.machine import SAME_TAP_MS
from edge.runtime import Edge
from policy.facts import Moved
from policy.ruleset import Booking, Machine, Reader, RuleSet
from policy.terms import DAY, HOUR, Instant
from simulator.board import Board
from simulator.card import Card
from simulator.clock import VirtualClock
from simulator.demo.folder import WORKSHOP
from simulator.emulated_edge import emulated
from wire.credential import pseudonym
from wire.row import encode
from wire.snapshot import Snapshot

STARTS = 150
MACHINES, BOOKINGS = 20, 500
"""Of the site; bookings of each machine, all of them to come."""


def figures() -> Figures:
    with bench_folder() as folder:
        ours, floors = measured(folder, STARTS)
    yield "badge_to_power", figure(statistics.median(ours) * 1e3, "ms", statistics.median(floors) * 1e3)
    yield "badge_to_power_p99", figure(p99(ours) * 1e3, "ms", p99(floors) * 1e3)


def measured(folder: Path, starts: int) -> tuple[list[float], list[float]]:
    """Seconds in rising order: from a badge's entering the field until the machine's line moves, and the floor of each.

    The badge starts a session and ends it, again and again, on a disk in this folder.
    """
    draw, ours, floors = random.Random(13), [], []
    with _machine(folder) as (edge, board, clock), (folder / "bare").open("ab", buffering=0) as bare:
        for number in range(1, starts + 1):
            card = Card(UID7, power_up_ns=draw.randrange(*POWER_UP_NS))
            ours.append(_moved(edge, board, clock, card, draw.randrange(10 * POLL_NS)))
            _moved(edge, board, clock, card, 0)  # its own badge ends it
            started = time.perf_counter()
            bare.write(encode(tap(number)))
            os.fdatasync(bare.fileno())
            floors.append(card.power_up_ns / 1e9 + radio_seconds(2) + time.perf_counter() - started)
    return sorted(ours), sorted(floors)


def _moved(edge: Edge, board: Board, clock: VirtualClock, card: Card, after: int) -> float:
    """Lay the badge on the machine's reader after so many ns: seconds until its line moves. It is taken away again."""
    line = next(spec.line for spec in edge.config.outputs if spec.name == "cnc.interlock")
    field, before = board.chip(0, 0).field, board.level(line)
    entered, real = clock.ns + after, 0.0
    clock.at(entered, partial(field.lay, card))
    while board.level(line) == before:
        clock.advance_to(clock.ns // POLL_NS * POLL_NS + POLL_NS)
        edge.look()
        read, began = clock.ns, time.perf_counter()
        edge.serve()
        edge.keep()
        edge.serve()
        real = time.perf_counter() - began
    field.take(card)
    pass_time(edge, clock, SAME_TAP_MS / 1000)
    return (read - entered) / 1e9 + real


@contextmanager
def _machine(folder: Path) -> Iterator[tuple[Edge, Board, VirtualClock]]:
    """The edge of the demo's machines, with the rules of a whole fablab and the bench's member inside."""
    config, clock = load(edge_folder(folder, WORKSHOP)), VirtualClock()
    platform, board = emulated(config, clock)
    edge = Edge(config, clock=clock, readers=platform.readers, pins=platform.pins())
    try:
        edge.turn()
        rules = _rules(pseudonym(config.keys.credential, UID7), clock.now())
        inside = Snapshot(False, (Moved("member", clock.now(), True),), {})
        now, mono = clock.now(), clock.monotonic()
        told = HeldRules(1, "", now + 14 * DAY, rules)
        edge.control.handle([RulesSwapped(now, mono, told), StateHeard(now, mono, 1, inside, None)])
        yield edge, board, clock
    finally:
        edge.stop()


def _rules(credential: str, now: Instant) -> RuleSet:
    """One member who may use every machine; others have booked them all."""
    names = ("cnc", *(f"cnc-{number}" for number in range(2, MACHINES + 1)))
    starts = range(now + DAY, now + DAY + BOOKINGS * HOUR, HOUR)
    return replace(
        open_rules(credential),
        readers={f"{name}-tap": Reader(name, None, "front") for name in names},
        machines={name: Machine("cnc", cuts=True) for name in names},
        certifications={"member": {"cnc": None}},
        bookings={name: tuple(Booking(f"{name}-{at}", at, at + HOUR) for at in starts) for name in names},
    )
