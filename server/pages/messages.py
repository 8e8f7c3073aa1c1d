"""What was sent to people, and what became of it? /messages, for administrators; and a link sent by mail."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from server.changes.accounts import open_link
from server.changes.messages import State, decided_at, queue
from server.errors import ChangeRefusedError, Refused
from server.pages.accounts import shown_link
from server.queries.accounts import link_of
from server.queries.messages import bounced, messages
from server.text.dates import day, hour
from server.text.messages import why
from server.text.refusals import refusal
from server.text.translate import N_, gettext
from server.web.sessions import context, now, signed_in

page = Blueprint("messages", __name__)

SHOWN = 200
STATES = {
    State.WAITING: ("warn", N_("en attente")),
    State.SENDING: ("warn", N_("part en ce moment")),
    State.SENT: ("good", N_("envoyé")),
    State.REFUSED: ("bad", N_("refusé")),
    State.LATE: ("bad", N_("trop tard")),
    State.UNSURE: ("warn", N_("peut-être envoyé")),
}


@page.get("/messages", endpoint="page")
def show() -> ResponseReturnValue:
    with context().database.reading() as session:
        found = [(one, *STATES[State(one.state)], why(one.why)) for one in messages(session, SHOWN)]
        gone = [(one.member, one.message, why(one.message.why)) for one in bounced(session)]
    return render_template("messages.html", found=found, gone=gone, sends=context().sends_mail)


@page.post("/messages/link")
def send_link() -> ResponseReturnValue:
    """Send a link that was just made, and show it again. Raises NotFound where no mail is sent."""
    if not context().sends_mail:
        raise NotFound
    token, to = request.form.get("token", ""), request.form.get("to", "").strip()
    try:
        with context().database.transaction() as session:
            open_link(session, token, now())
            link = link_of(session, token)
            base = context().address or request.host_url.rstrip("/")
            said = {
                "site": context().current().bundle.site.name or "Loquet",
                "address": f"{base}{url_for('invitation.form', token=token)}",
                "login": link.login,
                "day": day(context().site_time(link.expires)),
                "hour": hour(context().site_time(link.expires)),
            }
            queue(
                session,
                decided_at(signed_in().login, now()),
                now(),
                about="link",
                to=to,
                subject=gettext("Votre compte à %(site)s", site=said["site"]),
                body=gettext(BODY, **said),
                until=link.expires,
            )
    except ChangeRefusedError as error:
        if error.why is Refused.MAIL_BAD:
            return shown_link(token, wrong=refusal(error.why)), 400
        return render_template("messages.html", found=[], sends=True, wrong=refusal(error.why)), 400
    return shown_link(token, sent=to)


BODY = N_(
    "Bonjour,\n\nCe lien vous donne votre compte à %(site)s. Il sert une fois, jusqu’au %(day)s à %(hour)s :\n\n"
    "%(address)s\n\nVotre identifiant : %(login)s\n\nVous n’attendiez rien ? Ne faites rien, le lien s’éteint seul.\n"
)
