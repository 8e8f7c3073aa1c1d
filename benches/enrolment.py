"""How long from a new badge on a reader until the desk's page says whose it shall be? Over a real mosquitto and TLS.

The page is asked as often as it asks by itself, and a badge comes at any moment between two of those. The floor is one
hop there and back through a broker of its own.
"""

import random
import re
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benches.disk import bench_folder
from benches.figure import Figures, figure, p99
from benches.hop import PATIENCE
from benches.whole_site import CSRF, LOOK, Desk, found, whole_site
from proofs.attacked import bundle
from proofs.killed import Killed
from proofs.mosquitto import program
from simulator.remote import Lay, Take

ENROLMENTS = 100
READER = "front-in"
MEMBER = bundle().members[0]
PAGE = f"/members/{MEMBER.id}/enrolment"
EVERY = re.compile(r'id="enrolment"[^>]* hx-trigger="every (\d+)ms"')
"""How often the page asks again, ms, while it waits."""
NONCE = re.compile(r'name="nonce" value="([^"]+)"')


def figures() -> Figures:
    program()  # else nothing is measured
    with bench_folder() as folder:
        hop, seconds = measured(folder / "site", ENROLMENTS)
    yield "enrolment_p50", figure(statistics.median(seconds) * 1e3, "ms", hop * 1e3)
    yield "enrolment_p99", figure(p99(seconds) * 1e3, "ms", hop * 1e3)


def measured(folder: Path, count: int) -> tuple[float, list[float]]:
    """Seconds of a hop, and of so many enrolments in rising order."""
    with whole_site(folder, bundle()) as (site, desk, hop):
        return hop, sorted(_enrolments(site, desk, count))


def _enrolments(site: Killed, desk: Desk, count: int) -> Iterator[float]:
    draw = random.Random(7)
    for number in range(count):
        uid = f"04{number:06X}FADED0"
        _asked(desk)
        page = desk.until(PAGE, lambda page: EVERY.search(page) is not None and 'class="count"' in page)
        every = int(found(EVERY, page)) / 1000
        due = time.monotonic() + every
        time.sleep(draw.random() * every)
        laid = time.monotonic()
        site.edge.send(Lay(READER, uid))
        page = desk.until(PAGE, lambda page, uid=uid: uid[-4:] in page, due, every)  # type: ignore[misc]
        seconds = time.monotonic() - laid
        if re.search(rf"{MEMBER.name}\s*:", page) is None:
            raise AssertionError(f"the page has the badge and does not say that it is for {MEMBER.name}")
        site.edge.send(Take(READER, uid))
        member = desk.post(f"{PAGE}/confirm", csrf_token=found(CSRF, page), nonce=found(NONCE, page))
        if uid[-4:] not in member:
            raise AssertionError(f"the badge ···{uid[-4:]} was confirmed, and {MEMBER.name}'s page does not have it")
        yield seconds


def _asked(desk: Desk) -> None:
    """A reader is asked to wait for a badge, once the door's edge is there."""
    end = time.monotonic() + PATIENCE
    page = desk.press(PAGE, PAGE, reader=READER)
    while EVERY.search(page) is None:
        if time.monotonic() > end:
            raise TimeoutError("no reader waits for a badge: does the edge run?")
        time.sleep(LOOK)
        page = desk.press(PAGE, PAGE, reader=READER)
