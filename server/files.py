"""How is a bundle or a scenario read from a path? Regular files only: a pipe may stay empty for ever."""

import re
import stat
from pathlib import Path

from policy.errors import BundleError

HANDED = re.compile(r"/dev/stdin|/(dev|proc/self)/fd/[0-9]+")
"""What the shell opened for us, as `... | loquet bundle check /dev/stdin` does: read, whatever it is."""
OTHERS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read(path: Path, what: str) -> bytes:
    """All that the file holds. what: "a bundle" or "a scenario". Raises BundleError."""
    try:
        other = OTHERS.get(stat.S_IFMT(path.stat().st_mode))
        if other is None or HANDED.fullmatch(str(path)):
            return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: no path has a NUL in it
        why = getattr(error, "strerror", None) or error
        raise BundleError(f"{path}: cannot be read ({why}): give the path of {what}") from None
    raise BundleError(f"{path}: is {other}, not a file: give the path of {what}")
