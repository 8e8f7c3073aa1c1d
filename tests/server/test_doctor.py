"""What a look at a server finds, with its remedy; and that it finds nothing where nothing is wrong."""

import shutil
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from console.finding import Finding, Level
from console.version import version
from keys.keyring import Keyring, Site
from server import doctor
from server.backups.ages import name_of
from server.backups.state import Carried, State, note
from server.config import SmtpConfig
from server.config_file import load
from server.database.engine import Database
from server.models import Edge
from simulator.loopback import free_port
from tests.support_server import site_database

pytestmark = pytest.mark.sqlite
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys and a database, made once."""
    folder = tmp_path_factory.mktemp("server")
    ring = Keyring.create(folder / "ring", Site("casaco", "localhost", ("front",)))
    ring.server.rename(folder / "keys")
    database = site_database(folder)
    _all_online(database)
    database.close()
    return folder


@pytest.fixture
def file(built: Path, tmp_path: Path) -> Path:
    """A server.toml beside them, and a copy of the database of this night."""
    folder = tmp_path / "server"
    shutil.copytree(built, folder)
    made = folder / "server.toml"
    made.write_text(f"""
database = "sqlite:///{folder}/loquet.db"
edges = []
[keys]
server = "keys/server.pem"
credential = "keys/credential.hex"
[broker]
host = "127.0.0.1"
port = {free_port()}
ca = "keys/ca.crt"
certificate = "keys/tls.crt"
key = "keys/tls.key"
[backup]
recipient = "{Keyring.open(built / "ring").recipient}"
folder = "{folder}/copies"
copies = ["/media/loquet"]
""")
    (folder / "copies").mkdir()
    (folder / "copies" / name_of(NOW)).touch()
    note(folder / "copies", State(NOW.isoformat(), places={"/media/loquet": Carried(NOW.isoformat())}))
    return made


def _all_online(database: Database) -> None:
    with database.transaction() as session:
        for edge in session.exec(select(Edge)):
            edge.online, edge.since, edge.software, edge.clock = True, NOW, version(), "synced"


def found(file: Path, now: datetime = NOW) -> dict[str, Finding]:
    return {each.about: each for each in doctor.look(file, now)}


def wrong(findings: dict[str, Finding]) -> set[str]:
    assert all(each.remedy or each.level is Level.WELL for each in findings.values())
    return {about for about, each in findings.items() if each.level is not Level.WELL}


def test_a_server_whose_broker_is_away_and_nothing_else(file: Path) -> None:
    findings = found(file)
    assert wrong(findings) == {"broker"}
    assert {"server.toml", "database", "disk", "backup", "edge front", "edge garage", "certificate tls.crt"} <= set(
        findings
    )
    assert "mosquitto" in findings["broker"].remedy


def test_what_edges_said_is_told(file: Path) -> None:
    database = Database(load(file).database)
    with database.transaction() as session:
        front, garage = session.exec(select(Edge).order_by(Edge.id)).all()
        garage.online = False
        front.clock, front.free_disk, front.readers = "unknown", 20, {"front-in": "no answer"}
    database.close()
    said = [each.said for each in doctor.look(file, NOW) if each.about.startswith("edge ")]
    assert said == [
        "its clock is lost",
        "reader front-in: no answer",
        "20 MB free on its disk",
        "away since 2026-11-24 09:00 UTC",
    ]


def test_copies_that_are_late_are_told_here_and_where_they_are_carried(file: Path) -> None:
    later = NOW + timedelta(minutes=16)
    assert wrong(found(file, later)) == {"broker", "backup", "backup at /media/loquet"}
    assert wrong(found(file, NOW + timedelta(minutes=15))) == {"broker"}
    copies = file.parent / "copies"
    (copies / name_of(later)).touch()
    note(copies, State(later.isoformat(), places={"/media/loquet": Carried(NOW.isoformat(), "is the stick in?")}))
    assert wrong(found(file, later)) == {"broker", "backup at /media/loquet"}
    assert found(file, later)["backup at /media/loquet"].said.endswith("2026-11-24 09:00 UTC: is the stick in?")
    for copy in copies.glob("*.age"):
        copy.unlink()
    assert found(file)["backup"].said == "there is no copy"
    copies.rename(file.parent / "elsewhere")
    assert "copies: No such file or directory: make it" in found(file)["backup"].said
    file.write_text(file.read_text().partition("[backup]")[0])
    assert found(file)["backup"].said == "no copies of the database are made"


def test_a_mail_server_that_is_away_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        assert doctor._mail(SmtpConfig("127.0.0.1", there.getsockname()[1], "a@example.org")).level is Level.WELL
    assert doctor._mail(SmtpConfig("127.0.0.1", free_port(), "a@example.org")).level is Level.WRONG


def test_a_mistake_in_the_file_is_all_that_is_said(file: Path) -> None:
    file.write_text(file.read_text() + "colour = 1\n")
    (only,) = doctor.look(file, NOW)
    assert (only.about, only.level) == ("server.toml", Level.WRONG)


def test_a_database_that_is_not_there_is_told(file: Path) -> None:
    (file.parent / "loquet.db").unlink()
    assert "database" in wrong(found(file))
