"""What is wrong with the site's machines, and what is to be done first? *Santé*, for whoever keeps them running."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.health import unsent
from server.queries.health import machines
from server.queries.messages import bounced
from server.queries.now import edge_lines
from server.roles import ADMINS
from server.text.health import of_edges, of_server, worst_first
from server.web.sessions import context, roles

page = Blueprint("site_health", __name__)


@page.get("/sante", endpoint="page")
def show() -> ResponseReturnValue:
    known, at = context(), context().clock()
    with known.database.reading() as session:
        current = known.current()
        edges = edge_lines(session, current.version, known.troubles, at)
        gone = [current.called.member(one.member) or one.message.to for one in bounced(session)]
        found = [
            *of_server(known.health(), unsent(session), at, gone),
            *of_edges(edges, machines(session), current.called, at),
        ]
    found = worst_first(found)
    to_do = [one for one in found if one.colour in ("bad", "warn")]
    return render_template("site_health.html", found=found, to_do=to_do, administers=bool(roles() & ADMINS))
