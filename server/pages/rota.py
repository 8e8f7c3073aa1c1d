"""When am I on, and which evenings are open? /gardiens: two weeks; taken, offered, given back."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from policy.spans import end_of
from policy.terms import Instant
from server.audit import Decided
from server.changes import rota as changes
from server.changes import rota_longer, rota_news
from server.changes.rota import Busy, HeldBy, Turned
from server.errors import Refused
from server.pages.rota_mail import tell_free, tell_given
from server.queries.current import Current
from server.queries.feeds import feeds_of
from server.queries.names import alphabetical
from server.queries.now import Picture, adhoc_of, picture
from server.queries.people import day_of
from server.queries.rota import DAYS, asked, turn_of
from server.queries.rota_days import days, gardiens, own_turns
from server.queries.rota_ending import ending
from server.roles import GARDIENS, STAFF, Role
from server.text import rota as text
from server.text import rota_feed
from server.text.dates import calendar_day, hour
from server.text.doors import doors
from server.text.refusals import refusal
from server.text.translate import gettext
from server.web.deciding import decide, rules_changed
from server.web.sessions import context, roles, signed_in
from server.web.told import tell
from server.web.typed import beside

page = Blueprint("rota", __name__)

AHEAD = timedelta(days=366)
"""So far ahead the page can be turned."""
Change = Callable[[Session, Decided, str, str], changes.Outcomes]


@page.get("/gardiens", endpoint="page")
def show() -> ResponseReturnValue:
    """`?from=` names the first day."""
    return show_page(200)


@page.post("/gardiens/take")
def take() -> ResponseReturnValue:
    """Oneself; the team for the gardien that the form names."""
    if request.form.get("gardien") is None:
        who = who_acts()
    elif not (who := _named_in("gardien")):
        return show_page(400, refused=gettext("Pas fait : choisissez un gardien de la liste, en toutes lettres."))
    return _decide(_take, who, "taken" if who == signed_in().member else "given")


def _take(session: Session, decided: Decided, key: str, member: str) -> changes.Outcomes:
    """Whoever had it, or has it now, hears of it unless they pressed themselves."""
    outcome = changes.take(session, decided, key, member)
    if isinstance(outcome, Turned):
        tell_given(session, outcome, to=member, presser=signed_in().member)
    return outcome


def _named_in(field: str) -> str:
    """For the team: the gardien who was chosen; empty for whoever is none."""
    chosen, able = request.form.get(field, ""), dict(_choices(context().current()))
    return acts_for(chosen) if chosen in able and roles() & STAFF else ""


def _choices(current: Current) -> list[tuple[str, str]]:
    """Who may hold an evening today, A to Z as they are shown; of two of one name each with their id."""
    named = [
        (who, current.people.people[who].member.name) for who in gardiens(current, day_of(current, context().clock()))
    ]
    often = Counter(name for _, name in named)
    told = [(who, name if often[name] == 1 else f"{name} ({who})") for who, name in named]
    return sorted(told, key=lambda one: (alphabetical(one[1]), one[0]))


@page.post("/gardiens/undo")
def undo() -> ResponseReturnValue:
    return _decide(changes.undo, who_acts(), "undone")


@page.post("/gardiens/keep")
def keep() -> ResponseReturnValue:
    """Whoever offered it, or gave it back, keeps it after all."""
    return _decide(_take, who_acts(), "kept")


@page.post("/gardiens/prolong")
def prolong() -> ResponseReturnValue:
    """The gardien who holds the place stays an hour longer."""
    current = context().current()

    def change(session: Session, decided: Decided, key: str, member: str) -> changes.Outcomes:
        return rota_longer.prolong(session, decided, current, key, member)

    return _decide(change, signed_in().member or "", "prolonged")


@page.post("/gardiens/decline")
def decline() -> ResponseReturnValue:
    """A gap that is offered to them: no, and they are not asked about it again."""
    key, who = request.form.get("turn", ""), who_acts()
    if not decide(lambda session, decided: rota_news.decline(session, decided, key, who)):
        return show_page(409, refused=refusal(Refused.TURN_GONE))
    tell(gettext("C’est noté : on ne vous le demande plus."))
    return redirect(url_for("rota.page"), 303)


@page.post("/gardiens/offer")
def offer() -> ResponseReturnValue:
    def change(session: Session, decided: Decided, key: str, member: str) -> changes.Outcomes:
        outcome = changes.offer(session, decided, key, member)
        tell_free(session, outcome, member)
        return outcome

    return _decide(change, who_acts(), "offered")


@page.get("/gardiens/give-back")
def ask_back() -> ResponseReturnValue:
    """The second step: what becomes of the evening, and who is told."""
    current, who, key = context().current(), acts_for(request.args.get("who", "")), request.args.get("turn", "")
    turn = turn_of(current.bundle, key)
    if turn is None or turn.gardien != who:
        return show_page(409, refused=refusal(Refused.TURN_NOT_YOURS))
    if changes.stays(current.bundle, turn, context().clock()):
        said = gettext("La garde reste à %(who)s tant que personne ne la prend.", who=_named(current, who))
    else:
        said = gettext("La soirée redevient sans gardien.")
    told = [gettext("Les autres gardiens sont prévenus tout de suite.")]
    if turn.start <= context().clock():
        told.append(gettext("La garde a déjà commencé : prévenez aussi de vive voix qui est dans les murs."))
    return render_template(
        "second_step.html",
        question=gettext("Rendre la garde du %(when)s ?", when=text.within(turn)),
        said=said,
        more=told,
        press=gettext("Rendre cette garde"),
        back=url_for("rota.page"),
        carried=[("turn", key), ("who", who)],
    )


@page.post("/gardiens/give-back")
def give_back() -> ResponseReturnValue:
    def change(session: Session, decided: Decided, key: str, member: str) -> changes.Outcomes:
        outcome = changes.give_back(session, decided, key, member)
        tell_free(session, outcome, member)
        return outcome

    return _decide(change, who_acts(), "given_back")


def who_acts() -> str:
    """For whom it is done: for oneself, or by the team for whom the form names."""
    return acts_for(request.form.get("who", ""))


def acts_for(named: str) -> str:
    return named if named and roles() & STAFF else signed_in().member or ""


def _decide(change: Change, who: str, done: str) -> ResponseReturnValue:
    key = request.form.get("turn", "")
    outcome = decide(lambda session, decided: change(session, decided, key, who))
    if isinstance(outcome, Turned):
        rules_changed()
        return redirect(url_for("rota.page", **told_of(done, key, who)), 303)
    return show_page(409, refused=why_not(outcome))


def told_of(done: str, key: str, who: str) -> dict[str, Any]:
    """What the next page says, and the days that were looked at."""
    told = {"done": done, "turn": key, "who": who, "rules": context().current().version}
    return told | ({"from": request.form["from"]} if request.form.get("from") else {})


def why_not(outcome: HeldBy | Busy | Refused) -> str:
    current = context().current()
    match outcome:
        case HeldBy(turn):
            held = {"who": text.name(current, turn.gardien), "when": text.within(turn)}
            return gettext("%(who)s vient de prendre la garde du %(when)s.", **held)
        case Busy(other):
            return gettext("Pas fait : la garde du %(when)s est au même moment.", when=text.within(other))
        case Refused():
            return refusal(outcome)
    raise TypeError(outcome)


def show_page(status: int, refused: str = "", wrong: Sequence[str] = ()) -> ResponseReturnValue:
    """refused: why what was pressed is not done. wrong: the fields of an absence that cannot stay as they are."""
    known, account = context(), signed_in()
    current, at = known.current(), known.clock()
    today = current.calendar.date_at(at)
    first = _first(today)
    gardien, staff = Role.GARDIEN in account.roles, bool(account.roles & STAFF)
    with known.database.reading() as session:
        asked_ = asked(session)
        seen = picture(session, current, at)
        found = days(session, seen.known, current, asked_, first, DAYS)
        toast, undone = _toast(current)
        ends = ending(seen, current, current.bundle, account.member or "")
        made = feeds_of(session, account.member or "")
        knowing = doors(session, current, request.args.get("rules", ""), at) if toast else None
    evenings = [one for day in found for one in day.evenings]
    gaps, doubts = sum(one.gap for one in evenings), sum(one.in_doubt for one in evenings)
    holds = account.member if gardien else None
    headed, headline, then = _own(seen, current, holds, at) if holds else ("", None, "")
    return render_template(
        "rota.html",
        headline=headline,
        headed=headed,
        then=then,
        ending=ends,
        days=[text.told(one, current, at, account.member, takes=gardien, staff=staff) for one in found],
        gaps=gaps,
        counted=text.counted(gaps, doubts),
        doubts=text.counted(0, doubts),
        until=calendar_day(first + timedelta(days=DAYS - 1)),
        gardien=gardien,
        staff=staff,
        presses=bool(account.roles & GARDIENS),
        choices=_choices(current),
        first=first if first != today else None,
        later=first + timedelta(days=DAYS),
        feeds=[(what, gettext(name)) for what, name in rota_feed.NAMES.items()],
        feeds_made=made,
        adhoc=current.bundle.site.adhoc_hours,
        has_rota=bool(evenings or current.bundle.rota),
        refused=refused,
        asks=text.asks(current, asked_.swaps, at, account.member, staff=staff),
        asked=text.asked(current, asked_.turns_of, account.member),
        absences=text.absences(current, asked_.absences, today, account.member, staff=staff),
        wrong=beside(wrong, lambda field: gettext(text.WRONG[field])),
        typed=request.form,
        toast=toast if knowing else "",
        doors=knowing,
        undone=undone,
    ), status


def _own(seen: Picture, current: Current, member: str, at: Instant) -> tuple[str, tuple[str, str] | None, str]:
    """What stands over a gardien's own shift; the shift: that which runs, an opening without one, else the next; and
    the next one where another stands above."""
    runs, coming = own_turns(current, member, at)
    then = "" if coming is None else text.next_line(coming)
    if runs is not None:
        return gettext("Votre garde, maintenant"), text.next_said(runs, current, at), then
    until = end_of(adhoc_of(seen, member), at) if member in seen.opening.held_by else None
    if until is not None:
        said = gettext("Vous tenez le lieu jusqu’à %(hour)s", hour=hour(until))
        return gettext("Ouverture sans garde"), (said, ""), then
    return gettext("Votre prochaine garde"), None if coming is None else text.next_said(coming, current, at), ""


def _first(today: date) -> date:
    """The first day to show: today, or what the address or the form names."""
    try:
        named = date.fromisoformat(request.values.get("from", ""))
    except ValueError:
        return today
    return min(max(named, today), today + AHEAD)


def _toast(current: Current) -> tuple[str, tuple[str, tuple[tuple[str, str], ...]]]:
    """What was just done, and how it is undone: address and form."""
    done, key, who = (request.args.get(name, "") for name in ("done", "turn", "who"))
    turn = turn_of(current.bundle, key)
    if done not in text.DONE or turn is None:
        return "", ("", ())
    said = gettext(text.DONE[done], when=text.when(turn), who=_named(current, who))
    press = {"taken": "rota.undo", "given": "rota.undo", "offered": "rota.keep", "given_back": "rota.keep"}.get(done)
    if press is None:
        return said, ("", ())
    return said, (url_for(press), (("turn", key), ("who", who), *_shown_args()))


def _shown_args() -> tuple[tuple[str, str], ...]:
    first = request.args.get("from", "")
    return (("from", first),) if first else ()


def _named(current: Current, who: str) -> str:
    return gettext("vous") if who and who == signed_in().member else text.name(current, who)
