"""Who is inside, to be called over outside? One page that needs no script, no server and no other file once it is kept.

What is ticked goes along with every press; nothing on it moves by itself.
"""

import logging
from base64 import b64encode
from hashlib import sha256

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from policy.terms import HOUR
from server.audit import Decided, looked
from server.changes import evacuation as changes
from server.errors import ChangeRefusedError, ServerError
from server.queries.evacuation import Roll, roll
from server.roles import STAFF
from server.text.refusals import refusal
from server.text.translate import gettext
from server.web.deciding import decided, presence_changed
from server.web.holding import holds_place
from server.web.sessions import context, roles, signed_in
from server.web.typed import line_in

log = logging.getLogger("loquet.server")

page = Blueprint("evacuation", __name__)


@page.get("/evacuation", endpoint="page")
def show() -> ResponseReturnValue:
    return _page()


@page.get("/evacuation/file")
def keep() -> ResponseReturnValue:
    """The same as a file, which goes on being of use without server and network."""
    answer = _page(kept=True)
    answer.headers["Content-Disposition"] = 'attachment; filename="evacuation.html"'
    return answer


@page.post("/evacuation")
def again() -> ResponseReturnValue:
    """Whoever has come or gone since; what is ticked stays ticked."""
    return _back()


@page.post("/evacuation/visitors")
def add() -> ResponseReturnValue:
    name, more = line_in("name"), line_in("more")
    written = request.form.get("people", "1").strip()
    people = int(written) if written.isdecimal() and len(written) <= 4 else 0
    try:
        with context().database.transaction() as session:
            changes.add_visitors(session, decided(), name, people, more)
    except ChangeRefusedError as error:
        return _page(wrong=refusal(error.why), status=400)
    presence_changed()
    return _back()


@page.post("/evacuation/visitors/<int:number>/gone")
def gone(number: int) -> ResponseReturnValue:
    with context().database.transaction() as session:
        changes.visitors_gone(session, decided(), number)
    presence_changed()
    return _back()


@page.post("/evacuation/end")
def end() -> ResponseReturnValue:
    """An exercise changes nothing; else nobody is inside afterwards. Who is not ticked is named first."""
    known = context()
    at, current = known.clock(), known.current()
    exercise = bool(request.form.get("exercise"))
    if not exercise and not _may_end():
        said = gettext("L’équipe, ou le gardien qui tient le lieu, dit que tout le monde est sorti. Rien n’a changé.")
        return _page(wrong=said, status=403)
    with known.database.reading() as session:
        seen = roll(session, current, at)
    missing, people = _missing(seen)
    over = exercise or bool(request.form.get("sure"))
    if over and not exercise:
        with known.database.transaction() as session:
            by = Decided(signed_in().login, at, gettext("évacuation terminée"))
            changes.everybody_is_out(session, by, current.rules.day_start(at), seen.people, people)
        presence_changed()
    template = "evacuated.html" if over else "evacuation_end.html"
    told = {
        "seen": seen,
        "missing": missing,
        "lacking": people,
        "exercise": exercise,
        "found": request.form.getlist("found"),
    }
    return render_template(template, by=signed_in().name, **told)


def _may_end() -> bool:
    return bool(roles() & STAFF) or holds_place()


def _missing(seen: Roll) -> tuple[list[str], int]:
    """Those who are not ticked, as the list calls them, and how many people that is."""
    found = set(request.form.getlist("found"))
    groups = [one for one in seen.visitors if f"v:{one.id}" not in found]
    members = [one.name for one in seen.members if f"m:{one.member}" not in found]
    names = [f"{one.name} ({one.people})" if one.people > 1 else one.name for one in groups] + members
    return names, len(members) + sum(one.people for one in groups)


def _page(*, kept: bool = False, wrong: str = "", status: int = 200) -> Response:
    known = context()
    at = known.clock()
    with known.database.reading() as session:
        seen = roll(session, known.current(), at)
        style = render_template(
            "evacuation.css", sizes=sorted({one.people for one in seen.visitors}), people=seen.people
        )
        told = {
            "seen": seen,
            "style": style,
            "kept": kept,
            "wrong": wrong,
            "written": request.form if wrong else {},
            "may_end": _may_end(),
            "found": set(request.values.getlist("found")),
        }
        answer = Response(render_template("evacuation.html", **told), status)
    _note_look(seen)
    own = b64encode(sha256(style.encode()).digest()).decode()
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{own}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return answer


def _note_look(seen: Roll) -> None:
    """Who saw whose names. A list that is wanted now is shown where that cannot be written, too."""
    try:
        with context().database.transaction() as session:
            looked(session, decided(), "evacuation", [one.member for one in seen.members], again_after=HOUR)
    except ServerError as error:
        log.error("the list of who is inside was shown, and that is not written down: %s", error)


def _back() -> ResponseReturnValue:
    return redirect(url_for("evacuation.page", found=request.form.getlist("found")), 303)
