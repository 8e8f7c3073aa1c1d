"""What is free now? /machines: the machines of the fablab, each as it is at this moment."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from server.queries import machine_sheet as queries
from server.queries.machine_service import services
from server.queries.machines import State, views
from server.queries.now import picture
from server.queries.orders import outcome
from server.roles import FAB_MANAGERS
from server.text import machine_service
from server.text import machines as text
from server.text.doors import box
from server.text.fablab import headline
from server.text.machine import faults
from server.text.machine_out import done
from server.text.orders import told
from server.web.sessions import context, roles, signed_in

page = Blueprint("machines", __name__)


@page.get("/machines", endpoint="page")
def show() -> ResponseReturnValue:
    """`?done=&machine=&rules=&order=` say what was just done, and ask what became of it."""
    known, me, asked = context(), signed_in(), request.args
    current, at = known.current(), known.clock()
    manages = bool(roles() & FAB_MANAGERS)
    machine = asked.get("machine", "")
    with known.database.reading() as session:
        opening = picture(session, current, at).opening
        seen = views(session, current, opening, at)
        ordered = outcome(session, asked.get("order", ""), at) if manages else None
        waiting = queries.faults(session) if manages else []
        planned = services(session, current.calendar, at) if manages else {}
        heard = box(session, machine, asked.get("rules", "")) if manages else None
    audience = text.Audience(me.member, named=manages)
    return render_template(
        "machines.html",
        at=at,
        answer=headline(seen, current, at, place_open=opening.open),
        cards=[text.card(view, current, audience, at) for view in seen if view.state is not State.OUT],
        out=[text.card(view, current, audience, at) for view in seen if view.state is State.OUT],
        reported=faults(waiting, me.member, manages=True),
        due=[
            machine_service.said(one) for one in planned.values() if one.near and one.sheet.machine in current.machines
        ],
        manages=manages,
        toast=done(asked.get("done", ""), current.called.place(machine)) if heard is not None else "",
        box=heard,
        ordered=told(ordered, current.called, at) if ordered is not None else None,
    )
