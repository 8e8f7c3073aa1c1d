"""Run as a program: `python -m tests.support_killed FOLDER ROUNDS SEED`.

Writes a journal in a child process, kills the child at a random instant, and looks at what is on the disk. Prints the
rounds, the rows and how many rows that were reported as synced are missing (or one line for what else is wrong).
"""

import os
import random
import signal
import sys
from pathlib import Path

from edge.journal import Journal
from tests.support_rows import rows


def write(path: Path, pipe: int, seed: int) -> None:
    """The child: rows in transactions of random size, each reported once `append` is back."""
    drawn = random.Random(seed)
    journal = Journal(path)
    while True:
        batch = rows(journal.last_seq + 1, journal.last_seq + drawn.randint(1, 8))
        journal.append(batch)
        os.write(pipe, journal.last_seq.to_bytes(4, "big"))
        if drawn.random() < 0.3:
            journal.acknowledge(drawn.randint(0, journal.last_seq))


def killed(path: Path, drawn: random.Random) -> int:
    """One round: the last row that the child reported before it was killed."""
    readable, writable = os.pipe()
    seed = drawn.randrange(2**32)
    child = os.fork()
    if child == 0:
        try:
            write(path, writable, seed)
        finally:
            os._exit(1)
    os.close(writable)
    reported = b""
    for _ in range(drawn.randint(0, 12)):
        reported += os.read(readable, 4)
    for _ in range(drawn.randint(0, 30_000)):
        pass
    os.kill(child, signal.SIGKILL)
    while rest := os.read(readable, 4096):
        reported += rest
    os.close(readable)
    os.waitpid(child, 0)
    return int.from_bytes(reported[-4:], "big") if reported else 0


def main(folder: Path, rounds: int, seed: int) -> int:
    path, drawn, reported = folder / "journal.db", random.Random(seed), 0
    for number in range(rounds):
        reported = max(reported, killed(path, drawn))
        journal = Journal(path)
        found = [row.seq for row in journal.rows()]
        journal.close()
        if found != list(range(1, len(found) + 1)) or len(found) < reported:
            sys.stdout.write(f"round {number} seed {seed}: {len(found)} rows, {reported} reported\n")
            return 1
    sys.stdout.write(f"rounds {rounds} rows {len(found)} missing 0\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
