"""How far has each tap come? Watches an edge at work and tells the demo, stage by stage."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace

from simulator.remote import Stages
from wire.row import Row

REMEMBERED = 200
"""Taps that may wait for the server's answer; of older ones that stage is not told."""


@dataclass(slots=True)
class Watch:
    """An edge/observer.py Observer. tell: takes the stages of a tap each time that one more is known.

    The server's stage is measured here, in real seconds from the journal's: the edge's own clock may run faster.
    """

    tell: Callable[[Stages], object]
    real: Callable[[], float] = time.perf_counter
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _taps: dict[int, Stages] = field(default_factory=dict)
    _journalled: dict[int, float] = field(default_factory=dict)

    def decided(
        self, row: Row, chip_seconds: float, chip_transfers: int, decision_seconds: float, actuator_seconds: float
    ) -> None:
        """As in edge/observer.py."""
        tap = Stages(
            at=row.at,
            reader=row.reader or "",
            seq=row.seq,
            granted=bool(row.granted),
            reason=str(row.reason),
            member=row.member,
            credential=row.credential,
            transfers=chip_transfers,
            chip=chip_seconds,
            decision=decision_seconds,
            actuator=actuator_seconds,
        )
        with self._lock:
            self._taps[row.seq] = tap
            for old in sorted(self._taps)[:-REMEMBERED]:
                del self._taps[old]
                self._journalled.pop(old, None)
        self.tell(tap)

    def journalled(self, seq: int, seconds: float) -> None:
        """As in edge/observer.py."""
        with self._lock:
            if seq not in self._taps:
                return
            tap = self._taps[seq] = replace(self._taps[seq], journal=seconds)
            self._journalled[seq] = self.real()
        self.tell(tap)

    def acknowledged(self, seq: int, seconds: float) -> None:  # noqa: ARG002
        """As in edge/observer.py: this row and all before it."""
        now = self.real()
        with self._lock:
            known = [self._taps.pop(earlier) for earlier in sorted(self._taps) if earlier <= seq]
            since = [self._journalled.pop(tap.seq, now) for tap in known]
        for tap, journalled in zip(known, since, strict=True):
            self.tell(replace(tap, server=now - journalled))

    def output(self, name: str, active: bool) -> None:
        """Nothing to do: the pins themselves tell what moved."""
