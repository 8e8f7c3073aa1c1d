"""Who has an account, who gets one, and with which roles? /accounts, for administrators."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from console import versions
from console.version import version
from server.changes import accounts as changes
from server.errors import ChangeRefusedError
from server.pages.new_login import another_login
from server.queries import accounts as queries
from server.roles import ADMINS, Role
from server.text.qr import qr
from server.text.refusals import refusal
from server.text.translate import N_, gettext
from server.web import sessions as auth
from server.web.told import tell

page = Blueprint("accounts", __name__)

ROLES = {
    Role.ADMIN: N_("administration"),
    Role.STAFF: N_("équipe"),
    Role.GARDIEN: N_("gardien"),
    Role.FAB_MANAGER: N_("responsable du fablab"),
}
"""What a member may be beside a member, from the most to the least."""
FOUND = 20
"""Members without an account whom a search shows."""


@page.get("/accounts", endpoint="page")
def show() -> ResponseReturnValue:
    return _list(None)


def _list(wrong: str | None) -> str:
    asked = request.args.get("q", "").strip()
    with auth.context().database.reading() as session:
        lines = queries.accounts(session, auth.now())
        found = queries.without_account(session, asked, FOUND) if asked else []
    newer = versions.newer(version(), versions.INSTALLED, versions.FOLDER)
    told = {"version": version(), "newer": newer.number if newer is not None else None}
    return render_template("accounts.html", lines=lines, found=found, asked=asked, names=_names, wrong=wrong, **told)


def _names(line: queries.Line) -> list[str]:
    return [gettext(name) for role, name in ROLES.items() if role in line.roles]


@page.post("/accounts")
def invite() -> ResponseReturnValue:
    """Make an account, and show its link this once."""
    login, member = request.form.get("login", ""), request.form.get("member") or None
    try:
        with auth.context().database.transaction() as session:
            token = changes.invite(
                session, auth.signed_in(), auth.now(), login=login, member=member, admin="admin" in request.form
            )
    except ChangeRefusedError as error:
        return _list(refusal(error.why)), 400
    return shown_link(token)


@page.get("/accounts/<int:which>")
def one(which: int) -> ResponseReturnValue:
    return _one(which, None)


def _one(which: int, wrong: str | None, login: str | None = None) -> str:
    """login: what was typed and refused."""
    with auth.context().database.reading() as session:
        line = next((line for line in queries.accounts(session, auth.now()) if line.id == which), None)
    if line is None:
        raise NotFound
    return render_template("one_account.html", line=line, roles=ROLES, names=_names, wrong=wrong, typed=login)


@page.post("/accounts/<int:which>/link")
def new_link(which: int) -> ResponseReturnValue:
    try:
        with auth.context().database.transaction() as session:
            token = changes.new_link(session, auth.signed_in(), auth.now(), which)
    except ChangeRefusedError as error:
        return _one(which, refusal(error.why)), 400
    return shown_link(token)


@page.post("/accounts/<int:which>/login")
def set_login(which: int) -> ResponseReturnValue:
    try:
        another_login(which)
    except ChangeRefusedError as error:
        return _one(which, refusal(error.why), request.form.get("login", "")), 400
    return redirect(url_for("accounts.one", which=which), 303)


@page.post("/accounts/<int:which>/roles")
def set_roles(which: int) -> ResponseReturnValue:
    """What is ticked is given, the rest taken; doors and machines go by it at once."""
    given = frozenset(role for role in ROLES if role in request.form.getlist("role"))
    me, now = auth.signed_in(), auth.now()
    try:
        with auth.context().database.transaction() as session:
            changes.set_admin(session, me, now, which, admin=Role.ADMIN in given)
            anew = "member" in request.form and changes.set_roles(session, me, now, which, given)
    except ChangeRefusedError as error:
        return _one(which, refusal(error.why)), 400
    if anew:
        auth.context().site_changed()
    tell(gettext("C’est enregistré."))
    return redirect(url_for("accounts.one", which=which), 303)


@page.post("/accounts/<int:which>/end")
def end(which: int) -> ResponseReturnValue:
    try:
        with auth.context().database.transaction() as session:
            changes.end_account(session, auth.signed_in(), auth.now(), which)
    except ChangeRefusedError as error:
        return _one(which, refusal(error.why)), 400
    tell(gettext("Ce compte est fermé. Personne ne se connecte plus avec."))
    return redirect(url_for("accounts.page"), 303)


def shown_link(token: str, sent: str = "", wrong: str = "") -> str:
    """The link, to copy, to let a phone read, or to print as a slip; nobody can show it a second time."""
    with auth.context().database.reading() as session:
        link = queries.link_of(session, token)
    base = auth.context().address or request.host_url.rstrip("/")
    address = f"{base}{url_for('invitation.form', token=token)}"
    mail, administers = auth.context().sends_mail, bool(auth.roles() & ADMINS)
    said = {"link": link, "address": address, "token": token, "mail": mail, "sent": sent, "wrong": wrong}
    return render_template("link.html", picture=qr(address), administers=administers, **said)
