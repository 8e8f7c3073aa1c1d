"""Is it open, and will my badge open it? /me: a member's own page."""

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from policy.passes import unit_now
from policy.terms import DAY, Instant
from server.errors import Refused
from server.pages.calendar import startable
from server.pages.carnet_mail import carnet_mail
from server.pages.channel_form import offered
from server.pages.evening_watch import watching
from server.pages.my_answer import answer_of
from server.queries.bank import has_entries, statement
from server.queries.booking_falls import fallen
from server.queries.booking_waits import waits
from server.queries.carnets import account_of
from server.queries.closing import checked_out
from server.queries.corrections import noted
from server.queries.current import Current
from server.queries.entry import ahead, badges, entry, units_paid
from server.queries.groups import group_of
from server.queries.history import passages_of
from server.queries.instead import instead
from server.queries.looks import how_often, looks
from server.queries.now import picture
from server.queries.people import day_of
from server.queries.quotas import quotas_of
from server.queries.rota import asked
from server.queries.rota_days import own_turns
from server.queries.site_state import machines_at
from server.queries.training import kinds, trained
from server.queries.training_sessions import coming
from server.roles import GARDIENS, Role
from server.text import booking_waits, my_machines, rota
from server.text.bank import owed
from server.text.carnets import in_all
from server.text.carnets import shown as carnets_shown
from server.text.corrections import out_at_closing, to_member
from server.text.days import days
from server.text.machine import quota
from server.text.my_trainings import Mine, mine
from server.text.named import place_of
from server.text.reasons import words
from server.text.refusals import refusal
from server.web.access import navigation
from server.web.holding import holds_place
from server.web.sessions import context, roles, signed_in

page = Blueprint("me", __name__)

WEEK = 7 * DAY
"""How far the next opening is looked for."""
PASSAGES = 8
CORRECTIONS = 5
CLOSINGS = 31 * DAY
"""How long it is told that a closing checked somebody out."""


@page.get("/me", endpoint="page")
def show() -> ResponseReturnValue:
    return page_of()


def page_of(refused: str = "", status: int = 200) -> ResponseReturnValue:
    """refused: what was not done on it, and why."""
    known, me = context(), signed_in()
    at, current = known.clock(), known.current()
    one, holding = current.people.people.get(me.member or ""), holds_place()
    if one is None:
        return render_template("me.html", at=at, one=None, leads_to=_leads_to())
    with known.database.reading() as session:
        seen = picture(session, current, at)
        who = one.member.id
        seen.known.state.units[who].update(units_paid(session, who))
        held = badges(current, who)
        spans = ahead(seen.known, who, held, at, seen.day_start + WEEK + DAY)
        tapped = entry(current.rules, seen.known.state, held, at)
        machines = machines_at(session, at, who)
        carnets = carnets_shown(account_of(session, who), current, at)
        return render_template(
            "me.html",
            at=at,
            one=one.member,
            holding=holding,
            refused=refused,
            typed=request.form,
            takes_groups=bool(roles() & GARDIENS),
            inside=who in seen.known.state.presence.inside(seen.day_start),
            badge_first=refusal(Refused.BADGE_FIRST),
            group=group_of(session, seen.day_start, who),
            watching=watching(session, seen),
            channel=offered(session, who),
            answer=answer_of(seen, current, who, tapped, spans),
            days=days(current, spans, at) if held else [],
            needs_carnet=unit_now(current.rules, who, at) is not None,
            carnets=carnets,
            in_all=in_all(carnets),
            carnet_mail=carnet_mail(session, who),
            hours_line=_hours(session, current, who, at),
            quotas=[quota(left, current) for left in quotas_of(current, machines, who, at)],
            running=my_machines.running(current.rules, machines, who, at),
            bookings=[
                (slot, short, helps, my_machines.waits(machines, slot, at), instead(session, current, slot, at))
                for slot, (short, helps) in startable(session, current, seen.known, who)
            ],
            waits=booking_waits.rows(waits(session, at, member=who), current),
            fallen=[(one.slot, my_machines.fell(one.by, who, current.called)) for one in fallen(session, who, at)],
            trainings=_trainings(session, current, who, at),
            passages=[
                (one, words(one, current, at, to_member=True), place_of(current.called, one.reader))
                for one in passages_of(session, who, PASSAGES, at)
            ],
            corrections=[(one, to_member(one, at)) for one in noted(session, who)[:CORRECTIONS]],
            left_at=_left_at(session, current, who, at),
            rota=_rota(session, current, who, at) if roles() & {Role.GARDIEN} else [],
            looks=looks(session, who),
            looked=how_often(session, who),
        ), status


def _leads_to() -> list[tuple[str, list[tuple[str, str]]]]:
    """Of an account that is no member's, what it is for: the pages that it may see, group by group as in the menu."""
    return [(label, pages) for label, pages in navigation(current_app) if [label] != [name for _, name in pages]]


def _rota(session: Session, current: Current, who: str, at: Instant) -> list[str]:
    """Their shift that runs, their next one, and the swaps that wait for their answer."""
    runs, coming = own_turns(current, who, at)
    mine = [*([] if runs is None else [rota.runs_line(runs)]), *([] if coming is None else [rota.next_line(coming)])]
    return mine + [one.said for one in rota.asks(current, asked(session).swaps, at, who, staff=False) if not one.mine]


def _left_at(session: Session, current: Current, who: str, at: Instant) -> list[str]:
    """The closings that checked them out, newest first."""
    found = checked_out(session, at - CLOSINGS, at + 1, who)[:CORRECTIONS]
    return [out_at_closing(one, current.called, at) for one in found]


def _hours(session: Session, current: Current, who: str, at: Instant) -> str:
    """What the bank of hours owes them, empty for whoever has nothing to do with it."""
    entered = has_entries(session, who)
    holds = current.bundle.site.time_bank is not None and bool(roles() & {Role.GARDIEN})
    if not (entered or holds):
        return ""
    return owed(statement(session, current.calendar, who, day_of(current, at)).balance)


def _trainings(session: Session, current: Current, who: str, at: Instant) -> list[Mine]:
    bundle = current.bundle
    held = trained(session, [one for one in bundle.certifications if one.member == who])
    known = kinds(bundle.kinds, bundle.machines)
    return mine(held, known, coming(session, at), current.called, who, day_of(current, at))
