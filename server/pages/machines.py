"""What is free now? /machines: the machines of the fablab, each as it is at this moment."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.queries.machines import State, views
from server.queries.now import picture
from server.roles import FAB_MANAGERS
from server.text import machines as text
from server.text.fablab import headline
from server.web.sessions import context, roles, signed_in

page = Blueprint("machines", __name__)


@page.get("/machines", endpoint="page")
def show() -> ResponseReturnValue:
    known, me = context(), signed_in()
    current, at = known.current(), known.clock()
    manages = bool(roles() & FAB_MANAGERS)
    with known.database.reading() as session:
        opening = picture(session, current, at).opening
        seen = views(session, current, opening, at)
    reader = text.Audience(me.member, named=manages)
    return render_template(
        "machines.html",
        at=at,
        answer=headline(seen, current, at, place_open=opening.open),
        cards=[text.card(view, current, reader, at) for view in seen if view.state is not State.OUT],
        out=[text.card(view, current, reader, at) for view in seen if view.state is State.OUT],
        manages=manages,
    )
