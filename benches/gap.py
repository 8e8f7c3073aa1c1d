"""How long from *Je la prends* until the door goes by it? Over HTTP, a real mosquitto and TLS.

The page's press gives an evening that runs, and that nobody holds, to a gardien; then their badge is laid on the reader
until the door says that it is their shift. The floor is one hop there and back through a broker of its own.
"""

import statistics
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from zoneinfo import ZoneInfo

from msgspec.structs import replace as changed

from benches.disk import bench_folder
from benches.figure import Figures, figure, p99
from benches.hop import PATIENCE
from benches.whole_site import Desk, whole_site
from edge.taps import AWAY
from policy.bundle import Bundle, Pattern
from policy.calendar import WEEKDAYS
from policy.reasons import Reason
from proofs.attacked import UIDS, bundle
from proofs.killed import Killed
from proofs.mosquitto import program
from simulator.remote import Event, Lay, Stages, Take

GAPS = 50
READER, GARDIEN, PAGE = "front-in", "gregoire", "/gardiens"
BEFORE, AFTER = timedelta(hours=1), timedelta(hours=3)
"""Since when the evening has run as the bench begins, and for how long it still does."""
PAUSE = AWAY + 0.1
"""Seconds between two taps of one badge: back sooner it would be the same tap."""


def figures() -> Figures:
    program()  # else nothing is measured
    with bench_folder() as folder:
        hop, seconds = measured(folder / "site", GAPS)
    yield "gap_to_door_p50", figure(statistics.median(seconds) * 1e3, "ms", hop * 1e3)
    yield "gap_to_door_p99", figure(p99(seconds) * 1e3, "ms", hop * 1e3)


def measured(folder: Path, count: int) -> tuple[float, list[float]]:
    """Seconds of a hop, and of so many gaps that were taken, in rising order."""
    door = Door()
    known, turn = _gap(datetime.now(ZoneInfo("Europe/Paris")))
    with whole_site(folder, known, door.hear) as (site, desk, hop):
        return hop, sorted(_taken(site, door, desk, turn, count))


def _gap(now: datetime) -> tuple[Bundle, str]:
    """A site without staff hours, and the evening of its rota that runs now without a gardien."""
    start, end = now - BEFORE, now + AFTER
    evening = Pattern(
        id="soir", weekday=WEEKDAYS[start.weekday()], start=f"{start:%H:%M}", end=f"{end:%H:%M}", holidays=True
    )
    site = bundle()
    return changed(site, site=changed(site.site, staff_hours={}), rota=(evening,)), f"slot:soir/{start.date()}"


def _taken(site: Killed, door: "Door", desk: Desk, turn: str, count: int) -> Iterator[float]:
    """Take the evening, and undo it, again and again."""
    for _ in range(count):
        door.until(site, Reason.OUTSIDE_HOURS)
        form = desk.form(PAGE)
        pressed = time.monotonic()
        desk.post(f"{PAGE}/take", csrf_token=form, turn=turn, gardien=GARDIEN)
        yield door.until(site, Reason.OWN_SHIFT) - pressed
        desk.press(PAGE, f"{PAGE}/undo", turn=turn, who=GARDIEN)


class Door:
    """What the door says of the gardien's badge."""

    def __init__(self) -> None:
        self._told: SimpleQueue[tuple[float, Stages]] = SimpleQueue()

    def hear(self, event: Event) -> None:
        if isinstance(event, Stages) and event.journal is None:
            self._told.put((time.monotonic(), event))

    def until(self, site: Killed, reason: Reason) -> float:
        """Lay the badge on again and again until the door gives this reason: the monotonic second at which it did."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            site.edge.send(Lay(READER, UIDS[GARDIEN]))
            at, said = self._next()
            site.edge.send(Take(READER, UIDS[GARDIEN]))
            time.sleep(PAUSE)
            if said == reason:
                return at
        raise TimeoutError(f"the door does not say {reason} of the gardien's badge")

    def _next(self) -> tuple[float, str]:
        """A badge that nobody reads in time, as the edge still starts, says nothing."""
        try:
            at, stages = self._told.get(timeout=1.0)
        except Empty:
            return 0.0, ""
        return at, stages.reason
