"""Is it still the same person? What matters asks for the password once more, unless it was shown in the last minutes.

The question takes the place of the answer and carries the form along: nothing that was typed is lost.
"""

from flask import Flask, current_app, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from server.changes.accounts import confirm_session
from server.errors import Refused
from server.text.refusals import refusal
from server.web import sessions
from server.web.access import Access

FIELD = "again"
"""Of the form: the password."""


def guard(app: Flask) -> None:
    """To be registered after the check of the forms' tokens, or a page elsewhere could guess passwords."""
    app.before_request(_ask)


def _ask() -> ResponseReturnValue | None:
    if request.url_rule is None or request.method != "POST":
        return None
    line: Access = current_app.config["ACCESS"]["POST", request.url_rule.rule]
    if not line.step_up or sessions.confirmed_lately():
        return None
    password, wrong = request.form.get(FIELD), None
    if password:
        try:
            if sessions.password_fits(sessions.signed_in().login, password) is not None:
                confirm()
                return None
            wrong = refusal(Refused.PASSWORD_WRONG)
        except TooManyRequests:
            wrong = refusal(Refused.TOO_OFTEN)
    carried = [item for item in request.form.items(multi=True) if item[0] not in (FIELD, "csrf_token")]
    return render_template("confirm.html", carried=carried, wrong=wrong, field=FIELD), 403


def confirm() -> None:
    """Whoever asks has shown password or passkey just now."""
    with sessions.context().database.transaction() as session:
        confirm_session(session, sessions.signed_in(), sessions.now())
