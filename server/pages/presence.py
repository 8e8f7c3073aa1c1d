"""How is a forgotten badge put right? *Est parti à …*, *était là de … à …*, by the team and the gardien who holds."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session
from werkzeug.exceptions import NotFound

from policy.instants import of
from policy.presence import Move
from policy.terms import Instant
from policy.units import name_at
from server.audit import Decided
from server.changes import carnets
from server.changes import corrections as changes
from server.changes.outcomes import Wrong
from server.changes.people import Done
from server.errors import ChangeRefusedError, Refused
from server.queries import history
from server.queries.carnets import paid_by_hand
from server.queries.corrections import noted
from server.queries.current import Current
from server.queries.names import alphabetical
from server.roles import STAFF
from server.text.corrections import to_team
from server.text.dates import hour, local, read_date, when, zone
from server.text.hours import read_hour
from server.text.refusals import refusal
from server.text.translate import gettext
from server.web import step_up
from server.web.deciding import decided, presence_changed, why_in
from server.web.sessions import context, roles, signed_in

page = Blueprint("presence", __name__)

Change = Callable[[Session, Decided], Done | Wrong]
FOUND = 8
"""Members that a search offers; more say nothing to whoever looks for one."""
SHORTEST = 3
"""Letters of a search: fewer would list the members."""


@page.get("/presence", endpoint="page")
def show() -> ResponseReturnValue:
    """Who is inside, and a search for whoever forgot to badge in."""
    known = context()
    current, at = known.current(), known.clock()
    with known.database.reading() as session:
        inside = sorted(_inside(session, current, at), key=lambda one: alphabetical(one[1]))
    return render_template(
        "presence.html", at=at, inside=inside, found=_found(current), asked=request.args.get("q", "")
    )


@page.get("/presence/<path:member>")
def ask(member: str) -> ResponseReturnValue:
    return _form(member)


@page.post("/presence/<path:member>/left")
def left(member: str) -> ResponseReturnValue:
    at = _instant(request.form.get("at", ""), "")
    if at is None:
        return _form(member, "left", wrong=("at",))
    said = gettext("%(name)s est parti·e à %(hour)s : c’est noté.", name=_name(member), hour=hour(at))
    return _decide(
        member,
        "left",
        said,
        lambda session, decided: changes.has_left(session, signed_in(), decided, member, at, _day_start()),
    )


@page.post("/presence/<path:member>/there")
def there(member: str) -> ResponseReturnValue:
    day, until = request.form.get("day", ""), request.form.get("end", "").strip()
    start, end = _instant(request.form.get("start", ""), day), _instant(until, day) if until else None
    if start is None or (until and end is None):
        return _form(member, "there", wrong=("start",) if start is None else ("end",))
    known = {"name": _name(member), "start": when(start, context().clock())}
    said = (
        gettext("%(name)s est là depuis %(start)s : c’est noté.", **known)
        if end is None
        else gettext("%(name)s était là de %(start)s à %(end)s : c’est noté.", end=hour(end), **known)
    )
    return _decide(
        member,
        "there",
        said,
        lambda session, decided: changes.was_there(session, signed_in(), decided, member, start, end, _day_start()),
        start,
    )


@page.post("/presence/<path:member>/charge")
def charge(member: str) -> ResponseReturnValue:
    """The half-day that a correction did not pay."""
    unit = request.form.get("unit", "")
    said = gettext("%(name)s : la demi-journée est comptée.", name=_name(member))
    return _decide(member, "charge", said, lambda session, decided: carnets.pay(session, decided, member, unit))


@page.post("/presence/<path:member>/answer/<int:which>")
def answer(member: str, which: int) -> ResponseReturnValue:
    """To a member who says that a correction is wrong."""
    said = gettext("%(name)s lira la réponse sur sa page.", name=_name(member))
    return _decide(
        member, "answer", said, lambda session, decided: changes.answer(session, decided, member, which), answers=True
    )


@page.post("/presence/<path:member>/withdraw/<int:which>")
def withdraw(member: str, which: int) -> ResponseReturnValue:
    """A correction that was wrong: presence follows, a half-day that was counted for it is offered back."""
    with context().database.reading() as session:
        start = next((one.start for one in noted(session, member) if one.noted.seq == which), None)
    said = gettext("%(name)s : la correction est retirée.", name=_name(member))
    return _decide(
        member,
        f"withdraw{which}",
        said,
        lambda session, decided: changes.withdraw(session, signed_in(), decided, member, which),
        start,
        takes_back=True,
    )


def _decide(
    member: str,
    form: str,
    said: str,
    change: Change,
    start: Instant | None = None,
    *,
    answers: bool = False,
    takes_back: bool = False,
) -> ResponseReturnValue:
    """start: of a presence that a half-day may be counted for, or with takes_back, was."""
    known, by = context(), decided(why_in())
    try:
        with known.database.reading() as session:
            asks = not answers and changes.require_may_correct(session, signed_in(), member)
        if asks and (question := step_up.ask_again()):
            return question
        with known.database.transaction() as session:
            outcome = change(session, by)
    except ChangeRefusedError as error:
        status = 403 if error.why in (Refused.OWN_PRESENCE, Refused.GARDIENS_PRESENCE) else 409
        return _form(member, form, refused=refusal(error.why), status=status)
    if isinstance(outcome, Wrong):
        return _form(member, form, wrong=outcome.fields)
    presence_changed()
    flash(said)
    unit = _unit(member, start) if start is not None else None
    if takes_back:
        return redirect(url_for("presence.ask", member=member, back=unit), 303)
    return redirect(url_for("presence.ask", member=member, unit=unit) if unit else url_for("presence.page"), 303)


def _form(
    member: str, form: str = "", *, wrong: tuple[str, ...] = (), refused: str = "", status: int = 200
) -> ResponseReturnValue:
    known = context()
    current, at, name = known.current(), known.clock(), _name(member)
    with known.database.reading() as session:
        since = {who: came for who, _, came in _inside(session, current, at)}.get(member)
        known_of = noted(session, member) if roles() & STAFF else []
        back = request.args.get("back", "")
        charged = bool(back and roles() & STAFF) and paid_by_hand(session, member, back)
    told = {
        "at": at,
        "whose": member,
        "name": name,
        "since": since,
        "now": f"{local(at):%H:%M}",
        "today": f"{local(at):%Y-%m-%d}",
        "staff": bool(roles() & STAFF),
        "contested": [(one, to_team(one, at)) for one in known_of if one.open],
        "noted": [(one, to_team(one, at)) for one in known_of if one.noted.at > at - changes.LATEST],
        "back": back if charged else "",
        "form": form,
        "wrong": {field: _wrong(field) for field in wrong},
        "refused": refused,
        "unit": request.args.get("unit") if roles() & STAFF else None,
    }
    return render_template("correct_presence.html", **told), 400 if wrong else status


def _wrong(field: str) -> str:
    return {
        "at": gettext("Une heure comme 18:30, après son arrivée et pas plus tard que maintenant."),
        "start": gettext("Une heure comme 14:00, ni à venir ni trop ancienne."),
        "end": gettext("Une heure comme 18:00, après le début et pas plus tard que maintenant."),
        "why": gettext("Dites pourquoi : c’est gardé avec la correction."),
        "unit": gettext("Cette demi-journée n’existe pas."),
    }[field]


def _instant(written: str, day: str) -> Instant | None:
    """An hour of a day, today's where none is named; None for what is none."""
    try:
        date = read_date(day) or local(context().clock()).date()
        return of(datetime.combine(date, read_hour(written), zone()))
    except (ValueError, OverflowError):
        return None


def _unit(member: str, start: Instant) -> str | None:
    """The half-day or day that a badge would have paid, if the member's formule has a carnet."""
    current = context().current()
    known = current.rules.members.get(member)
    tier = None if known is None else current.rules.tiers.get(known.tier)
    if tier is None or tier.unit is None:
        return None
    return name_at(current.rules, tier.unit, start)


def _inside(session: Session, current: Current, at: Instant) -> list[tuple[str, str, Instant]]:
    """Id, short name, and since when."""
    day_start = current.rules.day_start(at)
    presence = history.moves_since(session, day_start)
    moves: dict[str, Move] = presence.moves
    inside = presence.inside(day_start)
    former = history.names(session, inside)
    return [(who, current.called.member(who) or former.get(who, who), moves[who].at) for who in inside]


def _found(current: Current) -> list[tuple[str, str]]:
    """Members whose name has what is looked for; nobody for too short a word, or for too many finds."""
    asked = request.args.get("q", "").strip()
    found = current.people.find(asked) if len(asked) >= SHORTEST else []
    return [(one.member.id, one.member.name) for one in found] if len(found) <= FOUND else []


def _day_start() -> Instant:
    known = context()
    return known.current().rules.day_start(known.clock())


def _name(member: str) -> str:
    """Raises NotFound for whoever never was a member."""
    name = context().current().called.member(member)
    if name is None:
        with context().database.reading() as session:
            name = history.names(session, [member]).get(member)
    if name is None:
        raise NotFound
    return name
