"""What does the coop owe me for the evenings that I held? /banque: a month as a sum, each line with what says so."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TypeAlias

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session
from werkzeug.exceptions import Forbidden, NotFound

from policy.bundle import Credit
from policy.terms import HOUR
from server.audit import Decided, looked
from server.changes.bank_shared import share
from server.changes.disputes import answer, open_dispute, withdraw
from server.changes.outcomes import Wrong
from server.errors import ChangeRefusedError, Refused
from server.queries.bank import Sort, Statement, balances, disputed, has_entries, statement
from server.queries.current import Current
from server.queries.ledger import last_count
from server.queries.names import alphabetical
from server.queries.people import day_of
from server.roles import GARDIENS, STAFF
from server.text import bank as text
from server.text.dates import calendar_day
from server.text.refusals import refusal
from server.text.sheets import Cell, Sheet, csv_file
from server.text.translate import gettext
from server.web.access import reads_balances
from server.web.deciding import MOST_WHY, decide, form_token, rules_changed, why_in
from server.web.sessions import context, roles, signed_in

page = Blueprint("bank", __name__)

MONTHS = 4
"""That are offered."""
Asked: TypeAlias = Mapping[str, object]
"""Of one field of server/templates/who.html what is wrong, and who may be meant."""
NOTHING_WRONG: Asked = {"wrong": {}, "choices": (), "more": 0}


@page.get("/banque", endpoint="page")
def show() -> ResponseReturnValue:
    return page_of(signed_in().member)


@page.get("/banque/<path:member>")
def of_member(member: str) -> ResponseReturnValue:
    return page_of(member)


@page.get("/banque-csv/<path:member>")
def download(member: str) -> ResponseReturnValue:
    """The statement of a month as a file."""
    known = context()
    with known.database.transaction() as session:
        found = _statement(session, member)
    first = _month()
    lines = [(line, text.said(line, known.current())) for line in found.between(first, text.last_of(first))]
    rows: list[list[Cell]] = [
        [line.day, said.sort, line.minutes, " ; ".join(said.proof)] for line, said in reversed(lines)
    ]
    last = text.last_of(first)
    rows.insert(0, [first, gettext("solde au début"), found.before(first), ""])
    rows.append([last, gettext("solde à la fin"), found.before(last + timedelta(1)), ""])
    headings = [gettext("Jour"), gettext("Quoi"), gettext("Minutes"), gettext("Preuve")]
    return csv_file(Sheet(gettext("Relevé"), headings, rows), f"heures-{member}-{first:%Y-%m}")


@page.post("/banque/lines/<int:entry>/contest")
def contest(entry: int) -> ResponseReturnValue:
    known, me = context(), signed_in()
    why = why_in()
    try:
        with known.database.transaction() as session:
            outcome = open_dispute(session, Decided(me.login, known.clock(), why), me.member or "", entry)
    except ChangeRefusedError as error:
        return page_of(me.member, refusal(error.why), 409)
    if isinstance(outcome, Wrong):
        return page_of(me.member, gettext("Dites ce qui est juste, à votre avis."), 400)
    flash(gettext("C’est écrit à l’équipe. La ligne compte comme avant, jusqu’à sa réponse."))
    known.live.changed()
    return redirect(url_for("bank.page", month=f"{_month():%Y-%m}"), 303)


@page.post("/banque/lines/<int:entry>/withdraw")
def take_back(entry: int) -> ResponseReturnValue:
    known, me = context(), signed_in()
    try:
        with known.database.transaction() as session:
            withdraw(session, Decided(me.login, known.clock()), me.member or "", entry)
    except ChangeRefusedError as error:
        return page_of(me.member, refusal(error.why), 409)
    flash(gettext("Vous ne contestez plus cette ligne."))
    return redirect(url_for("bank.page", month=f"{_month():%Y-%m}"), 303)


@page.post("/banque/lines/<int:entry>/answer")
def close(entry: int) -> ResponseReturnValue:
    known, me = context(), signed_in()
    try:
        with known.database.transaction() as session:
            outcome = answer(session, Decided(me.login, known.clock(), why_in()), me.member, entry)
    except ChangeRefusedError as error:
        return page_of(me.member, refusal(error.why), 409)
    if isinstance(outcome, Wrong):
        return page_of(me.member, gettext("Écrivez un mot de réponse."), 400)
    flash(gettext("C’est répondu : la personne le lit sur sa page."))
    return redirect(url_for("bank.of_member", member=outcome.member), 303)


@page.post("/banque/shared")
def read_by_gardiens() -> ResponseReturnValue:
    """Whether gardiens read what each of them is owed, or the team alone."""
    wanted = request.form.get("shared") == "1"
    outcome = decide(lambda session, decided: share(session, decided, wanted))
    if isinstance(outcome, Refused):
        return page_of(signed_in().member, refusal(outcome), 409)
    rules_changed()  # no edge goes by it; the pages do from what is in force
    if wanted:
        flash(gettext("Les gardiens lisent maintenant le solde de chacun."))
    else:
        flash(gettext("Le solde de chacun : l’équipe seule le lit maintenant."))
    return redirect(url_for("bank.page"), 303)


def page_of(
    member: str | None, refused: str = "", status: int = 200, to: Asked = NOTHING_WRONG, giver: Asked = NOTHING_WRONG
) -> ResponseReturnValue:
    """The statement of a member, and to the team who else has one. to, giver: of a credit that is being proposed."""
    known = context()
    current, now, me = known.current(), known.clock(), signed_in()
    first, team, terms = _month(), bool(roles() & STAFF), current.bundle.site.time_bank
    reads = reads_balances(shared=terms is not None and terms.shared)
    with known.database.transaction() as session:
        found = _statement(session, member) if member is not None else None
        owed = balances(session, current, day_of(current, now)) if reads and member == me.member else {}
        waiting = disputed(session) if team and member == me.member else []
        count = last_count(session)
    lines = [] if found is None else found.between(first, text.last_of(first))
    called = current.called.member
    return render_template(
        "bank.html",
        member=member,
        mine=member == signed_in().member,
        came_from=(member, called(member or "") or member) if member != me.member else ("", ""),
        name=called(member or "") or member,
        found=found,
        bank=terms,
        rules=[] if terms is None else text.rules(terms),
        team=team,
        first=first,
        last=text.last_of(first),
        today=day_of(current, now),
        months=text.months_back(day_of(current, now), MONTHS),
        sums=_sums(found, first),
        opening=found.before(first) if found is not None else 0,
        closing=found.before(text.last_of(first) + timedelta(1)) if found is not None else 0,
        lines=[(line, text.said(line, current)) for line in lines],
        owed=sorted(((called(one) or one, one, owed[one]) for one in owed), key=lambda one: alphabetical(one[0])),
        waiting=[(dispute, entry, called(entry.member) or entry.member) for dispute, entry in waiting],
        proposes=current.bundle.site.time_bank is not None and me.member is not None and bool(roles() & GARDIENS),
        proposed=_proposed(current, me.member, team=team, asks=bool(roles() & GARDIENS)),
        to=to,
        giver=giver,
        token=form_token(),
        typed=request.form,
        recounted=text.recounted(count),
        refused=refused,
        most=MOST_WHY,
        said=text,
        calendar_day=calendar_day,
    ), status


def _proposed(current: Current, me: str | None, *, team: bool, asks: bool) -> list[tuple[Credit, bool, bool]]:
    """The credits that wait for a second name, each with whether whoever looks may attest it, and take it away."""
    waits = [one for one in current.bundle.credits if one.attested is None]
    found = []
    for one in waits:
        whole = [other for other in waits if other is one or (one.pair is not None and other.pair == one.pair)]
        concerned = any(me in (other.member, other.by) for other in whole)
        if asks or me == one.member:
            found.append((one, asks and me is not None and not concerned, team or me == one.by))
    return found


def _sums(found: Statement | None, first: date) -> list[tuple[Sort, int, int]]:
    """Of each sort how many lines, and their minutes."""
    lines = [] if found is None else found.between(first, text.last_of(first))
    of = {sort: [line.minutes for line in lines if line.sort is sort] for sort in Sort}
    return [(sort, len(own), sum(own)) for sort, own in of.items() if own]


def _statement(session: Session, member: str) -> Statement:
    """One's own, or to the team anybody's, which is written down. Raises Forbidden, NotFound."""
    known, me = context(), signed_in()
    current, now = known.current(), known.clock()
    if member != me.member:
        if not roles() & STAFF:
            raise Forbidden
        if not has_entries(session, member) and current.called.member(member) is None:
            raise NotFound
        looked(session, Decided(me.login, now), "bank", [member], again_after=HOUR)
    return statement(session, current.calendar, member, day_of(current, now))


def _month() -> date:
    """The first day of the month that is asked for; this one where none is."""
    try:
        return date.fromisoformat(f"{request.values.get('month', '')}-01")
    except ValueError:
        return day_of(context().current(), context().clock()).replace(day=1)
