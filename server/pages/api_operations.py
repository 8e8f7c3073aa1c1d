"""What does the API offer? One line for each address and method, with what it asks for and answers.

/api/v1/openapi.json and the page that people read are made of these lines (server/pages/api_document.py).
"""

import re
from typing import Any, NamedTuple

import msgspec
from flask import request
from werkzeug.exceptions import BadRequest

from server.pages import api_answers as answers
from server.queries.history import LAST_ID
from server.roles import Scope

PREFIX = "/api/v1"
DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
MAX_PASSES = 100
"""What is left on each is reckoned one by one."""


class Parameter(NamedTuple):
    """One of the query. schema: of JSON Schema."""

    name: str
    schema: dict[str, Any]
    said: str


class Operation(NamedTuple):
    """scope: whose token may, or sees more. answer: its type, None for none. status: of what went well.

    body: what is sent. refusals: by status, what else it may answer. method: GET, unless something is changed.
    """

    path: str
    said: str
    scope: Scope
    answer: type[msgspec.Struct] | None
    parameters: tuple[Parameter, ...] = ()
    public: bool = False
    method: str = "GET"
    status: int = 200
    body: type[msgspec.Struct] | None = None
    refusals: tuple[tuple[int, type[msgspec.Struct], str], ...] = ()


def _whole(name: str, said: str, least: int, most: int, default: int) -> Parameter:
    return Parameter(name, {"type": "integer", "minimum": least, "maximum": most, "default": default}, said)


AFTER_ID = Parameter("after", {"type": "string", "maxLength": 200}, "`next` of the answer before")
AFTER_ROW = _whole("after", "`next` of the answer before", 0, LAST_ID, 0)
LIMIT = _whole("limit", "how many at most", 1, MAX_LIMIT, DEFAULT_LIMIT)
FEW = _whole("limit", "how many at most", 1, MAX_PASSES, MAX_PASSES)
FROM = Parameter("from", {"type": "string", "format": "date-time"}, "from then on, or from now where that is later")
TO = Parameter(
    "to", {"type": "string", "format": "date-time"}, "until then, or 31 days on where that is sooner; left out: 7 days"
)
MACHINE = Parameter("machine", {"type": "string", "maxLength": 200}, "of this machine alone")

OPERATIONS = (
    Operation("/now", "Is it open, until when and how surely?", Scope.NOW, answers.Now, public=True),
    Operation("/openings", "When does it open?", Scope.NOW, answers.Openings, (FROM, TO), public=True),
    Operation("/members", "Who are the members?", Scope.MEMBERS, answers.Members, (AFTER_ID, LIMIT)),
    Operation("/badges", "Which badges are there?", Scope.BADGES, answers.Badges, (AFTER_ROW, LIMIT)),
    Operation("/passes", "Which carnets are there, and what is left?", Scope.PASSES, answers.Passes, (AFTER_ID, FEW)),
    Operation("/passages", "Who laid a badge where, and why?", Scope.PASSAGES, answers.Passages, (AFTER_ROW, LIMIT)),
    Operation("/bookings", "Which machines are booked?", Scope.BOOKINGS, answers.Bookings, (FROM, TO, MACHINE)),
    Operation(
        "/bookings",
        "Book a machine, or the first of a kind that is free.",
        Scope.BOOKINGS,
        answers.Booking,
        method="POST",
        status=201,
        body=answers.Wish,
        refusals=((409, answers.Taken, "Booked then, by somebody else or this member; or not by the site's terms."),),
    ),
    Operation(
        "/bookings/{which}",
        "Cancel a booking that is not over.",
        Scope.BOOKINGS,
        None,
        method="DELETE",
        status=204,
        refusals=((404, answers.Problem, "There is no such booking, or it is over."),),
    ),
)


def nothing_else() -> None:
    """A parameter that the address does not have, or has twice, asks for something that would not come."""
    asked = (request.method, described_path(request.url_rule.rule if request.url_rule is not None else ""))
    known = {p.name for one in OPERATIONS if (one.method, PREFIX + one.path) == asked for p in one.parameters}
    for name, written in request.args.lists():
        if name not in known:
            raise BadRequest(f"{name}: no parameter here; there are {', '.join(sorted(known)) or 'none'}.")
        if len(written) > 1:
            raise BadRequest(f"{name}: given {len(written)} times; give it once.")


def described_path(rule: str) -> str:
    """An address as OpenAPI writes it: /bookings/{which} for /bookings/<path:which>."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)
