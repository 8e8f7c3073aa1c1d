"""Files that are whole under their name, or not there: what an update writes must outlive a power cut."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Owner = tuple[int, int]
"""User and group, by number."""


def owner_of(file: Path) -> Owner:
    there = file.stat()
    return there.st_uid, there.st_gid


@contextmanager
def draft_of(target: Path, owner: Owner) -> Iterator[Path]:
    """A file that nobody else reads, to be written: in one step it is the target, or that stays as it was. Its folder
    is made for its owner where it is missing. Raises OSError."""
    draft = target.with_name(f"{target.name}.new")
    try:
        if not draft.parent.exists():
            draft.parent.mkdir(mode=0o700)
            own(draft.parent, owner)
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        yield draft
        own(draft, owner)
        settle(draft)
        os.replace(draft, target)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    settle(target.parent)


def link(name: Path, to: str) -> None:
    """In one step: after a power cut it is the old one or the new one."""
    new = name.with_name(f"{name.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(to)
    os.replace(new, name)
    settle(name.parent)


def own(file: Path, owner: Owner) -> None:
    if os.geteuid() == 0:
        os.chown(file, *owner)


def settle(path: Path) -> None:
    """A file or a folder is on the disk, not only said to be."""
    with suppress(OSError):
        held = os.open(path, os.O_RDONLY)
        os.fsync(held)
        os.close(held)
