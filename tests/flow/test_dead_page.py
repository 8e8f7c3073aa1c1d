"""Does an open page say so when nothing is heard from the server any more? In a real browser, the server gone."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from policy.reasons import Reason
from server.app import create_app
from server.database.engine import Database
from server.web.live import CAPS, Live
from server.web.serve import Web
from tests.support_demo import local, running_demo, set_time
from tests.support_pages import PASSWORD, Place, broken
from tests.support_server import site_database
from tests.support_site import at

HOST = "127.0.0.1"
COUNT = """(() => {
    let heard = 0;
    const note = () => { document.documentElement.dataset.heard = ++heard; };
    const Source = window.EventSource;
    window.EventSource = class extends Source {
        constructor(...how) {
            super(...how);
            for (const kind of ["still", "changed"]) this.addEventListener(kind, note);
        }
    };
})()"""
"""Notes on the page itself how many events came."""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose time the test moves; what it is sent arrives when it arrives."""
    with closing(browser.new_context(locale="fr-FR")) as context:
        page = context.new_page()
        page.clock.install()
        page.add_init_script(COUNT)
        yield page


class Site:
    """A server that can be ended and started anew on its port."""

    def __init__(self, folder: Path) -> None:
        site_database(folder).close()  # whole in its file
        self.place = Place(Database(f"sqlite:///{folder}/loquet.db"))
        self.web: Web | None = None
        self.port = 0

    def start(self) -> None:
        self.place.live = Live(keep_alive=0.1)
        self.web = Web(create_app(self.place.context()), HOST, self.port)
        self.port = int(self.web.port)
        self.web.start()

    def end(self) -> None:
        self.place.live.close()
        web, self.web = self.web, None
        if web is not None:
            web.stop()

    def close(self) -> None:
        self.end()
        self.place.database.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with closing(Site(tmp_path)) as site:
        site.start()
        yield site


def a_sign_of_life(page: Page) -> None:
    root = page.locator("html")
    expect(root).not_to_have_attribute("data-heard", root.get_attribute("data-heard") or "0")
    expect(root).to_have_attribute("data-heard", re.compile(r"\d"))


def grey(page: Page) -> bool:
    return bool(page.locator("#fresh, #scene").evaluate("part => getComputedStyle(part).filter === 'grayscale(1)'"))


@pytest.mark.parametrize("path", ["/", "/today"])
def test_a_server_that_is_gone_is_said_and_one_that_is_back(site: Site, page: Page, path: str) -> None:
    page.goto(f"http://{HOST}:{site.port}{path}")
    for _ in range(4):
        a_sign_of_life(page)
        page.clock.run_for(8_000)
    assert not grey(page), "half a minute of nothing but signs of life"
    a_sign_of_life(page)
    site.end()
    page.clock.run_for(9_000)
    expect(page.locator("#lost")).to_be_hidden()
    page.clock.run_for(3_000)
    expect(page.locator("#lost")).to_contain_text("Connexion perdue, dernière nouvelle à 19")
    assert grey(page)
    site.place.now += 60_000
    site.start()
    page.clock.run_for(6_000)
    expect(page.locator("#at")).to_contain_text("13")
    expect(page.locator("#lost")).to_be_hidden()
    assert not grey(page)


def test_the_screen_at_the_door_ages_and_then_sends_people_to_the_lamp(site: Site, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 560})
    page.goto(f"http://{HOST}:{site.port}/kiosque")
    assert page.evaluate("document.documentElement.scrollHeight") <= 560, "nobody can scroll a screen at the door"
    a_sign_of_life(page)
    site.end()
    clock, old, answer = page.locator("#clock"), page.locator("#lost"), page.locator("#said")
    page.clock.fast_forward(115_000)
    expect(clock).to_be_visible()
    expect(old).to_be_hidden()
    page.clock.run_for(10_000)
    expect(old).to_have_text(re.compile(r"^à jour à 19\sh\s12$"))
    expect(clock).to_be_hidden()
    page.clock.fast_forward(760_000)
    expect(answer).to_be_visible()
    page.clock.fast_forward(20_000)
    expect(answer).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("Regardez la lampe de la porte")
    site.place.now += 60_000
    site.start()
    page.clock.run_for(6_000)
    expect(clock).to_contain_text("13")
    expect(answer).to_be_visible()
    expect(page.locator("#unknown")).to_be_hidden()


def test_a_server_that_is_there_and_cannot_answer_is_said_at_once(site: Site, page: Page) -> None:
    page.goto(f"http://{HOST}:{site.port}/")
    a_sign_of_life(page)
    with broken(site.place.database):
        site.place.live.changed()
        expect(page.locator("#lost")).to_contain_text("Connexion perdue")
        a_sign_of_life(page)
        assert grey(page), "a sign of life makes what was drawn no truer"
    page.clock.run_for(6_000)
    expect(page.locator("#lost")).to_be_hidden()


def test_a_page_that_gets_no_stream_asks_and_stays_sure(site: Site, page: Page) -> None:
    taken = [site.place.live.stream(f"192.0.2.{number}", logged_in=False) for number in range(CAPS.places)]
    page.goto(f"http://{HOST}:{site.port}/")
    for _ in range(5):
        site.place.now += 60_000
        with page.expect_response(f"http://{HOST}:{site.port}/"):
            page.clock.run_for(6_500)
        expect(page.locator("#lost")).to_be_hidden()
    assert not grey(page)
    for stream in taken:
        stream.close()


def test_a_page_that_makes_room_for_another_asks_and_stays_sure(site: Site, page: Page) -> None:
    page.goto(f"http://{HOST}:{site.port}/")
    a_sign_of_life(page)
    opened = []
    page.on("request", lambda request: opened.append(request.url))
    with page.expect_response(f"http://{HOST}:{site.port}/"):
        taken = [site.place.live.stream(HOST, logged_in=False) for _ in range(CAPS.share)]
        for _ in range(3):
            page.clock.run_for(6_500)
    expect(page.locator("#lost")).to_be_hidden()
    assert not grey(page)
    assert not [url for url in opened if "/live" in url], "two pages that take each other's place for ever"
    for stream in taken:
        stream.close()


def test_without_scripts_a_page_is_asked_for_anew_every_minute(site: Site, browser: Browser) -> None:
    with closing(browser.new_context(java_script_enabled=False)) as context:
        page = context.new_page()
        page.goto(f"http://{HOST}:{site.port}/")
        assert page.locator("noscript").inner_html() == '<meta http-equiv="refresh" content="60">'


def test_a_demo_that_hangs_stops_the_clock_of_its_bar(page: Page, tmp_path: Path) -> None:
    """At 60 x: a clock that went on would be ten minutes ahead by the time at which the loss is said."""
    set_time(tmp_path / "demo", local(10, 0), speed=60)
    with running_demo(tmp_path / "demo") as demo:
        page.goto(demo.address)
        a_sign_of_life(page)
        os.kill(demo.process.pid, signal.SIGSTOP)
        clock = page.locator("#demo-clock")
        before = clock.inner_text()
        page.clock.run_for(9_000)
        assert clock.inner_text() != before
        page.clock.run_for(3_000)
        expect(page.locator("#lost")).to_contain_text("Connexion perdue")
        stopped = clock.inner_text()
        page.clock.run_for(60_000)
        assert clock.inner_text() == stopped
        os.kill(demo.process.pid, signal.SIGCONT)
        page.clock.run_for(6_000)
        expect(page.locator("#lost")).to_be_hidden()
        demo.end()


def test_what_is_being_written_stays_when_the_page_is_drawn_anew(site: Site, page: Page) -> None:
    """And a form that was refused stays until it is sent again, with the page sure of itself."""
    site.place.member("gregoire")
    site.place.journal.enters(at(18, 4), "gregoire", Reason.OWN_SHIFT)
    site.place.tell()
    page.goto(f"http://{HOST}:{site.port}/login?next=/me")
    page.fill("#name", "gregoire.compte")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.click("section[aria-labelledby=group] summary")
    page.locator("#group-name").press_sequentially("Atelier")
    site.place.now += 60_000
    with page.expect_response(f"http://{HOST}:{site.port}/me"):
        site.place.live.changed()
    expect(page.locator("#at")).to_contain_text("13")
    page.keyboard.type(" robots")
    expect(page.locator("#group-name")).to_have_value("Atelier robots")
    page.fill("#group-people", "huit")
    page.press("#group-people", "Enter")
    expect(page.locator("#fresh .fault")).to_contain_text("Écrivez combien ils sont")
    a_sign_of_life(page)
    site.place.live.changed()
    page.clock.run_for(40_000)
    a_sign_of_life(page)
    page.clock.run_for(6_000)
    expect(page.locator("#lost")).to_be_hidden()
    expect(page.locator("#group-people")).to_have_value("huit")
