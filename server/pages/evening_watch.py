"""Am I told if this evening changes? One press on Maintenant and Moi, and one that takes it back."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session
from werkzeug.exceptions import BadRequest

from server.changes import evening_watch as changes
from server.changes.notices import reached
from server.queries.evening import evening, watches
from server.queries.now import Picture, picture
from server.text.translate import gettext
from server.web.sessions import account, context, signed_in
from server.web.told import tell

page = Blueprint("evening_watch", __name__)

PAGES = {"me": "me.page", "now": "now.page"}


def watching(session: Session, seen: Picture) -> bool | None:
    """Whether whoever looks is told of this evening; None for whoever cannot be."""
    reader = account()
    if reader is None or not reader.member or reached(session, reader.member, context().channels) is None:
        return None
    return watches(session, reader.member, seen.day_start)


@page.post("/me/tonight")
def watch() -> ResponseReturnValue:
    known, who = context(), _member()
    current, at = known.current(), known.clock()
    with known.database.transaction() as session:
        seen = picture(session, current, at)
        changes.watch(session, who, seen.day_start, evening(seen, current.rules.day_end(at)))
    tell(gettext("C’est noté : vous serez prévenu·e si ce soir change."))
    return _back()


@page.post("/me/tonight/end")
def unwatch() -> ResponseReturnValue:
    who = _member()
    with context().database.transaction() as session:
        changes.unwatch(session, who)
    tell(gettext("C’est noté : rien ne vous sera envoyé ce soir."))
    return _back()


def _member() -> str:
    """Raises BadRequest for an account that is nobody's."""
    who = signed_in().member
    if not who:
        raise BadRequest
    return who


def _back() -> ResponseReturnValue:
    return redirect(url_for(PAGES.get(request.form.get("from", ""), "me.page")), 303)
