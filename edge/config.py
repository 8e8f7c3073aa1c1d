"""What hangs on this Pi, and whom does it talk to? edge.toml, read once at start into frozen types.

firmware_config/edge-door.toml and edge-machine.toml are the reference: every key, its unit and its default.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from edge import identity, keys, wiring
from edge.devices.plugs import PlugSetup
from edge.devices.watch import PrinterSetup
from edge.devices.written import Devices, loopback
from edge.hardware.lines import InputSpec, OutputSpec
from edge.identity import Identity
from edge.keys import Keys
from edge.places import Setup, places
from edge.screen import Screen
from edge.tables import Faults, Table, check_id, every, parsed
from edge.wiring import Wires

CHIP_SELECTS = {0: 2, 1: 3}
TLS_PORT, PLAIN_PORT = 8883, 1883
SPI_HZ = (100_000, 10_000_000, 10_000_000)
"""Least, most and default."""
A_READER = "a table for each reader, as [readers.front-in]"


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """Where an MFRC522 hangs: SPI bus and chip select."""

    bus: int
    device: int


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """The MQTT broker. identity: for TLS. Without it the broker is on this machine's loopback, and wants a password."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """All of edge.toml, its keys read and every path absolute or relative to the working directory as the file's is.

    gpiochip: the number of the header's; None to look for it.
    """

    file: Path
    site: str
    edge: str
    keys: Keys
    broker: BrokerConfig
    journal: Path
    readers: Mapping[str, ReaderConfig]
    spi_hz: int
    places: tuple[Setup, ...]
    outputs: tuple[OutputSpec, ...]
    inputs: tuple[InputSpec, ...]
    gpiochip: int | None = None
    printers: tuple[PrinterSetup, ...] = ()
    plugs: tuple[PlugSetup, ...] = ()
    plug_broker: BrokerConfig | None = None
    screen: Screen | None = None


def load(path: Path) -> Config:
    """Read edge.toml, then the key files it names. Raises ConfigError naming file, key, value and remedy of every
    mistake: of edge.toml first, as a wrong path in it would be a missing file, too."""
    top = _top(path)
    site, edge = _id(top, "site", "the site's id, as the server knows it"), _id(top, "edge", "this edge's id")
    spi_hz, gpiochip = _spi_hz(top), _gpiochip(top)
    journal = top.table("journal", "where the journal lies")
    journal_path = path.parent / journal.text("path", "the journal's file")
    journal.done()
    shown = _screen(top)
    ours = _keys(top.table("keys", "the key files"))
    broker = _broker(top.table("broker", "the MQTT broker"), edge, site)
    plug_broker = _plug_broker(top, edge, site)
    reader_tables, wires, devices = top.tables("readers", A_READER), Wires(), Devices()
    read = _readers(reader_tables)
    served = places(top, tuple(reader_tables), wires, devices)
    for name, table in reader_tables.items():
        wiring.lamps(name, table, wires)
        table.done()
    if devices.plugs and not top.has("plug_broker"):
        top.note("plug_broker", "[plug_broker] is missing: add the broker that the plugs are connected to")
    top.done()
    wires.check(reader.bus for reader in read.values())
    top.faults.tell()
    held, reached, plugs_reached, printers = every(ours, broker, plug_broker, devices.printers)
    return Config(
        path,
        site,
        edge,
        held,
        reached,
        journal_path,
        read,
        spi_hz,
        served,
        wires.outputs,
        wires.inputs,
        gpiochip,
        printers,
        tuple(devices.plugs),
        plugs_reached,
        shown,
    )


def readers(path: Path) -> tuple[dict[str, ReaderConfig], int, int | None]:
    """The readers of an edge.toml, their SPI clock, Hz, and gpiochip: what a probe needs, before there are keys.

    Raises ConfigError.
    """
    top = _top(path)
    found = _readers(top.tables("readers", A_READER)), _spi_hz(top), _gpiochip(top)
    top.faults.tell()
    return found


def _top(path: Path) -> Table:
    whole = parsed(path, "the path of an edge.toml")
    return Table(Faults(path, whole), "", whole)


def _spi_hz(top: Table) -> int:
    return top.whole("spi_hz", "the SPI clock in Hz", *SPI_HZ)


def _gpiochip(top: Table) -> int | None:
    top.optional("gpiochip")
    return top.whole("gpiochip", "the number of the header's /dev/gpiochip", 0, 255) if top.has("gpiochip") else None


def _id(table: Table, key: str, hint: str) -> str:
    written = table.text(key, hint)
    if written:
        check_id(table, key, key, written)
    return written


def _screen(top: Table) -> Screen | None:
    """None for a door without one."""
    top.optional("screen")
    if not top.has("screen"):
        return None
    table = top.table("screen", "the page for a screen at the door")
    path, name = table.text("path", "where the page is written"), table.text("name", "what the place is called on it")
    zone = table.text("timezone", "the site's time zone, as Europe/Paris")
    table.done()
    try:
        known = ZoneInfo(zone or "UTC")
    except (ValueError, OSError, KeyError):
        table.wrong("timezone", "this machine knows no such zone: write it as Europe/Paris")
        return None
    return Screen(top.faults.folder / path, name, known)


def _keys(table: Table) -> Callable[[], Keys]:
    """What reads the key files, once edge.toml is right. It raises ConfigError."""
    folder = table.faults.folder
    own_file = folder / table.text("own", "the file of this edge's private key")
    server_file = folder / table.text("server", "the file of the server's public key")
    credential_file = folder / table.text("credential", "the file of the site's credential key")
    table.done()

    def read() -> Keys:
        own, server, credential = every(
            lambda: keys.private_key(own_file),
            lambda: keys.public_key(server_file),
            lambda: keys.credential_key(credential_file),
        )
        if own.public_key().public_bytes_raw() == server.public_bytes_raw():
            table.wrong("own", "is the server's own key, which belongs on no edge: copy this edge's folder again")
            table.faults.tell()
        return Keys(own, server, credential)

    return read


def _broker(table: Table, edge: str, site: str) -> Callable[[], BrokerConfig]:
    """What reads the files of certificate or password, once edge.toml is right. It raises ConfigError."""
    host = table.text("host", "the broker's address")
    if table.has("ca"):
        return _with_certificate(table, host, edge, site)
    if host and not loopback(host):
        table.wrong("host", "plain text leaves this machine: give ca, certificate and key, or use 127.0.0.1")
    return _with_password(table, host)


def _plug_broker(top: Table, edge: str, site: str) -> Callable[[], BrokerConfig | None]:
    """The plugs' own, or the site's with lines more in its list. Written as [broker] is."""
    top.optional("plug_broker")
    if not top.has("plug_broker"):
        return lambda: None
    return _broker(top.table("plug_broker", "the plugs' MQTT broker"), edge, site)


def _with_certificate(table: Table, host: str, edge: str, site: str) -> Callable[[], BrokerConfig]:
    port = table.whole("port", "the broker's TCP port", 1, 65535, TLS_PORT)
    ours = _identity(table)
    table.done()

    def read() -> BrokerConfig:
        identity.check(ours, edge, site)
        return BrokerConfig(host, port, edge, "", ours)

    return read


def _with_password(table: Table, host: str) -> Callable[[], BrokerConfig]:
    """Beside a host that wants a certificate no missing password is told: which of the two was meant is not known."""
    wanted = table if table.sound else table.absent("")
    port = table.whole("port", "the broker's TCP port", 1, 65535, PLAIN_PORT)
    username = wanted.text("username", "the broker's user name for this edge")
    file = table.faults.folder / wanted.text("password_file", "the file of the broker's password")
    wanted.done()
    return lambda: BrokerConfig(host, port, username, keys.password(file))


def _identity(table: Table) -> Identity:
    folder = table.faults.folder
    return Identity(
        folder / table.text("ca", "the file of the site's authority, ca.crt"),
        folder / table.text("certificate", "the file of this edge's certificate, tls.crt"),
        folder / table.text("key", "the file of that certificate's key, tls.key"),
    )


def _readers(tables: Mapping[str, Table]) -> dict[str, ReaderConfig]:
    """Those that are well written."""
    found: dict[str, ReaderConfig] = {}
    for name, table in tables.items():
        check_id(table, "", "reader", name, f"[{table.where}]: ")
        bus = table.whole("bus", "the SPI bus", 0, max(CHIP_SELECTS), 0)
        selects = CHIP_SELECTS[bus] if table.sound else max(CHIP_SELECTS.values())
        reader = ReaderConfig(bus, table.whole("device", "the chip select", 0, selects - 1))
        other = next((other for other, known in found.items() if known == reader), None)
        if other is not None and table.sound:
            taken = f"readers.{other} is on chip select {reader.device} of bus {bus} already"
            table.wrong("device", f"{taken}: use another")
        if table.sound:
            found[name] = reader
    return found
