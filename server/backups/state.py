"""What became of the last copies? A file beside them, for the doctor, the pages and whoever is told of an old one."""

from pathlib import Path

import msgspec
from msgspec import Struct

from server.errors import BackupError

STATE = "state.json"


class Carried(Struct, frozen=True, omit_defaults=True):
    """How a place stands. at: when it last took a copy, RFC 3339. why: what keeps it from that, empty when nothing."""

    at: str | None = None
    why: str = ""


class State(Struct, frozen=True):
    """at: when copying was last tried. why: why there is none of that time. took: seconds. places: by their names."""

    at: str
    why: str = ""
    took: float = 0.0
    places: dict[str, Carried] = {}


def state(folder: Path) -> State | None:
    """None before the first copy, and where it cannot be read."""
    try:
        return msgspec.json.decode((folder / STATE).read_bytes(), type=State)
    except (OSError, msgspec.MsgspecError):
        return None


def note(folder: Path, said: State) -> None:
    """Raises BackupError."""
    draft = folder / f".{STATE}.new"
    try:
        draft.write_bytes(msgspec.json.encode(said))
        draft.replace(folder / STATE)
    except OSError as error:
        raise BackupError(f"{draft}: {error.strerror}: see to room and rights there") from None
