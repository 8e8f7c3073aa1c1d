"""Do I get in? /kiosque, for a screen at the door: read from three metres, by whoever passes, with no name."""

from urllib.parse import urlsplit

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.pages.now import answer_of
from server.queries.now import picture
from server.text.kiosk import coming, week
from server.text.qr import qr
from server.web.sessions import context

page = Blueprint("kiosk", __name__)

LONG = 26
"""Characters of an answer from which it is written smaller."""


@page.get("/kiosque", endpoint="page")
def show() -> ResponseReturnValue:
    """What Maintenant answers to the public, whoever is logged in on the screen."""
    known = context()
    current, at = known.current(), known.clock()
    with known.database.reading() as session:
        seen = picture(session, current, at)
    answer = answer_of(seen, current.called, named=False, staff=False)
    address = (known.address or request.host_url.rstrip("/")) + url_for("now.page")
    return render_template(
        "kiosk.html",
        at=at,
        answer=answer,
        long=len(answer.headline) > LONG,
        people=seen.told,
        capacity=seen.capacity,
        week=week(current.calendar, seen.known),
        events=coming(current, seen.known),
        picture=qr(address, grows=True),
        address=urlsplit(address).netloc,
    )
