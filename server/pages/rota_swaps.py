"""Whose evening do I want for mine, and when am I away? A swap proposed, accepted, refused; absences and their end."""

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from server.audit import Decided
from server.changes import rota_absences, rota_swaps
from server.changes.outcomes import Wrong
from server.changes.rota import Busy
from server.changes.rota_absences import Away
from server.changes.rota_swaps import Swap
from server.errors import Refused
from server.pages.rota import acts_for, show_page, who_acts, why_not
from server.pages.rota_mail import tell_away, tell_swap
from server.queries.rota import AHEAD, Turn, turn_of, turns
from server.queries.rota_days import gardiens
from server.text import rota as text
from server.text import rota_mail as mail
from server.text.bank import month as month_name
from server.text.refusals import refusal
from server.text.translate import gettext, ngettext
from server.web.deciding import decide, rules_changed
from server.web.sessions import context, signed_in
from server.web.told import tell
from server.web.typed import beside, day_in

page = Blueprint("rota_swaps", __name__)

FEW = 6
"""Evenings near one's own that are offered first."""


@page.get("/gardiens/swap")
def choose() -> ResponseReturnValue:
    """Against which evening."""
    return _form(200, request.args.get("turn", ""), acts_for(request.args.get("who", "")))


@page.post("/gardiens/swap")
def propose() -> ResponseReturnValue:
    key, against, who = request.form.get("turn", ""), request.form.get("against", ""), who_acts()
    wrong: list[str] = []
    last = day_in("last", wrong, needed=False)
    if wrong:
        return _form(400, key, who, wrong=beside(wrong, lambda _: gettext(text.WRONG_LAST))["last"])

    def change(session: Session, decided: Decided) -> Swap | Busy:
        outcome = rota_swaps.propose(session, decided, key, who, against, last)
        if isinstance(outcome, Swap):
            tell_swap(session, outcome, outcome.to, mail.SWAP_PROPOSED, outcome.member)
        return outcome

    outcome = decide(change)
    if not isinstance(outcome, Swap):
        return _form(409, key, who, refused=why_not(outcome))
    tell(gettext("Échange proposé à %(who)s : rien ne change avant son oui.", who=_name(outcome.to)))
    return redirect(url_for("rota.page"), 303)


@page.post("/gardiens/swap/accept")
def accept() -> ResponseReturnValue:
    series, who = request.form.get("series", ""), who_acts()

    def change(session: Session, decided: Decided) -> Swap | Busy:
        outcome = rota_swaps.accept(session, decided, series, who)
        if isinstance(outcome, Swap):
            tell_swap(session, outcome, outcome.member, mail.SWAP_ACCEPTED, outcome.to)
        return outcome

    outcome = decide(change)
    if not isinstance(outcome, Swap):
        return show_page(409, refused=why_not(outcome))
    rules_changed()
    tell(_exchanged(outcome))
    return redirect(url_for("rota.page"), 303)


@page.post("/gardiens/swap/drop")
def drop() -> ResponseReturnValue:
    """Refused by whom it was proposed to, or taken back by who proposed it."""
    series, who = request.form.get("series", ""), who_acts()

    def change(session: Session, decided: Decided) -> tuple[object, ...]:
        rows = rota_swaps.drop(session, decided, series, who)
        if rows and rows[0].to == who:
            tell_swap(session, None, rows[0].member or "", mail.SWAP_REFUSED, who)
        return rows

    outcome = decide(change)
    if isinstance(outcome, Refused) or not outcome:
        return show_page(409, refused=refusal(Refused.SWAP_OVER))
    tell(gettext("L’échange n’est plus proposé."))
    return redirect(url_for("rota.page"), 303)


@page.post("/gardiens/absences")
def leave() -> ResponseReturnValue:
    wrong: list[str] = []
    first, last, who = day_in("first", wrong), day_in("last", wrong), who_acts()
    if first is None or last is None:
        return show_page(400, wrong=wrong)

    def change(session: Session, decided: Decided) -> Away | Wrong:
        outcome = rota_absences.be_away(session, decided, who, first, last)
        if isinstance(outcome, Away) and outcome.fresh:
            tell_away(session, outcome, who)
        return outcome

    outcome = decide(change)
    if isinstance(outcome, Wrong):
        return show_page(400, wrong=outcome.fields)
    if isinstance(outcome, Refused):
        return show_page(409, refused=refusal(outcome))
    rules_changed()
    found = len(outcome.turns)
    tell(ngettext("Noté. %(num)s garde est à reprendre.", "Noté. %(num)s gardes sont à reprendre.", found))
    return redirect(url_for("rota.page"), 303)


@page.post("/gardiens/absences/<int:which>/back")
def be_back(which: int) -> ResponseReturnValue:
    who = who_acts()
    outcome = decide(lambda session, decided: rota_absences.be_back(session, decided, which, who))
    if isinstance(outcome, Refused):
        return show_page(409, refused=refusal(outcome))
    rules_changed()
    found = len(outcome.turns)
    tell(
        ngettext(
            "Absence retirée : %(num)s garde est de nouveau tenue. Ce que d’autres ont pris leur reste.",
            "Absence retirée : %(num)s gardes sont de nouveau tenues. Ce que d’autres ont pris leur reste.",
            found,
        )
    )
    return redirect(url_for("rota.page"), 303)


def _form(status: int, key: str, who: str, wrong: str = "", refused: str = "") -> ResponseReturnValue:
    current, at = context().current(), context().clock()
    mine, today = turn_of(current.bundle, key), current.calendar.date_at(at)
    if mine is None or mine.gardien != who:
        return show_page(409, refused=refusal(Refused.TURN_NOT_YOURS))
    coming = turns(current.bundle, today - timedelta(days=1), today + timedelta(days=AHEAD))
    able = set(gardiens(current, today))
    offered = [one for one in coming if one.end > at and one.gardien in able - {who}]
    months = sorted({one.day.replace(day=1) for one in offered})
    month = next((one for one in months if f"{one:%Y-%m}" == request.values.get("month")), None)
    near = sorted(sorted(offered, key=lambda one: abs(one.start - mine.start))[:FEW], key=lambda one: one.start)
    shown = near if month is None else [one for one in offered if one.day.replace(day=1) == month]
    return render_template(
        "rota_swap.html",
        said=text.within(mine),
        key=key,
        gardien=who,
        offered=[(one.key, _said(one)) for one in shown],
        months=[(f"{one:%Y-%m}", month_name(one)) for one in months],
        month="" if month is None else f"{month:%Y-%m}",
        chosen=request.form.get("against", ""),
        last=request.form.get("last", ""),
        series=bool(mine.pattern),
        wrong=wrong,
        refused=refused,
    ), status


def _exchanged(swap: Swap) -> str:
    """Both evenings, and whose they are now; of a series how many."""
    if len(swap.pairs) > 1:
        num = len(swap.pairs)
        return ngettext(
            "C’est échangé : %(num)s soirée contre %(num)s.", "C’est échangé : %(num)s soirées contre %(num)s.", num
        )
    ((first, second),) = swap.pairs
    return gettext(
        "C’est échangé : %(first)s, c’est %(to)s ; %(second)s, c’est %(member)s.",
        first=text.within(first),
        to=_you(swap.to),
        second=text.within(second),
        member=_you(swap.member),
    )


def _you(who: str) -> str:
    return gettext("vous") if who == signed_in().member else _name(who)


def _said(one: Turn) -> str:
    return f"{text.within(one)} · {_name(one.gardien)}"


def _name(who: str | None) -> str:
    return text.name(context().current(), who)
