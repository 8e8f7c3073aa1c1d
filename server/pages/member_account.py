"""Has this member an account, and by which login? The desk's presses on a member's page: a link, and another login."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from server.changes import accounts as changes
from server.errors import ChangeRefusedError, Refused
from server.pages.accounts import shown_link
from server.pages.member_changes import say_why
from server.pages.new_login import another_login
from server.queries import accounts as queries
from server.web import sessions as auth

page = Blueprint("member_account", __name__)


@page.post("/members/<path:member>/account")
def invite(member: str) -> ResponseReturnValue:
    """Make an account, and show its link this once."""
    try:
        with auth.context().database.transaction() as session:
            login = request.form.get("login", "")
            token = changes.invite(session, auth.signed_in(), auth.now(), login=login, member=member)
    except ChangeRefusedError as error:
        return _refused(member, error.why)
    return shown_link(token)


@page.post("/members/<path:member>/account/link")
def new_link(member: str) -> ResponseReturnValue:
    try:
        with auth.context().database.transaction() as session:
            token = changes.new_link(session, auth.signed_in(), auth.now(), _account(member))
    except ChangeRefusedError as error:
        return _refused(member, error.why)
    return shown_link(token)


@page.post("/members/<path:member>/account/login")
def set_login(member: str) -> ResponseReturnValue:
    try:
        another_login(_account(member))
    except ChangeRefusedError as error:
        return _refused(member, error.why)
    return redirect(url_for("member.page", member=member), 303)


def _account(member: str) -> int:
    """Raises NotFound for whoever has none."""
    with auth.context().database.reading() as session:
        found = queries.account_of(session, member)
    if found is None:
        raise NotFound
    return found.id


def _refused(member: str, why: Refused) -> ResponseReturnValue:
    return say_why(member, "account", why)
