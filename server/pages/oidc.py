"""How does somebody log in by the provider that server.toml names, and how is that bound to their account?

/login/oidc sends to the provider, which sends back to /login/oidc/back. On *Mon compte* it is bound and unbound. A form
may not lead to another site (Content-Security-Policy), so what is sent there is a link.
"""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from server.changes import oidc as changes
from server.changes.accounts import begin_session
from server.config import OidcConfig
from server.errors import ChangeRefusedError, Refused
from server.pages import account
from server.pages.login import OUR_PATH, back_to
from server.text.refusals import refusal
from server.text.translate import gettext
from server.web import oidc
from server.web import sessions as auth
from server.web.told import tell

page = Blueprint("oidc", __name__)


@page.get("/login/oidc")
@auth.limiter.limit(auth.ATTEMPTS)
def begin() -> ResponseReturnValue:
    """Raises NotFound where server.toml names no provider, as all here do."""
    path = request.args.get("next", "")  # kept in the browser's cookie, which has room for a path of ours alone
    try:
        return redirect(oidc.sent_off(_known(), next=path if OUR_PATH.fullmatch(path) else None), 303)
    except ChangeRefusedError as error:
        return _not_logged_in(error.why)


@page.get("/login/oidc/back")
@auth.limiter.limit(auth.ATTEMPTS)
def back() -> ResponseReturnValue:
    config, me = _known(), auth.account()
    try:
        shown = oidc.back(config, request.args)
        if shown.account is not None:
            return _bind(shown)
        with auth.context().database.transaction() as session:
            found = changes.account_of(session, shown.issuer, shown.subject)
            token = begin_session(session, found, auth.now(), auth.device(), confirmed=False)
    except ChangeRefusedError as error:
        if me is not None:
            return account.shown(refusal(error.why)), 400
        return _not_logged_in(error.why)
    auth.begin(token)
    answer = back_to(shown.next)
    auth.keep(answer, token)
    return answer


@page.post("/account/oidc")
def ask() -> ResponseReturnValue:
    """After password or passkey: the link to the provider."""
    config, me = _known(), auth.signed_in()
    try:
        address = oidc.sent_off(config, account=me.account)
    except ChangeRefusedError as error:
        return account.shown(refusal(error.why)), 400
    return render_template("oidc.html", address=address, name=config.name)


@page.post("/account/oidc/forget")
def forget() -> ResponseReturnValue:
    _known()
    with auth.context().database.transaction() as session:
        changes.unbind(session, auth.signed_in(), auth.now())
    tell(gettext("Votre compte n’est plus lié."))
    return redirect(url_for("account.page"), 303)


def _bind(shown: oidc.Shown) -> ResponseReturnValue:
    """Raises ChangeRefusedError: also where another account is logged in than the one that asked."""
    me = auth.account()
    if me is None or me.account != shown.account:
        raise ChangeRefusedError(Refused.OIDC_STALE)
    with auth.context().database.transaction() as session:
        changes.bind(session, me, auth.now(), shown.issuer, shown.subject)
    tell(gettext("Votre compte est lié : vous pouvez aussi vous connecter ainsi."))
    return make_response(redirect(url_for("account.page"), 303))


def _not_logged_in(why: Refused) -> ResponseReturnValue:
    return render_template("login.html", wrong=why, said=refusal(why)), 401


def _known() -> OidcConfig:
    config = oidc.known()
    if config is None:
        raise NotFound
    return config
