"""Who may see or press what? One line for each address and method; the navigation follows from the same lines.

An address without a line keeps the server from starting, and so does a line without an address.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from flask import Flask, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden, Unauthorized

from server.roles import ADMINS, EVERYBODY, FAB_MANAGERS, GARDIENS, MEMBERS, NO_ROLE, STAFF, Role, Roles, Scope
from server.text.translate import N_, gettext
from server.web import sessions
from server.web.faults import NotHoldingError
from server.web.holding import holds_place
from server.web.resume import log_in_first

AUTOMATIC = frozenset({"HEAD", "OPTIONS"})
"""Flask's own: HEAD has the rights of GET, and OPTIONS names the methods of an address and nothing else."""


class Group(Enum):
    """Where a page is looked for in the navigation, in this order and by these words, in French."""

    PLACE = N_("Le lieu")
    PEOPLE = N_("Personnes")
    MACHINES = N_("Machines")
    GARDIENS = N_("Gardiens")
    SETTINGS = N_("Réglages")


@dataclass(frozen=True, slots=True)
class Access:
    """who: any of these roles may. holding: so may a gardien who holds the place at this moment. scope: so may a token
    with it. label: its link in the navigation, in French; group: under which word it stands there, or beside them.
    linked: whom it is shown to, where that is not everybody who may.

    page: whether the public is led there once it has logged in; else it is only refused. step_up: whether password or
    passkey must have been shown in the last minutes (server/web/step_up.py). upload: whether a file may be sent.
    """

    who: Roles
    scope: Scope | None = None
    label: str | None = None
    group: Group | None = None
    linked: Roles | None = None
    page: bool = True
    step_up: bool = False
    upload: bool = False
    holding: bool = False


Table = Mapping[tuple[str, str], Access]

TABLE: Table = {
    ("GET", "/"): Access(EVERYBODY, label=N_("Maintenant")),
    ("GET", "/today"): Access(EVERYBODY, label=N_("Aujourd’hui"), group=Group.PLACE),
    ("GET", "/kiosque"): Access(EVERYBODY, label=N_("Écran de la porte"), group=Group.PLACE, linked=STAFF),
    ("GET", "/me"): Access(MEMBERS, label=N_("Moi")),
    ("GET", "/gardiens"): Access(MEMBERS, label=N_("Gardiens"), group=Group.GARDIENS, linked=GARDIENS),
    ("POST", "/gardiens/take"): Access(GARDIENS),
    ("POST", "/gardiens/undo"): Access(GARDIENS),
    ("POST", "/gardiens/keep"): Access(GARDIENS),
    ("POST", "/gardiens/prolong"): Access(GARDIENS),
    ("GET", "/gardiens/later"): Access(GARDIENS),
    ("POST", "/gardiens/later"): Access(GARDIENS),
    ("GET", "/gardiens/earlier"): Access(GARDIENS),
    ("POST", "/gardiens/earlier"): Access(GARDIENS),
    ("POST", "/gardiens/offer"): Access(GARDIENS),
    ("POST", "/gardiens/decline"): Access(GARDIENS),
    ("GET", "/gardiens/give-back"): Access(GARDIENS),
    ("POST", "/gardiens/give-back"): Access(GARDIENS),
    ("GET", "/gardiens/evenings"): Access(STAFF, label=N_("Soirées"), group=Group.GARDIENS),
    ("POST", "/gardiens/evenings"): Access(STAFF),
    ("POST", "/gardiens/evenings/end"): Access(STAFF),
    ("GET", "/gardiens/swap"): Access(GARDIENS),
    ("POST", "/gardiens/swap"): Access(GARDIENS),
    ("POST", "/gardiens/swap/accept"): Access(GARDIENS),
    ("POST", "/gardiens/swap/drop"): Access(GARDIENS),
    ("POST", "/gardiens/absences"): Access(GARDIENS),
    ("POST", "/gardiens/absences/<int:which>/back"): Access(GARDIENS),
    ("GET", "/feeds/<token>.ics"): Access(EVERYBODY),
    ("POST", "/feeds"): Access(MEMBERS),
    ("POST", "/feeds/end"): Access(MEMBERS),
    ("GET", "/me/data"): Access(MEMBERS),
    ("POST", "/me/carnet-mail"): Access(MEMBERS),
    ("POST", "/me/tonight"): Access(MEMBERS),
    ("POST", "/me/channel"): Access(MEMBERS),
    ("POST", "/me/tonight/end"): Access(MEMBERS),
    ("POST", "/group"): Access(GARDIENS),
    ("POST", "/group/gone"): Access(GARDIENS),
    ("GET", "/me/corrections/<int:which>"): Access(MEMBERS),
    ("POST", "/me/corrections/<int:which>"): Access(MEMBERS),
    ("GET", "/banque"): Access(MEMBERS),
    ("GET", "/banque/<path:member>"): Access(MEMBERS),
    ("GET", "/banque-csv/<path:member>"): Access(MEMBERS),
    ("POST", "/banque/shared"): Access(STAFF),
    ("GET", "/gardiens/chiffres"): Access(GARDIENS),
    ("GET", "/gardiens/chiffres-csv"): Access(GARDIENS),
    ("POST", "/banque/credits"): Access(GARDIENS),
    ("POST", "/banque/credits/attest"): Access(GARDIENS),
    ("POST", "/banque/credits/remove"): Access(GARDIENS),
    ("POST", "/banque/lines/<int:entry>/contest"): Access(MEMBERS),
    ("POST", "/banque/lines/<int:entry>/withdraw"): Access(MEMBERS),
    ("POST", "/banque/lines/<int:entry>/answer"): Access(STAFF),
    ("GET", "/machines"): Access(MEMBERS, label=N_("Fablab"), group=Group.MACHINES),
    ("GET", "/calendar"): Access(MEMBERS, label=N_("Réserver"), group=Group.MACHINES),
    ("POST", "/calendar"): Access(MEMBERS),
    ("POST", "/bookings/<path:which>/instead"): Access(MEMBERS),
    ("POST", "/bookings/<path:which>/cancel"): Access(MEMBERS),
    ("GET", "/machines/chiffres"): Access(FAB_MANAGERS),
    ("GET", "/machines-csv"): Access(FAB_MANAGERS),
    ("POST", "/waits"): Access(MEMBERS),
    ("POST", "/waits/<int:which>/take"): Access(MEMBERS),
    ("POST", "/waits/<int:which>/leave"): Access(MEMBERS),
    ("GET", "/machines/<path:machine>"): Access(MEMBERS),
    ("POST", "/machines/<path:machine>/faults"): Access(MEMBERS),
    ("POST", "/machines/<path:machine>/faults/<int:which>"): Access(FAB_MANAGERS),
    ("GET", "/machines/<path:machine>/sheet"): Access(FAB_MANAGERS),
    ("GET", "/machines/<path:machine>/slip"): Access(FAB_MANAGERS),
    ("POST", "/machines/<path:machine>/sheet"): Access(FAB_MANAGERS),
    ("POST", "/machines/<path:machine>/serviced"): Access(FAB_MANAGERS),
    ("POST", "/machines/<path:machine>/extend"): Access(MEMBERS),
    ("GET", "/machines/<path:machine>/end"): Access(FAB_MANAGERS),
    ("POST", "/machines/<path:machine>/end"): Access(FAB_MANAGERS),
    ("GET", "/machines/<path:machine>/out"): Access(FAB_MANAGERS),
    ("POST", "/machines/<path:machine>/out"): Access(FAB_MANAGERS),
    ("GET", "/machines/<path:machine>/back"): Access(FAB_MANAGERS),
    ("POST", "/machines/<path:machine>/back"): Access(FAB_MANAGERS),
    ("GET", "/doors/<path:place>/open"): Access(STAFF, holding=True),
    ("POST", "/doors/<path:place>/open"): Access(STAFF, holding=True, step_up=True),
    ("GET", "/doors/<path:place>/unlock"): Access(STAFF),
    ("POST", "/doors/<path:place>/unlock"): Access(STAFF, step_up=True),
    ("POST", "/doors/<path:place>/relock"): Access(STAFF, holding=True),
    ("GET", "/presence"): Access(STAFF, holding=True),
    ("GET", "/presence/<path:member>"): Access(STAFF, holding=True),
    ("POST", "/presence/<path:member>/left"): Access(STAFF, holding=True),
    ("POST", "/presence/<path:member>/there"): Access(STAFF, holding=True),
    ("POST", "/presence/<path:member>/charge"): Access(STAFF),
    ("GET", "/fermer"): Access(STAFF, holding=True),
    ("POST", "/fermer"): Access(STAFF, holding=True),
    ("POST", "/fermer/<path:member>"): Access(STAFF, holding=True),
    ("POST", "/presence/<path:member>/answer/<int:which>"): Access(STAFF),
    ("POST", "/presence/<path:member>/withdraw/<int:which>"): Access(STAFF),
    ("POST", "/alerts/take"): Access(STAFF, holding=True),
    ("POST", "/alerts/give-back"): Access(STAFF, holding=True),
    ("GET", "/lockdown"): Access(STAFF),
    ("POST", "/lockdown"): Access(STAFF),
    ("GET", "/why/<int:which>"): Access(MEMBERS),
    ("GET", "/evacuation"): Access(GARDIENS, label=N_("Évacuation"), group=Group.PLACE),
    ("POST", "/evacuation"): Access(GARDIENS),
    ("GET", "/evacuation/file"): Access(GARDIENS),
    ("POST", "/evacuation/visitors"): Access(GARDIENS),
    ("POST", "/evacuation/visitors/<int:number>/gone"): Access(GARDIENS),
    ("POST", "/evacuation/end"): Access(GARDIENS),
    ("GET", "/members"): Access(STAFF, label=N_("Membres"), group=Group.PEOPLE),
    ("GET", "/members/<path:member>"): Access(STAFF),
    ("GET", "/new-member"): Access(STAFF),
    ("POST", "/new-member"): Access(STAFF),
    ("POST", "/members/<path:member>/change"): Access(STAFF),
    ("POST", "/members/<path:member>/status"): Access(STAFF),
    ("POST", "/members/<path:member>/end"): Access(STAFF),
    ("POST", "/members/<path:member>/return"): Access(STAFF),
    ("POST", "/members/<path:member>/erase"): Access(STAFF, step_up=True),
    ("GET", "/carnets"): Access(STAFF, label=N_("Carnets"), group=Group.PEOPLE),
    ("POST", "/carnets/export"): Access(STAFF),
    ("GET", "/guests"): Access(GARDIENS, label=N_("Invités"), group=Group.PEOPLE),
    ("POST", "/guests"): Access(GARDIENS),
    ("POST", "/guests/<int:which>/back"): Access(GARDIENS),
    ("POST", "/guests/agreements"): Access(STAFF),
    ("POST", "/guests/agreements/<int:which>/end"): Access(STAFF),
    ("GET", "/guests/export"): Access(STAFF),
    ("POST", "/members/<path:member>/passages"): Access(STAFF),
    ("POST", "/members/<path:member>/carnets"): Access(STAFF),
    ("POST", "/members/<path:member>/carnets/given-back"): Access(STAFF),
    ("POST", "/members/<path:member>/carnets/charged-again"): Access(STAFF),
    ("POST", "/members/<path:member>/carnets/moved"): Access(STAFF),
    ("POST", "/members/<path:member>/account"): Access(STAFF, step_up=True),
    ("POST", "/members/<path:member>/account/link"): Access(STAFF, step_up=True),
    ("POST", "/members/<path:member>/account/login"): Access(STAFF, step_up=True),
    ("POST", "/members/<path:member>/badges"): Access(STAFF, step_up=True),
    ("POST", "/members/<path:member>/badges/<int:number>"): Access(STAFF),
    ("GET", "/members/<path:member>/enrolment"): Access(STAFF),
    ("POST", "/members/<path:member>/enrolment"): Access(STAFF, step_up=True),
    ("POST", "/members/<path:member>/enrolment/confirm"): Access(STAFF, step_up=True),
    ("POST", "/members/<path:member>/enrolment/stop"): Access(STAFF),
    ("GET", "/hours"): Access(STAFF, label=N_("Horaires"), group=Group.PLACE),
    ("POST", "/hours/week"): Access(STAFF),
    ("POST", "/hours/closures"): Access(STAFF),
    ("POST", "/hours/openings"): Access(STAFF),
    ("GET", "/day-badges"): Access(STAFF, label=N_("Badges du jour"), group=Group.PEOPLE),
    ("POST", "/day-badges"): Access(STAFF, step_up=True),
    ("POST", "/day-badges/<int:which>/back"): Access(STAFF),
    ("POST", "/day-badges/<int:which>/end"): Access(STAFF),
    ("POST", "/members/<path:member>/day-badge"): Access(STAFF, step_up=True),
    ("GET", "/chiffres"): Access(STAFF, label=N_("Chiffres"), group=Group.PLACE),
    ("GET", "/chiffres/file"): Access(STAFF),
    ("GET", "/events"): Access(STAFF, label=N_("Événements"), group=Group.PLACE),
    ("POST", "/events"): Access(STAFF),
    ("GET", "/events/<path:event>"): Access(STAFF),
    ("POST", "/events/<path:event>"): Access(STAFF),
    ("GET", "/event-series/<path:series>"): Access(STAFF),
    ("POST", "/event-series/<path:series>"): Access(STAFF),
    ("GET", "/invitations"): Access(STAFF, label=N_("Invitations"), group=Group.PEOPLE),
    ("POST", "/invitations"): Access(STAFF),
    ("POST", "/invitations/<path:invitation>/end"): Access(STAFF),
    ("GET", "/import"): Access(STAFF, label=N_("Importer"), group=Group.PEOPLE),
    ("POST", "/import"): Access(STAFF, upload=True),
    ("GET", "/import/<which>"): Access(STAFF),
    ("POST", "/import/<which>"): Access(STAFF),
    ("POST", "/import/<which>/answer"): Access(STAFF),
    ("POST", "/import/<which>/run"): Access(STAFF, step_up=True),
    ("POST", "/import/<which>/undo"): Access(STAFF),
    ("GET", "/import/<which>/left"): Access(STAFF),
    ("GET", "/export"): Access(STAFF, label=N_("Exporter"), group=Group.PEOPLE),
    ("POST", "/export/members"): Access(STAFF),
    ("POST", "/export/bundle"): Access(ADMINS, step_up=True),
    ("POST", "/bundle/begin"): Access(ADMINS, step_up=True),
    ("POST", "/bundle"): Access(ADMINS, upload=True),
    ("GET", "/trainings"): Access(MEMBERS, label=N_("Formations"), group=Group.MACHINES),
    ("POST", "/trainings/sessions"): Access(FAB_MANAGERS),
    ("GET", "/trainings/sessions/<path:which>"): Access(FAB_MANAGERS),
    ("POST", "/trainings/sessions/<path:which>"): Access(FAB_MANAGERS),
    ("POST", "/trainings/sessions/<path:which>/cancel"): Access(FAB_MANAGERS),
    ("POST", "/trainings/sessions/<path:which>/join"): Access(MEMBERS),
    ("POST", "/trainings/sessions/<path:which>/leave"): Access(MEMBERS),
    ("POST", "/trainings/sessions/<path:which>/people"): Access(FAB_MANAGERS),
    ("POST", "/trainings/sessions/<path:which>/people/off"): Access(FAB_MANAGERS),
    ("POST", "/trainings/sessions/<path:which>/presence"): Access(FAB_MANAGERS),
    ("GET", "/trainings/kinds/<path:kind>"): Access(FAB_MANAGERS),
    ("POST", "/trainings/kinds/<path:kind>/certify"): Access(FAB_MANAGERS),
    ("POST", "/trainings/kinds/<path:kind>/withdraw"): Access(FAB_MANAGERS),
    ("POST", "/members/<path:member>/trainings"): Access(STAFF),
    ("POST", "/members/<path:member>/trainings/withdrawn"): Access(STAFF),
    ("GET", "/start"): Access(ADMINS, label=N_("Premiers pas"), group=Group.SETTINGS),
    ("POST", "/start/facts"): Access(ADMINS, step_up=True),
    ("POST", "/start/places"): Access(ADMINS, step_up=True),
    ("POST", "/start/tiers"): Access(ADMINS, step_up=True),
    ("GET", "/accounts"): Access(ADMINS, label=N_("Comptes"), group=Group.SETTINGS),
    ("POST", "/accounts"): Access(ADMINS, step_up=True),
    ("GET", "/accounts/<int:which>"): Access(ADMINS),
    ("POST", "/accounts/<int:which>/link"): Access(ADMINS, step_up=True),
    ("POST", "/accounts/<int:which>/login"): Access(ADMINS, step_up=True),
    ("POST", "/accounts/<int:which>/roles"): Access(ADMINS, step_up=True),
    ("POST", "/accounts/<int:which>/end"): Access(ADMINS, step_up=True),
    ("GET", "/sante"): Access(FAB_MANAGERS, label=N_("Santé"), group=Group.SETTINGS),
    ("GET", "/messages"): Access(ADMINS, label=N_("Messages"), group=Group.SETTINGS),
    ("POST", "/messages/link"): Access(STAFF, step_up=True),
    ("GET", "/tokens"): Access(ADMINS, label=N_("Jetons de l’API"), group=Group.SETTINGS),
    ("POST", "/tokens"): Access(ADMINS, step_up=True),
    ("POST", "/tokens/<int:which>/end"): Access(ADMINS),
    ("GET", "/account"): Access(MEMBERS),
    ("POST", "/account/password"): Access(MEMBERS, step_up=True),
    ("POST", "/account/passkeys/question"): Access(MEMBERS),
    ("POST", "/account/passkeys"): Access(MEMBERS, step_up=True),
    ("POST", "/account/passkeys/<which>/forget"): Access(MEMBERS, step_up=True),
    ("POST", "/account/sessions/<int:which>/end"): Access(MEMBERS),
    ("POST", "/account/oidc"): Access(MEMBERS, step_up=True),
    ("POST", "/account/oidc/forget"): Access(MEMBERS, step_up=True),
    ("GET", "/lamps"): Access(EVERYBODY),
    ("GET", "/kept"): Access(EVERYBODY),
    ("GET", "/guides/<name>"): Access(EVERYBODY),
    ("GET", "/live"): Access(EVERYBODY),
    ("GET", "/login"): Access(EVERYBODY),
    ("POST", "/login"): Access(EVERYBODY),
    ("POST", "/passkey/question"): Access(EVERYBODY),
    ("POST", "/login/passkey"): Access(EVERYBODY),
    ("GET", "/login/oidc"): Access(EVERYBODY),
    ("GET", "/login/oidc/back"): Access(EVERYBODY),
    ("POST", "/logout"): Access(EVERYBODY),
    ("GET", "/invitation/<token>"): Access(EVERYBODY),
    ("POST", "/invitation/<token>"): Access(EVERYBODY),
    ("POST", "/invitation/<token>/question"): Access(EVERYBODY),
    ("GET", "/health"): Access(EVERYBODY),
    ("GET", "/spaceapi.json"): Access(EVERYBODY),
    ("GET", "/static/<path:filename>"): Access(EVERYBODY),
    ("GET", "/api/v1/now"): Access(EVERYBODY, scope=Scope.NOW),
    ("GET", "/api/v1/openings"): Access(EVERYBODY, scope=Scope.NOW),
    ("GET", "/api/v1/openapi.json"): Access(EVERYBODY),
    ("GET", "/api/v1/docs"): Access(EVERYBODY),
    ("GET", "/api/v1/members"): Access(STAFF, scope=Scope.MEMBERS, page=False),
    ("GET", "/api/v1/badges"): Access(STAFF, scope=Scope.BADGES, page=False),
    ("GET", "/api/v1/passes"): Access(STAFF, scope=Scope.PASSES, page=False),
    ("GET", "/api/v1/passages"): Access(STAFF, scope=Scope.PASSAGES, page=False),
    ("GET", "/api/v1/bookings"): Access(STAFF, scope=Scope.BOOKINGS, page=False),
    ("POST", "/api/v1/bookings"): Access(NO_ROLE, scope=Scope.BOOKINGS, page=False),
    ("DELETE", "/api/v1/bookings/<path:which>"): Access(NO_ROLE, scope=Scope.BOOKINGS, page=False),
}
"""In the order of the navigation, where a label and a group are all that a new page needs. Whether a page of everybody
names people, server/web/sessions.py:sees_names says."""
BENCH = N_("Banc d’essai")
"""The navigation's word for the demo's own page."""


def guard(app: Flask) -> None:
    """Let nobody in but by the table. More lines: app.config["ACCESS"], which a blueprint adds to when registered."""
    app.config["ACCESS"] = dict(TABLE)
    app.before_request(_check)


def routes(app: Flask) -> Iterator[tuple[str, str]]:
    """(method, address) of all that the application answers to."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - AUTOMATIC):
            yield method, rule.rule


def check_table(app: Flask) -> None:
    """Raises ValueError where the table and the application's addresses differ."""
    lines = set(app.config["ACCESS"])
    if differ := lines ^ set(routes(app)):
        raise ValueError(
            f"{', '.join(' '.join(one) for one in sorted(differ))}: has no line in server/web/access.py, or no view"
        )


def navigation(app: Flask) -> list[tuple[str, list[tuple[str, str]]]]:
    """(label, [(address, label)]) of the pages that whoever asks may see: those that stand alone, then the groups."""
    known: Table = app.config["ACCESS"]
    mine = sessions.roles()
    shown: dict[Group | None, list[tuple[str, str]]] = {}
    for (_, path), line in known.items():
        if line.label and (line.linked or line.who) & mine:
            shown.setdefault(line.group, []).append((path, gettext(line.label)))
    alone = [(label, [(path, label)]) for path, label in shown.get(None, ())]
    return alone + [(gettext(each.value), shown[each]) for each in Group if each in shown]


def reads_balances(*, shared: bool) -> bool:
    """Whether whoever asks reads what the bank of hours owes others. shared: what the site chose (TimeBank.shared)."""
    return bool(sessions.roles() & (GARDIENS if shared else STAFF))


def _check() -> ResponseReturnValue | None:
    """None for whoever may; the public is asked to log in where there is a page to come back to, or a form."""
    if request.url_rule is None or request.method == "OPTIONS":
        return None
    method = "GET" if request.method == "HEAD" else request.method
    line: Access = current_app.config["ACCESS"][method, request.url_rule.rule]
    if line.upload and line.who & sessions.roles():
        request.max_content_length = current_app.config["MAX_UPLOAD"]
    if Role.PUBLIC in line.who or (line.scope is not None and sessions.token_has(line.scope)):
        return None
    return None if line.who & sessions.roles() or (line.holding and holds_place()) else _refuse(line, method)


def _refuse(line: Access, method: str) -> ResponseReturnValue:
    if sessions.account() is not None:
        if line.holding and Role.GARDIEN in sessions.roles():
            raise NotHoldingError(
                gettext(
                    "Vous ne tenez pas le lieu : il faut être de garde, et avoir badgé à l’entrée. L’équipe le peut."
                )
            )
        raise Forbidden
    if line.page:
        return redirect(url_for("login.form", next=request.path), 303) if method == "GET" else log_in_first()
    raise Unauthorized("Names are told here: send Authorization: Bearer and the API token.")
