"""Logging in by an OpenID provider: bound by hand to an account, never more than that, and only as it was asked for."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlmodel import col, select, update

from server.changes.accounts import end_account
from server.changes.erasure import erase
from server.changes.people import end_member
from server.config import OidcConfig
from server.models import Account, AccountSession, AuditRow, OidcIdentity
from server.queries.accounts import at_the_machine
from server.web import oidc, sessions
from tests.support_oidc import CLIENT, SECRET, Provider, provider
from tests.support_pages import ADDRESS, Place
from tests.support_server import DECIDED

pytestmark = pytest.mark.sqlite
UNFIT: list[dict[str, Any]] = [
    {"iss": "https://elsewhere.example"},
    {"aud": "another"},
    {"aud": [CLIENT, "another"]},
    {"azp": "another"},
    {"nonce": "another"},
    {"nonce": None},
    {"exp": 1_000_000_000},
    {"exp": None},
    {"iat": 32_000_000_000},
    {"sub": ""},
    {"sub": "é"},
    {"sub": "a" * 256},
    {"sub": ["zoe@idp"]},
]
"""Claims that are none of ours."""
NONE = [".", "a.b", "e30.W10.", "eyJhbGciOiJub25lIn0.e30.", "e30.e30.x", f"{'[' * 5000}.e30.x"]
"""No ID tokens."""


@pytest.fixture
def there() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
def house(place: Place, there: Provider) -> Place:
    """Its server.toml names the provider."""
    return Place(place.database, oidc=OidcConfig(there.discovery, CLIENT, SECRET, "Casaco ID"))


def to_bind(house: Place, client: FlaskClient) -> str:
    """The provider's address on the page that follows the press on Mon compte."""
    page = client.post("/account/oidc", data={"csrf_token": house.form_token(client, "/account")}).text
    found = re.search(r'href="([^"]+/authorize[^"]+)"', page)
    assert found is not None, page
    return unescape(found[1])


def ours(address: str) -> str:
    """A path of this site."""
    assert address.startswith(ADDRESS), address
    return address.removeprefix(ADDRESS)


def bind(house: Place, there: Provider, subject: str = "zoe@idp") -> FlaskClient:
    client = house.member("zoe")
    answer = client.get(ours(there.approves(to_bind(house, client), subject)))
    assert (answer.status_code, answer.location) == (303, "/account")
    return client


def log_in(
    house: Place, there: Provider, subject: str = "zoe@idp", path: str = "/login/oidc", host: str = "127.0.0.1"
) -> tuple[int, str]:
    """host: of whoever asks; from one host only so many may."""
    client, asks = house.app.test_client(), {"REMOTE_ADDR": host}
    address = client.get(path, environ_base=asks).location
    answer = client.get(ours(there.approves(address, subject)), environ_base=asks)
    return answer.status_code, answer.location or house.words(answer)


def identities(house: Place) -> list[tuple[str, str, int]]:
    with house.database.reading() as session:
        return [(one.issuer, one.subject, one.account) for one in session.exec(select(OidcIdentity)).all()]


def test_without_a_provider_there_is_nothing_of_it(place: Place) -> None:
    assert "oidc" not in place.client.get("/login").text
    client = place.member("zoe")
    assert "oidc" not in client.get("/account").text
    token = place.form_token(client, "/account")
    assert {client.get(path).status_code for path in ("/login/oidc", "/login/oidc/back")} == {404}
    assert client.post("/account/oidc", data={"csrf_token": token}).status_code == 404


def test_bound_from_mon_compte_it_logs_in_and_unbound_no_more(house: Place, there: Provider) -> None:
    assert "Se connecter avec Casaco ID" in house.page("/login", house.app.test_client())
    status, said = log_in(house, there)
    assert (status, "Aucun compte n’est lié" in said) == (401, True)
    client = bind(house, there)
    [(issuer, subject, _)] = identities(house)
    assert (issuer, subject) == (there.issuer, "zoe@idp")
    assert "Votre compte est lié" in house.page("/account", client)
    assert log_in(house, there) == (303, "/me")
    assert log_in(house, there, path="/login/oidc?next=/machines") == (303, "/machines")
    for other in ("https://elsewhere.example", f"/{'a' * 5000}"):
        assert log_in(house, there, path=f"/login/oidc?next={other}", host="127.0.0.2") == (303, "/me")
    client.post("/account/oidc/forget", data={"csrf_token": house.form_token(client, "/account")})
    assert identities(house) == []
    assert log_in(house, there)[0] == 401
    with house.database.reading() as session:
        did = session.exec(select(AuditRow.did).where(col(AuditRow.did).contains("oidc")).order_by(col(AuditRow.id)))
        assert did.all() == ["bind_oidc", "unbind_oidc"]


def test_it_is_never_a_step_up(house: Place, there: Provider) -> None:
    bind(house, there)
    client = house.app.test_client()
    client.get(ours(there.approves(client.get("/login/oidc").location, "zoe@idp")))
    token = house.form_token(client, "/account")
    answer = client.post("/account/oidc/forget", data={"csrf_token": token})
    assert (answer.status_code, len(identities(house))) == (403, 1)
    assert 'name="again"' in answer.text
    client.post("/account/oidc/forget", data={"csrf_token": token, "again": "x"})
    assert len(identities(house)) == 1


def test_to_bind_asks_for_the_password_first(house: Place) -> None:
    client = house.member("zoe")
    with house.database.transaction() as session:
        session.exec(update(AccountSession).values(confirmed=sessions.now() - timedelta(hours=1)))
    answer = client.post("/account/oidc", data={"csrf_token": house.form_token(client, "/account")})
    assert (answer.status_code, "/authorize" in answer.text) == (403, False)


def test_one_identity_is_one_account_s_and_another_takes_its_place(house: Place, there: Provider) -> None:
    bind(house, there)
    other = house.member("brigitte")
    answer = other.get(ours(there.approves(to_bind(house, other), "zoe@idp")))
    assert (answer.status_code, "déjà liée à un autre compte" in house.words(answer)) == (400, True)
    client = house.app.test_client()
    with house.database.reading() as session:
        [(_, _, before)] = identities(house)
        login = session.get_one(Account, before).login
    assert login
    bind(house, there, "zoe@new")
    assert [one[1:] for one in identities(house)] == [("zoe@new", before)]
    assert client.get("/me").status_code == 303


def test_what_another_asked_for_is_bound_to_nobody(house: Place, there: Provider) -> None:
    """Who was logged in went, somebody else came."""
    client = house.member("zoe")
    address = there.approves(to_bind(house, client), "zoe@idp")
    client.post("/logout", data={"csrf_token": house.form_token(client, "/account")})
    answer = client.get(ours(address))
    assert (answer.status_code, identities(house)) == (401, [])
    assert "Recommencez" in house.words(answer)


def test_whoever_left_is_not_let_in_and_an_erased_one_leaves_nothing(house: Place, there: Provider) -> None:
    bind(house, there)
    with house.database.transaction() as session:
        end_member(session, at_the_machine("root"), DECIDED, "zoe")
    assert log_in(house, there)[0] == 401
    with house.database.transaction() as session:
        erase(session, at_the_machine("root"), DECIDED, "zoe", DECIDED.at)
    assert identities(house) == []


def test_the_identity_of_an_account_that_ended_is_free_for_another(house: Place, there: Provider) -> None:
    bind(house, there)
    with house.database.transaction() as session:
        end_account(session, at_the_machine("root"), sessions.now(), identities(house)[0][2])
    other = house.member("brigitte")
    answer = other.get(ours(there.approves(to_bind(house, other), "zoe@idp")))
    assert (answer.status_code, answer.location) == (303, "/account")
    assert log_in(house, there) == (303, "/me")


def test_a_token_that_says_anything_else_is_not_believed(house: Place, there: Provider) -> None:
    bind(house, there)
    for number, claims in enumerate(UNFIT):
        there.claims = claims
        status, said = log_in(house, there, host=f"10.0.0.{number}")
        assert (status, "n’est pas celle qui était attendue" in said) == (401, True), claims
    there.claims = {}
    for number, token in enumerate(NONE):
        there.token = token
        assert log_in(house, there, host=f"10.0.1.{number}")[0] == 401, token
    there.token = None
    assert log_in(house, there) == (303, "/me")


def test_each_answer_is_good_once_in_the_browser_that_asked_and_for_minutes(
    house: Place, there: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind(house, there)
    client, other = house.app.test_client(), house.app.test_client()
    path = ours(there.approves(client.get("/login/oidc").location, "zoe@idp"))
    assert other.get(path).status_code == 401, "another browser"
    assert client.get(path).status_code == 303
    assert client.get(path).status_code == 400, "a second time: logged in still"
    path = ours(there.approves(other.get("/login/oidc").location, "zoe@idp"))
    asks = parse_qs(urlsplit(path).query)
    assert other.get(f"/login/oidc/back?code={asks['code'][0]}&state=%C3%A9").status_code == 401
    path = ours(there.approves(other.get("/login/oidc").location, "zoe@idp"))
    assert other.get(re.sub("iss=[^&]+", "iss=https://elsewhere.example", path)).status_code == 401
    path = ours(there.approves(other.get("/login/oidc").location, "zoe@idp"))
    late = sessions.now() + oidc.GOOD_FOR
    monkeypatch.setattr(oidc.sessions, "now", lambda: late)
    answer = other.get(path)
    assert (answer.status_code, "Recommencez" in house.words(answer)) == (401, True)


def test_a_refusal_and_a_provider_that_is_down_are_said(house: Place, there: Provider) -> None:
    client = house.app.test_client()
    state = parse_qs(urlsplit(client.get("/login/oidc").location).query)["state"][0]
    answer = client.get(f"/login/oidc/back?error=access_denied&state={state}")
    assert (answer.status_code, "vous avez renoncé" in house.words(answer)) == (401, True)
    there.status = 503
    answer = client.get("/login/oidc")
    assert (answer.status_code, "ne répond pas" in house.words(answer)) == (401, True)
    there.status = 404
    assert "n’est pas celle" in house.words(client.get("/login/oidc"))


def test_a_provider_that_says_it_is_another_is_not_asked(house: Place, there: Provider) -> None:
    for document in (
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": None},
    ):
        there.document, there.asked = document, []
        answer = house.app.test_client().get("/login/oidc")
        assert (answer.status_code, len(there.asked)) == (401, 1), document


def test_one_that_wants_the_secret_in_the_form_gets_it_there(house: Place, there: Provider) -> None:
    there.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    bind(house, there)
    assert log_in(house, there) == (303, "/me")
