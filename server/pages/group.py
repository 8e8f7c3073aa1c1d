"""Who comes with me? A gardien or somebody of the team says how many their badge stands for; the form is on /me."""

import re

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from server.changes.groups import group_gone, with_group
from server.errors import ChangeRefusedError
from server.pages.me import page_of
from server.text.refusals import refusal
from server.text.translate import gettext, ngettext
from server.web.deciding import decided, presence_changed
from server.web.sessions import context, signed_in
from server.web.told import tell
from server.web.typed import line_in

page = Blueprint("group", __name__)

NUMBER = re.compile(r"(?<![\w.,-])\d{1,4}(?![\w.,])", re.ASCII)


@page.post("/group")
def here() -> ResponseReturnValue:
    """So many are here, whether some were before or not."""
    name, said = line_in("name"), NUMBER.findall(request.form.get("people", ""))
    people = int(said[0]) if len(said) == 1 else 0  # `8 enfants` are 8; `8 ou 10` is no number
    known, me = context(), signed_in()
    try:
        with known.database.transaction() as session:
            name = name or gettext("Groupe")
            with_group(session, decided(), me.member or "", name, people, _day_start())
    except ChangeRefusedError as error:
        return page_of(refusal(error.why), 409)
    presence_changed()
    tell(ngettext("%(num)s personne est comptée avec vous.", "%(num)s personnes sont comptées avec vous.", people))
    return redirect(url_for("me.page"), 303)


@page.post("/group/gone")
def gone() -> ResponseReturnValue:
    with context().database.transaction() as session:
        group_gone(session, decided(), signed_in().member or "", _day_start())
    presence_changed()
    tell(gettext("Votre groupe est parti : il n’est plus compté."))
    return redirect(url_for("me.page"), 303)


def _day_start() -> int:
    known = context()
    return known.current().rules.day_start(known.clock())
