"""What do programs ask? /api/v1/now, openings and passages, as JSON; names only with the token or a login."""

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from policy.degrees import stretches
from policy.instants import meant, text
from policy.terms import DAY, Instant
from server.queries import history
from server.queries.history import LAST_ID, Passage
from server.queries.now import edge_lines, picture
from server.roles import Scope
from server.web.sessions import context, sees_names

page = Blueprint("api", __name__, url_prefix="/api/v1")

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
WEEK, LONGEST = 7 * DAY, 31 * DAY


@page.get("/now")
def now() -> ResponseReturnValue:
    """{open, until, end, held, inside, capacity, heard, degree, ask_again}; with the token also {held_by, edges}.

    until: RFC 3339, the end of the staff hours or of the shifts of gardiens who are inside, without grace: so far it is
    sure; null when shut, and when open round the clock. end: the same, with the shifts that follow without a gap, whose
    gardiens are not there yet: so far it is probable. inside: null below 3. heard: null, or the last word (RFC 3339) of
    a door that is silent: what is told is then as of that instant, and no sure yes or no. degree: sure, probable,
    uncertain or nobody (policy/degrees.py). ask_again: when the answer may change although nothing happens.
    """
    named = sees_names(Scope.NOW)
    known = context()
    with known.database.reading() as session:
        seen = picture(session, known.current(), known.clock())
        answer: dict[str, Any] = {
            "open": seen.opening.open,
            "until": _text(seen.opening.until),
            "end": _text(seen.opening.end),
            "held": bool(seen.opening.held_by),
            "inside": seen.told,
            "capacity": seen.capacity,
            "heard": _text(seen.heard),
            "degree": seen.sureness.degree,
            "ask_again": text(seen.sureness.ask_again),
        }
        if named:
            names = history.names(session, seen.opening.held_by)
            answer["held_by"] = [names.get(member, member) for member in seen.opening.held_by]
            answer["edges"] = [
                {"id": edge.id, "online": bool(edge.online), "rules_version": edge.rules_version}
                for edge in edge_lines(session, known.current(), known.troubles, seen.at)
            ]
    return jsonify(answer)


@page.get("/openings")
def openings() -> ResponseReturnValue:
    """{items}: when the place opens from `from` (now or later) to `to` (31 days on at most; left out: 7 days).

    [{start, end, by, degree}] in order, without those times in which nobody opens. by: staffed, gardien or event.
    """
    known = context()
    at = known.clock()
    start = max(at, _instant("from", at))
    end = _instant("to", start + WEEK)
    if not 0 < end - start <= LONGEST:
        raise BadRequest(f"to={request.args.get('to')!r}: an instant after `from` and now, at most 31 days on.")
    with known.database.reading() as session:
        asked = picture(session, known.current(), at).known
    return jsonify(
        items=[
            {"start": text(one.start), "end": text(one.end), "by": one.by, "degree": one.degree}
            for one in stretches(asked, start, end)
            if one.by is not None
        ]
    )


@page.get("/passages")
def passages() -> ResponseReturnValue:
    """{items, next}: taps in the order in which they were stored, those after `after`, at most `limit`.

    next: what to send as `after` for those that follow; null when there are none after `after` yet, then ask again
    with the same `after`.
    """
    after = _number("after", 0, 0, LAST_ID)
    limit = _number("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    with context().database.reading() as session:
        found = history.passages_after(session, after, limit)
    return jsonify(items=[_item(passage) for passage in found], next=found[-1].id if found else None)


def _item(passage: Passage) -> dict[str, Any]:
    return {
        "edge": passage.edge,
        "journal": passage.journal,
        "seq": passage.seq,
        "at": text(passage.at),
        "reader": passage.reader,
        "direction": passage.direction,
        "member": passage.member,
        "name": passage.name,
        "granted": passage.granted,
        "reason": passage.reason,
    }


def _text(at: Instant | None) -> str | None:
    return None if at is None else text(at)


def _instant(name: str, default: Instant) -> Instant:
    written = request.args.get(name)
    try:
        return default if written is None else meant(written)
    except ValueError as error:
        raise BadRequest(f"{name}={written!r}: {error}, as in 2026-11-24T09:00:00Z.") from None


def _number(name: str, default: int, least: int, most: int) -> int:
    written = request.args.get(name)
    if written is None:
        return default
    if not (written.isascii() and written.isdigit() and len(written) < 20 and least <= int(written) <= most):
        raise BadRequest(f"{name}={written!r}: give a whole number from {least} to {most}.")
    return int(written)
