"""Does each page of the table of access stand in nobody's way, and does each of its forms work without JavaScript?

In Debian's Chromium at the demo: axe finds nothing, nothing scrolls sideways on a phone, nothing is asked of another
machine, nothing is wrong in the console. LOQUET_BOTH_WIDTHS=1: axe at both widths of each page (`make proof`).
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, MapAdapter, Rule

from server.roles import Role
from server.web.access import TABLE
from simulator.demo import casaco
from simulator.demo.bench_badges import badges
from simulator.demo.cast import IN
from simulator.demo.logins import logins
from simulator.demo.members_file import NAME
from tests.support_demo import TUESDAY, Demo

SITE = casaco.bundle(TUESDAY)
MEMBER_OF = {one.login: one.member for one in logins(SITE, TUESDAY)}
NOMAD = badges(SITE, TUESDAY.isoformat())[0].member
PHONE, DESK = 390, 1200
BOTH = bool(os.environ.get("LOQUET_BOTH_WIDTHS"))
LOOKS: Mapping[str, tuple[Role, str]] = {
    "": (Role.PUBLIC, "fr-FR"),
    "equipe": (Role.ADMIN, "fr-FR"),
    "gardien": (Role.GARDIEN, "fr-FR"),
    "fablab": (Role.FAB_MANAGER, "en-GB"),
    "carnet": (Role.MEMBER, "fr-FR"),
}
"""Who looks at all that their role may see, by login, and in which language."""
ADDRESSES = {
    "/machines/<path:machine>": "/machines/cnc",
    "/machines/<path:machine>/sheet": "/machines/cnc/sheet",
    "/machines/<path:machine>/slip": "/machines/cnc/slip",
    "/machines/<path:machine>/end": "/machines/cnc/end",
    "/machines/<path:machine>/out": "/machines/cnc/out",
    "/machines/<path:machine>/back": "/machines/printer-2/back",
    "/doors/<path:place>/open": "/doors/front/open",
    "/doors/<path:place>/unlock": "/doors/front/unlock",
    "/presence/<path:member>": f"/presence/{NOMAD}",
    "/why/<int:which>": "/why/1",
    "/members/<path:member>": f"/members/{MEMBER_OF['carnet']}",
    "/members/<path:member>/enrolment": f"/members/{NOMAD}/enrolment",
    "/events/<path:event>": f"/events/{SITE.events[0].id}",
    "/accounts/<int:which>": "/accounts/2",
    "/guides/<name>": "/guides/membres",
}
"""What stands in the demo for an address of which there are many; the rest is made beforehand, see `made`."""
MADE = {
    "/event-series/<path:series>",
    "/import/<which>",
    "/trainings/sessions/<path:which>",
    "/trainings/kinds/<path:kind>",
    "/invitation/<token>",
    "/me/corrections/<int:which>",
}
OWN = "/banque/<path:member>"
ONLY_FOR = {"/me/corrections/<int:which>": "carnet", "/why/<int:which>": "equipe"}
"""Of one passage or presence: nobody else but its member, and the team, may see it."""
OF_A_SHIFT = {"/gardiens/later", "/gardiens/earlier", "/gardiens/give-back", "/gardiens/swap"}
"""Of the one that whoever looks is led from, on the page of the rota."""
FILES = {
    *("/feeds/<token>.ics", "/me/data", "/banque-csv/<path:member>", "/gardiens/chiffres-csv", "/machines-csv"),
    *("/evacuation/file", "/guests/export", "/chiffres/file", "/import/<which>/left", "/static/<path:filename>"),
}
FOR_PROGRAMS = {
    *("/live", "/health", "/spaceapi.json", "/api/v1/now", "/api/v1/openings", "/api/v1/openapi.json"),
    *("/api/v1/members", "/api/v1/badges", "/api/v1/passes", "/api/v1/passages", "/api/v1/bookings"),
}
ELSEWHERE = {"/login/oidc", "/login/oidc/back"}
"""They only lead on, to a provider that the demo does not have."""
NOT_LOOKED_AT = FILES | FOR_PROGRAMS | ELSEWHERE
READ = """html => {
  const page = new DOMParser().parseFromString(html, "text/html");
  const sends = form => [...page.querySelectorAll("button, input[type=submit]")]
    .filter(one => one.form === form && one.type === "submit" && !one.hidden);
  return {
    links: [...page.querySelectorAll("a[href]")].map(one => one.getAttribute("href")),
    forms: [...page.querySelectorAll("form")].map(one => ({
      method: one.method.toUpperCase(),
      actions: [one.getAttribute("action") || "",
        ...sends(one).map(press => press.getAttribute("formaction")).filter(Boolean)],
      presses: sends(one).length,
      token: !!one.elements.namedItem("csrf_token"),
      passkey: !!one.querySelector(".passkey"),
    })),
  };
}"""
"""The page as a browser without JavaScript has it."""


@dataclass
class Look:
    """One browser of somebody who looks. wrong: what the console said, and what was asked of another machine."""

    demo: Demo
    context: BrowserContext
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page: Page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._watch)

    def log_in(self, login: str) -> "Look":
        self.go("/login")
        self.page.locator("#name").fill(login)
        self.page.locator("#password").fill(self.demo.said("Password"))
        self.page.locator("main button").first.click()
        self.page.wait_for_url(lambda url: "/login" not in url)
        return self

    def go(self, path: str) -> str:
        """Its HTML, as the server sent it."""
        answer = self.page.goto(f"{self.demo.address}{path}")
        assert answer is not None
        assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, "text/html"), path
        return answer.text()

    def press(self, words: str | re.Pattern[str]) -> None:
        self.page.locator("main").get_by_role("button", name=words).first.click()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.wrong.append(message.text)

    def _watch(self, request: Request) -> None:
        if not request.url.startswith((f"{self.demo.address}/", "data:", "blob:")):
            self.wrong.append(request.url)


@pytest.fixture(scope="module")
def made(demo: Demo, browser: Browser) -> Mapping[str, str]:
    """Addresses that the demo has once the team has pressed something: all of it without JavaScript."""
    with closing(browser.new_context(java_script_enabled=False, locale="fr-FR")) as context:
        team = Look(demo, context).log_in("equipe")
        return {
            "/event-series/<path:series>": _series(team),
            "/import/<which>": _import(team),
            "/trainings/sessions/<path:which>": _training(team),
            "/trainings/kinds/<path:kind>": _first_link(team, "/trainings", "/trainings/kinds/"),
            "/invitation/<token>": _invitation(team),
            "/me/corrections/<int:which>": _correction(team, browser),
        }


def _series(team: Look) -> str:
    team.go("/events")
    team.page.locator("details:has(input[name=title]) > summary").first.click()
    team.page.locator("input[name=title]").fill("Atelier du mardi")
    team.page.locator("input[name=date]").fill("01/12/2026")
    team.page.locator("input[name=hours]").fill("19 h – 21 h")
    team.page.locator("select[name=repeat]").select_option("weekly")
    team.page.locator("input[name=times]").fill("4")
    team.press("Voir ce que ça change…")
    team.page.locator("main form button.asked").last.click()
    return _first_link(team, "/events", "/event-series/")


def _import(team: Look) -> str:
    team.go("/import")
    team.page.locator("input[type=file]").set_input_files(team.demo.folder / NAME)
    team.press("Voir ce qui changerait")
    return urlsplit(team.page.url).path


def _training(team: Look) -> str:
    team.go("/trainings")
    team.page.locator("details:has(input[name=places]) > summary").first.click()
    team.page.locator("input[name=date]").fill("02/12/2026")
    team.page.locator("input[name=hours]").fill("10 h – 12 h")
    team.page.locator("form:has(input[name=places]) button").last.click()
    return _first_link(team, "/trainings", "/trainings/sessions/")


def _invitation(team: Look) -> str:
    team.go("/accounts")
    team.page.locator("input[name=login]").fill("nouvelle")
    team.press("Faire le lien")
    found = re.search(r"/invitation/[\w-]+", team.page.content())
    assert found is not None
    return found[0]


def _correction(team: Look, browser: Browser) -> str:
    """The team writes down that somebody was there, who may say on Moi that it is not so."""
    team.go(f"/presence/{MEMBER_OF['carnet']}")
    team.page.locator("input[name=start]").fill("09:00")
    team.page.locator("input[name=end]").fill("10:00")
    team.page.locator("form[action$='/there'] input[name=why]").fill("badge oublié")
    team.press("Noter sa présence")
    with closing(browser.new_context(java_script_enabled=False, locale="fr-FR")) as context:
        return _first_link(Look(team.demo, context).log_in("carnet"), "/me", "/me/corrections/")


def _first_link(look: Look, path: str, start: str) -> str:
    look.go(path)
    return look.page.locator(f"a[href^='{start}']").first.get_attribute("href") or ""


def rules() -> list[str]:
    return [rule for method, rule in TABLE if method == "GET" and rule not in NOT_LOOKED_AT]


def test_each_address_is_looked_at_or_is_known_to_be_no_page() -> None:
    many = {rule for rule in rules() if "<" in rule}
    assert many == {*ADDRESSES, *MADE, OWN}, "an address of which there are many needs one of the demo's"
    assert {rule for method, rule in TABLE if method == "GET"} >= NOT_LOOKED_AT


@pytest.mark.parametrize("login", LOOKS)
def test_nothing_stands_in_anybodys_way(demo: Demo, browser: Browser, made: Mapping[str, str], login: str) -> None:
    role, language = LOOKS[login]
    known = Map([Rule(rule, methods=[method], endpoint=rule) for method, rule in TABLE]).bind("demo")
    faults: list[str] = []
    with closing(browser.new_context(locale=language)) as context:
        look = Look(demo, context)
        if login:
            look.log_in(login)
        for number, rule in enumerate(rules()):
            if role not in TABLE["GET", rule].who or ONLY_FOR.get(rule, login) != login:
                continue
            if rule in OF_A_SHIFT:
                path = _first_link(look, "/gardiens", f"{rule}?")
            elif rule == OWN:
                path = f"/banque/{MEMBER_OF.get(login, NOMAD)}"
            else:
                path = ADDRESSES.get(rule) or made.get(rule) or rule
            widths = (PHONE, DESK) if BOTH else ((PHONE, DESK)[(number + list(LOOKS).index(login)) % 2],)
            faults += [f"{path}: {fault}" for fault in _seen(look, path, known, widths, language[:2])]
    assert not faults, "\n".join(faults)


def _seen(look: Look, path: str, known: MapAdapter, widths: tuple[int, ...], language: str) -> Iterator[str]:
    page = look.page
    page.set_viewport_size({"width": PHONE, "height": 844})
    html = look.go(path)
    if page.locator("html").get_attribute("lang") != language:
        yield "says another language than it speaks"
    if (headings := page.locator("h1:visible").count()) != 1:
        yield f"{headings} headings say what the page is about"
    if (wider := page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
        yield f"{wider} px wider than a phone"
    yield from _unanswered(page.evaluate(READ, html), page.url, known)
    for width in widths:
        page.set_viewport_size({"width": width, "height": 844})
        for one in Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]:
            yield f"axe at {width} px: {one['id']} {[node['html'][:150] for node in one['nodes']]}"
    yield from look.wrong
    look.wrong.clear()


def _unanswered(read: dict[str, Any], url: str, known: MapAdapter) -> Iterator[str]:
    """Links and forms that lead nowhere, and forms that nobody can send without JavaScript."""
    for link in read["links"]:
        if not _answers(known, urldefrag(urljoin(url, link))[0], url, "GET"):
            yield f"a link that leads nowhere: {link}"
    for form in read["forms"]:
        if form["passkey"] and not form["presses"]:
            continue  # a passkey is asked for by a script, and without one its press is not shown
        if not form["presses"]:
            yield f"a form without a press: {form}"
        if form["method"] == "POST" and not form["token"]:
            yield f"a form without its token: {form}"
        for action in form["actions"]:
            if not _answers(known, urljoin(url, action), url, form["method"]):
                yield f"a form that is sent nowhere: {form}"


def _answers(known: MapAdapter, there: str, url: str, method: str) -> bool:
    parts, here = urlsplit(there), urlsplit(url)
    if parts.scheme in ("mailto", "tel") or (parts.hostname == "localhost" and parts.port == here.port):
        return True  # the address by which the demo's machines are reached, on what is printed
    if parts.netloc != here.netloc:
        return False
    if parts.path.startswith(("/bench", "/demo/")):
        return True  # the demo's own
    try:
        known.match(parts.path, method=method)
    except HTTPException:
        return False
    return True


def test_what_people_do_most_works_without_javascript(demo: Demo, browser: Browser, made: Mapping[str, str]) -> None:
    """Beside logging in and what `made` does: an event, an import, a session of a training, a link, a presence."""
    assert all(made.values())
    for login, steps in {"equipe": _as_team, "gardien": _as_gardien, "fabriqueur": _as_maker}.items():
        with closing(browser.new_context(java_script_enabled=False, locale="fr-FR")) as context:
            steps(Look(demo, context).log_in(login))


def _as_team(team: Look) -> None:
    page = team.page
    team.go("/new-member")
    page.get_by_label("Nom").fill("Ines Duval")
    team.press("Ajouter")
    expect(page.locator("h1")).to_contain_text("Ines Duval")
    team.go(f"/members/{NOMAD}/enrolment")
    page.get_by_label("Sur quel lecteur").select_option(IN)
    team.press("Attendre son badge")
    expect(page.locator(".step")).to_be_visible()
    team.go(f"/members/{MEMBER_OF['carnet']}")
    sold = page.locator(f"form[action='/members/{MEMBER_OF['carnet']}/carnets']")
    page.locator("details", has=sold).last.locator("summary").first.click()
    sold.get_by_label("Combien d’unités").fill("10")
    team.press("Vendre ce carnet")
    expect(page.locator(".toast").first).to_contain_text("Carnet vendu")
    team.go("/doors/front/open")
    team.press("Oui, ouvrir")
    expect(page.locator(".toast").first).to_be_visible()


def _as_gardien(gardien: Look) -> None:
    gardien.go("/gardiens")
    taken = gardien.page.locator("form[action='/gardiens/take']").count()
    gardien.press(re.compile("Je la prends"))
    expect(gardien.page.locator("form[action='/gardiens/take']")).to_have_count(taken - 1)
    gardien.go("/evacuation")
    gardien.page.get_by_label("Qui d’autre est là ?").fill("Le plombier")
    gardien.press("Ajouter")
    expect(gardien.page.locator("main")).to_contain_text("Le plombier")


def _as_maker(maker: Look) -> None:
    maker.go("/calendar")
    maker.press("Regarder ce créneau")
    maker.press(re.compile("^Réserver"))
    expect(maker.page.locator(".toast").first).to_contain_text("Réservée pour vous")
    maker.go("/machines/cnc")
    maker.page.get_by_label("Que se passe-t-il ?").fill("La fraise vibre")
    maker.press("Signaler")
    expect(maker.page.locator("main")).to_contain_text("La fraise vibre")
