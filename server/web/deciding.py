"""How does a page change something? All or nothing, with who decides and why; then the edges hear of it."""

import logging
import re
from collections.abc import Callable
from datetime import date
from secrets import token_hex
from typing import TypeVar

from flask import request
from sqlmodel import Session

from server.audit import Decided
from server.changes.people import Done
from server.errors import ChangeRefusedError, Refused, ServerError
from server.queries.people import day_of
from server.web.sessions import context, signed_in
from server.web.typed import line_in

log = logging.getLogger("loquet.server")

Result = TypeVar("Result")
MOST_WHY = 500
"""Characters of a reason."""
TOKEN = re.compile("[0-9a-f]{12}")
"""Drawn with each form that makes something new: sent twice by a double press, it makes one."""


def form_token() -> str:
    given = request.form.get("token", "")
    return given if TOKEN.fullmatch(given) else token_hex(6)


def why_in() -> str:
    """The reason that the form gives."""
    return line_in("why")[:MOST_WHY]


def today() -> date:
    """The site day of now."""
    return day_of(context().current(), context().clock())


def decided(why: str = "") -> Decided:
    """Whoever is logged in, now."""
    return Decided(signed_in().login, context().clock(), why)


def decide(change: Callable[[Session, Decided], Result]) -> Result | Refused:
    """For the reason that the form gives; where that is Done, let the edges hear of it."""
    try:
        with context().database.transaction() as session:
            outcome = change(session, decided(why_in()))
    except ChangeRefusedError as error:
        return error.why
    if isinstance(outcome, Done):
        rules_changed()
    return outcome


def rules_changed() -> None:
    """What edges go by is another: let them hear of it."""
    _tell(context().site_changed)


def presence_changed() -> None:
    """Somebody came or went without a badge: let edges and pages hear of it."""
    _tell(context().presence_changed)


def _tell(edges: Callable[[], None]) -> None:
    """It is stored in any case: whoever cannot be told now is told when they connect (server/exchange.py)."""
    try:
        edges()
    except ServerError as error:
        log.error("stored, but the edges have not heard of it; tried again: %s", error)
