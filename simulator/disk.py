"""What is left on a disk after a power cut? Only what was synced is sure; of the rest any part may be there, torn.

Contents in memory. A file is what its process sees of it; `after_cut` draws what a new start would find: each unsynced
write survives in pieces of a sector, in any selection, now and then as rubbish; an unsynced truncation may or may not
have happened, and so a new name or a deletion whose folder was not synced. What was synced stays whole. As SQLite does
on Unix, the first sync of a new journal syncs the folder, too (os_unix.c, UNIXFILE_DIRSYNC). Not shown: a disk that
says that it has synced and has not, or that spoils sectors which nobody wrote.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

SECTOR = 512
JOURNALS = ("-journal", "-wal")
RUBBISH = 0.02
"""The share of lost sectors that hold neither old nor new bytes."""


class FullError(Exception):
    """There is no room."""


class PowerCutError(Exception):
    """The power is gone: nothing can be written any more."""


@dataclass(slots=True)
class _File:
    """seen: by the process. sure: as of the last sync. named: its folder was synced. pending: done since, in order."""

    seen: bytearray = field(default_factory=bytearray)
    sure: bytearray = field(default_factory=bytearray)
    named: bool = False
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """(offset, bytes written), or (size, None) for a truncation."""


class Disk:
    """Files by path. cut_after: so many writes and syncs from now on succeed, None for all."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self.files = {
            path: _File(bytearray(content), bytearray(content), named=True) for path, content in (files or {}).items()
        }
        self.cut_after: int | None = None
        self.full: set[str] = set()
        """Beginnings of paths where nothing more can be written."""
        self.works = 0
        """Writes, truncations, syncs and deletions so far."""
        self._deleted: dict[str, _File] = {}

    @property
    def dead(self) -> bool:
        """Whether the power is gone."""
        return self.cut_after is not None and self.works >= self.cut_after

    def exists(self, path: str) -> bool:
        return path in self.files

    def open(self, path: str) -> None:
        """Make the file when it is not there."""
        if path not in self.files:
            self.files[path] = _File()

    def read(self, path: str, offset: int, length: int) -> bytes:
        """What is there, perhaps less than was asked for."""
        return bytes(self.files[path].seen[offset : offset + length])

    def size(self, path: str) -> int:
        return len(self.files[path].seen)

    def write(self, path: str, offset: int, data: bytes) -> None:
        """Raises PowerCutError; what was under way then may have been written in part."""
        file = self.files[path]
        self._begin(path, offset, data)
        _do(file.seen, offset, data)

    def truncate(self, path: str, size: int) -> None:
        file = self.files[path]
        self._begin(path, size, None)
        _do(file.seen, size, None)

    def sync(self, path: str) -> None:
        """All that was done to the file is sure; of a new journal also every name in the folder."""
        self._work()
        file = self.files[path]
        for offset, data in file.pending:
            _do(file.sure, offset, data)
        file.pending = []
        if not file.named and path.endswith(JOURNALS):
            self._sync_folder()

    def delete(self, path: str, *, sure: bool) -> None:
        """sure: the folder is synced, too."""
        self._work()
        file = self.files.pop(path, None)
        if file is not None:
            self._deleted[path] = file
        if sure:
            self._sync_folder()

    def tear(self, prefix: str, luck: Random) -> None:
        """The power of those files alone is gone, whose paths begin like this; they are what a new start finds."""
        kept = luck.choice((0.0, 0.5, 1.0))
        for path in [path for path in self.files if path.startswith(prefix)]:
            content = _torn(self.files.pop(path), luck, kept)
            if content is not None:
                self.files[path] = _File(bytearray(content), bytearray(content), named=True)
        self._deleted = {path: file for path, file in self._deleted.items() if not path.startswith(prefix)}

    def after_cut(self, luck: Random) -> dict[str, bytes]:
        """What a new start finds, by path."""
        kept = luck.choice((0.0, 0.2, 0.5, 0.8, 1.0))
        found = {path: _torn(file, luck, kept) for path, file in self.files.items()}
        for path, file in self._deleted.items():
            if path not in found and luck.random() < 0.5:
                found[path] = _torn(file, luck, kept)
        return {path: content for path, content in found.items() if content is not None}

    def _sync_folder(self) -> None:
        self._deleted.clear()
        for file in self.files.values():
            file.named = True

    def _begin(self, path: str, offset: int, data: bytes | None) -> None:
        """What is under way when the power goes may have been done in part."""
        if data is not None and any(path.startswith(prefix) for prefix in self.full):
            raise FullError
        if not self.dead:
            self.files[path].pending.append((offset, data))
        self._work()

    def _work(self) -> None:
        if self.dead:
            raise PowerCutError
        self.works += 1
        if self.dead:
            raise PowerCutError


def _torn(file: _File, luck: Random, kept: float) -> bytes | None:
    """The file after the cut; None when it is not there."""
    if not file.named and luck.random() >= kept:
        return None
    content = bytearray(file.sure)
    for offset, data in file.pending:
        if data is None:
            if luck.random() < kept:
                _do(content, offset, None)
        else:
            _tear(content, offset, data, lambda: luck.random() < kept, luck)
    return bytes(content)


def _tear(content: bytearray, offset: int, data: bytes, survives: Callable[[], bool], luck: Random) -> None:
    """Write those sectors of the data that survive."""
    start = 0
    while start < len(data):
        end = min(len(data), start + SECTOR - (offset + start) % SECTOR)
        if survives():
            _do(content, offset + start, data[start:end])
        elif luck.random() < RUBBISH:
            _do(content, offset + start, luck.randbytes(end - start))
        start = end


def _do(content: bytearray, offset: int, data: bytes | None) -> None:
    """Write, or with None cut off there."""
    if data is None:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data
