"""Which devices does edge.toml name beside a machine? Their keys are files of their own, read last."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from edge import keys
from edge.devices.http import Address
from edge.devices.plug_words import DIALECTS
from edge.devices.plugs import PlugSetup
from edge.devices.printers import KINDS
from edge.devices.watch import PrinterSetup
from edge.tables import ConfigError, Table, every

PORTS = {"http": 80, "https": 443}
A_PLUG = "a plug: its kind and its name"
NAME = re.compile(r"[^+#$/\0](?:[^+#$\0]{0,98}[^+#$/\0])?")
AN_ADDRESS = "the address of the printer's program, as http://127.0.0.1:5000"


class Devices:
    """What edge.toml names, its key files not read yet."""

    def __init__(self) -> None:
        self._printers: list[Callable[[], PrinterSetup]] = []
        self.plugs: list[PlugSetup] = []

    def printer(self, machine: str, table: Table) -> bool:
        """Whether there is a printer at this machine."""
        table.optional("printer")
        if not table.has("printer"):
            return False
        self._printers.append(_printer(machine, table.table("printer", AN_ADDRESS)))
        return True

    def plug(self, machine: str, table: Table) -> bool:
        """Whether a plug stands for this machine's interlock. One beside an interlock only tells watts."""
        table.optional("plug")
        if not table.has("plug"):
            return False
        inner, switches = table.table("plug", A_PLUG), not table.has("interlock")
        kind = inner.choice("kind", tuple(DIALECTS), "tasmota")
        name = inner.text("name", "the plug's topic, or what Zigbee2MQTT calls it")
        if name and not NAME.fullmatch(name):
            inner.wrong("name", "write its topic without +, #, $ or a slash at its ends")
        inner.optional("current_above")
        hint = "the watts from which on the machine is in use"
        above = inner.number("current_above", hint, 1, 10_000, 1) if inner.has("current_above") else None
        inner.done()
        if switches and table.has("printer"):
            inner.note("", f"[{inner.where}]: a printer is never switched by a plug: give its machine an interlock")
        self.plugs.append(PlugSetup(machine, kind, name, switches, above))
        return switches

    def current_above(self, machine: str) -> float | None:
        """From how many watts on the machine's plug tells that current flows, where it is the sensor."""
        return next((one.current_above for one in self.plugs if one.machine == machine), None)

    def printers(self) -> tuple[PrinterSetup, ...]:
        """Raises ConfigError for the key files that cannot be used."""
        return tuple(every(*self._printers))


def _printer(machine: str, table: Table) -> Callable[[], PrinterSetup]:
    """What reads the key file of `[machine.<id>.printer]`. It raises ConfigError."""
    kind = table.choice("kind", tuple(KINDS), "octoprint")
    url = _url(table)
    table.optional("key_file", "user", "ca")
    key = _file(table, "key_file", "the file of its key or password")
    user = table.text("user", "the name that its password is for") if table.has("user") else ""
    ca = _file(table, "ca", "the authority of its certificate")
    if kind == "prusalink" and not (key and user):
        table.note("", f"[{table.where}]: PrusaLink wants user and key_file: it asks for a password")
    elif user and kind != "prusalink":
        table.wrong("user", "only PrusaLink asks for a name: remove it")
    elif kind == "octoprint" and not key:
        table.note("", f"[{table.where}]: OctoPrint wants key_file: an application key with the right STATUS alone")
    elif key and not user and url.scheme == "http" and not loopback(url.hostname or ""):
        table.wrong("url", "the key would leave this machine in plain text: use https://, with ca if it signs its own")
    table.done()
    host, port, tls = url.hostname or "", url.port or PORTS.get(url.scheme, 80), url.scheme == "https"
    return lambda: PrinterSetup(machine, kind, Address(host, port, tls, _key(key), user, _authority(ca)))


def _file(table: Table, key: str, hint: str) -> Path | None:
    return table.faults.folder / table.text(key, hint) if table.has(key) else None


def _url(table: Table) -> SplitResult:
    written = table.text("url", AN_ADDRESS)
    try:
        url = urlsplit(written)
        right = url.scheme in PORTS and bool(url.hostname) and url.port != 0
    except ValueError:
        url, right = urlsplit(""), False
    if written and (not right or url.username is not None or url.path not in ("", "/") or url.query or url.fragment):
        table.note("url", f"{table.name('url')}: write {AN_ADDRESS}, without a path, name or password in it")
        return urlsplit("")
    return url


def loopback(host: str) -> bool:
    """Whether what goes there stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key(path: Path | None) -> str:
    """The key: the file's first line. Raises ConfigError; its message never shows the key."""
    if path is None:
        return ""
    lines = keys.secret(path).decode("utf-8", "replace").splitlines()
    word = lines[0].strip() if lines else ""
    if not word or not word.isascii() or not word.isprintable():
        raise ConfigError(f"{path}: no key in its first line: copy it there again, alone")
    return word


def _authority(path: Path | None) -> Path | None:
    if path is not None:
        keys.read(path)
    return path
