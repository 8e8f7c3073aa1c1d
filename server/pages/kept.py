"""What does Loquet keep of me? /kept, for everybody, with the live settings."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.text.kept import NEVER, erasing, lines
from server.web.sessions import context

page = Blueprint("kept", __name__)


@page.get("/kept", endpoint="page")
def show() -> ResponseReturnValue:
    return render_template("kept.html", lines=lines(context().retention_days), never=NEVER, erasing=erasing())
