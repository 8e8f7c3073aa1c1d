"""How is a secret put on the disk? Readable by its owner alone from its first byte, and whole or not at all."""

import os
import secrets
from pathlib import Path


def write_secret(file: Path, content: bytes) -> None:
    """Write a file of rights 0600 that a power cut leaves as it was or as it will be. Raises OSError."""
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
    sync_folder(file.parent)


def make_folder(folder: Path) -> None:
    """A folder of rights 0700, whether or not it was there. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def sync_folder(folder: Path) -> None:
    """Until what was renamed or removed in it is so on the disk, too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def make_password(file: Path) -> str:
    """The password in the file; made first when there is none. Raises OSError."""
    if not file.exists():
        write_secret(file, secrets.token_urlsafe(18).encode() + b"\n")
    return file.read_text().strip()
