"""What hangs at a new Pi, as its installer says it: a TOML or JSON file, or the answers to a few questions.

firmware_config/answers.toml is the reference of every key.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.config import CHIP_SELECTS
from edge.places import A_DOOR, A_MACHINE, MOST_MACHINES
from edge.setup.header import LINES, MODELS
from edge.tables import ConfigError, Faults, Table, check_id, parsed

CLOCKS = ("ds3231", "own", "own-rechargeable", "none")
BUSES = ("uart", "i2c")
INPUTS = ("contact", "rex", "fire")
MOST_READERS = sum(CHIP_SELECTS.values())
SIDES = "1 outside, or 2, outside and inside"
HOST = re.compile(r"[A-Za-z0-9.:-]+")
LOGIN = re.compile(r"[a-z][a-z0-9-]{0,31}")
SSH_KEY = re.compile(r"(ssh-ed25519|ecdsa-sha2-nistp256|ssh-rsa) [A-Za-z0-9+/=]+( [\w.@-]+)?")
ZONE = re.compile(r"[A-Za-z]+(/[A-Za-z_+-]+)*")


@dataclass(frozen=True, slots=True)
class Place:
    """A door or a machine, as `kind` says. readers: by the name of each, what stands before its signals' names.
    inputs: what it has of INPUTS, or its emergency stop. relay_active_high: whether a high level pulls its strike or
    interlock. lines: signals that the installer put on a line of their choice. pulse: a monostable hangs there."""

    kind: str
    name: str
    readers: Mapping[str, str]
    inputs: tuple[str, ...]
    lamp: bool
    buzzer: bool
    relay_active_high: bool
    lines: Mapping[str, int]
    fail: str = ""
    pulse: bool = False

    @property
    def where(self) -> str:
        """Its table, in the answers as in edge.toml."""
        return f"{self.kind}.{self.name}"

    @property
    def relay(self) -> str:
        return "strike" if self.kind == "door" else "interlock"


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
    places: tuple[Place, ...]
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
        _places(top),
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
        check_id(table, key, key, written)
    return written


def _host(top: Table) -> str:
    host = top.text("broker", "the broker's host name or address, as its certificate has it")
    if host and not HOST.fullmatch(host):
        top.wrong("broker", "write a host name or an address alone, as broker.lan")
    return host


def _in_use(top: Table, clock: str) -> tuple[str, ...]:
    """A DS3231 is on I²C."""
    named = top.words("in_use", BUSES)
    return tuple(bus for bus in BUSES if bus in named or (bus == "i2c" and clock == "ds3231"))


def _places(top: Table) -> tuple[Place, ...]:
    """The door, then the machines."""
    top.optional("door", "machine")
    machines = top.tables("machine", A_MACHINE) if top.has("machine") else {}
    doors = top.tables("door", A_DOOR) if top.has("door") or not machines else {}
    if len(doors) > 1:
        top.note("door", f"doors {', '.join(doors)}: an edge serves one door; give the others their own")
    if len(machines) > MOST_MACHINES:
        top.note("machine", f"machines {', '.join(machines)}: an edge serves {MOST_MACHINES} at most")
    taken = {*doors, *(f"{door}-{side}" for door in doors for side in ("in", "out"))}
    for name in taken & machines.keys():
        top.note("machine", f"[machine.{name}]: the door, or a reader of it, is called so; give one of them another id")
    sides = {name: table.whole("readers", SIDES, 1, 2, 2) for name, table in doors.items()}
    readers = len(machines) + sum(sides.values())
    if readers > MOST_READERS:
        top.note("machine", f"{readers} readers: a header has {MOST_READERS} places for one; use a second Pi")
    buzzer = readers <= 2  # a third reader's bus takes the lines of the buzzers
    return (
        *(_door(name, table, sides[name], buzzer) for name, table in doors.items()),
        *(_machine(name, table, buzzer) for name, table in machines.items()),
    )


def _door(name: str, table: Table, readers: int, buzzer: bool) -> Place:
    check_id(table, "", "door", name)
    door = Place(
        "door",
        name,
        {f"{name}-{side}": f"{side}_" for side in ("in", "out")[:readers]},
        tuple(key for key in INPUTS if table.flag(key, key != "fire")),
        table.flag("lamp", True),
        table.flag("buzzer", buzzer),
        table.flag("relay_active_high", True),
        _lines(table),
        table.choice("fail", ("secure", "safe"), "secure"),
    )
    table.done()
    return door


def _machine(name: str, table: Table, buzzer: bool) -> Place:
    """Its relay is active high: another would be on while the Pi is off."""
    check_id(table, "", "machine", name)
    machine = Place(
        "machine",
        name,
        {name: ""},
        ("estop",) if table.flag("estop", True) else (),
        table.flag("lamp", True),
        table.flag("buzzer", buzzer),
        True,
        _lines(table),
        pulse=table.flag("pulse", False),
    )
    table.done()
    return machine


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
