"""What do programs ask? /api/v1, as JSON; names only with a token that may, or a login of the team.

What each address asks for and answers is one line of server/pages/api_operations.py.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec
from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from policy.degrees import stretches
from policy.instants import instant, text
from policy.terms import DAY, Instant
from server.audit import Decided, looked
from server.pages import api_answers as answers
from server.pages.api_operations import AFTER_ID, AFTER_ROW, FEW, LIMIT, Parameter, nothing_else
from server.queries import history
from server.queries.carnets import left_on
from server.queries.member import badge_rows
from server.queries.now import edge_lines, picture
from server.queries.people import BADGE_END
from server.roles import Scope
from server.web.sessions import asked_by, context, sees_names

page = Blueprint("api", __name__, url_prefix="/api/v1")

WEEK, LONGEST = 7 * DAY, 31 * DAY
Item = TypeVar("Item")

page.before_request(nothing_else)


@page.get("/now")
def now() -> ResponseReturnValue:
    named, known = sees_names(Scope.NOW), context()
    with known.database.reading() as session:
        seen = picture(session, known.current(), known.clock())
        names = history.names(session, seen.opening.held_by) if named else {}
        edges = edge_lines(session, known.current().version, known.troubles, seen.at) if named else []
    return answer(
        answers.Now(
            open=seen.opening.open,
            until=_text(seen.opening.until),
            end=_text(seen.opening.end),
            held=bool(seen.opening.held_by),
            inside=seen.told,
            capacity=seen.capacity,
            heard=_text(seen.heard),
            degree=seen.sureness.degree,
            ask_again=text(seen.sureness.ask_again),
            held_by=[names.get(who, who) for who in seen.opening.held_by] if named else msgspec.UNSET,
            edges=[answers.EdgeState(one.id, bool(one.online), one.rules_version) for one in edges]
            if named
            else msgspec.UNSET,
        )
    )


@page.get("/openings")
def openings() -> ResponseReturnValue:
    known = context()
    start, end = days_asked()
    with known.database.reading() as session:
        asked = picture(session, known.current(), known.clock()).known
    found = stretches(asked, start, end) if start < end else []
    return answer(
        answers.Openings(
            [answers.Opening(text(one.start), text(one.end), one.by, one.degree) for one in found if one.by]
        )
    )


@page.get("/members")
def members() -> ResponseReturnValue:
    found, following = _page_of(context().current().bundle.members, lambda one: one.id, LIMIT)
    _note("members")
    return answer(
        answers.Members(
            [
                answers.Member(
                    one.id, one.name, one.tier, list(one.roles), one.status, _day(one.valid_from), _day(one.valid_until)
                )
                for one in found
            ],
            following,
        )
    )


@page.get("/badges")
def badges() -> ResponseReturnValue:
    after, limit = _number(AFTER_ROW), _number(LIMIT)
    with context().database.reading() as session:
        found = badge_rows(session, after, limit + 1)
    items = [
        answers.Badge(one.number, one.member, one.uid[-BADGE_END:], one.status, _day(one.valid_until))
        for one in found[:limit]
    ]
    _note("badges")
    return answer(answers.Badges(items, items[-1].id if len(found) > limit else None))


@page.get("/passes")
def passes() -> ResponseReturnValue:
    every = context().current().bundle.passes
    found, following = _page_of(every, lambda one: one.id, FEW)
    members = {one.member for one in found}
    with context().database.reading() as session:
        left = left_on(session, [one for one in every if one.member in members])
    _note("passes")
    return answer(
        answers.Passes(
            [
                answers.Pass(
                    id=one.id,
                    member=one.member,
                    unit=one.unit,
                    total=one.total,
                    left=left.get(one.id, 0),
                    valid_from=_day(one.valid_from),
                    valid_until=_day(one.valid_until),
                )
                for one in found
            ],
            following,
        )
    )


@page.get("/passages")
def passages() -> ResponseReturnValue:
    with context().database.reading() as session:
        found = history.passages_after(session, _number(AFTER_ROW), _number(LIMIT))
    _note("passages", sorted({one.member for one in found if one.member is not None}))
    items = [
        answers.Passage(
            edge=one.edge,
            journal=one.journal,
            seq=one.seq,
            at=text(one.at),
            reader=one.reader,
            direction=one.direction,  # type: ignore[arg-type]
            member=one.member,
            name=one.name,
            granted=one.granted,
            reason=one.reason,
        )
        for one in found
    ]
    return answer(answers.Passages(items, found[-1].id if found else None))


def answer(said: msgspec.Struct, status: int = 200) -> Response:
    return Response(msgspec.json.encode(said), status, content_type="application/json")


def days_asked() -> tuple[Instant, Instant]:
    """From when to when, by the parameters `from` and `to`. Raises BadRequest."""
    at = context().clock()
    start = max(at, _instant("from", at))
    return start, min(_instant("to", start + WEEK), start + LONGEST)


def _note(what: str, members_: Sequence[str] | None = None) -> None:
    """Named data was looked at. members_: whose, None for all of them."""
    with context().database.transaction() as session:
        looked(session, Decided(asked_by(), context().clock()), f"api {what}", members_)


def _page_of(parts: Iterable[Item], key: Callable[[Item], str], limited: Parameter) -> tuple[list[Item], str | None]:
    """Those after the cursor by their ids, and the next cursor."""
    after, limit = request.args.get("after", ""), _number(limited)
    if len(after) > AFTER_ID.schema["maxLength"]:
        raise BadRequest("after: give `next` of the answer before.")
    following = sorted((one for one in parts if key(one) > after), key=key)
    return following[:limit], key(following[limit - 1]) if len(following) > limit else None


def _day(date: object) -> str | None:
    return None if date is None else str(date)


def _text(at: Instant | None) -> str | None:
    return None if at is None else text(at)


def instant_asked(name: str, written: str) -> Instant:
    """The instant that a program wrote. Raises BadRequest with the remedy."""
    try:
        return instant(written)
    except (ValueError, OverflowError):
        raise BadRequest(
            f"{name}={written!r}: write an instant with its offset from UTC, as in 2026-11-24T09:00:00Z."
        ) from None


def _instant(name: str, default: Instant) -> Instant:
    written = request.args.get(name)
    return default if written is None else instant_asked(name, written)


def _number(asked: Parameter) -> int:
    written, least, most = request.args.get(asked.name), asked.schema["minimum"], asked.schema["maximum"]
    if written is None:
        return int(asked.schema["default"])
    if not (written.isascii() and written.isdigit() and len(written) < 20 and least <= int(written) <= most):
        raise BadRequest(f"{asked.name}={written!r}: give a whole number from {least} to {most}.")
    return int(written)
