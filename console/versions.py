"""Which versions of Loquet lie in this machine's own folder, and is one newer than what runs? Nobody else is asked."""

import re
from dataclasses import dataclass
from pathlib import Path

from console.finding import Finding, Level, well

FOLDER = Path("/var/lib/loquet-versions")
"""Where whoever keeps the machine puts what ansible/pack made."""
INSTALLED = Path("/opt/loquet").resolve()
"""A version by the id of its archive (firmware_config/install), where it has one."""
PACKED = re.compile(r"loquet-(\d+(?:\.\d+)*)-([0-9a-f]{12})\.tar\.gz")


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive. id: of its content. changed: s since 1970, of the file."""

    file: Path
    number: str
    id: str
    changed: float

    @property
    def name(self) -> str:
        """Of the folder that it is installed in, below /opt."""
        return self.file.name.removesuffix(".tar.gz")

    @property
    def order(self) -> tuple[tuple[int, ...], float]:
        """The higher number is the newer one; of one number the later file."""
        return tuple(int(part) for part in self.number.split(".")), self.changed


def packed(file: Path) -> Packed | None:
    """None for a file that is no version by its name."""
    named = PACKED.fullmatch(file.name)
    return None if named is None else Packed(file, named[1], named[2], file.stat().st_mtime)


def newer(number: str, installed: Path, folder: Path = FOLDER) -> Packed | None:
    """The newest archive, unless it is what is installed, or older. number: of what is installed."""
    found = [one for file in folder.glob("loquet-*.tar.gz") if (one := packed(file)) is not None]
    newest = max(found, key=lambda one: one.order, default=None)
    if newest is None or newest.id in installed.name:
        return None
    since = installed.stat().st_mtime if installed.exists() else 0.0
    mine = Packed(installed, number, "", since).order if re.fullmatch(r"\d+(\.\d+)*", number) else ((), since)
    return newest if newest.order > mine else None


def look(number: str, installed: Path, folder: Path = FOLDER) -> Finding:
    """For a doctor: what runs, and what is there instead."""
    newest = newer(number, installed, folder)
    if newest is None:
        return well("version", number)
    return Finding("version", Level.LOOK, f"{number} runs, {newest.file.name} is there", "sudo loquet update")
