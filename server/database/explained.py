"""What does an error of the database mean, and what helps? What drivers say, in words with a remedy."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc
from sqlalchemy.exc import DBAPIError

from server.errors import DatabaseError, FullError, MistakeError

REMEDIES = {
    "locked": "another program holds it; close that program, or wait until its backup is done",
    "full": "free space on the disk that holds it",
    "readonly": "the server's user must be allowed to write the file and its folder",
    "unable to open": "check that the folder exists and that the server's user may write to it",
    "malformed": "restore the last backup, and keep the broken file for a repair",
    "not a database": "the file is something else; correct the database url",
    "25006": "the server's user must be allowed to write to it",
    "42501": "the server's user must be allowed to: make that user the owner of the database",
    "53100": "free space on the disk that holds it",
    "53300": "more connections are wanted than it allows: see who has them, or raise its max_connections",
    "57P0": "it is being stopped or started; wait until it runs",
    **dict.fromkeys(
        ("Peer authentication", "authentification peer"),  # a connection that fails has no SQLSTATE
        "it lets in each user of the system as themselves: give the command as the server's, sudo -u loquet loquet ...",
    ),
    "connection": "see that PostgreSQL runs there; the database url names a database of it, a user and their password",
}
"""By a word of SQLite's, or by PostgreSQL's SQLSTATE (its manual, appendix A): its words may be French."""
FULL = ("full", "53100")
MISTAKES = tuple(
    getattr(module, name) for module in (exc, sqlite3) for name in ("DataError", "IntegrityError", "ProgrammingError")
)


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn what the driver says into a DatabaseError with a remedy. name: the database, without its password."""
    try:
        yield
    except (DBAPIError, exc.TimeoutError, sqlite3.Error) as error:
        raise _explained(name, error) from error


def _explained(name: str, error: Exception) -> DatabaseError:
    cause = getattr(error, "orig", None) or error
    said = next(iter(str(cause).splitlines()), type(cause).__name__)  # what follows may quote what members did
    told = f"{getattr(cause, 'sqlstate', '')} {said}"
    sign = next((sign for sign in REMEDIES if sign in told), None)
    if sign is not None:
        return (FullError if sign in FULL else DatabaseError)(f"{name}: {said}; {REMEDIES[sign]}")
    if isinstance(error, MISTAKES):
        return MistakeError(
            f"{name}: {said}; this is a mistake in Loquet: report it, with the lines of the log around it"
        )
    return DatabaseError(f"{name}: {said}; see what the log of the database and the system's say, and its disk")
