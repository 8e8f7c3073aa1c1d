"""What does my calendar program read? /feeds/<secret>.ics, for whoever has the address; made, shown once, ended."""

from collections.abc import Callable

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session
from werkzeug.exceptions import BadRequest, NotFound

from policy.terms import Instant
from server.changes import feeds as changes
from server.queries.current import Current
from server.queries.feeds import What, feed
from server.text import booking_feed, rota_feed
from server.text.dates import day, hour
from server.text.icalendar import TYPE, Entry, calendar
from server.text.translate import gettext, in_french
from server.web.deciding import decided
from server.web.sessions import context, signed_in
from server.web.told import tell

page = Blueprint("feeds", __name__)

Maker = Callable[[Session, Current, str, Instant], list[Entry]]
MAKERS: dict[What, tuple[str, Maker]] = {
    What.MY_SHIFTS: (rota_feed.MINE, rota_feed.mine),
    What.ALL_SHIFTS: (rota_feed.ALL, rota_feed.all_),
    What.MY_BOOKINGS: (booking_feed.MINE, booking_feed.mine),
    What.MACHINES: (booking_feed.ALL, booking_feed.all_),
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
        name = f"{gettext(name)}, {current.bundle.site.name}"
        written = calendar(name, make(session, current, found.member, at), at, as_of)
    return Response(written, content_type=TYPE)


@page.post("/feeds")
def make() -> ResponseReturnValue:
    """The address is in the answer to this request, and nowhere else."""
    what, known = _what(), context()
    with known.database.transaction() as session:
        token = changes.new_feed(session, decided(), signed_in().member or "", what)
    host = (known.address or request.host_url).rstrip("/")
    address = f"{host}{url_for('feeds.read', token=token)}"
    return render_template("feed.html", address=address, name=gettext(MAKERS[what][0]), back=url_for(BACK[what]))


@page.post("/feeds/end")
def end() -> ResponseReturnValue:
    what = _what()
    with context().database.transaction() as session:
        changes.end_feed(session, decided(), signed_in().member or "", what)
    tell(gettext("Cette adresse ne donne plus rien."))
    return redirect(url_for(BACK[what]), 303)


def _what() -> What:
    """Raises BadRequest for what there is no calendar of, and for an account that is nobody's."""
    said = request.form.get("what", "")
    if said not in set(What) or not signed_in().member:
        raise BadRequest
    return What(said)
