"""Who is expected, and from when to when? /invitations: those to come; a new one; ended in one press."""

from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from msgspec import UNSET

from policy.bundle import Invitation
from policy.calendar import resolve
from server.changes import invitations as plans
from server.changes.outcomes import Done
from server.changes.planned import Plan, made
from server.pages.what_changes import SURE, save
from server.queries.people import KEEPS_OUT, Person, concerns, day_of
from server.text import invitations as text
from server.text.dates import zone
from server.text.doors import doors
from server.text.events import doors as named_doors
from server.text.translate import gettext
from server.web.sessions import context
from server.web.typed import beside, day_in, from_to, hours_in, offered, people_meant

page = Blueprint("invitations", __name__)


@dataclass(frozen=True, slots=True)
class Line:
    """One who is expected. stays_out: why they would not get in all the same, empty where they do."""

    id: str
    member: str
    name: str
    when: str
    where: str
    running: bool
    stays_out: str


@page.get("/invitations", endpoint="page")
def show() -> ResponseReturnValue:
    """`?member=` names whom the form is for."""
    return _page(200)


@page.post("/invitations")
def add() -> ResponseReturnValue:
    wrong: list[str] = []
    found = people_meant()
    if len(found) != 1:
        wrong.append("many" if found else "who")
    times = _times(wrong)
    if wrong or times is None:
        return _page(400, wrong, found if len(found) > 1 else ())
    start, end = times
    where = tuple(request.form.getlist("access_points"))
    places = {place.id for place in context().current().bundle.access_points}
    wanted = Invitation(
        f"i-{token_hex(6)}", found[0].member.id, start, end, UNSET if not where or set(where) == places else where
    )
    if SURE not in request.form and (why := _stays_out(found[0], wanted)):
        return _ask(found[0], wanted, why)
    return _decide(plans.invite(wanted), "invited")


@page.post("/invitations/<path:invitation>/end")
def end(invitation: str) -> ResponseReturnValue:
    return _decide(plans.withdraw(invitation), "withdrawn")


def _stays_out(one: Person, wanted: Invitation) -> str:
    """Why they would not get in on its first or its last day, whatever the invitation says; empty where they do."""
    current = context().current()
    today = day_of(current, context().clock())
    ends = (resolve(wanted.start, zone()), resolve(wanted.end, zone(), last=True) - 1)
    for day in dict.fromkeys(max(today, day_of(current, at)) for at in ends):
        for concern in concerns(one, None, day):
            if concern.what in KEEPS_OUT:
                return text.stays_out(concern, today)
    return ""


def _ask(one: Person, wanted: Invitation, why: str) -> ResponseReturnValue:
    """Nothing is saved yet: that they will stay outside, and two presses."""
    carried = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    return render_template(
        "invited_in_vain.html", one=one.member, invited=text.when(wanted), why=why, carried=carried, sure=SURE
    )


def _decide(plan: Plan, done: str) -> ResponseReturnValue:
    outcome = save(lambda session, decided: made(session, decided, plan))
    if isinstance(outcome, Done):
        return redirect(url_for("invitations.page", done=done, rules=context().current().version), 303)
    fields = getattr(outcome, "fields", ())
    return _page(400, fields) if fields else _page(409, gone=True)


def _times(wrong: list[str]) -> tuple[str, str] | None:
    """Start and end as a bundle writes them; wrong: the fields that cannot be read."""
    first, last, hours = day_in("date", wrong), day_in("until", wrong, needed=False), hours_in(wrong)
    if first is None or hours is None or wrong:
        return None
    begins, ends = from_to(first, hours, last)
    if ends <= begins or resolve(ends, zone(), last=True) <= context().clock():
        wrong.append("until" if last is not None else "date")
        return None
    return begins, ends


def _page(
    status: int, wrong: Sequence[str] = (), choices: Sequence[Person] = (), *, gone: bool = False
) -> ResponseReturnValue:
    known = context()
    current, form = known.current(), request.form
    done = text.DONE.get(request.args.get("done", ""))
    asked = current.people.people.get(request.args.get("member", ""))
    with known.database.reading() as session:
        knowing = doors(session, current, request.args.get("rules", "")) if done else None
    return render_template(
        "invitations.html",
        lines=_lines(),
        toast=gettext(done) if done and knowing else "",
        doors=knowing,
        gone=gone,
        typed=form,
        typed_name=form.get("who", asked.member.name if asked else ""),
        chosen=form.get("member", asked.member.id if asked else ""),
        **offered(choices),
        places=[(place.id, place.name or place.id) for place in current.bundle.access_points],
        where=form.getlist("access_points"),
        wrong=beside(wrong, text.wrong),
        opened=bool(wrong) or asked is not None,
    ), status


def _lines() -> list[Line]:
    """Those who are expected now or later, the first ones first."""
    current, now = context().current(), context().clock()
    coming = sorted(
        (resolve(one.start, zone()), one.id, one)
        for one in current.bundle.invitations
        if resolve(one.end, zone(), last=True) > now
    )
    people = current.people.people
    return [
        Line(
            one.id,
            one.member,
            people[one.member].member.name if one.member in people else one.member,
            text.when(one),
            named_doors(one.access_points, current.called),
            start <= now,
            _stays_out(people[one.member], one) if one.member in people else "",
        )
        for start, _, one in coming
    ]
