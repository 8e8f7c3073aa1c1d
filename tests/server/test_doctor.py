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
from policy.terms import ClockState
from proofs.postgres import PEER, Postgres
from server import doctor
from server.backups.ages import name_of
from server.backups.state import Carried, State, note
from server.config import SmtpConfig
from server.config_file import load
from server.database.engine import Database
from server.database.types import moment
from server.health import measure
from server.models import Edge
from simulator.loopback import free_port
from tests.support_pages import Place
from tests.support_server import site_database
from wire.messages import Status

pytestmark = pytest.mark.sqlite
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
ONLY_THERE = {"server.toml", "database", "broker", "disk"}
"""What only somebody at the machine can try; and a disk is never twice as free."""


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
            edge.online, edge.since, edge.software, edge.clock, edge.last_seen = True, NOW, version(), "synced", NOW


def found(file: Path, now: datetime = NOW) -> dict[str, Finding]:
    """Of several about one thing the worst."""
    return {each.about: each for each in sorted(doctor.look(file, now), key=lambda one: list(Level).index(one.level))}


def wrong(findings: dict[str, Finding]) -> set[str]:
    assert all(each.remedy or each.level in (Level.WELL, Level.NOTE) for each in findings.values())
    return {about for about, each in findings.items() if each.level not in (Level.WELL, Level.NOTE)}


def test_a_server_whose_broker_is_away_and_nothing_else(file: Path) -> None:
    findings = found(file)
    assert wrong(findings) == {"broker"}
    looked_at = {"server.toml", "database", "disk", "backup", "edge front", "edge garage", "certificate", "version"}
    assert looked_at <= set(findings)
    assert findings["broker"].said.startswith("the link to the edges is down: mosquitto does not answer (127.0.0.1:")
    assert "mosquitto" in findings["broker"].remedy
    assert findings["mail"].level is Level.NOTE


def test_what_edges_said_is_told(file: Path) -> None:
    database = Database(load(file).database)
    with database.transaction() as session:
        front, garage = session.exec(select(Edge).order_by(Edge.id)).all()
        garage.online = False
        front.clock, front.free_disk, front.readers = "unknown", 20, {"front-in": "no answer"}
    database.close()
    said = [each.said for each in doctor.look(file, NOW) if each.about.startswith("edge ")]
    unsaid = "until when its rules are good, the end of its certificate"
    assert said == [
        "entry reader at fault (no answer)",
        "clock lost",
        "20 MB are left on its card",
        f"its edge does not say: {unsaid}, the wear of its card, its temperature",
        "silent since 10:00",
    ]
    an_hour_later = [each.said for each in doctor.look(file, NOW + timedelta(hours=1)) if each.about == "edge front"]
    assert an_hour_later == ["silent since 10:00"]  # it should have spoken since: what it said may be so no more


def test_copies_that_are_late_are_told_here_and_where_they_are_carried(file: Path) -> None:
    later, edges = NOW + timedelta(minutes=16), {"edge front", "edge garage"}
    assert wrong(found(file, later)) == {"broker", "backup", "backup at /media/loquet"} | edges
    assert wrong(found(file, NOW + timedelta(minutes=15))) == {"broker"} | edges
    copies = file.parent / "copies"
    (copies / name_of(later)).touch()
    note(copies, State(later.isoformat(), places={"/media/loquet": Carried(NOW.isoformat(), "is the stick in?")}))
    assert wrong(found(file, later)) == {"broker", "backup at /media/loquet"} | edges
    assert found(file, later)["backup at /media/loquet"].said.endswith("10:00 (is the stick in?)")
    for copy in copies.glob("*.age"):
        copy.unlink()
    assert "never" in found(file)["backup"].said
    copies.rename(file.parent / "elsewhere")
    assert "copies: No such file or directory: make it" in found(file)["backup"].said
    file.write_text(file.read_text().partition("[backup]")[0])
    assert "not backed up" in found(file)["backup"].said


def test_a_mail_server_that_is_away_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        assert doctor._mail(SmtpConfig("127.0.0.1", there.getsockname()[1], "a@example.org")) == ""
    assert "refused" in (doctor._mail(SmtpConfig("127.0.0.1", free_port(), "a@example.org")) or "")


def test_a_mistake_in_the_file_is_all_that_is_said(file: Path) -> None:
    file.write_text(file.read_text() + "colour = 1\n")
    (only,) = doctor.look(file, NOW)
    assert (only.about, only.level) == ("server.toml", Level.WRONG)


def test_a_database_that_is_not_there_is_told(file: Path) -> None:
    (file.parent / "loquet.db").unlink()
    assert {"database", "broker"} <= wrong(found(file))
    assert found(file)["database"].remedy == "start the server once, or mend its path"


def test_a_database_that_lets_in_its_own_user_alone_is_looked_at_as_that_user(file: Path, postgres: Postgres) -> None:
    file.write_text(file.read_text().replace(load(file).database, postgres.url(PEER)))
    told = found(file)["database"]
    assert "Peer authentication failed" in told.said
    assert told.remedy.endswith("give the command as the server's, sudo -u loquet loquet ...")


def test_the_edges_of_the_file_are_counted(file: Path) -> None:
    assert found(file)["server.toml"].said == "0 edges"
    made = """edges = [{{ id = "front", public_key = "{}", access_points = ["front"] }}]"""
    file.write_text(file.read_text().replace("edges = []", made.format("ab" * 32)))
    assert found(file)["server.toml"].said == "1 edge"


def test_page_and_terminal_say_the_same_each_in_its_language(file: Path, place: Place) -> None:
    """There is one place for their words: the doctor's sentences are those of *Santé* in English."""
    place.desk.say(Status(True, clock=ClockState.UNKNOWN, free_disk=20, temperature=84.6, software="0.0.1"))
    made, now = load(file), moment(place.now)
    file.write_text(file.read_text().replace(made.database, str(place.database.url)))
    place.health, place.link_up = measure(load(file), now, None), False
    page = place.page("/sante?lang=en", place.staff())
    found = [one for one in doctor.look(file, now) if one.about not in ONLY_THERE]
    assert {one.level for one in found} == set(Level)
    for one in found:
        assert f"{one.said} {one.remedy}".strip() in page
    assert "The link to the edges is down: mosquitto does not answer The doors decide by themselves." in page
