"""Is anything lost when processes die? Edge, broker and server are killed with SIGKILL, at random instants, under load.

A round is one process killed. Badges are laid as fast as they are read; each kill waits for a drawn number of taps, of
rows or of answers, and a moment more. What lies in a dead process's files is compared with what was told before.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from proofs.killed import Killed, Part
from proofs.ledger import Ledger
from proofs.proof import BrokenError, LossError, Proof, Rounds, Task
from proofs.tapping import Tapping

CHANCES = ((Part.SERVER, 0.6, 0.03), (Part.BROKER, 0.5, 0.3))
"""Of a kill, where rows were answered since that part's start, and where none was yet; what is left is the edge's."""
TOGETHER = 0.4
"""The share of kills in which another part dies at the same instant."""
WAITS = (("decided", 12), ("journalled", 12), ("answered", 2))
"""What a kill waits for, and how many of it at most."""
A_MOMENT = 0.03
SITE = 1000
"""Kills before a site is compared as a whole, forgotten, and a fresh one set up."""
SOON, PATIENCE = 1.5, 90.0
"""Seconds: to wait for something before a kill; for all to have arrived once nobody is killed any more."""


class Site:
    """A site under load. Close it."""

    def __init__(self, folder: Path) -> None:
        self.killed = Killed(folder / "site", lambda event: self.tapping.hear(event))
        self.tapping = Tapping(self.killed.edge.send)
        self.ledger = Ledger(self.killed.journal, self.killed.database, folder / "scratch")
        self.kills: Counter[Part] = Counter()
        self._answered = dict.fromkeys(Part, 0)

    def set_up(self) -> None:
        """Until a first row has arrived. Raises LossError."""
        for part in (Part.BROKER, Part.SERVER, Part.EDGE):
            self._start(part)
        if not self.tapping.wait(self.tapping.knows_people, PATIENCE):
            self._check_alive()
            raise LossError(f"a fresh edge has no rules within {PATIENCE:g} s")
        self.killed.kill(Part.EDGE)  # what it said before the server was there would be said again after seconds only
        self._start(Part.EDGE)
        self._arrived("of a site that nobody has touched yet")

    def kill(self, luck: Random, most: int) -> None:
        """Kill one part or two, look at what is left, start them again. Raises LossError."""
        victims = self._victims(luck, most)
        what, most_of_it = luck.choice(WAITS)
        self.tapping.come(luck.randint(0, most_of_it), what, SOON)
        self.tapping.linger(luck.random() * A_MOMENT)
        self._check_alive()
        for part in victims:
            self.killed.kill(part)
        self.kills.update(victims)
        self._look_at(victims)
        for part in victims:
            self._start(part)

    def live(self, task: Task, before: int) -> Iterator[int]:
        """So many kills as a site gets, after those of the sites before. Raises LossError."""
        end = min(SITE, task.rounds - before)
        self.set_up()
        while (done := self.kills.total()) < end:
            self.kill(task.random(task.first + before + done), end - done)
            yield before + self.kills.total()
        self.settle()

    def settle(self) -> None:
        """Let all rows arrive, then compare everything. Raises LossError."""
        self._arrived("after the last kill")
        self.killed.kill(Part.EDGE)
        self._look_at([Part.EDGE])
        self._start(Part.EDGE)
        if not self.tapping.finish(PATIENCE):
            self._check_alive()
            raise LossError(f"the last row does not reach the server within {PATIENCE:g} s")
        for part in Part:
            self.killed.kill(part)
        self._look_at(list(Part))
        self.ledger.settled()

    def close(self) -> None:
        self.killed.close()

    def _victims(self, luck: Random, most: int) -> list[Part]:
        """The server takes seconds to start: mostly it is killed only once it has done something."""
        chosen = Part.EDGE
        for part, busy, idle in CHANCES:
            if luck.random() < (busy if self.tapping.answered > self._answered[part] else idle):
                chosen = part
                break
        if most > 1 and luck.random() < TOGETHER:
            return [chosen, Part.EDGE if chosen is not Part.EDGE else Part.BROKER]
        return [chosen]

    def _start(self, part: Part) -> None:
        self._answered[part] = self.tapping.answered
        self.killed.start(part)
        if part is Part.EDGE:
            self.tapping.begin()

    def _look_at(self, dead: list[Part]) -> None:
        if Part.EDGE in dead:
            self.ledger.edge_died(self.tapping.told)
        if Part.SERVER in dead:
            self.ledger.server_died(self.tapping.acknowledged)

    def _arrived(self, when: str) -> None:
        """Wait until a tap that was decided from now on is acknowledged, and so all before it."""
        self.tapping.come(1, "journalled", PATIENCE)
        newest = max(self.tapping.told, default=1)
        if not self.tapping.wait(lambda: self.tapping.acknowledged >= newest, PATIENCE):
            self._check_alive()
            raise LossError(f"row {newest} does not reach the server within {PATIENCE:g} s {when}")

    def _check_alive(self) -> None:
        why = self.killed.broken_down()
        if why is not None:
            raise LossError(why)


def run(task: Task) -> Rounds:
    kills: Counter[Part] = Counter()
    rows, unrecorded = 0, 0
    while kills.total() < task.rounds:
        with (
            TemporaryDirectory(prefix="loquet-kill-") as folder,
            closing(Site(Path(folder))) as site,
        ):
            before = kills.total()
            since, last = task.first + before, task.numbers[-1]
            try:
                yield from site.live(task, before)
            except LossError as loss:
                raise BrokenError(min(since + site.kills.total(), last), str(loss), since) from None
            kills += site.kills
            rows += len(site.ledger.stored)
            unrecorded += site.ledger.unrecorded
    parts = ", ".join(f"{part.value} {kills[part]}" for part in Part)
    told = f"{kills.total()} kills ({parts}) while {rows} rows were written: 0 lost, 0 twice"
    return f"{told}; {unrecorded} taps decided, not yet on disk when their edge died"


PROOF = Proof(
    "what is acknowledged or journalled survives kill -9 of edge, broker or server",
    "processes killed",
    ci=200,
    release=100_000,
    run=run,
    real_time=True,
)
