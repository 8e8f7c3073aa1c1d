"""When did somebody come, and why were they refused? On their page at the desk, for a reason that is noted."""

from dataclasses import dataclass

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from policy.terms import Instant
from server.audit import Decided, looked
from server.pages.member import shown
from server.queries.closing import checked_out
from server.queries.history import Passage, passages_of
from server.queries.member import member_of
from server.text import people as text
from server.text.corrections import out_at_closing
from server.text.named import place_of
from server.text.reasons import Words, words
from server.web.deciding import why_in
from server.web.sessions import context, signed_in

page = Blueprint("member_passages", __name__)

MOST = 100
"""The newest passages that are shown; the nightly purge ends them all after some weeks."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was asked for: why, at which instant, and the passages, newest first, with their words and their place.

    left_at: the closings that checked them out, in words.
    """

    why: str
    at: Instant
    passages: tuple[tuple[Passage, Words, str], ...]
    left_at: tuple[str, ...]


@page.post("/members/<path:member>/passages")
def show(member: str) -> ResponseReturnValue:
    """Noted before it is shown; without a reason nothing is shown."""
    known = context()
    why = why_in()
    if not why:
        wrong = {"why": text.wrong("why")}
        return render_template("member.html", **shown(member) | {"form": "passages", "typed": {}, "wrong": wrong}), 400
    at, current = known.clock(), known.current()
    with known.database.transaction() as session:
        if member_of(session, member) is not None:
            looked(session, Decided(signed_in().login, at, why), "passages", [member])
    with known.database.reading() as session:
        found = passages_of(session, member, MOST, at)
        out = checked_out(session, found[-1].at if found else 0, at + 1, member)
    lines = tuple((one, words(one, current, at), place_of(current.called, one.reader)) for one in found)
    said = shown(member, taps=True) | {
        "typed": {},
        "form": "",
        "looked": Looked(why, at, lines, tuple(out_at_closing(one, current.called, at) for one in out)),
    }
    return render_template("member.html", **said)
