"""Does this person get in, and if not, what is missing? /members/<id>: their page at the desk."""

from dataclasses import dataclass
from datetime import date
from secrets import token_hex

import msgspec
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session
from werkzeug.exceptions import NotFound

from policy.bundle import Member
from server.queries.accounts import account_of as account_at
from server.queries.accounts import proposed_login
from server.queries.carnets import account_of, with_taps
from server.queries.current import Current
from server.queries.day_badges import stock
from server.queries.looks import last_reasons
from server.queries.member import Badge, badges, goes_on, is_erased, member_of
from server.queries.people import carnets, concerns, day_of
from server.queries.training import kinds, trained
from server.roles import ADMINS
from server.text import carnets as carnet_text
from server.text import people as text
from server.text import training as training_text
from server.text.dates import calendar_day
from server.text.doors import doors
from server.text.kept import erasing
from server.text.translate import gettext
from server.web.sessions import context, roles, signed_in

page = Blueprint("member", __name__)


@page.get("/members/<path:member>", endpoint="page")
def show(member: str) -> ResponseReturnValue:
    """Raises NotFound for whoever never was a member."""
    return render_template("member.html", **shown(member) | {"typed": {}, "form": ""})


def asked_for() -> dict[str, object]:
    """What a form about a member asks for."""
    called = context().current().called
    return {
        "tiers": sorted(called.tiers.items(), key=lambda tier: tier[1]),
        "role_names": {role: gettext(label) for role, label in text.ROLES.items()},
        "gives_roles": bool(roles() & ADMINS),
        "fields": {field: gettext(label) for field, label in text.FIELDS.items()},
        "wrong": {},
    }


def shown(which: str, *, taps: bool = False) -> dict[str, object]:
    """What the template says of a member. taps: when they came, too, for whoever gave a reason. Raises NotFound."""
    known = context()
    at, current = known.clock(), known.current()
    one = current.people.people.get(which)
    with known.database.reading() as session:
        found = member_of(session, which)
        if found is None:
            raise NotFound
        member, ended = found
        left = carnets(session, current, [one], at).get(which) if one is not None else None
        account = account_of(session, which)
        if taps:
            account = with_taps(session, current, account, which)
        held, house = badges(session, which), stock(session)
        return asked_for() | {
            "member": member,
            "token": token_hex(6),
            "was": member,
            "json": lambda part: msgspec.json.encode(part).decode(),
            "toast": _toast(session, current, held),
            "ended": ended,
            "erased": is_erased(which),
            "erasing": erasing(),
            "goes_on": goes_on(session, which, current.rules.day_start(at)),
            "badges": held,
            "house": {one.uid: one for one in house},
            "to_lend": [one for one in house if one.free(day_of(current, at))],
            "told": [text.said(concern) for concern in concerns(one, left, day_of(current, at))] if one else [],
            "needs_carnet": left is not None,
            "carnets": carnet_text.shown(account, current, at),
            "sale_fields": [(field, gettext(label), hint, mode) for field, label, hint, mode in text.SALE],
            "low": carnet_text.low(account, current, which, at) if left is not None else "",
            "unpaid": carnet_text.unpaid(account),
            **_trainings(session, current, which, day_of(current, at)),
            "login_account": account_at(session, which),
            "free_login": proposed_login(session, member.name),
            "administers": bool(roles() & ADMINS),
            "reasons": last_reasons(session, signed_in().login),
            "badge_end": text.badge,
            "calendar_day": calendar_day,
            "facts": _facts(member, current),
            "statuses": {status: gettext(label) for status, label in text.STATUSES.items()},
        }


def _trainings(session: Session, current: Current, which: str, today: date) -> dict[str, object]:
    """What the member is trained on, and what the form that certifies asks for."""
    bundle, called = current.bundle, current.called
    held = trained(session, [one for one in bundle.certifications if one.member == which])
    known = kinds(bundle.kinds, bundle.machines)
    return {
        "trainings": [
            training_text.line(one, called.kind(one.held.kind), known.get(one.held.kind), today) for one in held
        ],
        "kinds": [(kind, called.kind(kind)) for kind in known],
        "evidences": {one.value: gettext(label) for one, label in training_text.EVIDENCES.items()},
        "today": today,
    }


def _facts(member: Member, current: Current) -> dict[str, str]:
    """The fields of the member in words, by name."""
    return {field: text.shown(field, getattr(member, field), current) for field in text.FIELDS}


@dataclass(frozen=True, slots=True)
class Toast:
    """What was just done, and which doors know. badge: whose state one press takes back."""

    words: str
    doors: str
    waiting: bool
    badge: Badge | None


def _toast(session: Session, current: Current, held: list[Badge]) -> Toast | None:
    """None where the address does not come from a change, or what it did is not so any more."""
    done, number, version = (request.args.get(name, "") for name in ("done", "badge", "rules"))
    badge = next((one for one in held if str(one.number) == number), None)
    known = doors(session, current, version)
    if known is None or (badge is None if done == "badge" else done not in text.DONE):
        return None
    told = known.words
    if not known.waiting and badge is not None and badge.status != "active":
        told = gettext("Il n’ouvre plus rien : %(doors)s", doors=told)
    words = text.declared(badge.uid, badge.status) if badge is not None else gettext(text.DONE[done])
    undo = badge if badge is not None and badge.status != "active" else None
    return Toast(words, told, known.waiting, undo)
