"""Where do a proof's files lie? In memory where the system has that: what power takes, a simulated disk decides."""

from pathlib import Path
from tempfile import TemporaryDirectory

MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - a disk that forgets is what a proof wants


def passing_folder(name: str) -> "TemporaryDirectory[str]":
    """Gone when it is left. On a real disk the waiting for it would take most of a proof's time."""
    return TemporaryDirectory(prefix=f"loquet-{name}-", dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None)
