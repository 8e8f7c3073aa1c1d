"""How do all members, and the whole site, leave as a file; and how does a site come in? /export.

The members for whoever says why: it is noted first. The bundle for those who administer: it holds every badge's number.
"""

from zoneinfo import ZoneInfo

import msgspec
from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from policy.errors import BundleError
from policy.parse import parse
from server.audit import Decided, looked
from server.changes.bundle import import_bundle, would_end
from server.errors import ImportRefusedError
from server.publish.bundle import export
from server.queries.looks import last_reasons
from server.queries.people import carnets, day_of
from server.roles import ADMINS
from server.text import people as text
from server.text.sheets import Cell, Sheet, csv_file, xlsx_file
from server.text.translate import N_, gettext
from server.web.deciding import rules_changed, why_in
from server.web.sessions import confirmed_lately, context, roles, signed_in

page = Blueprint("exports", __name__)

HEADINGS = (
    N_("Nom complet"),
    N_("Formule"),
    N_("Début"),
    N_("Fin"),
    N_("Carnet"),
    N_("Rôles"),
    N_("État"),
    N_("Fin de badge"),
)
"""Of the members' file; an import reads the first five as they are."""
SHOWN = 20
"""Of what a bundle would end."""


@page.get("/export", endpoint="page")
def show() -> ResponseReturnValue:
    return _page()


@page.post("/export/members")
def members() -> ResponseReturnValue:
    """All members as they are now. Noted before it leaves; without a reason nothing does."""
    known = context()
    why = why_in()
    if not why:
        return _page(400, wrong=text.wrong("why"))
    with known.database.transaction() as session:
        looked(session, Decided(signed_in().login, known.clock(), why), "export", None)
    sheet, name = _members(), f"membres-{day_of(known.current(), known.clock())}"
    return xlsx_file([sheet], name) if request.form.get("format") == "xlsx" else csv_file(sheet, name)


@page.post("/export/bundle")
def bundle() -> ResponseReturnValue:
    """The whole site, as `loquet server --bundle` and `loquet bundle` read it."""
    known = context()
    with known.database.transaction() as session:
        looked(session, Decided(signed_in().login, known.clock()), "bundle", None)
        said = export(session)
    headers = {"Content-Disposition": 'attachment; filename="bundle.json"'}
    return Response(msgspec.json.format(msgspec.json.encode(said)), content_type="application/json", headers=headers)


@page.post("/bundle/begin")
def begin() -> ResponseReturnValue:
    """The password was shown: a file may follow."""
    return redirect(url_for("exports.page"), 303)


@page.post("/bundle")
def take_in() -> ResponseReturnValue:
    """Make the site what a bundle says, all or nothing. What it lacks ends only where somebody agrees to that."""
    if not confirmed_lately():
        return _page(403)
    known, file = context(), request.files.get("file")
    content = file.read() if file is not None else b""
    if file is not None:
        file.close()
    try:
        said = parse(content, file.filename or "bundle" if file is not None else "bundle", ZoneInfo)
        with known.database.transaction() as session:
            ending = [] if request.form.get("agreed") else would_end(session, said)
            if not ending:
                done = import_bundle(session, said, Decided(signed_in().login, known.clock(), gettext("bundle")))
    except (BundleError, ImportRefusedError) as error:
        return _page(400, fault=str(error))
    if ending:
        return _page(409, ending=[f"{name}: {called}" for name, called in ending])
    rules_changed()
    return _page(done=done)


def _page(status: int = 200, **told: object) -> ResponseReturnValue:
    with context().database.reading() as session:
        reasons = last_reasons(session, signed_in().login)
    said: dict[str, object] = {"wrong": "", "fault": "", "ending": (), "done": None, "reasons": reasons, "shown": SHOWN}
    said |= {"administers": bool(roles() & ADMINS), "confirmed": confirmed_lately()}
    return render_template("exports.html", **said | told), status


def _members() -> Sheet:
    known = context()
    current = known.current()
    people = current.people.people.values()
    with known.database.reading() as session:
        left = carnets(session, current, people, known.clock())
    rows: list[list[Cell]] = []
    for one in people:
        member, ends = one.member, [text.badge(badge.uid) for badge in one.badges if badge.status == "active"]
        units = left[member.id].units if member.id in left else None
        rows.append(
            [
                member.name,
                current.called.tier(member.tier),
                member.valid_from,
                member.valid_until,
                units,
                text.roles([*member.roles]),
                text.shown("status", member.status, current),
                ", ".join(ends),
            ]
        )
    return Sheet(gettext("Membres"), [gettext(heading) for heading in HEADINGS], rows)
