"""How does somebody log in and out? /login and /logout."""

import re

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.web import sessions as auth

page = Blueprint("login", __name__)

OUR_PATH = re.compile(r"/|(/[A-Za-z0-9_-]+)+")
"""A path of this site: what else a browser might read as another site's address is not gone back to."""


@page.get("/login")
def form() -> ResponseReturnValue:
    return render_template("login.html", wrong=False)


@page.post("/login")
@auth.limiter.limit(auth.ATTEMPTS)
def log_in() -> ResponseReturnValue:
    """Back to the page that `next` names. The form sends to its own address, so a wrong password keeps it."""
    if not auth.is_staff(request.form.get("name", ""), request.form.get("password", "")):
        return render_template("login.html", wrong=True), 401
    answer = back_to(request.args.get("next"))
    auth.log_in(answer, request.form["name"].strip())
    return answer


@page.post("/logout")
def log_out() -> ResponseReturnValue:
    answer = back_to(None)
    auth.log_out(answer)
    return answer


def back_to(path: str | None) -> Response:
    """To a page of ours; to the first one when the path is none of ours."""
    ours = path and OUR_PATH.fullmatch(path)
    return make_response(redirect(ours[0] if ours else url_for("now.page"), 303))
