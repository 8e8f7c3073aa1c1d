"""*Je serai en retard*, *Je pars plus tôt*: from when, until when? An hour is picked, and it says who is told."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from policy.terms import HOUR, MINUTE, Instant
from server.audit import Decided
from server.changes import rota_hours as changes
from server.changes.rota import Turned
from server.errors import Refused
from server.pages.rota import acts_for, show_page, told_of
from server.pages.rota_mail import tell_hours
from server.queries.current import Current
from server.queries.now import picture
from server.queries.rota import Turn, turn_of
from server.text import rota as text
from server.text.dates import hour, lasting
from server.text.refusals import refusal
from server.text.translate import N_, gettext
from server.web.deciding import decide, rules_changed
from server.web.sessions import context

page = Blueprint("rota_hours", __name__)

LATE = (15 * MINUTE, 30 * MINUTE, 45 * MINUTE, HOUR, 2 * HOUR)
EARLY = (15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR)
STEP: Instant = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two: its question, what becomes of the evening, who is told, and the change."""

    question: str
    said: str
    told: str
    press: str
    change: Callable[[Session, Decided, str, str, Instant], Turned]


KINDS = {
    "later": Kind(
        N_("En retard, garde du %(when)s ?"),
        N_(
            "La garde commence à l’heure que vous choisissez, et compte à partir de là. "
            "La porte vous connaît %(lead)s avant."
        ),
        N_("La page le dit aux membres ; l’équipe, les autres gardiens et qui a demandé à le savoir sont prévenus."),
        N_("Prévenir"),
        changes.start_later,
    ),
    "earlier": Kind(
        N_("Partir plus tôt, garde du %(when)s ?"),
        N_("La garde finit à l’heure que vous choisissez, et compte jusque-là."),
        N_("Qui est dans les murs, l’équipe et les autres gardiens sont prévenus ; la page le dit aux membres."),
        N_("Prévenir"),
        changes.end_earlier,
    ),
}  # fmt: skip


@page.get("/gardiens/later", endpoint="later")
def ask_later() -> ResponseReturnValue:
    return _form("later")


@page.get("/gardiens/earlier", endpoint="earlier")
def ask_earlier() -> ResponseReturnValue:
    return _form("earlier")


@page.post("/gardiens/later")
def start_later() -> ResponseReturnValue:
    return _decide("later")


@page.post("/gardiens/earlier")
def end_earlier() -> ResponseReturnValue:
    return _decide("earlier")


def _form(what: str, refused: str = "", status: int = 200) -> ResponseReturnValue:
    current, who = context().current(), acts_for(request.values.get("who", ""))
    turn = turn_of(current.bundle, request.values.get("turn", ""))
    if turn is None or turn.gardien != who:
        return show_page(409, refused=refusal(Refused.TURN_NOT_YOURS))
    kind, at = KINDS[what], context().clock()
    return render_template(
        "rota_hours.html",
        what=what,
        question=gettext(kind.question, when=text.within(turn)),
        said=gettext(kind.said, lead=lasting(current.bundle.site.shift_lead)),
        told=gettext(kind.told),
        press=gettext(kind.press),
        choices=_later(current, turn, at) if what == "later" else _earlier(turn, at),
        turn=turn.key,
        gardien=who,
        refused=refused,
    ), status


def _later(current: Current, turn: Turn, at: Instant) -> list[tuple[Instant, str]]:
    """From the start on, or from now where that is past; on the same date, as the evening is one of that date."""
    start = max(turn.start, _stepped(at))
    day = current.calendar.local(turn.start).date()
    fits = [(late, start + late) for late in LATE if start + late < turn.end]
    return [
        (to, gettext("%(late)s, vers %(hour)s", late=lasting((to - turn.start) // MINUTE), hour=hour(to)))
        for _, to in fits
        if current.calendar.local(to).date() == day
    ]


def _earlier(turn: Turn, at: Instant) -> list[tuple[Instant, str]]:
    """Soon, and counted back from the end."""
    soon = [_stepped(at) + early for early in EARLY[:2]] if turn.start <= at else []
    back = [turn.end - early for early in EARLY]
    ends = sorted({to for to in (*soon, *back) if max(turn.start, at) < to < turn.end})
    return [(to, gettext("à %(hour)s", hour=hour(to))) for to in ends]


def _stepped(at: Instant) -> Instant:
    """The next five minutes."""
    return at + -at % STEP


def _decide(what: str) -> ResponseReturnValue:
    key, who, written = request.form.get("turn", ""), acts_for(request.form.get("who", "")), request.form.get("to", "")
    to = int(written) if written.isascii() and written.isdigit() and len(written) < 15 else 0
    known = context()

    def change(session: Session, decided: Decided) -> Turned:
        outcome = KINDS[what].change(session, decided, key, who, to)
        inside = picture(session, known.current(), decided.at).inside if what == "earlier" else ()
        tell_hours(session, outcome, who, inside, later=what == "later")
        return outcome

    outcome = decide(change)
    if isinstance(outcome, Refused):
        return _form(what, refusal(outcome), 409)
    rules_changed()
    return redirect(url_for("rota.page", **told_of(what, key, who)), 303)
