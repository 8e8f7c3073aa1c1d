"""`loquet update`: the newest version of this machine's own folder in place of the one that runs, and back."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from console.errors import CommandError
from console.version import version
from console.versions import FOLDER, Packed, newer, packed

if TYPE_CHECKING:
    from loquet.versions.databases import Database
    from loquet.versions.machine import Service

EDGE, SERVER = Path("/etc/loquet/edge.toml"), Path("/etc/loquet/server/server.toml")
OPT = Path("/opt")
ROOM = 500_000_000
"""Bytes that a version takes, with what it stands on."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "archive", nargs="?", type=Path, metavar="FILE", help=f"what ansible/pack made; else the newest in {FOLDER}"
    )
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="a version that is installed already, in place of FILE"
    )
    parser.add_argument(
        "--within", type=float, default=120, metavar="SECONDS", help="how long it has to answer (default 120)"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 when the newest version runs and answers; 1 where the one before runs again, or a session may not be cut.

    Raises CommandError.
    """
    if os.geteuid() != 0:
        raise CommandError("only root may: sudo loquet update")
    part = _part()
    if arguments.to is None:
        installed = (OPT / "loquet").resolve()
        wanted = _wanted(arguments.archive, installed)
        if wanted is None:
            print(f"{version()} runs; nothing newer is in {FOLDER}")
            return 0
        _service(part, arguments.within)  # what keeps it from being updated is said before minutes are spent
        built = _build(wanted, part)
        # The newer version switches: it knows how it is asked.
        words = [str(built / "bin/loquet"), "update", "--to", str(built), "--within", str(arguments.within)]
        os.execv(words[0], words)  # noqa: S606
    if not (arguments.to / "bin/loquet").exists():
        raise CommandError(f"{arguments.to}: no version is installed there")
    return _switch(part, arguments.to, arguments.within)


def _part() -> str:
    found = [part for part, file in (("server", SERVER), ("edge", EDGE)) if file.exists()]
    if len(found) != 1:
        raise CommandError(f"neither {EDGE} nor {SERVER} is there, or both: this updates one server, or one edge")
    return found[0]


def _wanted(archive: Path | None, installed: Path) -> Packed | None:
    if archive is None:
        return newer(version(), installed)
    if not archive.exists() or (named := packed(archive)) is None:
        raise CommandError(f"{archive}: no loquet-VERSION-ID.tar.gz is there; ansible/pack makes one")
    return named


def _build(wanted: Packed, part: str) -> Path:
    """Beside what runs; what was cut short is built anew."""
    folder, source = OPT / wanted.name, OPT / f"{wanted.name}.source"
    if (folder / "whole").exists():
        return folder
    if (free := shutil.disk_usage(OPT).free) < ROOM:
        raise CommandError(f"{free // 1_000_000} MB are free at {OPT}, {ROOM // 1_000_000} are wanted: make room")
    source.mkdir(exist_ok=True)
    unpacks: list[str | Path] = [
        "tar",
        "--extract",
        "--gzip",
        "--no-same-owner",
        "--file",
        wanted.file,
        "--directory",
        source,
    ]
    told = subprocess.run(unpacks, capture_output=True, text=True, check=False)  # noqa: S603
    if told.returncode:  # not by Python's own, which learnt to refuse what would go elsewhere after Debian 12
        raise CommandError(f"{wanted.file}: {told.stderr.strip()}: copy it here once more")
    if subprocess.run([source / "firmware_config/install", part, folder], check=False).returncode:  # noqa: S603
        raise CommandError(f"{wanted.file.name} could not be installed; what runs is as it was")
    (folder / "whole").touch()
    return folder


def _switch(part: str, folder: Path, within: float) -> int:
    from loquet.versions.switch import TriedError, update

    if part == "edge" and _session_runs(folder):
        return 1
    service = _service(part, within)
    before = Path(service.now())
    try:
        changed = update(service, str(folder))
    except TriedError as error:
        print(f"loquet update: {error}", file=sys.stderr)
        return 1
    if changed:
        _tidy({folder, before})
    print(f"{folder} runs, and answers" if changed else f"{folder} runs already")
    return 0


def _tidy(kept: set[Path]) -> None:
    """A card is not filled by versions that nobody goes back to; the one before stays."""
    for old in OPT.glob("loquet-*"):
        if old.is_dir() and not old.is_symlink() and old not in kept:
            shutil.rmtree(old, ignore_errors=True)


def _session_runs(folder: Path) -> bool:
    """Whether one does, or nobody can say: a restart of the edge would cut the power of its machines."""
    asked: list[str | Path] = [folder / "bin/loquet", "edge", "--config", EDGE, "--running"]
    serves = subprocess.run(["systemctl", "is-active", "--quiet", "loquet-edge"], check=False)  # noqa: S607
    if serves.returncode != 0:
        return False
    told = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603
    if told.returncode == 1:
        print(f"{told.stdout.strip()}: nothing is changed meanwhile; give the command again when it has ended")
    elif told.returncode:
        print(
            f"{told.stderr.strip()}: whether a session runs cannot be told, so nothing is changed; when no machine"
            " runs: sudo systemctl stop loquet-edge, and give the command again"
        )
    return told.returncode != 0


def _service(part: str, within: float) -> "Service":
    from loquet.versions.machine import Service, reports, serves

    if part == "edge":
        return Service("loquet-edge", None, lambda: reports("loquet-edge"), within)
    from server.config_file import load
    from server.errors import ServerError

    try:
        config = load(SERVER)
    except ServerError as error:
        raise CommandError(str(error)) from None
    kept = _database(config.database)
    return Service("loquet-server", kept, lambda: serves(config.http_host, config.http_port), within)


def _database(url: str) -> "Database":
    from sqlalchemy.engine import make_url

    from loquet.versions.databases import PROGRAMS, PostgresDatabase, SqliteDatabase
    from loquet.versions.machine import user_of
    from loquet.versions.switch import TriedError

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteDatabase(Path(parsed.database or ""))
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise CommandError(
            f"its database is PostgreSQL, and {' and '.join(missing)}, which copy it before, are not installed:"
            " sudo apt-get install postgresql-client"
        )
    try:
        return PostgresDatabase(parsed, user_of("loquet-server"))
    except TriedError as error:
        raise CommandError(str(error)) from None
