"""Where is the second copy of what an edge goes by? In a file of its own: rules, state and the rest, as in the journal.

The journal is written first and this file after it, so that a power cut or a bad byte takes one of the two at most.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from edge.checksum import LENGTH, checksum
from edge.private import tighten, write_whole


class Copied(msgspec.Struct, frozen=True):
    """journal, turn: as of the journal of which this is a copy. kept: what is kept there, by name."""

    journal: str = ""
    turn: int = 0
    kept: dict[str, bytes] = {}

    def better(self, journal: str, turn: int, kept: Mapping[str, bytes]) -> dict[str, bytes]:
        """The better of what lies here and there: of the later turn, and what is only in one of them."""
        later = self.journal == journal and self.turn > turn
        return {**kept, **self.kept} if later else {**self.kept, **kept}


_decoder = msgspec.msgpack.Decoder(Copied)


class Spare:
    """The file beside a journal."""

    def __init__(self, journal: Path) -> None:
        self.path = journal.with_name(f"{journal.name}.spare")

    def read(self) -> Copied:
        """What lies there; nothing where it is missing or not what was written."""
        with suppress(OSError, msgspec.MsgspecError, ValueError):
            content = self.path.read_bytes()
            if content[:LENGTH] == checksum(content[LENGTH:]):
                return _decoder.decode(content[LENGTH:])
        return Copied()

    def write(self, copied: Copied) -> None:
        """Raises OSError."""
        content = msgspec.msgpack.encode(copied)
        write_whole(self.path, checksum(content) + content)

    def tighten(self) -> None:
        """Make it its owner's alone, whoever put it there."""
        tighten(self.path)
