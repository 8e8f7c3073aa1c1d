"""Where does lgpio make its pipe? Not where the edge happens to be started, which may be no place to write."""

import importlib
import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

MEMORY = Path("/dev/shm")  # noqa: S108 - Linux has it, for everybody, and a disk that refuses every write does not matter


def load_lgpio() -> None:
    """Import it for the first time in this process, before anything else does. Raises ImportError and OSError.

    It makes a pipe in the working directory, opens it, and wants it no more. `LG_WD` is its own setting for another
    directory, in which it stays. So it gets one that is gone afterwards, and the working directory is what it was.
    """
    was = Path.cwd()
    with TemporaryDirectory(prefix="loquet-lgpio-", dir=MEMORY) as folder:
        os.environ["LG_WD"] = folder
        try:
            importlib.import_module("lgpio")
        finally:
            del os.environ["LG_WD"]
            with suppress(PermissionError):  # a folder that this user may not enter is no use either
                os.chdir(was)
