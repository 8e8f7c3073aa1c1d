"""Am I written to when little is left on my carnet, or when it ends soon? One press on Moi, one that takes it back."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session
from werkzeug.exceptions import BadRequest

from server.changes.carnet_mail import choose, is_wanted
from server.changes.notices import reached
from server.text.translate import gettext
from server.web.deciding import decided
from server.web.sessions import context, signed_in
from server.web.told import tell

page = Blueprint("carnet_mail", __name__)


def carnet_mail(session: Session, member: str) -> bool | None:
    """Whether the member is written to; None for whom no mail reaches."""
    if reached(session, member, context().channels) is None:
        return None
    return is_wanted(session, member)


@page.post("/me/carnet-mail", endpoint="choose")
def press() -> ResponseReturnValue:
    """Raises BadRequest for an account that is nobody's."""
    who, wanted = signed_in().member, request.form.get("wanted") == "1"
    if not who:
        raise BadRequest
    with context().database.transaction() as session:
        choose(session, decided(), who, wanted=wanted)
    tell(
        gettext("C’est noté : on vous écrira quand il restera peu sur votre carnet, ou peu de jours.")
        if wanted
        else gettext("C’est noté : on ne vous écrira plus au sujet de votre carnet.")
    )
    return redirect(url_for("me.page"), 303)
