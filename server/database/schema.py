"""How does the database get its tables? Alembic runs what is missing in server/migrations, at every start."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from server.database.engine import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database, progress: Callable[[str], None]) -> None:
    """Bring the tables up to date, in one transaction. progress: told each step. Raises DatabaseError."""
    with database.transaction() as session:
        _upgrade(session.connection(), progress)


def _upgrade(connection: Connection, progress: Callable[[str], None]) -> None:
    config, scripts = _config(), _scripts()
    config.attributes["connection"] = connection

    def told(at: Any, _: MigrationContext) -> Iterator[Any]:
        steps = scripts._upgrade_revs("heads", at)
        for number, step in enumerate(steps, start=1):
            progress(f"database: step {number} of {len(steps)}: {step.revision.doc}")
            yield step

    with EnvironmentContext(config, scripts, fn=told):  # all in one go: Alembic reads every script for each
        scripts.run_env()
    connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")  # a start proves it can write


def current(connection: Connection) -> str | None:
    """Of which version a database's tables are; None without any."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The version of the tables that this program knows."""
    return str(_scripts().get_current_head())


def known() -> set[str]:
    """Every version of the tables from which this program brings a database up to date."""
    return {script.revision for script in _scripts().walk_revisions()}


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
