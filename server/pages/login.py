"""How does somebody log in and out? /login and /logout."""

import re

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from server.changes.accounts import begin_session, end_session
from server.changes.passkeys import use_passkey
from server.errors import ChangeRefusedError
from server.queries.first_start import unfinished
from server.roles import STAFF, Role
from server.web import passkeys
from server.web import sessions as auth
from server.web.resume import carried

page = Blueprint("login", __name__)

OUR_PATH = re.compile(r"(?=.{1,200}\Z)(/|(/[A-Za-z0-9_-]+)+)")
"""A path of this site: what else a browser might read as another site's address is not gone back to."""


@page.get("/login")
def form() -> ResponseReturnValue:
    return render_template("login.html", wrong=None)


@page.post("/login")
@auth.limiter.limit(auth.ATTEMPTS)
def log_in() -> ResponseReturnValue:
    """Back to the page that `next` names. The form sends to its own address, so a wrong password keeps it.

    A form that was to be sent when a session had ended waits for a press.
    """
    try:
        account = auth.password_fits(request.form.get("name", ""), request.form.get("password", ""))
    except TooManyRequests:
        return render_template("login.html", wrong="often", **carried()), 429
    if account is None:
        return render_template("login.html", wrong="password", **carried()), 401
    with auth.context().database.transaction() as session:
        token = begin_session(session, account, auth.now(), auth.device())
    auth.begin(token)
    if OUR_PATH.fullmatch(request.form.get("resume", "")):
        answer = make_response(render_template("resume.html", **carried()))
    else:
        answer = back_to(request.args.get("next"))
    auth.keep(answer, token)
    return answer


@page.post("/passkey/question")
@auth.limiter.limit(auth.ATTEMPTS)
def ask_passkey() -> ResponseReturnValue:
    """What the browser has to sign with a passkey, of whatever account."""
    return Response(passkeys.question(), content_type="application/json")


@page.post("/login/passkey")
@auth.limiter.limit(auth.ATTEMPTS)
def log_in_by_passkey() -> ResponseReturnValue:
    try:
        shown = passkeys.shown(request.form.get("passkey", ""))
        with auth.context().database.transaction() as session:
            account = use_passkey(session, shown.id, shown.sign_count)
            token = begin_session(session, account, auth.now(), auth.device())
    except ChangeRefusedError as error:
        return render_template("login.html", wrong=error.why), 401
    auth.begin(token)
    answer = back_to(request.args.get("next"))
    auth.keep(answer, token)
    return answer


@page.post("/logout")
def log_out() -> ResponseReturnValue:
    """The session ends here and on the server."""
    answer, known = make_response(redirect(url_for("now.page"), 303)), auth.account()
    if known is not None and known.session is not None:
        with auth.context().database.transaction() as session:
            end_session(session, known, known.session)
    auth.drop(answer)
    return answer


def back_to(path: str | None) -> Response:
    """To a page of ours; when the path is none of ours a member goes to their own page, everybody else to the first.

    Who administers a site that has not been described yet goes on with that.
    """
    ours, known = path and OUR_PATH.fullmatch(path), auth.account()
    own = known is not None and known.member is not None and not known.roles & STAFF
    begins = Role.ADMIN in auth.roles() and unfinished(auth.context().current().bundle)
    home = "first_start.page" if begins else "me.page" if own else "now.page"
    return make_response(redirect(ours[0] if ours else url_for(home), 303))
