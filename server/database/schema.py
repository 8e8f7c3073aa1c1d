"""How does the database get its tables? Alembic runs what is missing in server/migrations, at every start."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from server.database.engine import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database, progress: Callable[[str], None]) -> None:
    """Bring the tables up to date, in one transaction. progress: told each step. Raises DatabaseError."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with database.transaction() as session:
        connection = session.connection()
        steps = _missing(config, MigrationContext.configure(connection).get_current_revision())
        for number, (revision, title) in enumerate(steps, start=1):
            progress(f"database: step {number} of {len(steps)}: {title}")
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
        connection.exec_driver_sql(
            "UPDATE alembic_version SET version_num = version_num"
        )  # a start proves it can write


def _missing(config: Config, current: str | None) -> list[tuple[str, str]]:
    """(revision, title) of each step that is not done yet, in order."""
    scripts = ScriptDirectory.from_config(config).iterate_revisions("heads", current or "base")
    return [(script.revision, script.doc) for script in scripts][::-1]
