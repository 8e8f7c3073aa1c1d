"""How is the web application put together? One blueprint for each screen, and what they share."""

import secrets
from collections.abc import Iterable

from flask import Blueprint, Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import BadRequest

from policy.instants import text
from server.pages import (
    account,
    accounts,
    alerts,
    api,
    api_bookings,
    api_document,
    bank,
    bank_credits,
    booking_waits,
    calendar,
    carnet_mail,
    carnets,
    channels,
    closing,
    day_badges,
    doors,
    enrolment,
    evacuation,
    evening_watch,
    events,
    exports,
    feeds,
    first_start,
    gardien_figures,
    group,
    guests,
    guides,
    health,
    hours,
    invitation,
    invitations,
    kept,
    kiosk,
    lamps,
    live,
    lockdown,
    login,
    machine,
    machine_figures,
    machine_out,
    machine_session,
    machines,
    me,
    member,
    member_account,
    member_changes,
    member_import,
    member_passages,
    members,
    messages,
    my_corrections,
    my_data,
    now,
    oidc,
    presence,
    rota,
    rota_hours,
    rota_patterns,
    rota_swaps,
    site_health,
    spaceapi,
    today,
    tokens,
    training,
    training_sessions,
    why,
    year,
)
from server.text import dates as language
from server.text.named import who
from server.text.translate import language as spoken
from server.text.translate import speak
from server.web import access, passkeys, step_up
from server.web import sessions as auth
from server.web.context import Context
from server.web.faults import explain_faults
from server.web.row_numbers import RowNumber

SCREENS = (
    now.page,
    today.page,
    kiosk.page,
    me.page,
    carnet_mail.page,
    evening_watch.page,
    channels.page,
    rota.page,
    rota_hours.page,
    rota_swaps.page,
    rota_patterns.page,
    feeds.page,
    group.page,
    guests.page,
    calendar.page,
    booking_waits.page,
    machines.page,
    machine.page,
    machine_figures.page,
    machine_out.page,
    machine_session.page,
    my_data.page,
    doors.page,
    lockdown.page,
    why.page,
    my_corrections.page,
    bank.page,
    bank_credits.page,
    gardien_figures.page,
    year.page,
    presence.page,
    closing.page,
    evacuation.page,
    alerts.page,
    members.page,
    member.page,
    member_account.page,
    member_changes.page,
    member_import.page,
    exports.page,
    member_passages.page,
    carnets.page,
    enrolment.page,
    hours.page,
    day_badges.page,
    events.page,
    invitations.page,
    training_sessions.page,
    training.page,
    first_start.page,
    accounts.page,
    tokens.page,
    messages.page,
    site_health.page,
    account.page,
    oidc.page,
    login.page,
    invitation.page,
    guides.page,
    kept.page,
    lamps.page,
    live.page,
    health.page,
    spaceapi.page,
    api.page,
    api_bookings.page,
    api_document.page,
)
NUL = "\0"
MAX_FORM = 64 * 1024
"""Bytes of a request's body."""
MAX_UPLOAD = 5 * 1024 * 1024
"""Of one that sends a file, where server/web/access.py says so."""


def create_app(context: Context, extra_blueprints: Iterable[Blueprint] = ()) -> Flask:
    """The pages of a server.

    extra_blueprints: more screens, as the demo's bench. When it is registered (Blueprint.record), each adds its lines
    to app.config["ACCESS"] (server/web/access.py), and to app.config["FOOT"] a template for every page's foot.
    The key of the forms' cookie is drawn anew at each start: a form that was open before asks to be sent again.
    """
    app = Flask("server", static_url_path="/static")
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),
        SESSION_COOKIE_NAME="loquet-form",
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=MAX_FORM,
        MAX_UPLOAD=MAX_UPLOAD,
        FOOT=[],
    )
    app.url_map.converters["int"] = RowNumber
    app.session_interface = auth.FormCookie()
    app.extensions["loquet"] = context
    speak(app, language.choose)
    app.before_request(_note_version)
    access.guard(app)  # before the forms' own check: who may not come gets no advice about a form
    CSRFProtect(app).exempt(api_bookings.page)  # which no session may change anything with
    app.before_request(_check_text)
    step_up.guard(app)
    auth.limiter.init_app(app)
    auth.guard(app)
    explain_faults(app)
    for blueprint in (*SCREENS, *extra_blueprints):
        app.register_blueprint(blueprint)
    access.check_table(app)
    app.jinja_env.filters["utc"] = text
    app.after_request(_remember_language)
    app.context_processor(lambda: _shared(app, context))
    return app


def _note_version() -> None:
    """Before anything is read for a page: what changes from here on, /live tells it of."""
    g.live_version = auth.context().live.version


def _check_text() -> None:
    """Raises BadRequest for a NUL: nobody types one, and PostgreSQL keeps and compares none."""
    values = [value for _, value in (*request.args.items(multi=True), *request.form.items(multi=True))]
    if NUL in "".join((request.path, *values)):
        raise BadRequest


def _shared(app: Flask, context: Context) -> dict[str, object]:
    """What every template may use."""
    return {
        "account": auth.account,
        "live_version": g.get("live_version"),
        "passkeys_offered": passkeys.offered,
        "provider": context.oidc,
        "links": access.navigation(app),
        "site": context.current().bundle.site,
        "language": spoken(),
        "hour": language.hour,
        "day": language.day,
        "long_day": language.long_day,
        "when": language.when,
        "site_time": context.site_time,
        "hours": language.hours,
        "called": context.current().called,
        "who": who,
    }


def _remember_language(response: Response) -> Response:
    chosen = request.args.get("lang")
    if chosen in language.LANGUAGES:
        response.set_cookie(
            language.COOKIE, chosen, max_age=language.YEAR, httponly=True, samesite="Lax", secure=request.is_secure
        )
    return response
