"""What is wrong with this server, and with the edges as they last said? Read beside the running server."""

import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificate
from sqlmodel import Session, col, select

from console import finding, versions
from console.finding import Finding, Level, well
from console.version import version
from server import identity
from server.backups.settings import BackupConfig
from server.config import ServerConfig, SmtpConfig
from server.config_file import load
from server.database.engine import beside_the_server, files
from server.errors import ServerError
from server.health import copies_of
from server.models import Edge

LITTLE_MB = 200
"""Of an edge's disk."""


def look(file: Path, now: datetime) -> Iterator[Finding]:
    """Everything, the file first."""
    try:
        config = load(file)
    except ServerError as error:
        yield Finding("server.toml", Level.WRONG, str(error), "as it says")
        return
    yield well("server.toml", f"{len(config.edges)} edges")
    yield versions.look(version(), versions.INSTALLED)
    yield from _broker(config, now)
    yield from _database(config)
    yield from _backup(config.backup, now)
    if config.smtp is not None:
        yield _mail(config.smtp)


def _broker(config: ServerConfig, now: datetime) -> Iterator[Finding]:
    ours = config.broker.identity
    yield finding.broker(
        config.broker.host, config.broker.port, None if ours is None else lambda: identity.context(ours)
    )
    if ours is not None:
        ends = load_pem_x509_certificate(ours.certificate.read_bytes()).not_valid_after_utc
        yield finding.certificate(ours.certificate, ends, now)


def _database(config: ServerConfig) -> Iterator[Finding]:
    for stored in files(config.database)[:1]:
        yield finding.disk("disk", stored.parent)
    try:
        with beside_the_server(config.database) as session:
            yield well("database", "it can be read")
            yield from _edges(session)
    except ServerError as error:
        yield Finding("database", Level.WRONG, str(error), "start the server once, or mend its path")


def _edges(session: Session) -> Iterator[Finding]:
    for edge in session.exec(select(Edge).order_by(col(Edge.id))):
        about = f"edge {edge.id}"
        faults = [*_faults(edge)]
        yield from (Finding(about, level, said, remedy) for level, said, remedy in faults)
        if not faults:
            yield well(about, f"there, {edge.software or 'version not said'}")


def _faults(edge: Edge) -> Iterator[tuple[Level, str, str]]:
    """As it last said. Of one that is away nothing else is known to be true."""
    if not edge.online:
        since = f"since {edge.since:%Y-%m-%d %H:%M} UTC" if edge.since else "and never was here"
        yield Level.WRONG, f"away {since}", "loquet doctor on its Pi (docs/operations.md, A Pi is gone)"
        return
    if edge.clock == "unknown":
        yield Level.WRONG, "its clock is lost", "see to its network; fit a battery clock"
    for reader, fault in sorted(edge.readers.items()):
        if fault:
            yield Level.WRONG, f"reader {reader}: {fault}", "cable, 3.3 V, SPI clock (docs/wiring.md)"
    if edge.journal_fault:
        yield Level.WRONG, f"journal: {edge.journal_fault}", "when it comes again, change its card"
    if edge.free_disk is not None and edge.free_disk < LITTLE_MB:
        yield Level.LOOK, f"{edge.free_disk} MB free on its disk", "make room, or a larger card"
    if edge.software and edge.software != version():
        yield Level.LOOK, f"version {edge.software}, the server has {version()}", "ansible-playbook upgrade.yml"


def _backup(config: BackupConfig | None, now: datetime) -> Iterator[Finding]:
    """How old the newest copy is, here and wherever else it is to be."""
    if config is None:
        remedy = "loquet keys list shows the recipient; write [backup] into server.toml (docs/operations.md, Backups)"
        yield Finding("backup", Level.WRONG, "no copies of the database are made", remedy)
        return
    for each in copies_of(config, now):
        about = f"backup at {each.place}" if each.place else "backup"
        said = f"of {each.at:%Y-%m-%d %H:%M} UTC" if each.at else "there is no copy"
        if each.late:
            told = ": ".join(part for part in (f"the newest copy is {said}" if each.at else said, each.why) if part)
            remedy = "sudo loquet server backup says what is wrong; systemctl enable --now loquet-backup.timer"
            yield Finding(about, Level.WRONG, told, remedy)
        else:
            yield well(about, said)


def _mail(smtp: SmtpConfig) -> Finding:
    try:
        with socket.create_connection((smtp.host, smtp.port), finding.PATIENCE):
            return well("mail", f"{smtp.host}:{smtp.port} answers")
    except OSError as error:
        told = f"{smtp.host}:{smtp.port}: {error.strerror or error}"
        return Finding("mail", Level.WRONG, told, "mend host and port in [smtp] of server.toml")
