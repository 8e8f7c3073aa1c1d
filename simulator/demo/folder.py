"""What lies in the demo's folder? Keys, passwords, configurations, and how far its invented time has come."""

import fcntl
import os
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from console.errors import CommandError
from edge.devices.http import Address
from keys.keyring import Keyring
from keys.secret_files import make_password, write_secret
from policy.terms import Instant
from server.passwords import new_password, new_token
from simulator.demo import casaco

Kept = TypeVar("Kept", bound=Struct)

EDGE, WORKSHOP = "front", "fablab"
EDGES = (EDGE, WORKSHOP)
"""The front door's, and that of the garage: its own door and the machines."""
DAY_STARTS = timedelta(hours=7, minutes=55)
"""Local time at which a fresh demo begins: just before the first people come."""
FIRST_SPEED = 60
LEASE = 3
"""Real seconds for which the state on disk reaches ahead: a demo that is killed never lives an instant twice."""

EDGE_TOML = """\
# One of the demo's edges. Written anew at each start; the samples in firmware_config/ explain the keys.
site = "{site}"
edge = "{edge}"

[keys]
own = "keys/edges/{edge}/edge.pem"
server = "keys/edges/{edge}/server.pub.pem"
credential = "keys/edges/{edge}/credential.hex"

[broker]
host = "127.0.0.1"
port = {port}
username = "{edge}"
password_file = "keys/{edge}.password"

[journal]
path = "{journal}"

"""
DOOR_TOML = """\
[readers]
front-in = { device = 0, green = { line = 5 }, red = { line = 6 }, buzzer = { line = 13 } }
front-out = { device = 1, green = { line = 16 }, red = { line = 20 }, buzzer = { line = 21 } }

[door.front]
reader_in = "front-in"
reader_out = "front-out"
strike_seconds = 5
held_after = 60
strike = { line = 17 }
contact = { line = 22, active_low = false }
rex = { line = 23 }
fire = { line = 24, active_low = false }
"""
WORKSHOP_TOML = """\
[readers]
cnc-tap = { device = 0, green = { line = 4 }, red = { line = 5 }, buzzer = { line = 14 } }
printer-1-tap = { device = 1, green = { line = 6 }, red = { line = 12 } }
printer-2-tap = { bus = 1, device = 0, green = { line = 13 }, red = { line = 26 } }
garage-in = { bus = 1, device = 1, green = { line = 27 }, red = { line = 3 } }

[door.garage]
reader_in = "garage-in"
strike = { line = 15 }

[machine.cnc]
reader = "cnc-tap"
interlock = { line = 24 }
estop = { line = 2 }

[machine.printer-1]
reader = "printer-1-tap"
interlock = { line = 22 }
estop = false

[machine.printer-2]
reader = "printer-2-tap"
interlock = { line = 23 }
estop = false
"""
PRINTER_TOML = """
[machine.{machine}.printer]
kind = "{kind}"
url = "http://{host}:{port}"
key_file = "{key}"
"""
PRINTER_KEY = "keys/printer.key"
HANGS = {EDGE: ("journal.db", DOOR_TOML), WORKSHOP: ("fablab.db", WORKSHOP_TOML)}
"""Of each edge its journal, and what hangs on it."""


def edge_toml(edge: str, broker_port: int) -> str:
    """The edge.toml of one of EDGES, as text."""
    journal, parts = HANGS[edge]
    return EDGE_TOML.format(site=casaco.SITE.id, edge=edge, port=broker_port, journal=journal) + parts


class State(Struct, frozen=True, forbid_unknown_fields=True):
    """start: the first day. now: ms since 1970 UTC, not reached before by anybody. seed: of the people."""

    start: date
    seed: int
    now: Instant
    speed: int


class Login(Struct, frozen=True, forbid_unknown_fields=True):
    """What the demo prints at each start; a real server keeps hashes only."""

    name: str
    password: str
    token: str


class Folder:
    """The folder, locked until it is closed. Raises CommandError when another demo runs in it, or its state is bad."""

    def __init__(self, path: Path, *, reset: bool, today: date) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_ours()
            self._lock: int | None = self._locked()
        except OSError as error:
            raise CommandError(_unusable(path, error)) from None
        try:
            if reset:
                self._empty()
            self.state = self._state(today)
            self.login = self._login()
            self.keys = Keyring.ensure(path / "keys", casaco.SITE.id, *EDGES)
        except OSError as error:
            self.close()
            raise CommandError(_unusable(path, error)) from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another demo have it. Harmless when it is closed already."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    @property
    def fresh(self) -> bool:
        """Whether nothing has happened here yet."""
        return not (self.path / "server.db").exists()

    @property
    def lived(self) -> Instant:
        """Until when at least the demo was lived."""
        return self.state.now - LEASE * 1000 * self.state.speed

    def password(self, user: str) -> str:
        """A broker account's password."""
        return make_password(self.keys.folder / f"{user}.password")

    def write_edge_toml(self, edge: str, broker_port: int) -> Path:
        """An edge's configuration; its broker is at the other end of the demo's cable."""
        self.password(edge)
        file = self.path / ("edge.toml" if edge == EDGE else f"{edge}.toml")
        file.write_text(edge_toml(edge, broker_port), "utf-8")
        return file

    def write_printer(self, edge_toml: Path, machine: str, kind: str, address: Address) -> None:
        """The program to ask at this machine, into its edge's configuration."""
        write_secret(self.path / PRINTER_KEY, address.key.encode())
        told = PRINTER_TOML.format(machine=machine, kind=kind, host=address.host, port=address.port, key=PRINTER_KEY)
        edge_toml.write_text(edge_toml.read_text("utf-8") + told, "utf-8")

    def save(self, now: Instant, speed: int, *, running: bool) -> None:
        """Note how far time has come; while it runs, with what may come before it is noted again."""
        ahead = LEASE * 1000 * speed if running else 0
        self.state = State(self.state.start, self.state.seed, now + ahead, speed)
        _write(self.path / "state.json", self.state)

    def _check_ours(self) -> None:
        """A reset empties the folder: it must never have held anything else."""
        held = {entry.name for entry in self.path.iterdir()} - {"lock"}
        if held and not held & {"login.json", "state.json"}:
            raise CommandError(
                f"{self.path}: holds {min(held)} and no demo: give --dir an empty folder, or one that is not there yet"
            )

    def _locked(self) -> int:
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise CommandError(
                f"{self.path}: another demo runs in this folder: end it, or give --dir another"
            ) from None
        return lock

    def _empty(self) -> None:
        """Forget everything but the lock."""
        for entry in self.path.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != "lock":
                entry.unlink()

    def _state(self, today: date) -> State:
        file = self.path / "state.json"
        if file.exists():
            return _read(file, State)
        start = casaco.first_day(today)
        midnight = datetime.combine(start, datetime.min.time(), ZoneInfo(casaco.SITE.timezone))
        return State(start, casaco.SEED, round((midnight + DAY_STARTS).timestamp() * 1000), FIRST_SPEED)

    def _login(self) -> Login:
        file = self.path / "login.json"
        if not file.exists():
            _write(file, Login("equipe", new_password(), new_token()))
        return _read(file, Login)


def _unusable(path: Path, error: OSError) -> str:
    why = f"{error.filename or path}: {error.strerror or error}"
    return f"{path} cannot hold the demo ({why}): make room and rights there, or give --dir another folder"


def _write(file: Path, value: State | Login) -> None:
    write_secret(file, msgspec.json.encode(value))


def _read(file: Path, kind: type[Kept]) -> Kept:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except msgspec.MsgspecError as error:
        raise CommandError(f"{file}: {error}: start afresh with --reset (make demo RESET=1)") from None
