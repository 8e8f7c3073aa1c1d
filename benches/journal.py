"""What does a journal row on disk cost, beside an append to a file and its fdatasync on the same disk?"""

import os
import statistics
import time
from pathlib import Path

from benches.disk import bench_folder
from benches.figure import Figures, figure
from edge.journal import Journal
from policy.instants import text
from policy.reasons import Reason
from policy.terms import ClockState
from wire.row import Kind, Row, encode

ROWS = 1500
"""Enough to see the write-ahead log begin anew, as it does in the long run."""
START = 1_795_000_000_000


def figures() -> Figures:
    with bench_folder() as folder:
        ours, bare = measure(folder)
    yield "journal_row", figure(ours * 1e6, "µs", bare * 1e6)


def measure(folder: Path) -> tuple[float, float]:
    """Seconds for one row, ours and bare: medians of rows written in turns, in a folder on the disk in question."""
    journal = Journal(folder / "journal.db")
    ours, bare = [], []
    with (folder / "bare").open("ab", buffering=0) as file:
        for number in range(1, ROWS + 1):
            row = tap(number)
            started = time.perf_counter()
            journal.append([row])
            between = time.perf_counter()
            file.write(encode(row))
            os.fdatasync(file.fileno())
            bare.append(time.perf_counter() - between)
            ours.append(between - started)
    journal.close()
    return statistics.median(ours), statistics.median(bare)


def tap(number: int) -> Row:
    """A row as a tap writes it."""
    return Row(
        seq=number,
        at=text(START + number * 1000),
        mono_ms=number * 1000,
        boot="0123456789abcdef",
        clock=ClockState.SYNCED,
        kind=Kind.TAP,
        access_point="front",
        reader="front-in",
        credential=f"{number:032x}",
        member=f"member-{number}",
        granted=True,
        reason=Reason.STAFFED_HOURS,
        rules_version=7,
        pending=True,
    )
