"""What becomes of a form whose session has ended meanwhile? It is carried through the log-in, and waits for a press.

Only a form of our own pages, by its token: else a page elsewhere could have somebody log in and press for it. Passwords
are not carried.
"""

from flask import render_template, request
from flask_wtf.csrf import validate_csrf
from werkzeug.exceptions import Unauthorized

PREFIX = "kept."
"""Of the names of carried fields in the log-in's form, whose own they must not be taken for."""
SECRETS = frozenset({"csrf_token", "password", "repeated", "again", "shown_again", "passkey"})

Fields = list[tuple[str, str]]


def log_in_first() -> tuple[str, int]:
    """The log-in in place of the answer. Raises Unauthorized for a form that is none of ours."""
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValueError:  # wtforms.ValidationError
        raise Unauthorized from None
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in SECRETS]
    return render_template("login.html", wrong=None, resume=request.path, fields=fields, prefix=PREFIX), 401


def carried() -> dict[str, object]:
    """What the log-in's form carries along, as its template wants it."""
    return {"resume": request.form.get("resume"), "fields": _fields(), "prefix": PREFIX}


def _fields() -> Fields:
    sent = request.form.items(multi=True)
    return [(name.removeprefix(PREFIX), value) for name, value in sent if name.startswith(PREFIX)]
