"""What can keep the server from starting or from storing?"""


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


class OrderRefusedError(ServerError):
    """What was ordered cannot be sent to an edge."""
