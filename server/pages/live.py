"""How does an open page hear of a change? /live, server-sent events. Without it, the page asks each half minute."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ServiceUnavailable

from server.web.live import TooManyStreamsError
from server.web.sessions import account, caller, context

page = Blueprint("live", __name__)

RETRY_AFTER = 60
"""Seconds."""


@page.get("/live")
def stream() -> ResponseReturnValue:
    """Says only that something changed: what did, the page asks for with its own rights."""
    try:
        seen = request.args.get("seen", type=int)
        events = context().live.stream(caller(), logged_in=account() is not None, seen=seen)
    except TooManyStreamsError:
        raise ServiceUnavailable("Too many live pages.", retry_after=RETRY_AFTER) from None
    return Response(events, content_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
