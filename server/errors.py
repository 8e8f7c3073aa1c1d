"""What can keep the server from starting or from storing?"""

from collections.abc import Sequence

SHOWN = 20
"""Of what would end."""


class ServerError(Exception):
    """Whoever runs the server can mend it. The message names the thing, the value and the remedy."""


class ConfigError(ServerError):
    """The configuration cannot be used."""


class DatabaseError(ServerError):
    """The database cannot be opened, read or written now."""


class FullError(DatabaseError):
    """The disk that holds the database is full."""


class MistakeError(DatabaseError):
    """The database refuses what it is given, and would refuse it again: our mistake."""


class ImportRefusedError(ServerError):
    """A bundle says what the server cannot keep."""


class WouldEndError(ImportRefusedError):
    """A bundle lacks what the site has, and nobody agreed that it ends.

    ending: the name of each collection, and how the thing is called.
    """

    def __init__(self, ending: Sequence[tuple[str, str]]) -> None:
        self.ending = ending
        shown = "".join(f"\n  {collection}: {called}" for collection, called in ending[:SHOWN])
        more = f"\n  and {len(ending) - SHOWN} more" if len(ending) > SHOWN else ""
        super().__init__(
            f"the site has what the bundle has not, and it would end (it is kept in the history):{shown}{more}\n"
            "nothing was imported; where that is meant, say --agree"
        )


class OrderRefusedError(ServerError):
    """What was ordered cannot be sent to an edge."""
