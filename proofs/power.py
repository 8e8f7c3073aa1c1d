"""Does a power cut lose anything that was promised? The real SQLite on a disk that keeps only what was synced.

Each round is a story of one to three lives, each ended by a cut at a random write or sync: of an edge's journal in even
rounds, of the server's database in odd ones.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Protocol

from console.errors import CommandError
from proofs.cut_database import CutDatabase
from proofs.cut_journal import CutJournal
from proofs.folders import passing_folder
from proofs.proof import BrokenError, LossError, Proof, Rounds, Task
from simulator.disk import Disk
from simulator.vfs import StaticSqliteError, installed

MOST_LIVES = 3
MOST_WORKS = 120
"""Writes and syncs in a life: some ten transactions. Many a life ends while its files are still being opened."""


class Story(Protocol):
    """What is cut: lives on the disk that is installed, and knows what it was promised."""

    files: dict[str, bytes]
    """What lies on the disk when a life begins."""

    def live(self, luck: Random, disk: Disk) -> None:
        """Check what is there, then work until the power is gone. Raises LossError; any error once it is gone."""

    def check(self) -> None:
        """Look at what is there, now that it is over. Raises LossError."""


def run(task: Task) -> Rounds:
    cuts = 0
    with passing_folder("power") as folder:
        for done, number in enumerate(task.numbers, 1):
            story: Story = (CutDatabase if number % 2 else CutJournal)(Path(folder))
            try:
                cuts += play(story, task.random(number))
            except LossError as loss:
                raise BrokenError(number, str(loss)) from None
            except StaticSqliteError as error:
                raise CommandError(str(error)) from None
            yield done
    return f"{cuts} power cuts in {task.rounds} stories: 0 lost, 0 twice, 0 corrupt"


def play(story: Story, luck: Random) -> int:
    """One story; how often the power was cut. Raises LossError."""
    lives = luck.randint(1, MOST_LIVES)
    for _ in range(lives):
        disk = Disk(story.files)
        disk.cut_after = luck.randint(1, MOST_WORKS)
        with installed(disk, luck), _believed(disk):
            story.live(luck, disk)
        story.files = disk.after_cut(luck)
    disk = Disk(story.files)
    with installed(disk, luck), _believed(disk):
        story.check()
    return lives


@contextmanager
def _believed(disk: Disk) -> Iterator[None]:
    """Once the power is gone anything may fail; before, any error is a loss."""
    try:
        yield
    except LossError:
        raise
    except Exception as error:
        if not disk.dead:
            raise LossError(f"with power on it broke down: {type(error).__name__}: {error}") from error


PROOF = Proof("a power cut loses nothing that was promised", "stories of power cuts", ci=1_000, release=30_000, run=run)
