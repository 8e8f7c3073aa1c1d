"""How does somebody log in and out? /login and /logout."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server import auth

page = Blueprint("login", __name__)


@page.get("/login")
def form() -> ResponseReturnValue:
    return render_template("login.html", wrong=False)


@page.post("/login")
@auth.limiter.limit(auth.ATTEMPTS)
def log_in() -> ResponseReturnValue:
    if not auth.is_staff(request.form.get("name", ""), request.form.get("password", "")):
        return render_template("login.html", wrong=True), 401
    answer = _home()
    auth.log_in(answer, request.form["name"].strip())
    return answer


@page.post("/logout")
def log_out() -> ResponseReturnValue:
    answer = _home()
    auth.log_out(answer)
    return answer


def _home() -> Response:
    return make_response(redirect(url_for("now.page"), 303))
