"""What do programs ask? /api/v1/now and /api/v1/passages, as JSON; names only with the token or a login."""

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from policy.instants import text
from policy.terms import Instant
from server.queries import history
from server.queries.history import Passage
from server.queries.now import edge_lines, picture
from server.roles import Scope
from server.web.sessions import context, sees_names

page = Blueprint("api", __name__, url_prefix="/api/v1")

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
LAST_ID = 2**63 - 1


@page.get("/now")
def now() -> ResponseReturnValue:
    """{open, until, end, held, inside, capacity, heard}; with the token also {held_by, edges}.

    until: RFC 3339, the end of the staff hours or of the shifts of gardiens who are inside, without grace: so far it is
    sure; null when shut, and when open round the clock. end: the same, with the shifts that follow without a gap, whose
    gardiens are not there yet: so far it is probable. inside: null below 3. heard: null, or the last word (RFC 3339) of
    a door that is silent: what is told is then as of that instant, and no sure yes or no.
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
        }
        if named:
            names = history.names(session, seen.opening.held_by)
            answer["held_by"] = [names.get(member, member) for member in seen.opening.held_by]
            answer["edges"] = [
                {"id": edge.id, "online": bool(edge.online), "rules_version": edge.rules_version}
                for edge in edge_lines(session, known.current(), known.troubles, seen.at)
            ]
    return jsonify(answer)


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


def _number(name: str, default: int, least: int, most: int) -> int:
    written = request.args.get(name)
    if written is None:
        return default
    if not (written.isascii() and written.isdigit() and len(written) < 20 and least <= int(written) <= most):
        raise BadRequest(f"{name}={written!r}: give a whole number from {least} to {most}.")
    return int(written)
