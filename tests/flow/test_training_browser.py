"""A training in Chromium, on a phone: planned, joined, waited for, certified; then the machine is theirs to start."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from policy.terms import DAY
from server.web.serve import Web
from tests.support_lab import furnish, lab_bundle
from tests.support_pages import Place
from tests.support_server import site_database
from tests.support_site import at


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(site_database(tmp_path))
    furnish(place, lab_bundle())
    yield place
    place.database.close()


@pytest.fixture
def web(place: Place) -> Iterator[Web]:
    web = Web(place.app, "127.0.0.1", 0)
    web.start()
    yield web
    place.live.close()
    web.stop()


def as_member(context: BrowserContext, place: Place, who: str, web: Web) -> Page:
    """A page of the member's, logged in."""
    cookie = place.member(who).get_cookie("loquet")
    assert cookie is not None
    address = f"http://127.0.0.1:{web.port}"
    context.clear_cookies()
    context.add_cookies([{"name": "loquet", "value": cookie.value, "url": address}])
    page = context.new_page()
    page.goto(f"{address}/trainings")
    return page


def test_a_training_from_its_plan_to_the_machine(browser: Browser, place: Place, web: Web) -> None:
    context = browser.new_context(locale="fr-FR", viewport={"width": 390, "height": 800})
    keeper = as_member(context, place, "fabien", web)
    keeper.get_by_text("Nouvelle session…").click()
    keeper.get_by_label("Laquelle ?").select_option(label="Découpe laser")
    keeper.get_by_label("Jour").fill("25/11/2026")
    keeper.get_by_label("Heures").fill("14h-16h")
    keeper.get_by_label("Places").fill("1")
    keeper.get_by_role("button", name="Prévoir cette session").click()
    expect(keeper.get_by_text("Personne ne s’est encore inscrit.")).to_be_visible()
    session = keeper.url

    learner = as_member(context, place, "gregoire", web)
    learner.goto(learner.url.replace("/trainings", "/machines/laser"))
    expect(learner.get_by_text("Il vous faut la formation « Découpe laser »")).to_be_visible()
    learner.get_by_role("button", name="Je m’inscris").click()
    expect(learner.get_by_role("status")).to_contain_text("Vous êtes inscrit·e : mer. 25 nov.")

    later = as_member(context, place, "alice", web)
    later.get_by_role("button", name="Je m’inscris en attente").click()
    expect(later.locator("main")).to_contain_text("en attente")

    place.now = at(16) + DAY
    keeper = as_member(context, place, "fabien", web)
    keeper.goto(session)
    expect(keeper.get_by_role("group", name="En attente, là quand même")).to_contain_text("Alice")
    keeper.get_by_role("group", name="Sur la liste").get_by_role("checkbox").check()
    keeper.get_by_role("button", name="Certifier les présents").click()
    expect(keeper.locator(".mark", has_text="certifié·e")).to_have_count(1)
    keeper.goto(keeper.url.partition("/trainings")[0] + "/trainings/kinds/laser")
    expect(keeper.locator("li", has_text="Grégoire").first).to_contain_text(
        "session suivie le mer. 25 nov., noté par Fabien"
    )

    learner = as_member(context, place, "gregoire", web)
    learner.goto(learner.url.replace("/trainings", "/machines/laser"))
    expect(learner.get_by_text("Votre formation « Découpe laser » est bonne")).to_be_visible()
    learner.goto(learner.url.replace("/machines/laser", "/calendar?machine=laser&day=2026-11-26"))
    expect(learner.get_by_role("heading", name="Vous pourrez démarrer")).to_be_visible()
    context.close()
