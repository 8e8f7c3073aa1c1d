"""What do members, gardiens and the desk have to know? /guides/<name>, for everybody, on one or two pages to print."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from server.text.guides import GUIDES, pieces
from server.text.lamps import AT_THE_DOOR

page = Blueprint("guides", __name__)


@page.get("/guides/<name>", endpoint="sheet")
def show(name: str) -> ResponseReturnValue:
    if name not in GUIDES:
        raise NotFound
    lamps = {lamp.signal: lamp for lamp in AT_THE_DOOR}
    return render_template("guide.html", guide=GUIDES[name], guides=GUIDES, lamps=lamps, pieces=pieces)
