"""Where is written what a bench measures? In the working directory: its disk is the one in question, and no memory.

A run holds a lock on its folder, which ends with the process, however that ends.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = ".loquet-bench-"


@contextmanager
def bench_folder() -> Iterator[Path]:
    """An empty folder that is gone afterwards. What runs that were killed left behind is removed first."""
    for left in Path.cwd().glob(f"{PREFIX}*"):
        with suppress(OSError), _held(left):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=Path.cwd()) as folder, _held(Path(folder)):
        yield Path(folder)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Raises OSError when another process holds it."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)
