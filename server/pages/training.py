"""Who may use machines of a kind? /trainings/kinds/<id>: certified, withdrawn; the same from a member's page."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from policy.bundle import Kind
from server.changes import training as changes
from server.changes.outcomes import Wrong
from server.changes.people import Done
from server.changes.training import Missing, Shown
from server.errors import Refused
from server.pages.member_changes import again, back
from server.queries.training import kinds, trained
from server.text import training as text
from server.text.refusals import refusal
from server.text.translate import gettext
from server.web.deciding import decide, today
from server.web.sessions import context
from server.web.told import tell
from server.web.typed import beside, date_in, offered, people_meant

page = Blueprint("training", __name__)

Outcome = Done | Wrong | Missing | Refused


@page.get("/trainings/kinds/<path:kind>", endpoint="kind")
def show_kind(kind: str) -> ResponseReturnValue:
    """Raises NotFound for one that is not there, or no more."""
    return _kind_page(kind, 200)


@page.post("/trainings/kinds/<path:kind>/certify")
def certify(kind: str) -> ResponseReturnValue:
    found = people_meant()
    if len(found) != 1:
        field = "many" if found else "who"
        return _kind_page(kind, 400, wrong={field: text.wrong(field)}, **offered(found))
    who = found[0].member.id
    outcome = _certify(who, kind)
    if isinstance(outcome, Done):
        tell(gettext("%(name)s : formation notée.", name=found[0].member.name))
        return redirect(url_for("training.kind", kind=kind), 303)
    return _kind_page(kind, _status(outcome), **told(outcome))


@page.post("/trainings/kinds/<path:kind>/withdraw")
def withdraw(kind: str) -> ResponseReturnValue:
    who = request.form.get("member", "")
    outcome = decide(lambda session, decided: changes.withdraw(session, decided, who, kind))
    if isinstance(outcome, Done):
        tell(gettext("Formation retirée."))
        return redirect(url_for("training.kind", kind=kind), 303)
    return _kind_page(kind, _status(outcome), withdrawing=who, **told(outcome))


@page.post("/members/<path:member>/trainings")
def certify_member(member: str) -> ResponseReturnValue:
    outcome = _certify(member, request.form.get("kind", ""))
    if isinstance(outcome, Done):
        return back(outcome, "certified")
    return again(member, _status(outcome), "training", **told(outcome))


@page.post("/members/<path:member>/trainings/withdrawn")
def withdraw_from_member(member: str) -> ResponseReturnValue:
    kind = request.form.get("kind", "")
    outcome = decide(lambda session, decided: changes.withdraw(session, decided, member, kind))
    if isinstance(outcome, Done):
        return back(outcome, "uncertified")
    return again(member, _status(outcome), f"training-{kind}", **told(outcome))


def _certify(member: str, kind: str) -> Outcome:
    """As the form says."""
    wrong: list[str] = []
    day, last = date_in("day", wrong), date_in("last", wrong, needed=False)
    if day is None or wrong:
        return Wrong(tuple(wrong))
    shown = Shown(kind, request.form.get("evidence", ""), day, last)
    return decide(lambda session, decided: changes.certify(session, decided, member, shown, today()))


def _status(outcome: Outcome) -> int:
    return 400 if isinstance(outcome, Wrong) else 409


def told(outcome: Outcome) -> dict[str, object]:
    """Why it was not done, for a template."""
    match outcome:
        case Wrong(fields):
            return {"wrong": beside(fields, text.wrong)}
        case Missing(lacking):
            return {"refused": text.missing(lacking, context().current().called)}
        case Refused():
            return {"refused": refusal(outcome)}
    raise TypeError(outcome)


def _kind_page(which: str, status: int, **told: object) -> ResponseReturnValue:
    known = context()
    current, day, kind = known.current(), today(), known_kinds().get(which)
    if kind is None:
        raise NotFound
    people = current.people.people
    with known.database.reading() as session:
        held = trained(session, [one for one in current.bundle.certifications if one.kind == which])
    ordered = sorted(held, key=lambda one: (not one.over(day), not one.ends_soon(day), people[one.held.member].read))
    shown = {
        "kind": kind,
        "about": text.about(kind, current.called),
        "lines": [text.line(one, people[one.held.member].member.name, kind, day) for one in ordered],
        "typed": request.form,
        "wrong": {},
        "evidences": {one.value: gettext(label) for one, label in text.EVIDENCES.items()},
        "today": day,
    }
    return render_template("training_kind.html", **shown | told), status


def known_kinds() -> dict[str, Kind]:
    """Of the site, by id."""
    bundle = context().current().bundle
    return kinds(bundle.kinds, bundle.machines)
