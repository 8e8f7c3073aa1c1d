"""Does a damaged disk keep a door shut, or lose what could be read? A byte is changed, or a sector torn, and it starts.

A round is a damage to one file of an edge: its journal, the log beside it, or the second copy of what is kept.
"""

import zlib
from pathlib import Path
from random import Random

from proofs.damaged import TOPICS, Believing, Left, Life, evening
from proofs.folders import passing_folder
from proofs.proof import BrokenError, LossError, Proof, Rounds, Task, quietly
from simulator.clock import VirtualClock
from simulator.disk import SECTOR
from wire.errors import WireError
from wire.row import decode

EVENINGS = 100
"""Rounds on the files of one evening."""
AGAIN = "again"
"""The boot that finds the damage."""
TORN = 0.2
"""The share of rounds in which a whole sector is not what was written."""


def run(task: Task) -> Rounds:
    told = 0
    with quietly("loquet.edge"), passing_folder("damage") as folder:
        left: dict[int, Left] = {}
        for done, number in enumerate(task.numbers, 1):
            one = number // EVENINGS
            if one not in left:
                left = {one: evening(_fresh(Path(folder)), Random(f"{task.seed}/evening/{one}"), orderly=one % 3 == 2)}
            try:
                told += damaged(left[one], task.random(number), _fresh(Path(folder)))
            except LossError as loss:
                raise BrokenError(number, str(loss)) from None
            yield done
    return f"{task.rounds} damages: 0 that did not start, 0 readable rows lost of {told}, 0 refusals of staff, 0 twice"


def _fresh(folder: Path) -> Path:
    made = folder / "edge"
    made.mkdir(mode=0o700)
    return made


def damaged(left: Left, luck: Random, folder: Path) -> int:
    """Damage a file, start, look; how many rows could be read. Raises LossError."""
    files = dict(left.files)
    name = luck.choice(sorted(files)) if luck.random() < 0.5 else _by_size(files, luck)
    files[name], where = _damage(files[name], luck)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    readable = [row for row in left.rows if any(_sealed(row) in content for content in files.values())]
    try:
        _look(left, folder, readable)
    except LossError as loss:
        raise LossError(f"{name}, {where}: {loss}") from None
    except Exception as error:
        raise LossError(f"{name}, {where}: {type(error).__name__}: {error}") from error
    finally:
        _remove(folder)
    return len(readable)


def _sealed(row: bytes) -> bytes:
    """A row as it lies on the disk, its checksum behind it (edge/checksum.py)."""
    return row + zlib.crc32(row).to_bytes(4)


def _damage(content: bytes, luck: Random) -> tuple[bytes, str]:
    """The file, and what was done to it in words."""
    at = luck.randrange(len(content))
    if luck.random() >= TORN:
        bit = 1 << luck.randrange(8)
        return content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :], f"byte {at} ^ {bit}"
    start = at - at % SECTOR
    size = min(SECTOR, len(content) - start)
    other = luck.choice((bytes(size), luck.randbytes(size), content[:size]))
    return content[:start] + other + content[start + size :], f"sector at {start}"


def _by_size(files: dict[str, bytes], luck: Random) -> str:
    names = sorted(files)
    return luck.choices(names, [len(files[name]) for name in names])[0]


def _look(left: Left, folder: Path, readable: list[bytes]) -> None:
    """It starts, lets staff in by the rules that it had, does no order twice, and tells all. Raises LossError."""
    life = Life(folder, VirtualClock(left.at + 2000, wake_ns=0), Believing(left.stored), AGAIN)
    try:
        core = life.edge.control.controller.core
        _expect(not life.pins.is_active("strike"), "the start opened the door")
        life.say(TOPICS.command("front"), left.command)
        _expect(not life.pins.is_active("strike"), "an order was carried out a second time")
        _expect(core.held is not None and core.held.version == left.rules, "the rules are lost")
        _expect(core.knowledge.version == left.state, "the state is lost")
        _expect(life.tap("alice"), "staff was refused")
        _expect(life.tell_all(), "not all rows reach the server")
        _compare(left, life.server, readable)
    finally:
        life.edge.storage.writer.close()


def _compare(left: Left, server: Believing, readable: list[bytes]) -> None:
    stored = server.stored[left.journal]
    for row in readable:
        seq = left.rows.index(row) + 1
        _expect(len(stored) >= seq and stored[seq - 1] == row, f"row {seq} could be read and is lost")
    for seq, (row, written) in enumerate(zip(stored, left.rows, strict=False), 1):
        _expect(row == written or _boot(row) in (AGAIN, None), f"row {seq} was told, and is not what was written")
    others = [row for journal, rows in server.stored.items() if journal != left.journal for row in rows]
    _expect(not any(_unnumbered(row) in map(_unnumbered, left.rows) for row in others), "a row was told twice")


def _boot(raw: bytes) -> str | None:
    """Of what is no row that can be believed, None."""
    try:
        return decode(raw, "").boot
    except WireError:
        return None


def _unnumbered(row: bytes) -> bytes:
    return row.partition(b",")[2]


def _expect(true: bool, what: str) -> None:
    if not true:
        raise LossError(what)


def _remove(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


PROOF = Proof(
    "a damaged disk keeps no door from deciding and loses nothing that can be read",
    "damages",
    ci=300,
    release=10_000,
    run=run,
)
