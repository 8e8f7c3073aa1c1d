"""The pages of accounts: one's own, everybody's, and the tokens; without scripts, as a browser's forms send them."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import Session, col, select
from webauthn import base64url_to_bytes
from webauthn.helpers import bytes_to_base64url as b64
from werkzeug.test import TestResponse

from server.changes import accounts as changes
from server.models import Account, AccountSession, Member, Passkey
from server.queries import accounts as queries
from server.queries.accounts import at_the_machine
from server.roles import Role
from server.web.passkeys import AT_ONCE, Challenges, challenges
from tests.support_pages import CHEAP_HASH, PASSWORD, STAFF, Place, plain

pytestmark = pytest.mark.sqlite

ROOT = at_the_machine("root")
GOOD = "quatre mots sans rapport"


def logged_in(place: Place, member: str) -> FlaskClient:
    """A browser of the account of this member, which is made for it; its password is the staff's."""
    with place.database.transaction() as session:
        token = changes.invite(session, ROOT, datetime.now(UTC), login=member, member=member)
        begun = changes.take_up(session, token, datetime.now(UTC), password_hash=CHEAP_HASH, device="Firefox, Android")
    client = place.app.test_client()
    client.set_cookie("loquet", begun)
    return client


def press(place: Place, client: FlaskClient, page: str, path: str, **fields: Any) -> TestResponse:
    """Send a form that stands on a page."""
    return client.post(path, data=fields | {"csrf_token": place.form_token(client, page)})


def long_ago(place: Place) -> None:
    """Everybody has shown their password ten minutes ago."""
    with place.database.transaction() as session:
        for one in session.exec(select(AccountSession)):
            one.confirmed -= timedelta(minutes=10)
            session.add(one)


def account(session: Session, login: str) -> Account:
    return session.exec(select(Account).where(Account.login == login)).one()


def id_of(place: Place, login: str) -> int:
    with place.database.reading() as session:
        return account(session, login).id or 0


def link_in(text: str) -> str:
    found = re.search(r'href="http://localhost(/invitation/[^"]+)"', text)
    assert found is not None
    return found[1]


# Everybody's accounts


def test_an_administrator_reads_that_a_newer_version_lies_in_the_servers_own_folder(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.versions.FOLDER", tmp_path)
    admin = place.staff()
    assert "Rien de plus récent dans son dossier." in plain(admin.get("/accounts").text)
    (tmp_path / "loquet-99.0-0123456789ab.tar.gz").write_bytes(b"")
    said = plain(admin.get("/accounts").text)
    assert "La version 99.0 est là. Sur sa machine : sudo loquet update" in said


def test_a_member_is_found_invited_and_takes_the_account(place: Place) -> None:
    admin = place.staff()
    found = admin.get("/accounts?q=gre").text
    assert 'value="gregoire.vasseur"' in found
    shown = press(place, admin, "/accounts?q=gre", "/accounts", login="gregoire.vasseur", member="gregoire")
    assert (shown.status_code, "<svg" in shown.text) == (200, True)
    assert "lien en attente" in place.page("/accounts", admin)
    theirs, link = place.app.test_client(), link_in(shown.text)
    assert press(place, theirs, link, link, password=GOOD, repeated=GOOD).status_code == 303
    assert "Grégoire Vasseur" in place.page("/", theirs)
    listed = place.page("/accounts", admin)
    assert "Grégoire Vasseur actif gregoire.vasseur · gardien" in listed
    assert "Aucun membre sans compte" in place.page("/accounts?q=gre", admin)


def test_a_search_is_for_a_part_of_the_name_without_accents(place: Place) -> None:
    with place.database.reading() as session:
        for asked, names in (("etienne", ["Alice Étienne"]), ("ZOÉ", ["Zoé Wibaux"]), ("i", None), ("xyz", [])):
            found = [one.name for one in queries.without_account(session, asked, 20)]
            assert found == (sorted(found) if names is None else names)


def test_logins_that_are_proposed_are_free(place: Place) -> None:
    with place.database.transaction() as session:
        changes.invite(session, ROOT, datetime.now(UTC), login="remy.quentin", member=None)
        [remy] = queries.without_account(session, "quentin", 20)
        assert remy.login == "remy.quentin2"


def test_a_link_begins_with_the_address_that_server_toml_says(place: Place) -> None:
    object.__setattr__(place.app.extensions["loquet"], "address", "https://loquet.example.org")
    shown = press(place, place.staff(), "/accounts", "/accounts", login="till", admin="on").text
    assert re.search(r">https://loquet\.example\.org/invitation/[\w-]{43}</a>", shown)


def test_what_cannot_be_done_is_said_on_the_page(place: Place) -> None:
    admin = place.staff()
    answer = press(place, admin, "/accounts", "/accounts", login=STAFF)
    assert (answer.status_code, "Cet identifiant est pris" in answer.text) == (400, True)
    which = id_of(place, STAFF)
    for path in (f"/accounts/{which}/end", f"/accounts/{which}/roles"):
        answer = press(place, admin, f"/accounts/{which}", path)
        assert (answer.status_code, "la dernière personne qui administre" in answer.text) == (400, True)
    assert admin.get("/accounts/999").status_code == 404


def test_roles_are_given_and_doors_go_by_them(place: Place) -> None:
    logged_in(place, "remy")
    admin, which, version = place.staff(), id_of(place, "remy"), place.publisher.current.version
    path = f"/accounts/{which}"
    answer = press(place, admin, path, f"{path}/roles", member="1", role=["gardien", "admin"])
    assert answer.status_code == 303
    assert "C’est enregistré." in plain(admin.get(path).text)
    assert "C’est enregistré." not in plain(admin.get(path).text), "said once"
    with place.database.reading() as session:
        assert queries.roles_of(session, account(session, "remy")) == {Role.MEMBER, Role.GARDIEN, Role.ADMIN}
    assert place.publisher.current.version == version + 1
    press(place, admin, path, f"{path}/roles", member="1", role=["gardien"])
    assert place.publisher.current.version == version + 1, "nothing that a door goes by is another"


def test_an_account_that_is_closed_is_out_at_once(place: Place) -> None:
    theirs, admin = logged_in(place, "remy"), place.staff()
    path = f"/accounts/{id_of(place, 'remy')}"
    assert "<details>" in admin.get(path).text, "a second press, which says what will happen"
    assert press(place, admin, path, f"{path}/end").status_code == 303
    assert theirs.get("/account").status_code == 303
    assert "Rémy Quentin fermé" in place.page("/accounts", admin)
    answer = press(place, admin, path, f"{path}/roles", role=["admin"])
    assert (answer.status_code, "Ce compte est fermé." in answer.text) == (400, True)


def test_an_account_that_was_closed_is_open_again_by_a_new_link_and_by_nothing_of_before(place: Place) -> None:
    logged_in(place, "remy")
    admin, which = place.staff(), id_of(place, "remy")
    path = f"/accounts/{which}"
    press(place, admin, path, f"{path}/roles", member="1", role=["admin"])
    press(place, admin, path, f"{path}/end")
    assert "Rouvrir et faire un lien" in place.page(path, admin)
    link = link_in(press(place, admin, path, f"{path}/link").text)
    with place.database.reading() as session:
        found = account(session, "remy")
        assert (found.ended, found.password_hash, found.admin) == (None, None, False)
    client = place.app.test_client()
    assert press(place, client, link, link, password=GOOD, repeated=GOOD).status_code == 303
    assert client.get("/account").status_code == 200


def test_the_account_of_a_member_who_left_stays_closed(place: Place) -> None:
    logged_in(place, "remy")
    admin, path = place.staff(), f"/accounts/{id_of(place, 'remy')}"
    press(place, admin, path, f"{path}/end")
    with place.database.transaction() as session:
        remy = session.exec(select(Member).where(Member.id == "remy")).one()
        remy.ended = datetime.now(UTC)
        session.add(remy)
    answer = press(place, admin, path, f"{path}/link")
    assert answer.status_code == 400
    assert "Ce compte est fermé." in answer.text


def test_a_new_link_is_handed_over(place: Place) -> None:
    theirs, admin = logged_in(place, "remy"), place.staff()
    path = f"/accounts/{id_of(place, 'remy')}"
    link = link_in(press(place, admin, path, f"{path}/link").text)
    assert theirs.get("/account").status_code == 200, "nothing is over until it is used"
    assert press(place, place.client, link, link, password=GOOD, repeated=GOOD).status_code == 303
    assert theirs.get("/account").status_code == 303


# Once more the password


def test_what_matters_asks_for_the_password_again_and_loses_nothing(place: Place) -> None:
    admin = place.staff()
    long_ago(place)
    fields = {"login": "new.one", "admin": "on"}
    asked = press(place, admin, "/accounts", "/accounts", **fields)
    assert (asked.status_code, "C’est bien vous ?" in plain(asked.text)) == (403, True)
    carried = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked.text))
    assert {name: carried[name] for name in fields} == fields
    wrong = admin.post("/accounts", data=carried | {"again": "wrong"})
    assert (wrong.status_code, "Ce n’est pas votre mot de passe." in wrong.text) == (403, True)
    done = admin.post("/accounts", data=carried | {"again": PASSWORD})
    assert (done.status_code, "/invitation/" in done.text) == (200, True)
    assert press(place, admin, "/accounts", "/accounts", login="another").status_code == 200, "for some minutes"


def test_guessing_at_the_question_is_slowed_down_too(place: Place) -> None:
    admin = place.staff()
    long_ago(place)
    token = place.form_token(admin, "/accounts")
    said = [admin.post("/accounts", data={"again": "guess", "csrf_token": token}).text for _ in range(11)]
    assert ["Trop d’essais" in text for text in said] == [False] * 10 + [True]


def test_a_form_from_elsewhere_asks_no_question(place: Place) -> None:
    admin = place.staff()
    long_ago(place)
    assert admin.post("/accounts", data={"login": "x", "again": PASSWORD}).status_code == 400


# A session that ends in the middle of a form


def test_a_form_whose_session_has_ended_is_carried_through_the_log_in(place: Place) -> None:
    admin = place.staff()
    token = place.form_token(admin, "/tokens")
    with place.database.transaction() as session:
        changes.end_sessions(session, account(session, STAFF))
    typed = {"name": "Écran « été »", "scope": ["read:now", "read:passages"], "was": '{"id":"m1"}', "token": "d39752"}
    answer = admin.post("/tokens", data=typed | {"csrf_token": token, "password": "secret"})
    assert (answer.status_code, "attend : connectez-vous" in plain(answer.text)) == (401, True)
    assert "secret" not in answer.text
    form = fields_of(answer.text)
    wrong = admin.post("/login", data=form | {"name": STAFF, "password": "wrong"})
    assert fields_of(wrong.text) == form, "a wrong password loses nothing"
    again = admin.post("/login", data=form | {"name": STAFF, "password": PASSWORD})
    assert (again.status_code, 'action="/tokens"' in again.text) == (200, True)
    assert "Se déconnecter" in again.text
    assert not [one for one in ("d39752", "m1") if one in plain(again.text)], "what nobody typed is no news to anybody"
    sent = admin.post("/tokens", data=fields_of(again.text))
    assert "Écran « été » en service read:now, read:passages" in plain(sent.text)


def test_a_form_from_elsewhere_is_not_carried(place: Place) -> None:
    """Else a page elsewhere could have somebody log in and press for it."""
    answer = place.client.post("/tokens", data={"name": "theirs", "scope": "read:now"})
    assert (answer.status_code, "theirs" in answer.text) == (401, False)


def fields_of(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([\w.]+)" value="([^"]*)"', text[text.index("<main") :]):
        found.setdefault(name, []).append(unescape(value))
    return found


# One's own


def test_one_sees_where_one_is_logged_in_and_ends_it(place: Place) -> None:
    phone = logged_in(place, "remy")
    desk = place.app.test_client()
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    data = {"name": "Remy", "password": PASSWORD, "csrf_token": place.form_token(desk)}
    assert desk.post("/login", data=data, headers=agent).status_code == 303
    said = place.page("/account", phone)
    assert "Firefox, Linux" in said
    assert "Firefox, Android celui-ci" in said
    [path] = re.findall(r'action="(/account/sessions/\d+/end)"', phone.get("/account").text)
    assert press(place, phone, "/account", path).status_code == 303
    assert desk.get("/account").status_code == 303
    assert "Cet appareil est déconnecté." in place.page("/account", phone)


def test_where_time_is_simulated_sessions_are_told_in_the_sites_own(place: Place) -> None:
    """They last by the wall clock all the same."""
    phone = logged_in(place, "remy")
    place.site_time = lambda _: datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
    assert "depuis le mar. 24 nov. à 10 h 05" in place.page("/account", phone)


def test_a_new_password_by_page(place: Place) -> None:
    phone, desk = logged_in(place, "remy"), place.app.test_client()
    data = {"name": "remy", "password": PASSWORD, "csrf_token": place.form_token(desk)}
    desk.post("/login", data=data)
    long_ago(place)
    new = {"password": GOOD, "repeated": GOOD}
    assert 'name="again"' in phone.get("/account").text
    for fields, status in (
        (new, 403),
        (new | {"again": "wrong"}, 403),
        (new | {"again": PASSWORD, "repeated": ""}, 400),
        (new, 303),
    ):
        assert press(place, phone, "/account", "/account/password", **fields).status_code == status
    assert "Le mot de passe est changé." in place.page("/account", phone)
    assert desk.get("/account").status_code == 303
    assert desk.post("/login", data=data).status_code == 401
    assert desk.post("/login", data=data | {"password": GOOD}).status_code == 303


def test_the_cookie_lasts_as_long_as_the_session(place: Place) -> None:
    for member, days in (("remy", 30), ("alice", 0.5)):
        logged_in(place, member)
        client = place.app.test_client()
        data = {"name": member, "password": PASSWORD, "csrf_token": place.form_token(client)}
        answer = client.post("/login", data=data)
        assert f"Max-Age={round(days * 86400)};" in answer.headers["Set-Cookie"] + ";"


# Tokens


def test_a_token_is_shown_once_good_for_its_scopes_and_ended(place: Place) -> None:
    admin = place.staff()
    shown = press(place, admin, "/tokens", "/tokens", name="Écran  d’entrée", scope=["read:now"])
    [token] = re.findall(r'<code class="long">([\w-]{43})</code>', shown.text)
    assert token not in admin.get("/tokens").text
    assert "Écran d’entrée en service read:now" in place.page("/tokens", admin)
    bearer = {"Authorization": f"Bearer {token}"}
    assert "held_by" in place.client.get("/api/v1/now", headers=bearer).text
    assert place.client.get("/api/v1/passages", headers=bearer).status_code == 403
    path = re.findall(r'action="(/tokens/\d+/end)"', admin.get("/tokens").text)[-1]
    assert press(place, admin, "/tokens", path).status_code == 303
    assert place.client.get("/api/v1/now", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": " ", "scope": "read:now"}, "Il manque un nom."),
        ({"name": "x"}, "Cochez au moins un droit."),
        ({"name": "x", "scope": "write:all"}, "Cochez au moins un droit."),
    ],
)
def test_a_token_that_cannot_be_made(place: Place, fields: dict[str, str], said: str) -> None:
    answer = press(place, place.staff(), "/tokens", "/tokens", **fields)
    assert (answer.status_code, said in answer.text) == (400, True)


def test_hostile_names_are_text(place: Place) -> None:
    """Of members as of what is typed."""
    with place.database.transaction() as session:
        session.exec(select(Member).where(col(Member.id) == "remy")).one().name = "<script>alert(1)</script>"
    admin = place.staff()
    answer = press(place, admin, "/tokens", "/tokens", name="<b>x</b>", scope="read:now")
    for text in (admin.get("/accounts?q=script").text, answer.text):
        assert "<script>alert" not in text
        assert "<b>x" not in text
        assert re.search(r"<script>alert\(1\)|<b>x</b>", unescape(text))


# What is no passkey


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "x",
        "null",
        "[" * 5000,
        '{"id": "a"}',
        '{"id": "a", "response": {"clientDataJSON": "*"}}',
        '{"id": "a", "response": {"clientDataJSON": "e30"}}',
        '{"id": "a", "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOiJhYWFhIn0"}}',
    ],
)
def test_what_is_no_answer_of_a_passkey_is_refused_in_words(place: Place, answer: str) -> None:
    data = {"csrf_token": place.form_token(place.client), "passkey": answer}
    refused = place.client.post("/login/passkey", data=data)
    assert (refused.status_code, "n’a pas été reconnue" in refused.text) == (401, True)
    kept = press(place, place.staff(), "/account", "/account/passkeys", passkey=answer)
    assert (kept.status_code, "n’a pas été reconnue" in kept.text) == (400, True)


def test_an_answer_that_nobody_signed_is_refused(place: Place) -> None:
    """Its challenge is ours and open, and gone after the first try."""
    with place.database.transaction() as session:
        account_id = account(session, STAFF).id or 0
        session.add(
            Passkey(id="YWFh", account=account_id, name="", public_key=b"x", sign_count=0, made=datetime.now(UTC))
        )
    token = place.form_token(place.client)
    asked = place.client.post("/passkey/question", data={"csrf_token": token}).json
    assert asked is not None
    assert (asked["rpId"], asked["userVerification"]) == ("localhost", "required")
    client_data = json.dumps({"type": "webauthn.get", "challenge": asked["challenge"], "origin": "http://localhost"})
    response = {
        "clientDataJSON": b64(client_data.encode()),
        "authenticatorData": b64(bytes(37)),
        "signature": b64(b"x"),
    }
    answer = json.dumps({"id": "YWFh", "rawId": "YWFh", "type": "public-key", "response": response})
    for _ in range(2):
        data = {"csrf_token": token, "passkey": answer}
        assert place.client.post("/login/passkey", data=data).status_code == 401
    assert not challenges.take(base64url_to_bytes(asked["challenge"]))


def test_challenges_are_so_many_and_good_for_once() -> None:
    some = Challenges()
    drawn = [some.draw() for _ in range(AT_ONCE + 1)]
    assert [some.take(one) for one in (drawn[0], drawn[1], drawn[1], drawn[-1], b"x")] == [
        False,
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("address", "offered"),
    [
        ("https://loquet.example.org", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
        ("https://[::1]", False),
        ("http://loquet.example.org", False),
    ],
)
def test_where_there_can_be_a_passkey(place: Place, address: str, offered: bool) -> None:
    answer = place.client.get("/login", base_url=address)
    assert ("data-ask" in answer.text) is offered
