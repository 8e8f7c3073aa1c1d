"""What do the pages need of the server? Everything they may ask, and nothing that starts or stops it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from policy.terms import Instant
from server.database.engine import Database
from server.queries.current import Current
from server.troubles import Troubles
from server.web.live import Live


@dataclass(frozen=True)
class Context:
    """clock: the site's time. current: what is in force. link_up: whether the broker is reached."""

    database: Database
    clock: Callable[[], Instant]
    current: Callable[[], Current]
    troubles: Troubles
    live: Live
    link_up: Callable[[], bool]
    staff_name: str
    staff_password_hash: str = field(repr=False)
    api_token_hash: str = field(repr=False)
