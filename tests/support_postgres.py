"""A database of PostgreSQL that tests have again as it was, many times a second."""

from proofs.postgres import Postgres

OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


class Kept:
    """A database that can be made again as it is now: many times faster than a new one."""

    def __init__(self, postgres: Postgres, name: str) -> None:
        self.url = postgres.url(name)
        self._shell = postgres.shell(name)
        tables = [row[0] for row in self._shell.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        self._shell.execute("CREATE SCHEMA kept; SET session_replication_role = replica")  # no order among the tables
        self._shell.execute("; ".join(f'CREATE TABLE kept."{table}" AS TABLE "{table}"' for table in tables))
        again = [f'DELETE FROM "{table}"; INSERT INTO "{table}" TABLE kept."{table}"' for table in tables]  # noqa: S608
        numbered = self._shell.execute("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'")
        again += [
            f"SELECT setval('{name}', {last or 1}, {'false' if last is None else 'true'})" for name, last in numbered
        ]
        self._again = "; ".join(again)

    def restore(self) -> None:
        """Whoever is still connected is cut off first: they might hold it."""
        self.cut()
        self._shell.execute(self._again)

    def cut(self) -> None:
        """End every other connection to it, as a restart does."""
        self._shell.execute(f"SELECT pg_terminate_backend(pid, 5000) {OTHERS}")

    def close(self) -> None:
        self._shell.close()
