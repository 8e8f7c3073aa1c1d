"""What hangs at a new Pi, as its installer says it: a TOML or JSON file, or the answers to a few questions.

firmware_config/answers.toml is the reference of every key.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.setup.header import LINES, MODELS
from edge.tables import ConfigError, Faults, Table, parsed
from wire.errors import WireError
from wire.topics import check_id

CLOCKS = ("ds3231", "own", "own-rechargeable", "none")
BUSES = ("uart", "i2c")
INPUTS = ("contact", "rex", "fire")
HOST = re.compile(r"[A-Za-z0-9.:-]+")
LOGIN = re.compile(r"[a-z][a-z0-9-]{0,31}")
SSH_KEY = re.compile(r"(ssh-ed25519|ecdsa-sha2-nistp256|ssh-rsa) [A-Za-z0-9+/=]+( [\w.@-]+)?")
ZONE = re.compile(r"[A-Za-z]+(/[A-Za-z_+-]+)*")


@dataclass(frozen=True, slots=True)
class Door:
    """A door. readers: 1 or 2. inputs: of INPUTS. lines: signals that the installer put on a line of their choice."""

    name: str
    readers: int
    fail: str
    inputs: tuple[str, ...]
    lamp: bool
    buzzer: bool
    relay_active_high: bool
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Admin:
    """Who administers the Pi: a login with a public SSH key, no password. zone: the Pi's time zone."""

    login: str
    ssh_key: str
    zone: str


@dataclass(frozen=True, slots=True)
class Answers:
    """clock: the battery clock, of CLOCKS. in_use: of BUSES, what else the header serves. read_only: the disk."""

    file: Path
    site: str
    edge: str
    broker: str
    pi: str
    clock: str
    in_use: tuple[str, ...]
    read_only: bool
    door: Door
    admin: Admin | None = None


def read(path: Path) -> Answers:
    """Raises ConfigError naming the file and every mistake in it."""
    return answers(path, _json(path) if path.suffix == ".json" else parsed(path, "a file of answers"))


def _json(path: Path) -> dict[str, Any]:
    try:
        whole = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}): give a file of answers") from None
    except ValueError as error:
        raise ConfigError(f"{path}: is no JSON ({error}): mend it there") from None
    if not isinstance(whole, dict):
        raise ConfigError(f"{path}: holds no answers: write them as {{...}}")
    return whole


def answers(path: Path, whole: Mapping[str, Any]) -> Answers:
    """path: what a mistake is said to be in. Raises ConfigError."""
    top = Table(Faults(path, whole), "", whole)
    pi = top.choice("pi", tuple(MODELS), "4")
    clock = top.choice("clock", CLOCKS, usual_clock(pi))
    if clock.startswith("own") and pi != "5":
        top.wrong("clock", f'a {MODELS[pi]} has no battery clock of its own: fit a DS3231, or write "none"')
    found = Answers(
        path,
        _id(top, "site", "the site's id, as the server knows it"),
        _id(top, "edge", "this edge's id"),
        _host(top),
        pi,
        clock,
        _in_use(top, clock),
        top.flag("read_only", False),
        _door(top),
        _admin(top),
    )
    top.done()
    top.faults.tell()
    return found


def usual_clock(pi: str) -> str:
    """The battery clock that a model has, or is given."""
    return "own" if pi == "5" else "ds3231"


def _id(table: Table, key: str, hint: str) -> str:
    written = table.text(key, hint)
    if written:
        _check_id(table, key, key, written)
    return written


def _check_id(table: Table, key: str, what: str, written: str) -> None:
    try:
        check_id(what, written)
    except WireError as error:
        table.note(key, str(error))


def _host(top: Table) -> str:
    host = top.text("broker", "the broker's host name or address, as its certificate has it")
    if host and not HOST.fullmatch(host):
        top.wrong("broker", "write a host name or an address alone, as broker.lan")
    return host


def _in_use(top: Table, clock: str) -> tuple[str, ...]:
    """A DS3231 is on I²C."""
    named = top.words("in_use", BUSES)
    return tuple(bus for bus in BUSES if bus in named or (bus == "i2c" and clock == "ds3231"))


def _door(top: Table) -> Door:
    tables = top.tables("door", "the door of this edge, as [door.front]")
    if len(tables) > 1:
        top.note("door", f"doors {', '.join(tables)}: an edge serves one door; give the others their own")
    name, table = next(iter(tables.items()), ("front", top.absent("door")))
    _check_id(table, "", "door", name)
    door = Door(
        name,
        table.whole("readers", "1 outside, or 2, outside and inside", 1, 2, 2),
        table.choice("fail", ("secure", "safe"), "secure"),
        tuple(key for key in INPUTS if table.flag(key, key != "fire")),
        table.flag("lamp", True),
        table.flag("buzzer", True),
        table.flag("relay_active_high", True),
        _lines(table),
    )
    table.done()
    return door


def _admin(top: Table) -> Admin | None:
    top.optional("admin")
    if not top.has("admin"):
        return None
    table = top.table("admin", "who administers the Pi")
    admin = Admin(
        _matching(table, "login", LOGIN, "a short name in small letters", "admin"),
        _matching(table, "ssh_key", SSH_KEY, "the line of a public key, as ~/.ssh/id_ed25519.pub has it"),
        _matching(table, "zone", ZONE, "a time zone, as Europe/Paris", "Europe/Paris"),
    )
    table.done()
    return admin


def _matching(table: Table, key: str, form: re.Pattern[str], hint: str, default: str = "") -> str:
    if default and not table.has(key):
        table.optional(key)
        return default
    written = table.text(key, hint)
    if written and not form.fullmatch(written):
        table.wrong(key, f"write {hint}")
    return written


def _lines(table: Table) -> dict[str, int]:
    table.optional("lines")
    if not table.has("lines"):
        return {}
    lines = table.table("lines", "signals and their lines, as strike = 17")
    hint = "a GPIO line by its Broadcom number, 17 for GPIO17"
    return {signal: lines.whole(signal, hint, LINES[0], LINES[-1]) for signal in lines.names()}
