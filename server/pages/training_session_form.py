"""What does the form of a training session hold, and what was typed in it? For a new one, and to change one."""

from collections.abc import Sequence
from dataclasses import replace

from flask import request

from policy.calendar import resolve
from server.queries.training_sessions import Planned
from server.roles import Role
from server.text import training_sessions as text
from server.text.dates import local, zone
from server.text.hours import spans
from server.web.sessions import context, signed_in
from server.web.typed import beside, day_in, from_to, hours_in, line_in, typed, written

FIELDS = ("date", "hours", "places", "note", "trainer")
PLACES = 6
"""Offered for a new session."""


def form_of(known: Planned | None, wrong: Sequence[str]) -> dict[str, object]:
    """What the form of a session holds: as it is, or as it was typed."""
    form, again = request.form, "date" in request.form
    managers = [
        (who, one.member.name)
        for who, one in context().current().people.people.items()
        if {Role.FAB_MANAGER.value, Role.STAFF.value} & {str(role) for role in one.member.roles}
        or (known is not None and who == known.trainer)
    ]
    return {
        "fields": {field: form.get(field, "") for field in FIELDS} if again else _fields(known),
        "trainers": managers,
        "typed": form,
        "wrong": beside(wrong, text.wrong),
        "was": written(replace(known, seats=())) if known is not None else "",
    }


def _fields(known: Planned | None) -> dict[str, str]:
    if known is None:
        return {"places": str(PLACES), "trainer": signed_in().member or ""}
    start, end = local(known.start), local(known.end)
    return {
        "date": typed(start.date()),
        "hours": spans(((f"{start:%H:%M}", f"{end:%H:%M}"),)),
        "places": str(known.places),
        "note": known.note,
        "trainer": known.trainer or "",
    }


def session_typed(before: Planned, wrong: list[str]) -> Planned:
    """The session as the form says, over what it was; wrong: the fields that cannot be read."""
    form, day, hours = request.form, day_in("date", wrong), hours_in(wrong)
    if hours is None:
        return before
    places = form.get("places", "").strip()
    if not (places.isdecimal() and len(places) < 4):
        wrong.append("places")
    if day is None or wrong:
        return before
    start, end = from_to(day, hours)
    return replace(
        before,
        start=resolve(start, zone()),
        end=resolve(end, zone(), last=True),
        places=int(places),
        note=line_in("note"),
        trainer=form.get("trainer") or None,
        seats=(),
    )
