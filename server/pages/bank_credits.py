"""What is owed that no evening earned? A credit is proposed, attested by somebody else, or taken back, on /banque."""

import re
from collections.abc import Sequence

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from server.changes.credits import Wanted, attest, propose, remove
from server.changes.outcomes import Wrong
from server.errors import Refused
from server.pages.bank import NOTHING_WRONG, Asked, page_of
from server.queries.people import Person
from server.roles import STAFF
from server.text import people
from server.text.dates import no_such_day
from server.text.refusals import refusal
from server.text.translate import gettext
from server.web.deciding import decide, form_token
from server.web.sessions import context, roles, signed_in
from server.web.typed import day_in, line_in, offered, people_meant

page = Blueprint("bank_credits", __name__)

LENGTH = re.compile(r"([-−+]?) ?(?:(\d{1,4}) ?h ?([0-5]?\d)?|(\d{1,6}) ?(?:min)?)")


def minutes_in(typed: str) -> int:
    """2 h 30, −1 h, 90, 90 min: in minutes; 0 for what is none."""
    found = LENGTH.fullmatch(" ".join(typed.lower().split()))
    if found is None:
        return 0
    minutes = int(found[4]) if found[4] else int(found[2]) * 60 + int(found[3] or 0)
    return -minutes if found[1] in ("-", "−") else minutes


@page.post("/banque/credits")
def new() -> ResponseReturnValue:
    wrong: list[str] = []
    day, to, gift = day_in("day", wrong), people_meant(), bool(line_in("giver_name"))
    giver = people_meant("giver_name", "giver") if gift else []
    if len(to) != 1 or len(giver) != gift:
        asked = _asked(to), _asked(giver) if gift else NOTHING_WRONG
        return page_of(signed_in().member, gettext("Pas encore proposé : dites de qui il s’agit."), 400, *asked)
    outcome: object = Wrong(tuple(wrong))
    if day is not None:
        from_whom = giver[0].member.id if gift else ""
        wanted = Wanted(to[0].member.id, minutes_in(request.form.get("minutes", "")), day, from_whom)
        me = signed_in().member or ""
        outcome = decide(lambda session, decided: propose(session, decided, me, wanted, form_token()))
    if isinstance(outcome, Wrong):
        return page_of(signed_in().member, _said(outcome.fields), 400)
    return _back(outcome, gettext("C’est proposé. Cela compte quand quelqu’un d’autre l’atteste."))


def _asked(found: Sequence[Person]) -> Asked:
    """Of a field in which somebody is meant: what is wrong with it, and who of several may be meant."""
    if len(found) == 1:
        return NOTHING_WRONG
    field = "many" if found else "who"
    return {"wrong": {field: people.wrong(field)}, **offered(found)}


@page.post("/banque/credits/attest")
def vouch() -> ResponseReturnValue:
    me, which, days = signed_in().member or "", request.form.get("credit", ""), context().retention_days
    outcome = decide(lambda session, decided: attest(session, decided, me, which, days))
    return _back(outcome, gettext("C’est attesté, avec vos deux noms."))


@page.post("/banque/credits/remove")
def take_away() -> ResponseReturnValue:
    me, which, days = signed_in().member, request.form.get("credit", ""), context().retention_days
    team = bool(roles() & STAFF)
    outcome = decide(lambda session, decided: remove(session, decided, me, which, days, team=team))
    return _back(outcome, gettext("Ce crédit n’est plus là ; ce qui était compté est annulé par une autre ligne."))


def _back(outcome: object, done: str) -> ResponseReturnValue:
    if isinstance(outcome, Refused):
        return page_of(signed_in().member, refusal(outcome), 409)
    flash(done)
    context().live.changed()
    return redirect(url_for("bank.page"), 303)


def _said(fields: tuple[str, ...]) -> str:
    """What is wrong with what was typed, in one sentence each."""
    words = {
        "day": no_such_day(request.form.get("day", "")) or gettext("Écrivez le jour ainsi : 31/12/2026."),
        "member": gettext("Choisissez à qui."),
        "minutes": gettext("Écrivez combien ainsi : 2 h 30, ou − 1 h pour retirer ; un don est au-dessus de zéro."),
        "giver": gettext("Un don va de quelqu’un à quelqu’un d’autre."),
        "why": gettext("Dites pourquoi : l’autre nom l’atteste."),
    }
    return " ".join(words[field] for field in fields)
