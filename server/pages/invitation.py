"""How does somebody take the account that they were invited to? /invitation/<token>, once.

To look uses nothing up: programs that fetch a link to show what is behind it do not take it.
"""

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Gone

from server.changes.accounts import open_link, take_up
from server.errors import ChangeRefusedError, Refused
from server.pages.login import back_to
from server.passwords import accepted
from server.queries.accounts import Caller
from server.text.refusals import refusal
from server.web import passkeys
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
    """The account gets the password or the passkey, and who chose it is logged in."""
    database, login = auth.context().database, None
    try:
        with database.reading() as session:
            account = open_link(session, token, auth.now())
        login, answered, device = account.login, request.form.get("passkey"), auth.device()
        passkey = passkeys.made(answered, account.id or 0, device) if answered else None
        password_hash = None if passkey is not None else chosen(login)
        with database.transaction() as session:
            begun = take_up(session, token, auth.now(), password_hash=password_hash, device=device, passkey=passkey)
    except ChangeRefusedError as error:
        return render_template("invitation.html", login=login, wrong=refusal(error.why)), 400 if login else 410
    auth.begin(begun)
    answer = back_to(None)
    auth.keep(answer, begun)
    return answer


@page.post("/invitation/<token>/question")
@auth.limiter.limit(auth.ATTEMPTS)
def ask_passkey(token: str) -> ResponseReturnValue:
    """What the browser has to sign for a passkey in place of a password."""
    with auth.context().database.reading() as session:
        try:
            account = open_link(session, token, auth.now())
        except ChangeRefusedError:
            raise Gone from None
    question = passkeys.question_for_new(Caller(account.login, account.login, frozenset(), account.id))
    return Response(question, content_type="application/json")


def chosen(login: str) -> str:
    """The hash of the password that the form gives twice. Raises ChangeRefusedError."""
    password = request.form.get("password", "")
    if password != request.form.get("repeated"):
        raise ChangeRefusedError(Refused.PASSWORDS_DIFFER)
    return accepted(password, login)
