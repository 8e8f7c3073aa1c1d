"""Who is logged in: sessions kept on the server, forms of our own, slow guessing."""

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from policy.terms import HOUR, MINUTE
from server.models import AccountSession
from server.passwords import hash_token
from tests.support_pages import PASSWORD, STAFF, TOKEN, Place

pytestmark = pytest.mark.sqlite


def session_token(client: FlaskClient) -> str:
    cookie = client.get_cookie("loquet")
    assert cookie is not None
    return cookie.value


def test_a_session_is_a_random_token_of_which_only_the_hash_is_kept(place: Place) -> None:
    client = place.staff()
    cookie = client.get_cookie("loquet")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    with place.database.reading() as session:
        [row] = session.exec(select(AccountSession))
    assert row.token_hash == hash_token(cookie.value)
    assert cookie.value not in repr(row)
    assert 11 * 3600 < (row.expires - datetime.now(UTC)).total_seconds() <= 12 * 3600


def test_a_login_never_takes_up_a_token_that_was_there_before(place: Place) -> None:
    """Else whoever plants a cookie is logged in with its victim (session fixation)."""
    place.client.set_cookie("loquet", "planted")
    data = {"name": STAFF, "password": PASSWORD, "csrf_token": place.form_token(place.client)}
    assert place.client.post("/login", data=data).status_code == 303
    first = session_token(place.client)
    assert first != "planted"
    data["csrf_token"] = place.form_token(place.client, "/")
    place.client.post("/login", data=data)
    assert session_token(place.client) != first


def test_logging_out_ends_the_session_on_the_server(place: Place) -> None:
    client = place.staff()
    token = session_token(client)
    assert client.post("/logout", data={"csrf_token": place.form_token(client, "/")}).status_code == 303
    client.set_cookie("loquet", token)
    assert "Se connecter" in place.page("/", client)


def test_a_session_that_is_over_is_none(place: Place) -> None:
    client = place.staff()
    with place.database.transaction() as session:
        session.exec(select(AccountSession)).one().expires = datetime(2020, 1, 1, tzinfo=UTC)
    assert "Se connecter" in place.page("/", client)
    place.staff()
    with place.database.reading() as session:
        assert len(session.exec(select(AccountSession)).all()) == 1


@pytest.mark.parametrize(("name", "password"), [(STAFF, "wrong"), ("somebody", PASSWORD), ("", "")])
def test_a_wrong_login(place: Place, name: str, password: str) -> None:
    data = {"name": name, "password": password, "csrf_token": place.form_token(place.client)}
    answer = place.client.post("/login", data=data)
    assert answer.status_code == 401
    assert "ne vont pas ensemble" in answer.text
    assert f'name="name" value="{name}"' in answer.text, "nobody writes it anew"
    assert 'type="password" value' not in answer.text
    assert place.client.get_cookie("loquet") is None


def test_after_the_login_one_is_where_one_wanted_to_be(place: Place) -> None:
    """A wrong password and another language in between change nothing."""
    assert 'href="/login?next=/today"' in place.client.get("/today").text
    wrong = {"name": STAFF, "password": "wrong", "csrf_token": place.form_token(place.client)}
    failed = place.client.post("/login?next=/today", data=wrong)
    assert failed.status_code == 401
    assert '<form method="post">' in failed.text, "to its own address"
    assert 'href="?lang=en&amp;next=/today"' in failed.text
    answer = place.client.post("/login?next=/today", data=wrong | {"password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/today")


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/today?x", "today", "", "/a\n/b", "javascript:x"],
)
def test_a_login_leads_to_no_other_site(place: Place, elsewhere: str) -> None:
    data = {"name": STAFF, "password": PASSWORD, "csrf_token": place.form_token(place.client)}
    answer = place.client.post("/login", query_string={"next": elsewhere}, data=data)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_a_made_up_cookie_is_no_session(place: Place) -> None:
    place.client.set_cookie("loquet", "made-up")
    assert "Se connecter" in place.page()


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_a_form_from_elsewhere_is_refused(place: Place, path: str) -> None:
    answer = place.staff().post(path, data={"name": STAFF, "password": PASSWORD})
    assert answer.status_code == 400
    assert "Rechargez la page" in answer.text


def test_guessing_is_slowed_down(place: Place) -> None:
    data = {"name": STAFF, "password": "guess", "csrf_token": place.form_token(place.client)}
    codes = [place.client.post("/login", data=data).status_code for _ in range(12)]
    assert codes == [401] * 10 + [429] * 2
    assert "Attendez une minute" in place.client.post("/login", data=data).text


def test_a_huge_form_is_refused(place: Place) -> None:
    assert place.client.post("/login", data={"name": "x" * 100_000}).status_code == 413


def test_the_site_clock_does_not_end_sessions(place: Place) -> None:
    client = place.staff()
    place.now += 13 * HOUR + MINUTE
    assert "Se déconnecter" in place.page("/", client)


def test_a_token_is_no_cookie(place: Place) -> None:
    place.client.set_cookie("loquet", TOKEN)
    assert place.client.get("/api/v1/passages").status_code == 401
