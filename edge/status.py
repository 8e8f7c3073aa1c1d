"""How is this edge? What it says of itself at connect, each 30 s and when something changes."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from console.wear import wear
from edge.config import Config
from edge.events import PrinterSaid
from policy.instants import text
from policy.ruleset import SPEAKS
from policy.terms import SECOND, ClockState, Instant
from wire.envelope import seal
from wire.messages import Plug, Printer, Sensed, Status, encode
from wire.row import Kind, Order, Row
from wire.topics import Topics

EVERY = 30.0
"""Seconds between two messages while nothing changes."""
SENSOR = Path("/sys/class/thermal/thermal_zone0/temp")


class Vitals(NamedTuple):
    """temperature: °C. free_disk: MB. wear: %, see console/wear.py. None where it cannot be read."""

    temperature: float | None = None
    free_disk: int | None = None
    wear: int | None = None


def vitals(journal: Path, sensor: Path = SENSOR) -> Vitals:
    """What the machine says of itself: the processor's heat, the room on the journal's disk, and how worn that is."""
    temperature = free = None
    with suppress(OSError, ValueError):
        temperature = int(sensor.read_text()) / 1000
    with suppress(OSError):
        free = shutil.disk_usage(journal.parent).free // 1_000_000
    return Vitals(temperature, free, wear(journal.parent))


@dataclass(slots=True)
class Health:
    """What is known of the edge's own state. boot: the id of its start. readers: None when well, else what is wrong.

    certificate: when that for the broker ends, None without one. rules_until: until when the rules are confirmed.
    unlocked: the doors that are kept unlocked by order, and until when. refused: the newest rules or state from the
    server that may not replace those held, in words. trouble: why the journal cannot be written now. damaged: why one
    was set aside since this start.
    """

    software: str
    vitals: Callable[[], Vitals]
    readers: dict[str, str | None] = field(default_factory=dict)
    rules_version: int | None = None
    state_version: int | None = None
    rules_hash: str | None = None
    state_hash: str | None = None
    refused: str | None = None
    trouble: str | None = None
    damaged: str | None = None
    unrecorded: int = 0
    boot: str | None = None
    unlocked: dict[str, str] = field(default_factory=dict)
    printers: dict[str, Printer] = field(default_factory=dict)
    plugs: dict[str, Plug] = field(default_factory=dict)
    sensed: dict[str, Sensed] = field(default_factory=dict)
    certificate: Instant | None = None
    rules_until: Instant | None = None

    @property
    def journal_fault(self) -> str | None:
        """What is wrong with the journal, or was at this start, and what it cost so far."""
        lost = f"{self.unrecorded} events could not be recorded" if self.unrecorded else None
        return "; ".join(words for words in (self.trouble, self.damaged, lost) if words) or None

    def key(self, clock: ClockState) -> tuple[object, ...]:
        """What is worth a message when it changes; the state does so at every tap, and is said with the next one."""
        printers = tuple((machine, one.state, one.silent) for machine, one in self.printers.items())
        plugs = tuple(
            (machine, one.fault, one.wrong, one.off_seconds, one.audited) for machine, one in self.plugs.items()
        )
        sensed = tuple(self.sensed.items())
        spoken = tuple(self.readers.items()), tuple(self.unlocked.items()), printers, plugs, sensed
        return (clock, *spoken, self.rules_version, self.journal_fault, self.refused)

    def note(self, row: Row) -> None:
        """What a row says of a door that is kept unlocked."""
        if row.access_point is None:
            return
        if row.order is Order.UNLOCK and row.granted and row.until is not None:
            self.unlocked[row.access_point] = row.until
        elif row.kind is Kind.RELOCKED or (row.order is Order.RELOCK and row.granted):
            self.unlocked.pop(row.access_point, None)

    def note_printer(self, said: PrinterSaid) -> bool:
        """Take a printer's word; whether its state is another than before."""
        machine = said.name.rpartition(".")[0]
        before = self.printers.get(machine)
        ends = None if said.left is None else text(said.at + said.left * SECOND)
        self.printers[machine] = Printer(said.program, said.state, text(said.since), ends, said.why is not None)
        return before is None or (before.state, before.silent) != (said.state, said.why is not None)

    def status(self, at: Instant, clock: ClockState, unacknowledged: int, asks: str | None = None) -> Status:
        """The message of an edge that is there. asks: what time it is (edge/server_time.py)."""
        measured = self.vitals()
        return Status(
            online=True,
            at=text(at),
            software=self.software,
            rules_version=self.rules_version,
            state_version=self.state_version,
            speaks=SPEAKS,
            clock=clock,
            asks=asks,
            readers=dict(self.readers),
            unacknowledged=unacknowledged,
            journal_fault=self.journal_fault,
            temperature=measured.temperature,
            free_disk=measured.free_disk,
            rules_hash=self.rules_hash,
            state_hash=self.state_hash,
            boot=self.boot,
            unlocked=dict(self.unlocked),
            printers=dict(self.printers),
            plugs=dict(self.plugs),
            sensed=dict(self.sensed),
            wear=measured.wear,
            certificate_until=None if self.certificate is None else text(self.certificate),
            rules_until=None if self.rules_until is None else text(self.rules_until),
        )


def farewell(config: Config, at: Instant) -> tuple[str, bytes]:
    """The status of an edge that is gone, signed: its topic and its bytes. at: when it is made."""
    topic = Topics(config.site).status(config.edge)
    return topic, seal(config.keys.own, config.edge, topic, encode(Status(online=False, at=text(at))))
