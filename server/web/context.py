"""What do the pages need of the server? Everything they may ask, and nothing that starts or stops it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from policy.terms import Instant
from server.changes.messages import Channel
from server.config import MOST_RETAINED, OidcConfig
from server.database.engine import Database
from server.health import Health
from server.publish.enrolments import Enrolments
from server.publish.orders import Orders
from server.queries.current import Current
from server.troubles import Troubles
from server.web.live import Live


@dataclass(frozen=True)
class Context:
    """clock: the site's time. current: what is in force. link_up: whether the broker is reached.

    site_changed: to be called after a change of what edges go by; presence_changed: after a correction. orders: what
    doors are told to do at once. lock_down: declares a lockdown or lifts it, for an account, and says which edges will
    hear of it only later. address: of the pages, where server.toml says it.
    channels: by which messages leave (server/changes/messages.py:Channel). retention_days: for which it is kept by name
    who came and went. health: of the server's own machine. erased: where it is noted who was erased
    (server/database/erased.py:place). oidc: the provider by which people may log in, too. site_time: what the site's
    clock showed, or will, at an instant of the wall clock; another one only where time is simulated.
    """

    database: Database
    clock: Callable[[], Instant]
    current: Callable[[], Current]
    troubles: Troubles
    live: Live
    link_up: Callable[[], bool]
    site_changed: Callable[[], None]
    orders: Orders
    presence_changed: Callable[[], None]
    lock_down: Callable[[bool, str], list[str]]
    enrolments: Enrolments
    address: str = ""
    channels: frozenset[str] = frozenset()
    retention_days: int = MOST_RETAINED
    health: Callable[[], Health] = Health
    erased: Path | None = None
    oidc: OidcConfig | None = None
    site_time: Callable[[datetime], datetime] = lambda at: at

    @property
    def sends_mail(self) -> bool:
        """Whether there is a mail server."""
        return Channel.MAIL in self.channels

    def link(self, path: str) -> str:
        """A line for a message, with the address of a page; empty where server.toml does not say the pages' own."""
        return f"\n{self.address.rstrip('/')}{path}\n" if self.address else ""
