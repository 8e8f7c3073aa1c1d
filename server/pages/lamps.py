"""What does the lamp say? /lamps, for everybody, on one page to print."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.text.lamps import AT_A_MACHINE, AT_THE_DOOR

page = Blueprint("lamps", __name__)


@page.get("/lamps")
def sheet() -> ResponseReturnValue:
    return render_template("lamps.html", door=AT_THE_DOOR, machine=AT_A_MACHINE)
