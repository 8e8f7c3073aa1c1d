"""What the server's tests share."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copy

import pytest

from policy.reasons import Reason
from proofs.postgres import Postgres, cluster
from server.database.engine import Database
from tests.support_exchange import Office
from tests.support_pages import Place
from tests.support_postgres import Kept
from tests.support_server import Desk, Journal, furnished, site_database
from tests.support_site import at

BOTH = ("sqlite", "postgresql")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What stands on the database is tried on both, but for tests marked `sqlite`."""
    if "database" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("sqlite") is not None
        metafunc.parametrize("database", BOTH[:1] if only else BOTH, indirect=True)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database made once, for copies: the migrations are what takes time."""
    folder = tmp_path_factory.mktemp("template")
    site_database(folder).close()
    return folder / "loquet.db"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Each worker's own, started for the first test that wants it."""
    with cluster() as postgres:
        yield postgres


@pytest.fixture(scope="session")
def kept(postgres: Postgres) -> Iterator[Kept]:
    furnished(Database(postgres.create("kept"))).close()
    with closing(Kept(postgres, "kept")) as kept:
        yield kept


@pytest.fixture(params=BOTH)
def new(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new.db"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.create(request.node.name)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    with contextmanager(ON[request.param])(request) as url:
        database = Database(url)
        quick(database)
        yield database
        database.close()


def _on_sqlite(request: pytest.FixtureRequest) -> Iterator[str]:
    folder = request.getfixturevalue("tmp_path")
    copy(request.getfixturevalue("template"), folder)
    yield f"sqlite:///{folder}/loquet.db"


def _on_postgresql(request: pytest.FixtureRequest) -> Iterator[str]:
    kept: Kept = request.getfixturevalue("kept")
    kept.restore()
    yield kept.url


ON = {"sqlite": _on_sqlite, "postgresql": _on_postgresql}

STATEMENTS: dict[object, object] = {}
"""Compiled once for all tests, as in the one process of a server."""


def quick(database: Database) -> None:
    """Hundreds of tests need not wait for the disk; what is synced has its own test."""
    if database.url.get_backend_name() == "sqlite":
        with database._writer.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute("PRAGMA synchronous=OFF")
    database._writer = database._writer.execution_options(compiled_cache=STATEMENTS)
    database._readers = database._readers.execution_options(compiled_cache=STATEMENTS)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def place(database: Database) -> Place:
    """Tuesday 24 November 2026, 19:12: Grégoire holds the place, four others have come, one was refused."""
    place = Place(database)
    journal = place.journal
    journal.enters(at(8, 58), "alice", Reason.STAFF)
    journal.enters(at(9, 5), "brigitte")
    journal.tap_in(at(9, 10), "zoe", Reason.MEMBER_SUSPENDED, granted=False)
    journal.enters(at(9, 30), "remy", Reason.ALWAYS)
    journal.leaves(at(12), "brigitte")
    journal.enters(at(13, 2), "brigitte")
    journal.leaves(at(17, 45), "alice")
    journal.enters(at(18, 4), "gregoire", Reason.OWN_SHIFT)
    journal.tap_in(at(19, 8), None, Reason.UNKNOWN_CREDENTIAL, granted=False)
    place.tell()
    return place
