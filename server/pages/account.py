"""What can one do with one's own account? /account: password, passkeys, and where one is logged in."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.changes import accounts as changes
from server.changes import passkeys as keys
from server.errors import ChangeRefusedError
from server.pages.invitation import chosen
from server.queries import accounts as queries
from server.text.refusals import refusal
from server.text.translate import gettext
from server.web import passkeys
from server.web import sessions as auth
from server.web.told import tell

page = Blueprint("account", __name__)


@page.get("/account", endpoint="page")
def show() -> ResponseReturnValue:
    return shown(None)


def shown(wrong: str | None) -> str:
    """The page. wrong: what went wrong, in words."""
    me, provider = auth.signed_in(), auth.context().oidc
    with auth.context().database.reading() as session:
        return render_template(
            "account.html",
            me=me,
            wrong=wrong,
            sessions=queries.sessions_of(session, me.account or 0, auth.now()),
            passkeys=queries.passkeys_of(session, me.account or 0),
            confirmed=auth.confirmed_lately(),
            provider_name=provider.name if provider else "",
            bound=queries.bound(session, me.account or 0),
        )


@page.post("/account/password")
def change_password() -> ResponseReturnValue:
    """Every session of the account ends, and one for this browser begins."""
    me = auth.signed_in()
    try:
        password_hash = chosen(me.login)
        with auth.context().database.transaction() as session:
            token = changes.change_password(session, me, auth.now(), password_hash, auth.device())
    except ChangeRefusedError as error:
        return shown(refusal(error.why)), 400
    tell(gettext("Le mot de passe est changé. Partout ailleurs, vous êtes déconnecté·e."))
    answer = make_response(redirect(url_for("account.page"), 303))
    auth.keep(answer, token)
    return answer


@page.post("/account/passkeys/question")
def ask_passkey() -> ResponseReturnValue:
    me = auth.signed_in()
    with auth.context().database.reading() as session:
        known = queries.passkeys_of(session, me.account or 0)
    return Response(passkeys.question_for_new(me, known), content_type="application/json")


@page.post("/account/passkeys")
def add_passkey() -> ResponseReturnValue:
    """Named as it will be recognised: by the device on which it was made."""
    me = auth.signed_in()
    try:
        passkey = passkeys.made(request.form.get("passkey", ""), me.account or 0, auth.device())
        with auth.context().database.transaction() as session:
            keys.add_passkey(session, me, auth.now(), passkey)
    except ChangeRefusedError as error:
        return shown(refusal(error.why)), 400
    tell(gettext("Cette clé d’accès est enregistrée."))
    return redirect(url_for("account.page"), 303)


@page.post("/account/passkeys/<which>/forget")
def forget_passkey(which: str) -> ResponseReturnValue:
    try:
        with auth.context().database.transaction() as session:
            keys.forget_passkey(session, auth.signed_in(), auth.now(), which)
    except ChangeRefusedError as error:
        return shown(refusal(error.why)), 400
    tell(gettext("Cette clé d’accès ne sert plus."))
    return redirect(url_for("account.page"), 303)


@page.post("/account/sessions/<int:which>/end")
def end_session(which: int) -> ResponseReturnValue:
    with auth.context().database.transaction() as session:
        changes.end_session(session, auth.signed_in(), which)
    tell(gettext("Cet appareil est déconnecté."))
    return redirect(url_for("account.page"), 303)
