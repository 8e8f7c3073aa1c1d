"""Is it still what was written? Beside each thing on the disk lie four bytes that say so: a CRC-32 of it.

SQLite sees that a page's structure is broken, and not that a letter in it is another.
"""

import re
import zlib
from collections.abc import Iterator

LENGTH = 4
MOST = 1024
"""Bytes of a row that lies in one page, and so in one piece."""
_BEGIN = re.compile(rb'\{"seq":')


def checksum(*parts: bytes | str | int | None) -> bytes:
    """Of the parts together, each ended by a zero byte but the last."""
    return zlib.crc32(b"\0".join(part if isinstance(part, bytes) else str(part).encode() for part in parts)).to_bytes(
        LENGTH
    )


def is_whole(kept: object, *parts: object) -> bool:
    """Whether the parts are what `kept` was made of."""
    written = all(part is None or isinstance(part, bytes | str | int) for part in parts)
    return written and kept == checksum(*parts)  # type: ignore[arg-type]


def carved(raw: bytes) -> Iterator[bytes]:
    """The rows of a journal that lie whole in raw bytes of its files, each behind its `{` and before its checksum.

    Rows of others have more than their bytes in their checksums, and so are none here.
    """
    for found in _BEGIN.finditer(raw):
        start = end = found.start()
        while (end := raw.find(b"}", end, start + MOST) + 1) > 0:
            row = raw[start:end]
            if raw[end : end + LENGTH] == checksum(row):
                yield row
                break
