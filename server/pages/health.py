"""Is the server well? /health, for whoever watches it. No names, no counts of people."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from server.queries.known_edges import edges_online
from server.queries.now import silent_doors
from server.web.sessions import context

page = Blueprint("health", __name__)


@page.get("/health")
def health() -> ResponseReturnValue:
    """200 while the database answers; a lost broker, edges that are away and doors that say nothing any more
    are told, and are no fault of ours."""
    known = context()
    with known.database.reading() as session:
        online, edges = edges_online(session)
        silent = silent_doors(session, known.current(), known.clock())
    return jsonify(
        status="ok" if known.link_up() else "degraded",
        broker=known.link_up(),
        rules_version=known.current().version,
        edges={"online": online, "known": edges},
        doors={"silent": silent},
    )
