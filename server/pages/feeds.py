"""What does my calendar program read? /feeds/<secret>.ics, for whoever has the address; made, shown once, ended."""

from collections.abc import Callable

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session
from werkzeug.exceptions import BadRequest, NotFound

from policy.terms import Instant
from server.changes import feeds as changes
from server.queries.current import Current
from server.queries.feeds import Feed, What, feed, stored
from server.text import booking_feed, rota_feed
from server.text.dates import day, hour
from server.text.icalendar import TYPE, Entry, calendar
from server.text.translate import gettext, in_french
from server.web.deciding import decided
from server.web.sessions import context, signed_in
from server.web.told import tell

page = Blueprint("feeds", __name__)

Maker = Callable[[Session, Current, Feed, Instant], list[Entry]]
MAKERS: dict[What, tuple[str, Maker]] = {
    What.MY_SHIFTS: (rota_feed.MINE, rota_feed.mine),
    What.ALL_SHIFTS: (rota_feed.ALL, rota_feed.all_),
    What.MY_BOOKINGS: (booking_feed.MINE, booking_feed.mine),
    What.MACHINES: (booking_feed.ALL, booking_feed.all_),
    What.MACHINE: (booking_feed.ONE, booking_feed.one),
}
"""Of each kind its name, in French, and what is in it for a member."""
BACK = dict.fromkeys(rota_feed.NAMES, "rota.page") | dict.fromkeys(booking_feed.NAMES, "calendar.page")
"""The page on which its press is."""


@page.get("/feeds/<token>.ics", endpoint="read")
def read(token: str) -> ResponseReturnValue:
    """In French. Raises NotFound for an address that is none, or not any more."""
    known = context()
    current, at = known.current(), known.clock()
    with known.database.reading() as session, in_french():
        found = feed(session, token)
        if found is None:
            raise NotFound
        name, make = MAKERS[found.what]
        as_of = gettext("À jour %(day)s à %(hour)s.", day=day(at), hour=hour(at))
        about = current.called.place(found.machine) if found.machine else gettext(name)
        name = f"{about}, {current.bundle.site.name}"
        written = calendar(name, make(session, current, found, at), at, as_of)
    return Response(written, content_type=TYPE)


@page.post("/feeds")
def make() -> ResponseReturnValue:
    """The address is in the answer to this request, and nowhere else."""
    (what, machine), known = _asked(), context()
    with known.database.transaction() as session:
        token = changes.new_feed(session, decided(), signed_in().member or "", stored(what, machine))
    host = (known.address or request.host_url).rstrip("/")
    address = f"{host}{url_for('feeds.read', token=token)}"
    name = known.current().called.place(machine) if machine else gettext(MAKERS[what][0])
    return render_template("feed.html", address=address, name=name, back=_back(what, machine))


@page.post("/feeds/end")
def end() -> ResponseReturnValue:
    what, machine = _asked()
    with context().database.transaction() as session:
        changes.end_feed(session, decided(), signed_in().member or "", stored(what, machine))
    tell(gettext("Cette adresse ne donne plus rien."))
    return redirect(_back(what, machine), 303)


def _asked() -> tuple[What, str]:
    """Of what, and of which machine. Raises BadRequest for what there is no calendar of, and for nobody's account."""
    said, machine = request.form.get("what", ""), request.form.get("machine", "")
    if said not in set(What) or not signed_in().member:
        raise BadRequest
    if said != What.MACHINE:
        return What(said), ""
    if machine not in context().current().machines:
        raise BadRequest
    return What.MACHINE, machine


def _back(what: What, machine: str) -> str:
    return url_for("machine.page", machine=machine) if machine else url_for(BACK[what])
