"""Does this person get in, and if not, what is missing? /members/<id>: their page at the desk."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from policy.bundle import Member
from server.queries.current import Current
from server.queries.member import badges, member_of
from server.queries.people import carnets, concerns, day_of
from server.text import people as text
from server.text.dates import calendar_day
from server.text.translate import gettext
from server.web.sessions import context

page = Blueprint("member", __name__)


@page.get("/members/<path:member>", endpoint="page")
def show(member: str) -> ResponseReturnValue:
    """Raises NotFound for whoever never was a member."""
    return render_template("member.html", **shown(member))


def shown(which: str) -> dict[str, object]:
    """What the template says of a member. Raises NotFound."""
    known = context()
    at, current = known.clock(), known.current()
    one = current.people.people.get(which)
    with known.database.reading() as session:
        found = member_of(session, which)
        if found is None:
            raise NotFound
        member, ended = found
        left = carnets(session, current, [one], at).get(which) if one is not None else None
        return {
            "member": member,
            "ended": ended,
            "badges": badges(session, which),
            "told": [text.said(concern) for concern in concerns(one, left, day_of(current, at))] if one else [],
            "carnet": text.carnet(current, which, left) if left is not None and left.total else "",
            "needs_carnet": left is not None,
            "carnets": one.carnets if one is not None and left is not None else (),
            "badge_end": text.badge,
            "calendar_day": calendar_day,
            "facts": _facts(member, current),
            "fields": {field: gettext(label) for field, label in text.FIELDS.items()},
            "statuses": {status: gettext(label) for status, label in text.STATUSES.items()},
        }


def _facts(member: Member, current: Current) -> dict[str, str]:
    """The fields of the member in words, by name."""
    return {field: text.shown(field, getattr(member, field), current) for field in text.FIELDS}
