"""What must stand in the database before anything is published or taken in? The site, and what server.toml says."""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import Session, col, delete, select

from policy.bundle import Bundle
from policy.misfits import meant
from server import identity
from server.audit import Decided
from server.changes import erasure
from server.changes.bundle import Imported, import_bundle, would_end
from server.changes.configured import take_over_account, take_over_token
from server.changes.first_start import begin
from server.changes.revoked import forget
from server.config import BrokerConfig, EdgeConfig, ServerConfig
from server.database import erased
from server.database.engine import Database
from server.database.types import moment
from server.errors import ServerError, WouldEndError
from server.models import AccessPoint, Edge, Machine
from server.publish.bundle import site_of
from wire.credential import pseudonym

log = logging.getLogger("loquet.server")


def store_site(
    database: Database,
    config: ServerConfig,
    bundle: Bundle | None,
    decided: Decided,
    *,
    agreed: bool,
    unblock: Collection[str],
) -> None:
    """The site of the bundle, if one is given, and the edges and accounts of server.toml.

    Raises WouldEndError where the bundle ends something and nobody agreed; ServerError for what does not fit together.
    """
    with database.transaction() as session:
        if bundle is not None:
            if not agreed and (ending := would_end(session, bundle)):
                raise WouldEndError(ending)
            _tell(import_bundle(session, bundle, decided, unblock))
        elif site_of(session) is None:
            log.warning(
                "%s: holds no site yet; it is described on /start. Was there one? Then stop the server, and see"
                " that server.toml names its database, or restore a backup",
                database.name,
            )
            begin(session, _site_id(config.broker), decided)
        session.exec(delete(Edge).where(col(Edge.id).not_in([edge.id for edge in config.edges])))
        for known in config.edges:
            row = session.get(Edge, known.id) or Edge(id=known.id, public_key="", access_points=[], readers={})
            row.public_key, row.access_points = known.public_key, list(known.access_points)
            session.add(row)
        _check_places(config.edges, session)
        for gone in config.revoked:
            forget(session, gone.id, gone.since)
        if config.staff_name:
            take_over_account(session, datetime.now(UTC), config.staff_name, config.staff_password_hash)
        if config.api_token_hash:
            take_over_token(session, datetime.now(UTC), config.api_token_hash)


def erase_again(
    database: Database, file: Path | None, key: bytes, decided: Decided, progress: Callable[[str], None]
) -> None:
    """Whom a copy that was restored brought back. To be called before anything is published.

    file: that of who was erased (server/database/erased.py:place). key: under which it is kept.
    """
    if file is None:
        log.warning("%s", erased.NOWHERE)
        return
    noted = erased.noted(file)
    if not noted:
        return

    def known(member: str) -> str:
        return erased.digest(lambda told: pseudonym(key, told), member)

    with database.transaction() as session:
        gone = erasure.erase_again(session, decided, lambda one: noted.get(known(one)))
        for member in gone:
            erased.note(file, moment(decided.at), known(member))
    if gone:
        database.wipe()
        progress(f"erased again, whom an older copy had brought back: {', '.join(gone.values())}")


def _tell(done: Imported) -> None:
    log.info("bundle: %d new, %d changed, %d ended", done.new, done.changed, len(done.ended))
    for uid in done.blocked:
        log.warning(
            "badge …%s stays blocked, although the bundle has it active: where that is meant, give --unblock with its "
            "whole number",
            uid[-4:],
        )


def _site_id(broker: BrokerConfig) -> str:
    """How a site is called that nobody has described yet: as its keys say; on a broker without keys, `site`."""
    return identity.site(broker.identity) if broker.identity is not None else "site"


def check_site(broker: BrokerConfig, site: str) -> None:
    """Raises ServerError for keys of another site: the broker would take what is said, and hand it to nobody."""
    if broker.identity is not None and (theirs := identity.site(broker.identity)) != site:
        raise ServerError(
            f"{broker.identity.certificate}: is of site {theirs!r}, the bundle of site {site!r}: correct site.id in "
            "the bundle, or carry the server's folder of this site's keys"
        )


def _check_places(edges: Sequence[EdgeConfig], session: Session) -> None:
    """Raises ServerError for a place that the site has not: nobody would ever be let in there, nothing be started.

    An edge whose own name is nearly that of a place is only told of: it may be called so.
    """
    known = {
        *session.exec(select(AccessPoint.id).where(col(AccessPoint.ended).is_(None))),
        *session.exec(select(Machine.id).where(col(Machine.ended).is_(None))),
    }
    for edge in edges:
        for place in edge.access_points:
            if known and place not in known:
                raise ServerError(
                    f"edge {edge.id!r}: {place!r} is neither a door nor a machine of the site"
                    f"{meant(place, sorted(known))}, which has {', '.join(sorted(known))}: "
                    "correct the server's configuration, or add it to the bundle"
                )
        likely = meant(edge.id, sorted(known - {other.id for other in edges}), 0.85)
        if edge.id not in known and likely:
            log.warning("edge %r%s: in its edge.toml and its certificate it must be called just so", edge.id, likely)
