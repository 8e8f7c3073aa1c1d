"""What the server's tests share."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest

from policy.reasons import Reason
from server.db import Database
from tests.support_exchange import Office
from tests.support_pages import Place
from tests.support_server import Desk, Journal, site_database
from tests.support_site import at


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database made once, for copies: the migrations are what takes time."""
    folder = tmp_path_factory.mktemp("template")
    site_database(folder).close()
    return folder / "loquet.db"


@pytest.fixture
def database(template: Path, tmp_path: Path) -> Iterator[Database]:
    copy(template, tmp_path)
    database = Database(f"sqlite:///{tmp_path}/loquet.db")
    quick(database)
    yield database
    database.close()


STATEMENTS: dict[object, object] = {}
"""Compiled once for all tests, as in the one process of a server."""


def quick(database: Database) -> None:
    """Hundreds of tests need not wait for the disk; what is synced has its own test."""
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
