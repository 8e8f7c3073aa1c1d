"""What hangs on this Pi, and whom does it talk to? edge.toml, read once at start into frozen types.

firmware_config/edge-door.toml is the reference: every key, its unit and its default.
"""

import tomllib
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from edge import identity, keys, wiring
from edge.door import DoorSetup
from edge.hardware.lines import InputSpec, OutputSpec
from edge.identity import Identity
from edge.keys import Keys
from edge.machine import MachineSetup
from edge.tables import ConfigError, Table
from policy.syntax import toml_told
from wire.errors import WireError
from wire.topics import check_id

CHIP_SELECTS = {0: 2, 1: 3}
TLS_PORT, PLAIN_PORT = 8883, 1883
SPI_HZ = (100_000, 10_000_000, 10_000_000)
"""Least, most and default."""


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
    places: tuple[DoorSetup | MachineSetup, ...]
    outputs: tuple[OutputSpec, ...]
    inputs: tuple[InputSpec, ...]
    gpiochip: int | None = None


def load(path: Path) -> Config:
    """Read edge.toml and the key files it names. Raises ConfigError naming file, key, value and remedy."""
    top = Table(path, "", _parsed(path))
    site, edge = _id(top, "site", "the site's id, as the server knows it"), _id(top, "edge", "this edge's id")
    spi_hz = top.whole("spi_hz", "the SPI clock in Hz", *SPI_HZ)
    journal = top.table("journal", "where the journal lies")
    journal_path = path.parent / journal.text("path", "the journal's file")
    journal.done()
    reader_tables = top.tables("readers", "a table for each reader, as [readers.front-in]")
    door_table = _only_door(top)
    inputs = wiring.inputs(door_table)
    config = Config(
        path,
        site,
        edge,
        _keys(top.table("keys", "the key files")),
        _broker(top.table("broker", "the MQTT broker"), edge, site),
        journal_path,
        _readers(reader_tables),
        spi_hz,
        (_door(door_table, tuple(reader_tables), inputs),),
        wiring.outputs(door_table, reader_tables),
        inputs,
        _gpiochip(top),
    )
    for table in (*reader_tables.values(), door_table, top):
        table.done()
    buses = [reader.bus for reader in config.readers.values()]
    wiring.check_lines(path, buses, config.outputs, config.inputs)
    return config


def readers(path: Path) -> tuple[dict[str, ReaderConfig], int, int | None]:
    """The readers of an edge.toml, their SPI clock, Hz, and gpiochip: what a probe needs, before there are keys.

    Raises ConfigError.
    """
    top = Table(path, "", _parsed(path))
    spi_hz = top.whole("spi_hz", "the SPI clock in Hz", *SPI_HZ)
    return _readers(top.tables("readers", "a table for each reader, as [readers.front-in]")), spi_hz, _gpiochip(top)


def _gpiochip(top: Table) -> int | None:
    top.optional("gpiochip")
    return top.whole("gpiochip", "the number of the header's /dev/gpiochip", 0, 255) if top.has("gpiochip") else None


def _parsed(path: Path) -> dict[str, object]:
    try:
        text = path.read_bytes().removeprefix(BOM_UTF8)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}): give the path of an edge.toml") from None
    try:
        return tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {toml_told(text, error)}") from None


def _id(table: Table, key: str, hint: str) -> str:
    try:
        return check_id(key, table.text(key, hint))
    except WireError as error:
        raise ConfigError(f"{table.file}: {error}") from None


def _keys(table: Table) -> Keys:
    folder = table.file.parent
    own = keys.private_key(folder / table.text("own", "the file of this edge's private key"))
    server = keys.public_key(folder / table.text("server", "the file of the server's public key"))
    credential = keys.credential_key(folder / table.text("credential", "the file of the site's credential key"))
    table.done()
    if own.public_key().public_bytes_raw() == server.public_bytes_raw():
        raise table.wrong("own", "is the server's own key, which belongs on no edge: copy this edge's folder again")
    return Keys(own, server, credential)


def _broker(table: Table, edge: str, site: str) -> BrokerConfig:
    host = table.text("host", "the broker's address")
    if table.has("ca"):
        port = table.whole("port", "the broker's TCP port", 1, 65535, TLS_PORT)
        ours = _identity(table)
        table.done()
        identity.check(ours, edge, site)
        return BrokerConfig(host, port, edge, "", ours)
    if not _loopback(host):
        raise table.wrong("host", "plain text leaves this machine: give ca, certificate and key, or use 127.0.0.1")
    port = table.whole("port", "the broker's TCP port", 1, 65535, PLAIN_PORT)
    username = table.text("username", "the broker's user name for this edge")
    password = keys.password(table.file.parent / table.text("password_file", "the file of the broker's password"))
    table.done()
    return BrokerConfig(host, port, username, password)


def _identity(table: Table) -> Identity:
    folder = table.file.parent
    return Identity(
        folder / table.text("ca", "the file of the site's authority, ca.crt"),
        folder / table.text("certificate", "the file of this edge's certificate, tls.crt"),
        folder / table.text("key", "the file of that certificate's key, tls.key"),
    )


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _readers(tables: Mapping[str, Table]) -> dict[str, ReaderConfig]:
    readers: dict[str, ReaderConfig] = {}
    for name, table in tables.items():
        _check_reader_name(table, name)
        bus = table.whole("bus", "the SPI bus", 0, max(CHIP_SELECTS), 0)
        device = table.whole("device", "the chip select", 0, CHIP_SELECTS[bus] - 1)
        other = next((other for other, known in readers.items() if known == ReaderConfig(bus, device)), None)
        if other is not None:
            raise table.wrong("device", f"readers.{other} is on chip select {device} of bus {bus} already: use another")
        readers[name] = ReaderConfig(bus, device)
    return readers


def _check_reader_name(table: Table, name: str) -> None:
    try:
        check_id("reader", name)
    except WireError as error:
        raise ConfigError(f"{table.file}: [{table.where}]: {error}") from None


def _only_door(top: Table) -> Table:
    doors = top.tables("door", "the door of this edge, as [door.front]")
    if len(doors) > 1:
        raise ConfigError(f"{top.file}: doors {', '.join(doors)}: an edge serves one door; give the others their own")
    return next(iter(doors.values()))


def _door(table: Table, readers: tuple[str, ...], inputs: tuple[InputSpec, ...]) -> DoorSetup:
    table.optional("reader_out")
    reader_in = _reader_name(table, "reader_in", readers)
    reader_out = _reader_name(table, "reader_out", readers) if table.has("reader_out") else None
    if reader_out == reader_in:
        raise table.wrong("reader_out", "is reader_in already: name the other reader, or leave it out")
    idle = [name for name in readers if name not in (reader_in, reader_out)]
    if idle:
        raise ConfigError(f"{table.file}: [readers.{idle[0]}] is at no door: name it in [{table.where}] or remove it")
    table.choice("fail", ("secure", "safe"), "secure")  # for whoever reads the file: the relay at rest means locked
    wired = {spec.name for spec in inputs}
    return DoorSetup(
        table.where.removeprefix("door."),
        reader_in,
        reader_out,
        table.number("strike_seconds", "seconds for which a grant releases the strike", 0.5, 60, 5),
        table.number("held_after", "seconds for which the door may stand open", 1, 3600, 60),
        has_contact="contact" in wired,
        has_rex="rex" in wired,
        debounce=max((spec.stable_ms for spec in inputs), default=0) / 1000,
    )


def _reader_name(table: Table, key: str, readers: tuple[str, ...]) -> str:
    name = table.text(key, "the name of a reader, as in [readers.front-in]")
    if name not in readers:
        raise table.wrong(key, f"no such reader; the file has {', '.join(readers)}")
    return name
