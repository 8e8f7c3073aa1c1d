"""What does the desk decide about a member? Forms that post and lead back to the member's page with what was done."""

from collections.abc import Mapping
from secrets import token_hex
from unicodedata import normalize

import msgspec
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from policy.bundle import Member, Role
from policy.terms import Instant
from policy.uids import Doubt
from server.audit import Decided
from server.changes import carnets, erasure
from server.changes import people as changes
from server.changes.carnets import Sale
from server.changes.outcomes import Wrong
from server.changes.people import Choose, Done, InStock, Meanwhile, Outcome, Taken
from server.database import erased
from server.database.types import moment
from server.errors import Refused
from server.pages.member import asked_for, shown
from server.roles import ADMINS
from server.text import people as text
from server.text.refusals import refusal
from server.text.translate import gettext
from server.web.deciding import decide, form_token, today
from server.web.sessions import context, roles, signed_in
from server.web.typed import beside, date_in, line_in, seen

page = Blueprint("member_changes", __name__)

NEW = Member(id="", name="", tier="")


@page.get("/new-member")
def new() -> ResponseReturnValue:
    return _new_form({}, 200)


@page.post("/new-member")
def add() -> ResponseReturnValue:
    wanted, wrong = _typed(msgspec.structs.replace(NEW, id=f"m-{form_token()}"))
    if wrong:
        return _new_form(beside(wrong, text.wrong), 400)
    outcome = decide(lambda session, decided: changes.add(session, signed_in(), decided, wanted))
    if isinstance(outcome, Done):
        return back(outcome, "added")
    fields = outcome.fields if isinstance(outcome, Wrong) else ()
    refused = refusal(outcome) if isinstance(outcome, Refused) else ""
    return _new_form(beside(fields, text.wrong), 400, refused)


@page.post("/members/<path:member>/change")
def change(member: str) -> ResponseReturnValue:
    """The name, the formule, the dates; by whoever administers the roles."""
    was = seen(Member)
    wanted, wrong = _typed(msgspec.structs.replace(was or NEW, id=member))
    outcome: Outcome | Refused = Wrong(wrong)
    if not wrong:
        outcome = decide(lambda session, decided: changes.change(session, signed_in(), decided, was, wanted))
    if isinstance(outcome, Done):
        return back(outcome, "changed")
    if isinstance(outcome, Meanwhile):
        return again(member, 409, "change", meanwhile=_differences(was, outcome.now), was=outcome.now)
    return say_why(member, "change", outcome, was=was)


@page.post("/members/<path:member>/status")
def set_status(member: str) -> ResponseReturnValue:
    wanted = request.form.get("status", "")
    outcome = decide(lambda session, decided: changes.set_status(session, decided, member, wanted))
    if isinstance(outcome, Done):
        return back(outcome, "suspended" if wanted == "suspended" else "reinstated")
    return say_why(member, "status", outcome)


@page.post("/members/<path:member>/end")
def end(member: str) -> ResponseReturnValue:
    outcome = decide(lambda session, decided: changes.end_member(session, signed_in(), decided, member))
    return back(outcome, "ended") if isinstance(outcome, Done) else say_why(member, "end", outcome)


@page.post("/members/<path:member>/return")
def take_back(member: str) -> ResponseReturnValue:
    outcome = decide(lambda session, decided: changes.return_member(session, signed_in(), decided, member))
    return back(outcome, "returned") if isinstance(outcome, Done) else say_why(member, "return", outcome)


@page.post("/members/<path:member>/erase")
def erase(member: str) -> ResponseReturnValue:
    """After the second press: the page of whom they are from then on."""
    known = context()
    begun = known.current().rules.day_start(known.clock())
    outcome = decide(lambda session, decided: _erase(session, decided, member, begun))
    if not isinstance(outcome, Done):
        return say_why(member, "erase", outcome)
    known.database.wipe()  # where a reader is in its way, the nightly purge does it
    return back(outcome, "erased")


def _erase(session: Session, decided: Decided, member: str, day_start: Instant) -> Done:
    """It is noted outside the database before it is done, so that no older copy brings them back."""
    known = context()
    done = erasure.erase(session, signed_in(), decided, member, day_start)
    if known.erased is not None:
        erased.note(known.erased, moment(decided.at), erased.digest(known.current().pseudonym, member))
    return done


@page.post("/members/<path:member>/badges")
def add_badge(member: str) -> ResponseReturnValue:
    written = request.form.get("uid", "")
    outcome = decide(lambda session, decided: changes.add_badge(session, decided, member, written))
    if isinstance(outcome, Done):
        return back(outcome, "badge")
    if isinstance(outcome, Choose):
        return again(member, 400, "badge", choose=outcome.uids)
    return say_why(member, "badge", outcome)


@page.post("/members/<path:member>/badges/<int:number>")
def set_badge(member: str, number: int) -> ResponseReturnValue:
    seen, wanted = request.form.get("seen", ""), request.form.get("status", "")
    outcome = decide(lambda session, decided: changes.set_badge(session, decided, member, number, seen, wanted))
    return back(outcome, "badge") if isinstance(outcome, Done) else say_why(member, f"badge-{number}", outcome)


@page.post("/members/<path:member>/carnets")
def sell(member: str) -> ResponseReturnValue:
    form, wrong = request.form, list[str]()
    first, last = date_in("first", wrong, needed=False), date_in("last", wrong, needed=False)
    units = form.get("units", "").strip()
    number = int(units) if units.isdecimal() and len(units) < 6 else 0
    sale = Sale(number, line_in("price"), first, last)
    if wrong:
        outcome: Outcome | Refused = Wrong((*wrong, *carnets.mistakes(sale, today())))
    else:
        outcome = decide(lambda session, decided: carnets.sell(session, decided, member, sale, today(), form_token()))
    return back(outcome, "sold") if isinstance(outcome, Done) else say_why(member, "sale", outcome)


@page.post("/members/<path:member>/carnets/given-back")
def give_back(member: str) -> ResponseReturnValue:
    unit = request.form.get("unit", "")
    outcome = decide(lambda session, decided: carnets.give_back(session, decided, member, unit))
    return back(outcome, "given_back") if isinstance(outcome, Done) else say_why(member, f"unit-{unit}", outcome)


@page.post("/members/<path:member>/carnets/charged-again")
def charge_again(member: str) -> ResponseReturnValue:
    unit = request.form.get("unit", "")
    outcome = decide(lambda session, decided: carnets.charge_again(session, decided, member, unit))
    return back(outcome, "charged_again") if isinstance(outcome, Done) else say_why(member, "carnet", outcome)


@page.post("/members/<path:member>/carnets/moved")
def move_carnet(member: str) -> ResponseReturnValue:
    which = request.form.get("carnet", "")
    wrong: list[str] = []
    last = date_in("last", wrong, needed=False)
    outcome: Outcome | Refused = Wrong(tuple(wrong))
    if not wrong:
        outcome = decide(lambda session, decided: carnets.move(session, decided, member, which, last, today()))
    return back(outcome, "moved") if isinstance(outcome, Done) else say_why(member, f"move-{which}", outcome)


def _typed(before: Member) -> tuple[Member, tuple[str, ...]]:
    """The member as the form says, over what it was before, and the fields that cannot be read."""
    form, wrong = request.form, list[str]()
    dates = {field: date_in(field, wrong, needed=False) for field in ("valid_from", "valid_until")}
    given = before.roles
    if roles() & ADMINS:
        named = form.getlist("roles")
        given = tuple(role for role in Role if role in named)
        wrong += ["roles"] if set(named) - set(Role) else []
    name = normalize("NFC", form.get("name", "").strip())
    return msgspec.structs.replace(before, name=name, tier=form.get("tier", ""), roles=given, **dates), tuple(wrong)


def _differences(was: Member | None, now: Member) -> list[str]:
    """What somebody else changed, in words."""
    current = context().current()
    return [
        gettext(
            "%(field)s : %(before)s → %(after)s",
            field=gettext(label),
            before=text.shown(field, getattr(was or NEW, field), current),
            after=text.shown(field, getattr(now, field), current),
        )
        for field, label in text.FIELDS.items()
        if getattr(was or NEW, field) != getattr(now, field)
    ]


def back(done: Done, what: str) -> ResponseReturnValue:
    """To the member's page, which counts the doors that hold the rules of now."""
    version = context().current().version
    return redirect(url_for("member.page", member=done.member, done=what, badge=done.badge or None, rules=version), 303)


def say_why(member: str, form: str, outcome: Outcome | Refused, was: Member | None = None) -> ResponseReturnValue:
    """The page again, with what was typed, and why it was not done beside it."""
    match outcome:
        case Wrong(fields):
            return again(member, 400, form, wrong=beside(fields, text.wrong), was=was)
        case Doubt():
            return again(member, 400, form, wrong={"uid": text.doubt(outcome)})
        case InStock() | Taken():
            return again(member, 409, form, wrong={"uid": whose(member, outcome)})
        case Refused():
            return again(member, 403 if outcome is Refused.NOT_ALLOWED else 409, form, refused=refusal(outcome))
    raise TypeError(outcome)


def whose(member: str, outcome: InStock | Taken) -> str:
    """Whose the badge is already; member: for whom it was wanted."""
    if isinstance(outcome, InStock):
        return text.in_stock(outcome.number)
    badge = text.badge(outcome.uid)
    if outcome.holder == member:
        return gettext("%(badge)s est déjà son badge.", badge=badge)
    one = context().current().people.people.get(outcome.holder)
    return gettext(
        "%(badge)s est à %(name)s.", badge=badge, name=one.member.name if one is not None else outcome.holder
    )


def again(member: str, status: int, form: str, **told: object) -> ResponseReturnValue:
    return render_template("member.html", **shown(member) | {"form": form, "typed": request.form} | told), status


def _new_form(wrong: Mapping[str, str], status: int, refused: str = "") -> ResponseReturnValue:
    said = asked_for() | {"typed": request.form, "wrong": wrong, "refused": refused, "member": NEW}
    return render_template("new_member.html", token=token_hex(6), **said), status
