"""Is it still the same person? What matters asks for the password once more, unless it was shown in the last minutes.

The question takes the place of the answer and carries the form along: nothing that was typed is lost.
"""

from flask import Flask, current_app, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from server.changes.accounts import confirm_session
from server.changes.passkeys import use_passkey
from server.errors import ChangeRefusedError, Refused
from server.text.refusals import refusal
from server.web import passkeys, sessions
from server.web.access import Access

FIELD, SHOWN = "again", "shown_again"
"""Of the form: the password; the browser's word for a passkey."""


def guard(app: Flask) -> None:
    """To be registered after the check of the forms' tokens, or a page elsewhere could guess passwords."""
    app.before_request(_ask)


def _ask() -> ResponseReturnValue | None:
    if request.url_rule is None or request.method != "POST":
        return None
    line: Access = current_app.config["ACCESS"]["POST", request.url_rule.rule]
    return ask_again() if line.step_up else None


def ask_again() -> ResponseReturnValue | None:
    """None once password or passkey has been shown lately; else the question, to be answered in place of the page."""
    if sessions.confirmed_lately():
        return None
    wrong = _shown()
    if wrong is None:
        return None
    carried = [item for item in request.form.items(multi=True) if item[0] not in (FIELD, SHOWN, "csrf_token")]
    said = refusal(wrong) if request.form.get(FIELD) or request.form.get(SHOWN) else None
    return render_template("confirm.html", carried=carried, wrong=said, field=FIELD, shown=SHOWN), 403


def _shown() -> Refused | None:
    """None once password or passkey has been shown, and that is noted."""
    me, password, passkey = sessions.signed_in(), request.form.get(FIELD), request.form.get(SHOWN)
    try:
        key = passkeys.shown(passkey) if passkey else None
        if key is not None and key.account != me.account:
            return Refused.PASSKEY_REFUSED
        if key is None and (not password or sessions.password_fits(me.login, password, sessions.AGAIN) is None):
            return Refused.PASSWORD_WRONG
        with sessions.context().database.transaction() as session:
            if key is not None:
                use_passkey(session, key.id, key.sign_count)
            confirm_session(session, me, sessions.now())
    except TooManyRequests:
        return Refused.TOO_OFTEN
    except ChangeRefusedError as error:
        return error.why
    return None
