"""How worn is a card, or another flash disk? As far as the kernel says it: memory cards do not, soldered ones do."""

import os
from contextlib import suppress
from pathlib import Path

STEP = 10
"""Percent that one step of a life time estimate means (JEDEC eMMC: 0x01 is up to 10 %, 0x0B more than all of it)."""
WORN, WORN_OUT = 80, 100
"""Percent from which on it is to be replaced soon, and at once."""


def wear(folder: Path, devices: Path = Path("/sys/dev/block")) -> int | None:
    """Percent of the life of the disk below a folder that are used up, 110 for more than all of it.

    None where nobody says so. devices: by major and minor number.
    """
    with suppress(OSError, ValueError):
        lies_on = os.stat(folder).st_dev
        disk = (devices / f"{os.major(lies_on)}:{os.minor(lies_on)}").resolve(strict=True)
        if (disk / "partition").exists():
            disk = disk.parent
        steps = [int(word, 16) for word in (disk / "device/life_time").read_text("ascii").split()]
        return max(steps) * STEP or None
    return None
