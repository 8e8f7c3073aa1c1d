"""By which way am I told something? Mail, ntfy, Matrix, the site's webhook: chosen on Moi, and tried at once."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from server.audit import Decided
from server.changes import channels as changes
from server.changes.notices import tell_member
from server.errors import Refused
from server.pages.me import page_of
from server.text.refusals import refusal
from server.text.translate import gettext, in_french
from server.web.deciding import decide
from server.web.sessions import context, now, signed_in

page = Blueprint("channels", __name__)

WORTH = timedelta(hours=1)
"""So long a first message is worth sending."""


@page.post("/me/channel")
def choose() -> ResponseReturnValue:
    """Noted in any case; a first message goes unless too many did."""
    known, me, form = context().channels, signed_in(), request.form

    def change(session: Session, decided: Decided) -> bool:
        quiet = form.get("quiet") == "1"
        who, address = me.member or "", form.get("address", "")
        changes.choose(session, decided, who, form.get("channel", ""), address, known, quiet=quiet)
        if not changes.may_try(session, me.login, now()):
            return False
        with in_french():
            subject, body = gettext("Loquet vous joint ici"), gettext("C’est par là qu’on vous prévient.")
        until = now() + WORTH
        return tell_member(
            session, me.login, now(), who, known, about=changes.TRIED, subject=subject, body=body, until=until
        )

    outcome = decide(change)
    if isinstance(outcome, Refused):
        return page_of(refusal(outcome), 409)
    if outcome:
        flash(gettext("C’est noté. Un premier message part par là : s’il n’arrive pas, choisissez autre chose."))
    else:
        flash(gettext("C’est noté. Aucun message d’essai ne part : il n’en part que trois par heure."))
    return redirect(url_for("me.page"), 303)
