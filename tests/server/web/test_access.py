"""Who may see or press what: every address by every method for every role, from the application's own list."""

import re

import pytest
from flask import Blueprint, g
from werkzeug.exceptions import HTTPException

from server.app import create_app
from server.queries.accounts import Caller
from server.roles import ADMINS, EVERYBODY, FAB_MANAGERS, GARDIENS, MEMBERS, STAFF, Role, Roles
from server.web.access import Access, routes
from tests.support_pages import TOKEN, Place

pytestmark = pytest.mark.sqlite

MATRIX: dict[str, Roles] = {
    "GET /": EVERYBODY,
    "GET /today": EVERYBODY,
    "GET /kiosque": EVERYBODY,
    "GET /spaceapi.json": EVERYBODY,
    "GET /lamps": EVERYBODY,
    "GET /kept": EVERYBODY,
    "GET /guides/<name>": EVERYBODY,
    "GET /me": MEMBERS,
    "GET /gardiens/evenings": STAFF,
    "POST /gardiens/evenings": STAFF,
    "POST /gardiens/evenings/end": STAFF,
    "GET /gardiens/swap": GARDIENS,
    "POST /gardiens/swap": GARDIENS,
    "POST /gardiens/swap/accept": GARDIENS,
    "POST /gardiens/swap/drop": GARDIENS,
    "POST /gardiens/absences": GARDIENS,
    "POST /gardiens/absences/<int:which>/back": GARDIENS,
    "GET /feeds/<token>.ics": EVERYBODY,
    "POST /feeds": MEMBERS,
    "POST /feeds/end": MEMBERS,
    "GET /me/data": MEMBERS,
    "POST /me/carnet-mail": MEMBERS,
    "GET /guests": GARDIENS,
    "POST /guests": GARDIENS,
    "POST /guests/<int:which>/back": GARDIENS,
    "POST /guests/agreements": STAFF,
    "POST /guests/agreements/<int:which>/end": STAFF,
    "GET /guests/export": STAFF,
    "POST /me/tonight": MEMBERS,
    "POST /me/channel": MEMBERS,
    "POST /me/tonight/end": MEMBERS,
    "GET /gardiens": MEMBERS,
    "POST /gardiens/take": GARDIENS,
    "POST /gardiens/undo": GARDIENS,
    "POST /gardiens/keep": GARDIENS,
    "POST /gardiens/prolong": GARDIENS,
    "GET /gardiens/later": GARDIENS,
    "POST /gardiens/later": GARDIENS,
    "GET /gardiens/earlier": GARDIENS,
    "POST /gardiens/earlier": GARDIENS,
    "POST /gardiens/offer": GARDIENS,
    "POST /gardiens/decline": GARDIENS,
    "GET /gardiens/give-back": GARDIENS,
    "POST /gardiens/give-back": GARDIENS,
    "POST /group": GARDIENS,
    "POST /group/gone": GARDIENS,
    "GET /calendar": MEMBERS,
    "POST /calendar": MEMBERS,
    "POST /bookings/<path:which>/instead": MEMBERS,
    "POST /bookings/<path:which>/cancel": MEMBERS,
    "POST /waits": MEMBERS,
    "POST /waits/<int:which>/take": MEMBERS,
    "POST /waits/<int:which>/leave": MEMBERS,
    "GET /me/corrections/<int:which>": MEMBERS,
    "POST /me/corrections/<int:which>": MEMBERS,
    "GET /banque": MEMBERS,
    "GET /banque/<path:member>": MEMBERS,
    "GET /banque-csv/<path:member>": MEMBERS,
    "GET /gardiens/chiffres": GARDIENS,
    "GET /gardiens/chiffres-csv": GARDIENS,
    "POST /banque/shared": STAFF,
    "POST /banque/credits": GARDIENS,
    "POST /banque/credits/attest": GARDIENS,
    "POST /banque/credits/remove": GARDIENS,
    "POST /banque/lines/<int:entry>/contest": MEMBERS,
    "POST /banque/lines/<int:entry>/withdraw": MEMBERS,
    "POST /banque/lines/<int:entry>/answer": STAFF,
    "GET /machines": MEMBERS,
    "GET /machines/chiffres": FAB_MANAGERS,
    "GET /machines-csv": FAB_MANAGERS,
    "GET /machines/<path:machine>": MEMBERS,
    "POST /machines/<path:machine>/faults": MEMBERS,
    "POST /machines/<path:machine>/faults/<int:which>": FAB_MANAGERS,
    "GET /machines/<path:machine>/sheet": FAB_MANAGERS,
    "GET /machines/<path:machine>/slip": FAB_MANAGERS,
    "POST /machines/<path:machine>/sheet": FAB_MANAGERS,
    "POST /machines/<path:machine>/serviced": FAB_MANAGERS,
    "POST /machines/<path:machine>/extend": MEMBERS,
    "GET /machines/<path:machine>/end": FAB_MANAGERS,
    "POST /machines/<path:machine>/end": FAB_MANAGERS,
    "GET /machines/<path:machine>/out": FAB_MANAGERS,
    "POST /machines/<path:machine>/out": FAB_MANAGERS,
    "GET /machines/<path:machine>/back": FAB_MANAGERS,
    "POST /machines/<path:machine>/back": FAB_MANAGERS,
    "GET /doors/<path:place>/open": STAFF,
    "POST /doors/<path:place>/open": STAFF,
    "GET /doors/<path:place>/unlock": STAFF,
    "POST /doors/<path:place>/unlock": STAFF,
    "POST /doors/<path:place>/relock": STAFF,
    "GET /presence": STAFF,
    "GET /presence/<path:member>": STAFF,
    "POST /presence/<path:member>/left": STAFF,
    "POST /presence/<path:member>/there": STAFF,
    "POST /presence/<path:member>/charge": STAFF,
    "GET /fermer": STAFF,
    "POST /fermer": STAFF,
    "POST /fermer/<path:member>": STAFF,
    "POST /presence/<path:member>/answer/<int:which>": STAFF,
    "POST /presence/<path:member>/withdraw/<int:which>": STAFF,
    "POST /alerts/take": STAFF,
    "POST /alerts/give-back": STAFF,
    "GET /lockdown": STAFF,
    "POST /lockdown": STAFF,
    "GET /why/<int:which>": MEMBERS,
    "GET /evacuation": GARDIENS,
    "POST /evacuation": GARDIENS,
    "GET /evacuation/file": GARDIENS,
    "POST /evacuation/visitors": GARDIENS,
    "POST /evacuation/visitors/<int:number>/gone": GARDIENS,
    "POST /evacuation/end": GARDIENS,
    "GET /members": STAFF,
    "GET /members/<path:member>": STAFF,
    "GET /new-member": STAFF,
    "POST /new-member": STAFF,
    "POST /members/<path:member>/change": STAFF,
    "POST /members/<path:member>/status": STAFF,
    "POST /members/<path:member>/end": STAFF,
    "POST /members/<path:member>/erase": STAFF,
    "POST /members/<path:member>/return": STAFF,
    "GET /export": STAFF,
    "POST /export/members": STAFF,
    "POST /export/bundle": ADMINS,
    "POST /bundle/begin": ADMINS,
    "POST /bundle": ADMINS,
    "GET /import": STAFF,
    "POST /import": STAFF,
    "GET /import/<which>": STAFF,
    "POST /import/<which>": STAFF,
    "POST /import/<which>/answer": STAFF,
    "POST /import/<which>/run": STAFF,
    "POST /import/<which>/undo": STAFF,
    "GET /import/<which>/left": STAFF,
    "GET /carnets": STAFF,
    "POST /carnets/export": STAFF,
    "POST /members/<path:member>/passages": STAFF,
    "POST /members/<path:member>/carnets": STAFF,
    "POST /members/<path:member>/carnets/given-back": STAFF,
    "POST /members/<path:member>/carnets/charged-again": STAFF,
    "POST /members/<path:member>/carnets/moved": STAFF,
    "POST /members/<path:member>/account": STAFF,
    "POST /members/<path:member>/account/link": STAFF,
    "POST /members/<path:member>/account/login": STAFF,
    "POST /members/<path:member>/badges": STAFF,
    "POST /members/<path:member>/badges/<int:number>": STAFF,
    "GET /members/<path:member>/enrolment": STAFF,
    "POST /members/<path:member>/enrolment": STAFF,
    "POST /members/<path:member>/enrolment/confirm": STAFF,
    "POST /members/<path:member>/enrolment/stop": STAFF,
    "GET /hours": STAFF,
    "POST /hours/week": STAFF,
    "POST /hours/closures": STAFF,
    "POST /hours/openings": STAFF,
    "GET /day-badges": STAFF,
    "POST /day-badges": STAFF,
    "POST /day-badges/<int:which>/back": STAFF,
    "POST /day-badges/<int:which>/end": STAFF,
    "POST /members/<path:member>/day-badge": STAFF,
    "GET /chiffres": STAFF,
    "GET /chiffres/file": STAFF,
    "GET /events": STAFF,
    "POST /events": STAFF,
    "GET /events/<path:event>": STAFF,
    "POST /events/<path:event>": STAFF,
    "GET /event-series/<path:series>": STAFF,
    "POST /event-series/<path:series>": STAFF,
    "GET /invitations": STAFF,
    "POST /invitations": STAFF,
    "POST /invitations/<path:invitation>/end": STAFF,
    "GET /live": EVERYBODY,
    "GET /trainings": MEMBERS,
    "POST /trainings/sessions": FAB_MANAGERS,
    "GET /trainings/sessions/<path:which>": FAB_MANAGERS,
    "POST /trainings/sessions/<path:which>": FAB_MANAGERS,
    "POST /trainings/sessions/<path:which>/cancel": FAB_MANAGERS,
    "POST /trainings/sessions/<path:which>/join": MEMBERS,
    "POST /trainings/sessions/<path:which>/leave": MEMBERS,
    "POST /trainings/sessions/<path:which>/people": FAB_MANAGERS,
    "POST /trainings/sessions/<path:which>/people/off": FAB_MANAGERS,
    "POST /trainings/sessions/<path:which>/presence": FAB_MANAGERS,
    "GET /trainings/kinds/<path:kind>": FAB_MANAGERS,
    "POST /trainings/kinds/<path:kind>/certify": FAB_MANAGERS,
    "POST /trainings/kinds/<path:kind>/withdraw": FAB_MANAGERS,
    "POST /members/<path:member>/trainings": STAFF,
    "POST /members/<path:member>/trainings/withdrawn": STAFF,
    "GET /start": ADMINS,
    "POST /start/facts": ADMINS,
    "POST /start/places": ADMINS,
    "POST /start/tiers": ADMINS,
    "GET /accounts": ADMINS,
    "POST /accounts": ADMINS,
    "GET /accounts/<int:which>": ADMINS,
    "POST /accounts/<int:which>/link": ADMINS,
    "POST /accounts/<int:which>/login": ADMINS,
    "POST /accounts/<int:which>/roles": ADMINS,
    "POST /accounts/<int:which>/end": ADMINS,
    "GET /sante": FAB_MANAGERS,
    "GET /messages": ADMINS,
    "POST /messages/link": STAFF,
    "GET /tokens": ADMINS,
    "POST /tokens": ADMINS,
    "POST /tokens/<int:which>/end": ADMINS,
    "GET /account": MEMBERS,
    "POST /account/password": MEMBERS,
    "POST /account/passkeys/question": MEMBERS,
    "POST /account/passkeys": MEMBERS,
    "POST /account/passkeys/<which>/forget": MEMBERS,
    "POST /account/sessions/<int:which>/end": MEMBERS,
    "POST /account/oidc": MEMBERS,
    "POST /account/oidc/forget": MEMBERS,
    "GET /login": EVERYBODY,
    "POST /login": EVERYBODY,
    "POST /passkey/question": EVERYBODY,
    "POST /login/passkey": EVERYBODY,
    "GET /login/oidc": EVERYBODY,
    "GET /login/oidc/back": EVERYBODY,
    "POST /logout": EVERYBODY,
    "GET /invitation/<token>": EVERYBODY,
    "POST /invitation/<token>": EVERYBODY,
    "POST /invitation/<token>/question": EVERYBODY,
    "GET /health": EVERYBODY,
    "GET /static/<path:filename>": EVERYBODY,
    "GET /api/v1/now": EVERYBODY,
    "GET /api/v1/openings": EVERYBODY,
    "GET /api/v1/openapi.json": EVERYBODY,
    "GET /api/v1/docs": EVERYBODY,
    "GET /api/v1/members": STAFF,
    "GET /api/v1/badges": STAFF,
    "GET /api/v1/passes": STAFF,
    "GET /api/v1/passages": STAFF,
    "GET /api/v1/bookings": STAFF,
    "POST /api/v1/bookings": frozenset(),
    "DELETE /api/v1/bookings/<path:which>": frozenset(),
}
"""Written down a second time, by the table of roles: a slip of the pen in server/web/access.py shows here."""
HOLDING = {
    "GET /doors/<path:place>/open",
    "POST /doors/<path:place>/open",
    "POST /doors/<path:place>/relock",
    "POST /alerts/take",
    "POST /alerts/give-back",
    "GET /presence",
    "GET /presence/<path:member>",
    "POST /presence/<path:member>/left",
    "POST /presence/<path:member>/there",
    "GET /fermer",
    "POST /fermer",
    "POST /fermer/<path:member>",
}
"""What else a gardien may who holds the place at this moment."""


def outcome(place: Place, method: str, rule: str, role: Role, *, holding: bool = False) -> str:
    """What becomes of a request by an account that has this role: `in`, `login` or `refused`."""
    path = re.sub(r"<[^>]+>", "1", rule)
    with place.app.test_request_context(path, method=method):
        g.account = None if role is Role.PUBLIC else Caller(role, role, frozenset({role}))
        g.holds_place = holding
        try:
            answer = place.app.preprocess_request()
        except HTTPException as error:
            return {400: "in", 401: "login", 403: "refused"}[error.code or 0]  # 400: a form without its token
    return "in" if answer is None else "login"


def test_every_address_by_every_method_for_every_role(place: Place) -> None:
    known = list(routes(place.app))
    assert {f"{method} {rule}" for method, rule in known} == set(MATRIX)
    for method, rule in known:
        for role in Role:
            refused = "login" if role is Role.PUBLIC else "refused"
            wanted = "in" if role in MATRIX[f"{method} {rule}"] else refused
            assert outcome(place, method, rule, role) == wanted, (method, rule, role)


def test_a_gardien_who_holds_the_place_may_what_the_table_says_and_no_more(place: Place) -> None:
    for method, rule in routes(place.app):
        known = f"{method} {rule}"
        may = Role.GARDIEN in MATRIX[known] or known in HOLDING
        assert outcome(place, method, rule, Role.GARDIEN, holding=True) == ("in" if may else "refused"), known


def test_a_role_adds_and_nobody_has_less_than_a_member() -> None:
    assert Role.PUBLIC not in MEMBERS
    assert FAB_MANAGERS & GARDIENS == STAFF
    assert MEMBERS | {Role.PUBLIC} == EVERYBODY == frozenset(Role)


def test_an_address_without_a_line_keeps_the_pages_from_being_made(place: Place) -> None:
    page = Blueprint("forgotten", __name__)
    page.add_url_rule("/forgotten", "page", lambda: "")
    with pytest.raises(ValueError, match="GET /forgotten: has no line"):
        create_app(place.context(), [page])


def test_the_navigation_shows_what_one_may_see(place: Place) -> None:
    page = Blueprint("desk", __name__)
    page.add_url_rule("/desk", "page", lambda: "")
    page.record(lambda state: state.app.config["ACCESS"].update({("GET", "/desk"): Access(STAFF, label="Accueil")}))
    place.app = create_app(place.context(), [page])
    for client, told in ((place.app.test_client(), False), (place.staff(), True)):
        assert ('<a href="/desk">Accueil</a>' in client.get("/").text) is told
        assert '<a href="/today">Aujourd’hui</a>' in client.get("/").text


def test_the_navigation_is_by_what_one_looks_for(place: Place) -> None:
    """A word with a single page leads there at once; the page shown, or one beneath it, marks its word."""
    desk, anybody = place.staff().get("/members/solene").text, place.client.get("/").text
    people = desk.partition("<summary>Personnes</summary>")[2].partition("</details>")[0]
    assert re.findall(r'href="([^"]+)"', people)[:2] == ["/members", "/carnets"]
    assert re.findall(r'class="here"><summary>([^<]+)', desk) == ["Personnes"]
    assert "<summary>Réglages" not in anybody
    assert "<summary>Le lieu" not in anybody
    assert '<a href="/today">' in anybody


def test_who_may_not_gets_a_sentence(place: Place) -> None:
    """The public is led to the login and back; a program gets a problem document."""
    assert place.client.post("/login").status_code == 400
    refused = place.client.get("/api/v1/passages")
    assert (refused.status_code, refused.content_type) == (401, "application/problem+json")


@pytest.mark.parametrize("path", ["/", "/today", "/health"])
def test_a_token_opens_no_page(place: Place, path: str) -> None:
    answer = place.client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert "Grégoire" not in answer.text
