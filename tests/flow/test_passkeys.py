"""Passkeys in Chromium, with its virtual authenticator: added, used to log in and to confirm, forgotten."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect
from sqlmodel import select

from server.changes import accounts
from server.models import Account, AccountSession, Passkey
from server.queries.accounts import at_the_machine
from server.web.serve import Web
from tests.support_pages import PASSWORD, STAFF, Place
from tests.support_server import site_database

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(site_database(tmp_path))
    yield place
    place.database.close()


@pytest.fixture
def address(place: Place) -> Iterator[str]:
    """By its name: a passkey is bound to one, and 127.0.0.1 is none."""
    web = Web(place.app, "127.0.0.1", 0)
    web.start()
    yield f"http://localhost:{web.port}"
    place.live.close()
    web.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="fr-FR", viewport={"width": 390, "height": 800})
    page = context.new_page()
    chromium = context.new_cdp_session(page)
    chromium.send("WebAuthn.enable")
    chromium.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    yield page
    context.close()


def log_in(page: Page, address: str) -> None:
    page.goto(f"{address}/login")
    page.get_by_label("Identifiant").fill(STAFF)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Se connecter").click()
    signed_in(page)


def signed_in(page: Page) -> None:
    """On a phone the way out waits in the menu, closed."""
    expect(page.get_by_role("button", name="Se déconnecter", include_hidden=True)).to_be_attached()


def log_out(page: Page) -> None:
    page.get_by_text("Menu", exact=True).click()
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("button", name="Se déconnecter", include_hidden=True)).not_to_be_attached()


def add(page: Page, address: str) -> None:
    page.goto(f"{address}/account")
    page.get_by_role("button", name="Ajouter une clé d’accès").click()
    expect(page.get_by_text("Cette clé d’accès est enregistrée.")).to_be_visible()


def long_ago(place: Place) -> None:
    with place.database.transaction() as session:
        for one in session.exec(select(AccountSession)):
            one.confirmed -= timedelta(minutes=10)
            session.add(one)


def test_a_passkey_from_its_making_to_its_end(page: Page, place: Place, address: str) -> None:
    log_in(page, address)
    add(page, address)
    with place.database.reading() as session:
        [key] = session.exec(select(Passkey))
        assert (key.name, key.account) == ("Chrome, Linux", 1)
    page.get_by_role("button", name="Ajouter une clé d’accès").click()
    expect(page.get_by_text("Aucune clé d’accès n’a répondu.")).to_be_visible()  # one for each device

    log_out(page)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.url.endswith("/login/passkey") else None)
    page.goto(f"{address}/login")
    page.get_by_role("button", name="Avec une clé d’accès").click()
    signed_in(page)
    with place.database.reading() as session:
        assert session.get_one(Passkey, key.id).sign_count > key.sign_count
    replayed = {name: values[0] for name, values in parse_qs(sent[0].post_data or "").items()}
    other = place.app.test_client()
    replayed["csrf_token"] = place.form_token(other)
    again = other.post("/login/passkey", data=replayed, base_url=address)
    assert (again.status_code, "n’a pas été reconnue" in again.text) == (401, True), "an answer is good for once"

    long_ago(place)
    page.goto(f"{address}/account")
    page.get_by_role("button", name="Oublier cette clé").click()
    expect(page.get_by_role("heading", name="C’est bien vous ?")).to_be_visible()
    page.get_by_role("button", name="Avec une clé d’accès").click()
    expect(page.get_by_text("Cette clé d’accès ne sert plus.")).to_be_visible()
    log_out(page)
    page.goto(f"{address}/login")
    page.get_by_role("button", name="Avec une clé d’accès").click()
    expect(page.get_by_text("Cette clé d’accès n’a pas été reconnue.")).to_be_visible()


def test_an_account_without_a_password(page: Page, place: Place, address: str) -> None:
    """Taken with a passkey; it asks for that one again, and the only one is not forgotten."""
    with place.database.transaction() as session:
        link = accounts.invite(session, at_the_machine("root"), datetime.now(UTC), login="remy", member="remy")
    page.goto(f"{address}/invitation/{link}")
    page.get_by_role("button", name="Sans mot de passe, avec une clé d’accès").click()
    signed_in(page)
    with place.database.reading() as session:
        account = session.exec(select(Account).where(Account.login == "remy")).one()
        assert (account.password_hash, len(session.exec(select(Passkey)).all())) == (None, 1)
    page.goto(f"{address}/account")
    page.get_by_role("button", name="Oublier cette clé").click()
    expect(page.get_by_text("C’est votre seule façon de vous connecter.")).to_be_visible()
    log_out(page)
    page.goto(f"{address}/login")
    page.get_by_role("button", name="Avec une clé d’accès").click()
    signed_in(page)
    page.goto(f"{address}/invitation/{link}")
    expect(page.get_by_text("Ce lien a déjà servi.")).to_be_visible()


@pytest.mark.parametrize("language", ["fr-FR", "en-GB"])
def test_the_pages_of_accounts_on_a_phone_and_at_a_desk(
    browser: Browser, place: Place, address: str, language: str
) -> None:
    """axe finds nothing, nothing scrolls sideways, nothing is wrong in the console, no request leaves the machine."""
    with place.database.transaction() as session:
        link = accounts.invite(session, at_the_machine("root"), datetime.now(UTC), login="remy", member="remy")
    complaints: list[str] = []
    page = browser.new_page(locale=language)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("request", lambda one: complaints.append(one.url) if not one.url.startswith(address) else None)
    page.goto(f"{address}/login")
    page.locator("#name").fill(STAFF)
    page.locator("#password").fill(PASSWORD)
    page.locator("main button").first.click()
    for path in (f"/invitation/{link}", "/login", "/accounts?q=i", "/accounts/1", "/tokens", "/account"):
        page.goto(f"{address}{path}")
        for width in (390, 1200):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (path, width)
            assert Axe().run(page).response["violations"] == [], (path, width)
    page.close()
    assert complaints == []


def test_without_scripts_or_a_name_there_is_no_press_for_it(browser: Browser, place: Place, address: str) -> None:
    for scripts, shown in ((True, True), (False, False)):
        page = browser.new_page(java_script_enabled=scripts, locale="fr-FR")
        page.goto(f"{address}/login")
        assert page.get_by_role("button", name="Avec une clé d’accès").is_visible() is shown
        page.close()
    page = browser.new_page(locale="fr-FR")
    page.goto(f"{address}/login".replace("localhost", "127.0.0.1"))
    assert page.get_by_role("button", name="Avec une clé d’accès").count() == 0
    page.close()
