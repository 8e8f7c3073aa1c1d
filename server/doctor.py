"""What is wrong with this server, and with the edges as they last said? Read beside the running server.

In the words of *Santé* (server/text/health.py), and what only somebody at the machine can try: its file, the broker's
certificate, the mail server.
"""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import Session

from console.finding import PATIENCE, Finding, Level, Unreached, unreached, well
from policy.instants import of
from server import identity
from server.config import BrokerConfig, ServerConfig, SmtpConfig
from server.config_file import load
from server.database import erased
from server.database.engine import beside_the_server
from server.errors import ServerError
from server.health import measure, unsent
from server.models import Published, Versioned
from server.publish.bundle import Exporter
from server.queries.health import machines
from server.queries.names import called
from server.queries.now import edge_lines
from server.text.health import of_edges, of_server
from server.text.terminal import in_english
from server.troubles import Troubles


def look(file: Path, now: datetime) -> Iterator[Finding]:
    """Everything, the file first."""
    try:
        config = load(file)
    except ServerError as error:
        yield Finding("server.toml", Level.WRONG, str(error), "as it says")
        return
    yield well("server.toml", "1 edge" if len(config.edges) == 1 else f"{len(config.edges)} edges")
    if erased.place(config.database, config.control) is None:
        said, _, helps = erased.NOWHERE.partition("; ")
        yield Finding("erasures", Level.LOOK, said, helps)
    try:
        with beside_the_server(config.database) as session:
            found = _found(config, session, now)
            yield well("database", "it can be read")
    except ServerError as error:
        said, _, helps = str(error).partition("; ")
        yield Finding("database", Level.WRONG, said, helps or "start the server once, or mend its path")
        found = _found(config, None, now)
    yield from found


def _found(config: ServerConfig, session: Session | None, now: datetime) -> list[Finding]:
    """session: None where the database cannot be read."""
    bundle, at = None if session is None else Exporter()(session), of(now)
    zone = ZoneInfo("UTC" if bundle is None else bundle.site.timezone)
    tried = replace(measure(config, now, _broker(config.broker)), mail=_mail(config.smtp))
    with in_english(zone, at):
        found = [*of_server(tried, 0 if session is None else unsent(session), at)]
        if session is not None and bundle is not None:
            newest = session.get(Published, Versioned.RULES)
            edges = edge_lines(session, 0 if newest is None else newest.version, Troubles(), at)
            found += of_edges(edges, machines(session), called(bundle), at)
    return [Finding(one.what, one.level, one.said, one.helps) for one in found]


def _broker(told: BrokerConfig) -> Unreached | None:
    ours = told.identity
    return unreached(told.host, told.port, None if ours is None else lambda: identity.context(ours))


def _mail(smtp: SmtpConfig | None) -> str | None:
    """See Health.mail."""
    if smtp is None:
        return None
    try:
        with socket.create_connection((smtp.host, smtp.port), PATIENCE):
            return ""
    except OSError as error:
        return f"{smtp.host}:{smtp.port}: {error.strerror or error}"
