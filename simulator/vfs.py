"""How does the real SQLite get a disk that can lose power? As a VFS of it, written with ctypes: sqlite.org/vfs.html.

Python's sqlite3 must use the shared libsqlite3, as Debian's does; where a library is built in, `installed` refuses.
Structures and constants are those of sqlite3.h; locks are kept as in sqlite.org/lockingv3.html, for the connections of
this process.
"""

import ctypes
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_double, c_int, c_int64, c_uint8, c_void_p, cast
from random import Random
from typing import Any, Protocol

from simulator.disk import Disk, FullError, PowerCutError

NAME = "loquet-disk"
LIBRARY = "libsqlite3.so.0"
OK, BUSY, CANTOPEN, NOTFOUND, FULL = 0, 5, 14, 12, 13
SHORT_READ, IOERR_WRITE = 522, 778
SHARED, RESERVED, PENDING, EXCLUSIVE = 1, 2, 3, 4
POWERSAFE_OVERWRITE = 0x1000
SHM_LOCK, SHM_SHARED = 2, 4
LONGEST_PATH = 512


class _Methods(Structure):
    """sqlite3_io_methods, version 2."""


class _Open(Structure):
    """sqlite3_file, and the number of the open file."""

    _fields_ = (("methods", POINTER(_Methods)), ("number", c_int64))


_FILE, _INT64P, _INTP = POINTER(_Open), POINTER(c_int64), POINTER(c_int)
_SIGNATURES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("close", ()),
    ("read", (c_void_p, c_int, c_int64)),
    ("write", (c_void_p, c_int, c_int64)),
    ("truncate", (c_int64,)),
    ("sync", (c_int,)),
    ("file_size", (_INT64P,)),
    ("lock", (c_int,)),
    ("unlock", (c_int,)),
    ("check_reserved", (_INTP,)),
    ("control", (c_int, c_void_p)),
    ("sector_size", ()),
    ("characteristics", ()),
    ("shm_map", (c_int, c_int, c_int, POINTER(c_void_p))),
    ("shm_lock", (c_int, c_int, c_int)),
    ("shm_barrier", ()),
    ("shm_unmap", (c_int,)),
)
_TYPES = {name: CFUNCTYPE(None if name == "shm_barrier" else c_int, _FILE, *types) for name, types in _SIGNATURES}
_Methods._fields_ = (("version", c_int), *((name, _TYPES[name]) for name, _ in _SIGNATURES))


class _Vfs(Structure):
    """sqlite3_vfs, version 1."""


_VFS = POINTER(_Vfs)
_VFS_TYPES: dict[str, Any] = {
    "open": CFUNCTYPE(c_int, _VFS, c_char_p, _FILE, c_int, _INTP),
    "delete": CFUNCTYPE(c_int, _VFS, c_char_p, c_int),
    "access": CFUNCTYPE(c_int, _VFS, c_char_p, c_int, _INTP),
    "full_path": CFUNCTYPE(c_int, _VFS, c_char_p, c_int, POINTER(ctypes.c_char)),
    "dl_open": c_void_p,
    "dl_error": c_void_p,
    "dl_sym": c_void_p,
    "dl_close": c_void_p,
    "randomness": CFUNCTYPE(c_int, _VFS, c_int, POINTER(c_uint8)),
    "sleep": CFUNCTYPE(c_int, _VFS, c_int),
    "current_time": CFUNCTYPE(c_int, _VFS, POINTER(c_double)),
    "last_error": CFUNCTYPE(c_int, _VFS, c_int, c_char_p),
}
_Vfs._fields_ = (
    ("version", c_int),
    ("file_bytes", c_int),
    ("longest_path", c_int),
    ("following", _VFS),
    ("name", c_char_p),
    ("data", c_void_p),
    *_VFS_TYPES.items(),
)


class StaticSqliteError(RuntimeError):
    """This Python brings an SQLite of its own, which cannot be given a disk."""


class _Shared:
    """Locks and shared memory of one path, for all connections to it."""

    def __init__(self) -> None:
        self.levels: dict[int, int] = {}
        self.regions: dict[int, ctypes.Array[ctypes.c_char]] = {}
        self.readers: Counter[int] = Counter()
        self.owner: dict[int, int] = {}
        self.held: dict[int, set[int]] = {}


class _Files:
    """The callbacks, over the disk that is in at the moment."""

    def __init__(self) -> None:
        self.disk = Disk()
        self.luck = Random(0)
        self.open_paths: dict[int, tuple[str, bool]] = {}
        self._shared: dict[str, _Shared] = {}
        self._next = 0
        self._methods = _Methods(2, *(_TYPES[name](_guarded(getattr(self, f"_{name}"))) for name, _ in _SIGNATURES))
        entries = [
            kind(_guarded(getattr(self, f"_vfs_{name}"))) if kind is not c_void_p else None
            for name, kind in _VFS_TYPES.items()
        ]
        self.vfs = _Vfs(1, ctypes.sizeof(_Open), LONGEST_PATH, None, NAME.encode(), None, *entries)

    def put_in(self, disk: Disk, luck: Random) -> None:
        """Use another disk; whoever has files of the old one open sees errors."""
        self.disk, self.luck = disk, luck
        self.open_paths.clear()
        self._shared.clear()

    def forget(self, prefix: str) -> None:
        """Whoever has files open whose paths begin like this sees errors from now on; their locks are gone."""
        for number in [number for number, (path, _) in self.open_paths.items() if path.startswith(prefix)]:
            del self.open_paths[number]
        for path in [path for path in self._shared if path.startswith(prefix)]:
            del self._shared[path]

    # sqlite3_vfs

    def _vfs_open(self, _vfs: Any, name: bytes | None, file: Any, flags: int, out_flags: Any) -> int:
        self._next += 1
        path = name.decode() if name else f"temporary-{self._next}"
        self.disk.open(path)
        self.open_paths[self._next] = path, name is None or bool(flags & 0x08)
        file.contents.methods = ctypes.pointer(self._methods)
        file.contents.number = self._next
        if out_flags:
            out_flags[0] = flags
        return OK

    def _vfs_delete(self, _vfs: Any, name: bytes, sync_folder: int) -> int:
        self.disk.delete(name.decode(), sure=bool(sync_folder))
        return OK

    def _vfs_access(self, _vfs: Any, name: bytes, _flags: int, result: Any) -> int:
        result[0] = int(self.disk.exists(name.decode()))
        return OK

    def _vfs_full_path(self, _vfs: Any, name: bytes, room: int, out: Any) -> int:
        if len(name) + 1 > room:
            return CANTOPEN
        ctypes.memmove(out, name + b"\0", len(name) + 1)
        return OK

    def _vfs_randomness(self, _vfs: Any, count: int, out: Any) -> int:
        ctypes.memmove(out, self.luck.randbytes(count), count)
        return count

    def _vfs_sleep(self, _vfs: Any, microseconds: int) -> int:
        return microseconds

    def _vfs_current_time(self, _vfs: Any, out: Any) -> int:
        out[0] = 2461370.5
        return OK

    def _vfs_last_error(self, _vfs: Any, _room: int, _out: Any) -> int:
        return OK

    # sqlite3_io_methods

    def _path(self, file: Any) -> str:
        return self.open_paths[file.contents.number][0]

    def _close(self, file: Any) -> int:
        number = file.contents.number
        path, passing = self.open_paths.pop(number, ("", False))
        if passing:
            self.disk.files.pop(path, None)
        if path in self._shared:
            self._shared[path].levels.pop(number, None)
        return OK

    def _read(self, file: Any, out: int, length: int, offset: int) -> int:
        data = self.disk.read(self._path(file), offset, length)
        ctypes.memmove(out, data.ljust(length, b"\0"), length)
        return OK if len(data) == length else SHORT_READ

    def _write(self, file: Any, data: int, length: int, offset: int) -> int:
        self.disk.write(self._path(file), offset, ctypes.string_at(data, length))
        return OK

    def _truncate(self, file: Any, size: int) -> int:
        self.disk.truncate(self._path(file), size)
        return OK

    def _sync(self, file: Any, _flags: int) -> int:
        self.disk.sync(self._path(file))
        return OK

    def _file_size(self, file: Any, out: Any) -> int:
        out[0] = self.disk.size(self._path(file))
        return OK

    def _of(self, file: Any) -> tuple[_Shared, int]:
        return self._shared.setdefault(self._path(file), _Shared()), file.contents.number

    def _lock(self, file: Any, level: int) -> int:
        shared, number = self._of(file)
        others = [held for other, held in shared.levels.items() if other != number]
        if shared.levels.get(number, 0) >= level:
            return OK
        if level == SHARED and any(held >= PENDING for held in others):
            return BUSY
        if level == RESERVED and any(held >= RESERVED for held in others):
            return BUSY
        if level == EXCLUSIVE and any(held >= SHARED for held in others):
            shared.levels[number] = PENDING
            return BUSY
        shared.levels[number] = level
        return OK

    def _unlock(self, file: Any, level: int) -> int:
        shared, number = self._of(file)
        shared.levels[number] = min(level, shared.levels.get(number, 0))
        return OK

    def _check_reserved(self, file: Any, out: Any) -> int:
        shared, number = self._of(file)
        out[0] = int(any(held >= RESERVED for other, held in shared.levels.items() if other != number))
        return OK

    def _control(self, _file: Any, _operation: int, _argument: Any) -> int:
        return NOTFOUND

    def _sector_size(self, _file: Any) -> int:
        return 4096

    def _characteristics(self, _file: Any) -> int:
        return POWERSAFE_OVERWRITE

    def _shm_map(self, file: Any, region: int, size: int, _extend: int, out: Any) -> int:
        shared, _ = self._of(file)
        memory = shared.regions.setdefault(region, ctypes.create_string_buffer(size))
        out[0] = cast(memory, c_void_p).value
        return OK

    def _shm_lock(self, file: Any, first: int, count: int, flags: int) -> int:
        shared, number = self._of(file)
        slots, mine = range(first, first + count), shared.held.setdefault(number, set())
        for slot in slots:
            if not flags & SHM_LOCK:
                continue
            taken = shared.owner.get(slot, number) != number
            read = shared.readers[slot] - (slot in mine and slot not in shared.owner)
            if taken or (not flags & SHM_SHARED and read > 0):
                return BUSY
        for slot in slots:
            (_take if flags & SHM_LOCK else _give)(shared, number, slot, bool(flags & SHM_SHARED))
        return OK

    def _shm_barrier(self, _file: Any) -> None:
        return None

    def _shm_unmap(self, file: Any, delete: int) -> int:
        shared, number = self._of(file)
        for slot in list(shared.held.get(number, ())):
            _give(shared, number, slot, slot not in shared.owner)
        if delete:
            shared.regions.clear()
        return OK


def _take(shared: _Shared, number: int, slot: int, reading: bool) -> None:
    mine = shared.held[number]
    if reading and slot not in mine:
        shared.readers[slot] += 1
    if not reading:
        shared.owner[slot] = number
    mine.add(slot)


def _give(shared: _Shared, number: int, slot: int, reading: bool) -> None:
    mine = shared.held[number]
    if slot not in mine:
        return
    mine.discard(slot)
    if reading:
        shared.readers[slot] -= 1
    else:
        shared.owner.pop(slot, None)


def _guarded(act: Callable[..., Any]) -> Callable[..., Any]:
    """An exception cannot pass through SQLite: it is told as an error of the disk."""

    def guarded(*arguments: Any) -> Any:
        try:
            return act(*arguments)
        except FullError:
            return FULL
        except (PowerCutError, KeyError):
            return IOERR_WRITE

    return guarded


_files: _Files | None = None


class Mount(Protocol):
    """A disk that is in."""

    def forget(self, prefix: str) -> None:
        """Whoever has files open whose paths begin like this sees errors from now on; their locks are gone."""


@contextmanager
def installed(disk: Disk, luck: Random) -> Iterator[Mount]:
    """Every SQLite database that this process opens meanwhile lies on this disk. Raises StaticSqliteError."""
    global _files
    library = ctypes.CDLL(LIBRARY)
    library.sqlite3_vfs_find.restype = _VFS
    usual = library.sqlite3_vfs_find(None)
    if _files is None:
        _files = _Files()
    _files.put_in(disk, luck)
    library.sqlite3_vfs_register(byref(_files.vfs), 1)
    try:
        _check_shared()
        yield _files
    finally:
        library.sqlite3_vfs_register(usual, 1)


def _check_shared() -> None:
    try:
        sqlite3.connect(f"file:nothing?vfs={NAME}", uri=True).close()
    except sqlite3.OperationalError as error:
        raise StaticSqliteError(
            f"this Python does not use {LIBRARY} ({error}): take Debian's python3 for `loquet prove power`"
        ) from None
