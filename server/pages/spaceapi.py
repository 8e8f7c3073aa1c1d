"""Is it open, for programs of other places? /spaceapi.json, by the SpaceAPI's schema, version 15: no names, few people
not counted. Of the schema's words those are left out that tell who (trigger_person, names, keymasters)."""

from flask import Blueprint, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from policy.opening import Degree
from policy.terms import MINUTE
from server.pages.now import answer_of
from server.queries.now import Picture, picture
from server.text.dates import LANGUAGES
from server.text.translate import in_language
from server.web.sessions import context

page = Blueprint("spaceapi", __name__)

KEPT = MINUTE
"""So long at most a program may go by one answer, less when it may change by itself before."""


@page.get("/spaceapi.json")
def spaceapi() -> ResponseReturnValue:
    known = context()
    current, at = known.current(), known.clock()
    with known.database.reading() as session:
        seen = picture(session, current, at)
    base = known.address or request.host_url.rstrip("/")
    said = []
    for language in LANGUAGES:
        with in_language(language):
            said.append(answer_of(seen, current.called, named=False, staff=False).headline)
    state: dict[str, object] = {"message": " / ".join(said)}
    if (sure := _open(seen)) is not None:
        state["open"] = sure
    told: dict[str, object] = {
        "api_compatibility": ["15"],
        "space": current.bundle.site.name,
        "logo": base + url_for("static", filename="icon.svg"),
        "url": base + url_for("now.page"),
        "contact": {},
        "state": state,
    }
    if seen.told is not None:
        told["sensors"] = {"people_now_present": [{"value": seen.told}]}
    answer = jsonify(told)
    answer.headers["Access-Control-Allow-Origin"] = "*"
    left = min(KEPT, max(0, seen.sureness.ask_again - at))
    answer.headers["Cache-Control"] = f"max-age={left // 1000}"
    return answer


def _open(seen: Picture) -> bool | None:
    """Yes only where Maintenant says so; None where nobody knows: a door has not been heard."""
    if seen.fires or seen.lockdown is not None:
        return False
    return None if seen.heard is not None else seen.sureness.degree is Degree.SURE
