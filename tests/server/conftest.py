"""What the server's tests share."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest

from server.db import Database
from tests.support_server import Desk, Journal, site_database


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
    yield database
    database.close()


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


@pytest.fixture
def journal() -> Journal:
    return Journal()
