"""What would this change? The step before it is saved, and the saving, for all plans (server/changes/planned.py)."""

from collections.abc import Callable, Sequence

from flask import render_template, request
from sqlmodel import Session

from policy.bundle import Bundle
from server.audit import Decided, looked
from server.changes.outcomes import Done, Meanwhile, Wrong
from server.changes.planned import Plan, made, tried
from server.queries.disturbed import disturbed
from server.queries.effect import effect
from server.text.disturbed import disturbed as sorts
from server.text.effect import told
from server.web.deciding import decided, rules_changed
from server.web.sessions import context

SURE = "sure"
"""The field of the second press."""
Outcome = Done | Wrong | Meanwhile


def decide(
    plan: Plan, title: str, lines: Sequence[str], back: str, more: Callable[[Session, Decided], Outcome] | None = None
) -> Outcome | str:
    """After the first press the page that says what the change would do, after the second what came of it.

    title, lines: what would be saved, in words. back: the address that changes nothing. more: what saves it, where that
    is more than the plan.
    """
    if SURE in request.form:
        return save(more or (lambda session, decided: made(session, decided, plan)))
    before = context().current().bundle
    after = tried(before, plan)
    return _ask(before, after, title, lines, back) if isinstance(after, Bundle) else after


def save(change: Callable[[Session, Decided], Outcome]) -> Outcome:
    """All or nothing; then let the doors hear of it."""
    with context().database.transaction() as session:
        outcome = change(session, decided())
    if isinstance(outcome, Done):
        rules_changed()
    return outcome


def _ask(before: Bundle, after: Bundle, title: str, lines: Sequence[str], back: str) -> str:
    known = context()
    with known.database.reading() as session:
        found = effect(session, before, after, known.clock())
        planned = disturbed(session, before, after, known.clock())
    if named := sorted({*found.members, *(one.member for one in planned.bookings)}):
        with known.database.transaction() as session:
            looked(session, decided(title), "effect", named)
    carried = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    return render_template(
        "what_changes.html",
        title=title,
        lines=lines,
        told=told(found, known.current().called),
        planned=sorts(planned, known.current().called),
        carried=carried,
        sure=SURE,
        back=back,
    )
