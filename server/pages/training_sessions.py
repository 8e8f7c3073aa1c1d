"""When is somebody trained next? /trainings: sessions to come, put oneself down in one press; kept by fab managers."""

from collections import Counter
from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session
from werkzeug.exceptions import NotFound

from server.audit import Decided
from server.changes import training_sessions as changes
from server.changes.outcomes import Wrong
from server.changes.training_sessions import Certified, Listed, Meanwhile
from server.errors import Refused
from server.pages.training import known_kinds, told
from server.pages.training_mail import tell_cancelled, tell_changed, tell_moved_up
from server.pages.training_session_form import form_of, session_typed
from server.queries.training import Trained, trained
from server.queries.training_sessions import Planned, begun, coming, planned
from server.roles import FAB_MANAGERS
from server.text import training as training_text
from server.text import training_sessions as text
from server.text.refusals import refusal
from server.text.translate import gettext, ngettext
from server.web.deciding import decide, form_token, rules_changed, today
from server.web.sessions import context, roles, signed_in
from server.web.told import tell
from server.web.typed import offered, people_meant, seen
from server.web.unreached import tell_unreached

page = Blueprint("training_sessions", __name__)

MOST = 20
"""Of those who have to renew that the page shows; each kind's own page has all."""
BACK = {"me": "me.page", "trainings": "training_sessions.page"}
"""Pages on which somebody puts themselves down."""


@page.get("/trainings", endpoint="page")
def show() -> ResponseReturnValue:
    return _list(200)


@page.post("/trainings/sessions")
def plan() -> ResponseReturnValue:
    wrong: list[str] = []
    kind = request.form.get("kind", "")
    wanted = session_typed(Planned(f"t-{form_token()}", kind, 0, 0, 0, None, ""), wrong)
    outcome = Wrong(tuple(wrong)) if wrong else decide(lambda session, decided: changes.plan(session, decided, wanted))
    if isinstance(outcome, Listed):
        tell(gettext("Session prévue : %(when)s.", when=text.when(outcome.now)))
        return redirect(url_for("training_sessions.one", which=outcome.now.id), 303)
    fields = outcome.fields if isinstance(outcome, Wrong) else ()
    return _list(400, fields, refused=refusal(outcome) if isinstance(outcome, Refused) else "")


@page.get("/trainings/sessions/<path:which>")
def one(which: str) -> ResponseReturnValue:
    """Raises NotFound for one that does not take place."""
    return _one(which, 200)


@page.post("/trainings/sessions/<path:which>")
def change(which: str) -> ResponseReturnValue:
    wrong: list[str] = []
    was = seen(Planned)
    if was is None or was.id != which:
        return _one(which, 409, meanwhile=True)
    wanted = session_typed(was, wrong)
    if wrong:
        return _one(which, 400, wrong)

    unreached: list[str] = []

    def save(session: Session, decided: Decided) -> Listed | Wrong | Meanwhile:
        outcome = changes.change(session, decided, was, wanted)
        if isinstance(outcome, Listed):
            if text.when(was) != text.when(outcome.now):
                unreached.extend(tell_changed(session, was, outcome.now))
            unreached.extend(tell_moved_up(session, outcome.now, outcome.moved_up))
        return outcome

    outcome = decide(save)
    match outcome:
        case Listed():
            tell(gettext("Session modifiée."))
            tell_unreached(unreached)
            return redirect(url_for("training_sessions.one", which=which), 303)
        case Wrong(fields):
            return _one(which, 400, fields)
        case Meanwhile():
            return _one(which, 409, meanwhile=True)
    return _refused(outcome)


@page.post("/trainings/sessions/<path:which>/cancel")
def cancel(which: str) -> ResponseReturnValue:
    unreached: list[str] = []

    def save(session: Session, decided: Decided) -> Listed | Wrong:
        outcome = changes.cancel(session, decided, which)
        if isinstance(outcome, Listed):
            unreached.extend(tell_cancelled(session, outcome.now, decided.why))
        return outcome

    outcome = decide(save)
    if isinstance(outcome, Listed):
        tell(gettext("Session annulée : %(when)s.", when=text.when(outcome.now)))
        tell_unreached(unreached)
        return redirect(url_for("training_sessions.page"), 303)
    return _one(which, 400, outcome.fields) if isinstance(outcome, Wrong) else _refused(outcome)


@page.post("/trainings/sessions/<path:which>/join")
def join(which: str) -> ResponseReturnValue:
    """Oneself."""
    who = signed_in().member or ""
    outcome = decide(lambda session, decided: changes.put_down(session, decided, which, who))
    if not isinstance(outcome, Listed):
        return _refused(outcome)
    rank, when = outcome.now.rank(who), text.when(outcome.now)
    if rank:
        tell(
            gettext(
                "Vous êtes sur la liste d’attente : %(when)s. Si quelqu’un se retire, la place est à vous.", when=when
            )
        )
    else:
        tell(gettext("Vous êtes inscrit·e : %(when)s.", when=when))
    return _back()


@page.post("/trainings/sessions/<path:which>/leave")
def leave(which: str) -> ResponseReturnValue:
    """Oneself."""
    return _take_off(which, signed_in().member or "", gettext("Vous n’êtes plus sur la liste.")) or _back()


@page.post("/trainings/sessions/<path:which>/people")
def put_down(which: str) -> ResponseReturnValue:
    """Somebody else, who asked for it."""
    found = people_meant()
    if len(found) != 1:
        return _one(which, 400, ["many" if found else "who"], **offered(found))
    who, came = found[0].member, _has_begun(which)
    outcome = decide(lambda session, decided: changes.put_down(session, decided, which, who.id, came=came))
    if not isinstance(outcome, Listed):
        return _refused(outcome)
    tell(gettext("%(name)s est sur la liste.", name=who.name))
    return redirect(url_for("training_sessions.one", which=which), 303)


def _has_begun(which: str) -> bool:
    known = context()
    with known.database.reading() as session:
        found = planned(session, which)
    return found is not None and found.start <= known.clock()


@page.post("/trainings/sessions/<path:which>/people/off")
def take_off(which: str) -> ResponseReturnValue:
    """Somebody else."""
    who = request.form.get("member", "")
    refused = _take_off(which, who, gettext("Retiré de la liste."), keeps=True)
    return refused or redirect(url_for("training_sessions.one", which=which), 303)


@page.post("/trainings/sessions/<path:which>/presence")
def keep_presence(which: str) -> ResponseReturnValue:
    """Who was there; all of them certified, where that was pressed."""
    present = request.form.getlist("present")
    outcome = decide(lambda session, decided: changes.keep_presence(session, decided, which, present))
    if not isinstance(outcome, Listed):
        return _refused(outcome)
    if "certify" not in request.form:
        tell(gettext("Présences notées."))
        return redirect(url_for("training_sessions.one", which=which), 303)
    certified = decide(lambda session, decided: changes.certify_present(session, decided, which))
    if not isinstance(certified, Certified):
        return _refused(certified)
    rules_changed()
    return _told(which, certified)


def _told(which: str, certified: Certified) -> ResponseReturnValue:
    """How many were certified, and who was not and why."""
    called, number = context().current().called, len(certified.members)
    tell(ngettext("%(num)s personne certifiée.", "%(num)s personnes certifiées.", number))
    for member, why in certified.kept_back:
        lacking = told(why)
        said = str(lacking.get("refused") or gettext("Pas noté : la durée de cette formation est déjà passée."))
        tell(gettext("%(name)s : %(why)s", name=called.member(member) or member, why=said))
    return redirect(url_for("training_sessions.one", which=which), 303)


def _take_off(which: str, who: str, done: str, *, keeps: bool = False) -> ResponseReturnValue | None:
    """None where it is done. keeps: whoever presses keeps the list, and hears who has a place now without knowing."""
    unreached: list[str] = []

    def save(session: Session, decided: Decided) -> Listed:
        outcome = changes.take_off(session, decided, which, who)
        unreached.extend(tell_moved_up(session, outcome.now, outcome.moved_up))
        return outcome

    outcome = decide(save)
    if not isinstance(outcome, Listed):
        return _refused(outcome)
    tell(done)
    if keeps:
        tell_unreached(unreached)
    return None


def _back() -> ResponseReturnValue:
    """To the page on which it was pressed."""
    return redirect(url_for(BACK.get(request.form.get("back", ""), "training_sessions.page")), 303)


def _refused(outcome: object) -> ResponseReturnValue:
    return _list(409, refused=refusal(outcome) if isinstance(outcome, Refused) else "")


def _list(status: int, wrong: Sequence[str] = (), refused: str = "") -> ResponseReturnValue:
    known = context()
    current, now, me = known.current(), known.clock(), signed_in().member or ""
    manages = bool(roles() & FAB_MANAGERS)
    with known.database.reading() as session:
        ahead = coming(session, now)
        past = begun(session, now) if manages else []
        held = trained(session, current.bundle.certifications) if manages else []
    count = Counter(one.held.kind for one in held)
    return render_template(
        "trainings.html",
        offers=[(text.offer(one, current.called, me), text.counted(one)) for one in ahead],
        past=[(one.id, current.called.kind(one.kind), text.when(one), text.counted(one)) for one in past],
        is_member=bool(me),
        manages=manages,
        refused=refused,
        kinds=[
            (kind.id, current.called.kind(kind.id), training_text.about(kind, current.called), count[kind.id])
            for kind in known_kinds().values()
        ],
        renew=_to_renew(held),
        token=form_token(),
        **form_of(None, wrong),
    ), status


def _to_renew(held: Sequence[Trained]) -> list[tuple[str, str, training_text.Line]]:
    """Whose training ends soon, is over or wants practice: the member's name and the kind's. What is over is last."""
    current, known, day = context().current(), known_kinds(), today()
    people = current.people.people
    ordered = sorted(held, key=lambda one: (one.over(day), one.held.until or day, people[one.held.member].read))
    found = []
    for one in ordered:
        name, kind = people[one.held.member].member.name, current.called.kind(one.held.kind)
        found.append((name, kind, training_text.line(one, name, known.get(one.held.kind), day)))
    return [one for one in found if one[2].wants][:MOST]


def _one(which: str, status: int, wrong: Sequence[str] = (), **more: object) -> ResponseReturnValue:
    known = context()
    current = known.current()
    with known.database.reading() as session:
        found = planned(session, which)
    if found is None:
        raise NotFound
    names = {who: person.member.name for who, person in current.people.people.items()}
    day = today()
    holds = {
        one.member
        for one in current.bundle.certifications
        if one.kind == found.kind and (one.until is None or one.until >= day)
    }
    shown = {
        "known": found,
        "kind": current.called.kind(found.kind),
        "said": text.offer(found, current.called, "").said,
        "counted": text.counted(found),
        "begun": found.start <= known.clock(),
        "holds": holds,
        "taken": [(seat.member, names.get(seat.member, seat.member), seat.present) for seat in found.taken],
        "waiting": [(seat.member, names.get(seat.member, seat.member), seat.present) for seat in found.waiting],
        "meanwhile": False,
        "choices": [],
        "more": 0,
        **form_of(found, wrong),
    }
    return render_template("training_session.html", **shown | more), status
