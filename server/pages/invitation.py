"""How does somebody take the account that they were invited to? /invitation/<token>, once.

To look uses nothing up: programs that fetch a link to show what is behind it do not take it.
"""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from server.changes.accounts import open_link, take_up
from server.errors import ChangeRefusedError, Refused
from server.pages.login import back_to
from server.passwords import accepted
from server.text.refusals import refusal
from server.web import sessions as auth

page = Blueprint("invitation", __name__)


@page.get("/invitation/<token>")
@auth.limiter.limit(auth.ATTEMPTS)
def form(token: str) -> ResponseReturnValue:
    with auth.context().database.reading() as session:
        try:
            login = open_link(session, token, auth.now()).login
        except ChangeRefusedError as error:
            return render_template("invitation.html", login=None, wrong=refusal(error.why)), 410
    return render_template("invitation.html", login=login, wrong=None)


@page.post("/invitation/<token>")
@auth.limiter.limit(auth.ATTEMPTS)
def take(token: str) -> ResponseReturnValue:
    """The account gets the password, and who chose it is logged in."""
    database, login = auth.context().database, None
    try:
        with database.reading() as session:
            login = open_link(session, token, auth.now()).login
        password_hash = chosen(login)
        with database.transaction() as session:
            begun = take_up(session, token, auth.now(), password_hash=password_hash, device=auth.device())
    except ChangeRefusedError as error:
        return render_template("invitation.html", login=login, wrong=refusal(error.why)), 400 if login else 410
    answer = back_to(None)
    auth.keep(answer, begun)
    return answer


def chosen(login: str) -> str:
    """The hash of the password that the form gives twice. Raises ChangeRefusedError."""
    password = request.form.get("password", "")
    if password != request.form.get("repeated"):
        raise ChangeRefusedError(Refused.PASSWORDS_DIFFER)
    return accepted(password, login)
