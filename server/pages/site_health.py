"""What is wrong with the site's machines, and what is to be done first? *Santé*, for whoever keeps them running."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.changes.messages import State
from server.queries.health import machines
from server.queries.messages import messages
from server.queries.now import edge_lines
from server.roles import ADMINS
from server.text.health import of_edges, of_server, worst_first
from server.web.sessions import context, roles

page = Blueprint("site_health", __name__)

LATEST = 50
"""Messages that are looked at."""
FAILED = frozenset({State.REFUSED, State.LATE})


@page.get("/sante", endpoint="page")
def show() -> ResponseReturnValue:
    known, at = context(), context().clock()
    with known.database.reading() as session:
        current = known.current()
        edges = edge_lines(session, current, known.troubles, at)
        unsent = sum(State(one.state) in FAILED for one in messages(session, LATEST))
        found = [
            *of_server(known.health(), link_up=known.link_up(), sends=known.sends_mail, unsent=unsent, now=at),
            *of_edges(edges, machines(session), current, at),
        ]
    found = worst_first(found)
    to_do = [one for one in found if one.colour in ("bad", "warn")]
    return render_template("site_health.html", found=found, to_do=to_do, administers=bool(roles() & ADMINS))
