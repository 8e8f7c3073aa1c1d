"""Whose are the edge's files? Its user's alone, for they name people. And how is a small one written whole or not?"""

import os
import stat
from contextlib import suppress
from pathlib import Path

SUFFIXES = ("", "-wal", "-shm")
"""Of the files that SQLite makes of one database."""


def tighten(database: Path) -> None:
    """Rights 0600 for a database's files and 0700 for their folder, as far as they are ours to give.

    A folder that is another user's, or everybody's like /tmp, / and what is right below it, stays as it is.
    """
    with suppress(OSError):
        folder = database.parent.stat()
        everybodys = folder.st_mode & stat.S_ISVTX or len(database.parent.resolve().parts) <= 2
        if folder.st_uid == os.geteuid() and not everybodys:
            _give(database.parent, folder.st_mode, 0o700)
    for suffix in SUFFIXES:
        with suppress(OSError):
            file = Path(f"{database}{suffix}")
            _give(file, file.stat().st_mode, 0o600)


def _give(path: Path, mode: int, wanted: int) -> None:
    """Change nothing where nothing has to be changed: the disk may be one that only reads."""
    if stat.S_IMODE(mode) != wanted:
        path.chmod(wanted)


def write_whole(file: Path, content: bytes) -> None:
    """Write a file of rights 0600 that a power cut leaves as it was or as it will be. Raises OSError."""
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Until what was renamed or removed in it is so on the disk, too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
