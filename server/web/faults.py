"""What is said when something fails? A friendly page; to programs a problem document (RFC 9457)."""

import logging

from flask import Flask, Response, g, json, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, Forbidden, HTTPException, InternalServerError, ServiceUnavailable

from server.errors import DatabaseError, MistakeError
from server.text.translate import gettext

log = logging.getLogger("loquet.server")


class WrongAddressError(BadRequest):
    """An address asks for what its page does not have. description: the sentence to show, in the reader's language."""


class NotHoldingError(Forbidden):
    """A gardien asks for what whoever holds the place may. description: the sentence to show, as above."""


def explain_faults(app: Flask) -> None:
    """Let the application answer every fault in its caller's language."""
    app.register_error_handler(HTTPException, _explain)
    app.register_error_handler(DatabaseError, _database)
    app.register_error_handler(MistakeError, _unforeseen)
    app.register_error_handler(Exception, _unforeseen)


def is_for_programs() -> bool:
    return request.path.startswith("/api/") or request.path in ("/health", "/spaceapi.json")


def problem(status: int, title: str, detail: str | None) -> Response:
    """A problem document. detail: what to do about it, in English."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    text = json.dumps({key: value for key, value in body.items() if value is not None})
    return Response(text, status, content_type="application/problem+json")


def _explain(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.get_response()
    status = error.code or 500
    if is_for_programs():
        answer = problem(status, error.name, error.description)
    else:
        if status >= 500:
            g.account = None  # asking the database who this is might fail again
        words = error.description if isinstance(error, WrongAddressError | NotHoldingError) else _words(status)
        answer = Response(render_template("fault.html", status=status, words=words), status)
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            answer.headers[name] = value
    return answer


def _words(status: int) -> str:
    sentences = {
        400: gettext("Le formulaire a expiré ou n’est pas complet. Rechargez la page et recommencez."),
        401: gettext("Cette page demande de se connecter."),
        403: gettext("Votre compte n’a pas accès à cette page. L’équipe peut dire qui l’a."),
        404: gettext("Cette page n’existe pas."),
        405: gettext("Cette page ne s’utilise pas ainsi."),
        413: gettext("C’est trop grand. Un fichier a 4 Mo au plus : coupez-le en plusieurs."),
        429: gettext("Trop d’essais. Attendez une minute, puis recommencez."),
        503: gettext("Le serveur ne peut pas répondre à l’instant. Réessayez dans une minute."),
    }
    return sentences.get(
        status, gettext("Quelque chose ne va pas de notre côté. L’équipe le trouvera dans le journal.")
    )


def _database(error: DatabaseError) -> ResponseReturnValue:
    log.error("%s %s: %s", request.method, request.path, error)
    return _explain(ServiceUnavailable("The database cannot be used now; the server's log says why. Try again later."))


def _unforeseen(_error: Exception) -> ResponseReturnValue:
    log.exception("%s %s", request.method, request.path)
    return _explain(InternalServerError())
