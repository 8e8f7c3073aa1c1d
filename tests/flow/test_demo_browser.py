"""Does somebody with a browser see at the demo what the door does? From the chip to the page, in Debian's Chromium."""

import os
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, StorageState, ViewportSize, expect
from playwright.sync_api import TimeoutError as WaitedInVain

from server.queries.names import called
from simulator.demo import casaco
from simulator.demo.bench_badges import Badge, badges
from simulator.demo.cast import IN, OUT
from tests.docs.guide_sheets import pictures
from tests.support_demo import TUESDAY, Demo

NAMES = called(casaco.bundle(TUESDAY))
READY = badges(casaco.bundle(TUESDAY), TUESDAY.isoformat())
NOMAD, NOMAD_7, RESIDENT, GARDIEN, STAFF = READY[:5]
LOST, STRANGER = READY[8], READY[10]
TRIES = 3
PICTURE: ViewportSize = {"width": 390, "height": 700}
"""A phone's, as the guides show it."""


@pytest.fixture(scope="module")
def team(demo: Demo, browser: Browser) -> StorageState:
    """What a browser holds once somebody has logged in."""
    context = browser.new_context(locale="fr-FR")
    page = context.new_page()
    page.goto(f"{demo.address}/login")
    page.get_by_label("Identifiant").fill(demo.said("Login"))
    page.get_by_label("Mot de passe").fill(demo.said("Password"))
    page.locator("main").get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("button", name="Se déconnecter")).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def page(demo: Demo, browser: Browser, team: StorageState) -> Iterator[Page]:
    """The bench in a browser of the team; nothing may be wrong in its console."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    context = browser.new_context(storage_state=team, locale="fr-FR", viewport={"width": 1280, "height": 1080})
    page = context.new_page()
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{demo.address}/bench")
    yield page
    context.close()
    assert not complaints


def drag(page: Page, uid: str, reader: str) -> None:
    page.drag_and_drop(f'[data-uid="{uid}"]', f'[data-reader="{reader}"] .lying')


def drag_away(page: Page, badge: Badge) -> None:
    """Off the reader again. On a loaded machine the browser may take the mouse's way for no drag: it is gone again."""
    lying = page.locator(f'[data-reader="{IN}"] [data-lying="{badge.uid}"]')
    for _ in range(TRIES):
        page.drag_and_drop(f'[data-lying="{badge.uid}"]', "#badges")
        try:
            lying.wait_for(state="detached", timeout=5_000)
        except WaitedInVain:
            continue
        return
    raise AssertionError(f"{name_of(badge)} still lies on the reader after {TRIES} drags")


def press(page: Page, id_: str) -> None:
    """By keyboard alone, in one go: the page may be drawn anew at any moment."""
    page.locator(f'[id="{id_}"]').press("Enter")


def away(page: Page, badge: Badge) -> None:
    """The badge lies there no more: what is laid on next lies there alone."""
    expect(page.locator(f'[data-reader="{IN}"] [data-lying="{badge.uid}"]')).to_have_count(0)


def take(page: Page, badge: Badge) -> None:
    press(page, f"take-{IN}-{badge.uid}")
    away(page, badge)


def name_of(badge: Badge) -> str:
    return NAMES.member(badge.member) or "Badge inconnu"


def next_tap(page: Page, badge: Badge) -> Locator:
    """What will be decided of this badge from now on: the demo's people tap as well, before and after it."""
    latest = page.locator("#latest")
    newer = f':has(~ [data-tap="{latest.get_attribute("data-tap")}"])' if latest.count() else ""
    return page.locator(f".taps tbody tr{newer}", has_text=name_of(badge)).first


def tap(page: Page, badge: Badge, *words: str) -> None:
    """Tap at the entrance, by keyboard, and read what was decided."""
    decided = next_tap(page, badge)
    press(page, f"b-{IN}-{badge.uid}")
    said(decided, *words)


def said(decided: Locator, *words: str) -> None:
    for word in words:
        expect(decided).to_contain_text(word)


def enter(page: Page, badge: Badge, *words: str) -> None:
    """Tap, push the door: all by keyboard. A tap takes the badge away by itself."""
    tap(page, badge, "accordé", *words)
    expect(page.locator("#strike")).to_have_text("libérée")
    press(page, "push")
    expect(page.locator("#contact")).to_have_text("ouverte")
    away(page, badge)


def test_a_badge_by_mouse_opens_the_door_and_shows_on_the_page(demo: Demo, page: Page) -> None:
    reader = page.locator(f'[data-reader="{IN}"]')
    decided = next_tap(page, RESIDENT)
    drag(page, RESIDENT.uid, IN)
    expect(reader).to_contain_text("vert, un bip court : passez")
    said(decided, "accordé", "accès permanent")
    page.get_by_role("button", name="Pousser la porte").click()
    expect(page.locator("#contact")).to_have_text("ouverte")
    latest = page.locator("#latest")
    expect(latest).to_contain_text("échanges")
    expect(latest).not_to_contain_text("…")
    drag_away(page, RESIDENT)
    expect(reader).to_contain_text("Aucun badge")
    page.goto(demo.address)
    line = page.locator(".lines > li", has_text=name_of(RESIDENT)).first
    expect(line).to_contain_text("entrée")
    expect(line).to_contain_text("accès permanent")


def test_a_picture_waits_until_a_dragged_badge_is_let_go(page: Page) -> None:
    """A browser ends the pointer as soon as the drag begins. Each second brings another picture: time is shown."""
    page.evaluate(
        """uid => {
            window.pictures = 0;
            addEventListener("htmx:sseBeforeMessage", () => { window.pictures += 1; });
            window.card = document.querySelector(`[data-uid="${uid}"]`);
            card.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
            card.dispatchEvent(new DragEvent("dragstart", { bubbles: true, dataTransfer: new DataTransfer() }));
            card.dispatchEvent(new PointerEvent("pointercancel", { bubbles: true }));
            window.dragging = setInterval(() => card.dispatchEvent(new DragEvent("drag", { bubbles: true })), 350);
        }""",
        STRANGER.uid,
    )
    page.wait_for_function("() => window.pictures >= 2")
    assert page.evaluate("card.isConnected"), "nothing was drawn anew"
    page.evaluate("clearInterval(dragging); card.dispatchEvent(new DragEvent('dragend', { bubbles: true }))")
    page.wait_for_function("() => !window.card.isConnected")


def test_a_badge_whose_drag_was_never_ended_does_not_stop_the_page(page: Page) -> None:
    page.evaluate(
        """uid => {
            window.card = document.querySelector(`[data-uid="${uid}"]`);
            card.dispatchEvent(new DragEvent("dragstart", { bubbles: true, dataTransfer: new DataTransfer() }));
        }""",
        STRANGER.uid,
    )
    page.wait_for_function("() => !window.card.isConnected")


def test_who_is_not_known_or_lost_the_badge_is_refused(page: Page) -> None:
    tap(page, STRANGER, "refusé", "ce badge n’est à personne : passez à l’accueil")
    expect(page.locator(f'[data-reader="{IN}"]')).to_contain_text("rouge, un long bip : voir l’accueil")
    expect(page.locator("#strike")).to_have_text("verrouillée")
    away(page, STRANGER)
    tap(page, LOST, "refusé", "ce badge a été déclaré perdu")
    away(page, LOST)
    press(page, f"both-{IN}")
    expect(page.locator(f'[data-reader="{IN}"]')).to_contain_text("un seul badge à la fois")
    for badge in (NOMAD, STRANGER):
        take(page, badge)


def test_what_is_pressed_at_one_instant_all_happens_in_order(page: Page) -> None:
    """Though the picture is drawn anew, and its buttons with it, before the first is answered."""
    done: list[str] = []
    page.on("requestfinished", lambda request: done.extend(re.findall(r"act=([a-z]+)", request.post_data or "")))
    pressed = ["wedge", "wedge", "fire", "wedge"]
    with page.expect_request_finished(lambda _: len(done) == len(pressed)):
        page.evaluate(
            """(ids) => {
                for (const id of ids) document.getElementById(id).click();
                scene.replaceChildren(...scene.cloneNode(true).childNodes);
            }""",
            pressed,
        )
    assert done == pressed
    for button in ("Fin d’alarme incendie", "Ôter la cale"):
        page.get_by_role("button", name=button).press("Enter")
        expect(page.get_by_role("button", name=button)).to_have_count(0)


def test_an_unplugged_reader_is_a_fault_on_the_page(demo: Demo, page: Page) -> None:
    press(page, f"plug-{OUT}")
    expect(page.locator(f'[data-reader="{OUT}"]')).to_contain_text("deux éclairs rouges, muet : lecteur en panne")
    front = page.context.new_page()
    front.goto(demo.address)
    fault = front.get_by_text("lecteur de sortie en panne")
    expect(fault).to_be_visible()
    press(page, f"plug-{OUT}")
    expect(fault).to_have_count(0, timeout=30_000)


def test_without_a_network_the_door_decides_and_tells_later(demo: Demo, page: Page) -> None:
    press(page, "link")
    expect(page.get_by_text("réseau coupé")).to_be_visible()
    enter(page, STAFF, "équipe")
    front = page.context.new_page()
    front.goto(demo.address)
    expect(front.get_by_text("muette depuis")).to_be_visible(timeout=30_000)
    line = front.locator(".lines > li", has_text=name_of(STAFF))
    expect(line).to_have_count(0)
    press(page, "link")
    expect(line.first).to_contain_text("entrée", timeout=20_000)


def test_after_a_power_cut_the_door_knows_who_was_inside(page: Page) -> None:
    enter(page, GARDIEN, "vous tenez le lieu jusqu’à 20")
    enter(page, NOMAD, "un gardien est là")
    press(page, "power")
    expect(page.locator(f'[data-reader="{IN}"]')).to_contain_text("la porte n’a pas de courant")
    press(page, "power")
    expect(page.locator(f'[data-reader="{IN}"]')).to_contain_text("la porte redémarre")
    expect(page.locator(f'[data-reader="{IN}"]')).to_contain_text("muette : posez un badge", timeout=30_000)
    enter(page, NOMAD_7, "un gardien est là")


@pytest.mark.parametrize("path", ["/", "/today", "/bench", "/login", "/bench?lang=en"])
def test_nothing_stands_in_anybodys_way(demo: Demo, page: Page, path: str) -> None:
    page.goto(f"{demo.address}{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, "nobody scrolls sideways"
        assert page.locator(".top").evaluate("top => top.offsetHeight") <= 60, "the page itself comes first"
    page.get_by_text("Menu", exact=True).click()
    page.locator(".menu nav summary").last.click()
    opened = Axe().run(page)
    assert opened.violations_count == 0, opened.generate_report()
    page.keyboard.press("Escape")
    expect(page.locator(".menu nav summary").last).to_be_visible()
    page.locator(".brand").click()
    expect(page.locator(".menu nav")).not_to_be_visible()


def test_the_hours_under_the_chart_are_not_cut_off(demo: Demo, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{demo.address}/")
    card = page.locator("section", has=page.locator("svg.chart")).bounding_box()
    chart = page.locator("svg.chart")
    hours = [box for text in chart.locator("text").all() if (box := text.bounding_box())]
    assert card is not None
    assert hours
    assert all(card["x"] < box["x"] and box["x"] + box["width"] < card["x"] + card["width"] for box in hours)
    assert chart.evaluate("chart => getComputedStyle(chart).overflow") == "visible", "it may stand out of the picture"


def test_time_passes_as_the_bar_says(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.address}/today")
    page.get_by_role("button", name="60 ×").click()
    expect(page).to_have_url(f"{demo.address}/today")
    expect(page.get_by_role("button", name="60 ×")).to_have_attribute("aria-pressed", "true")
    page.goto(f"{demo.address}/bench")
    press(page, "wedge")
    expect(page.get_by_role("button", name="1 ×", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#wedge")).to_have_text("Ôter la cale")  # drawn anew: pressed before that it would wedge again
    press(page, "wedge")
    expect(page.locator("#wedge")).to_have_text("Caler la porte ouverte")


def test_the_guides_show_pages_as_they_are(demo: Demo, page: Page, browser: Browser, tmp_path: Path) -> None:
    """Takes the pictures that the guides have, as tools/guides --pictures keeps them; and the guides can be read."""
    folder = Path(os.environ.get("LOQUET_GUIDE_PICTURES", tmp_path))
    enter(page, GARDIEN, "vous tenez le lieu jusqu’à 20")
    enter(page, NOMAD)
    for login, wanted in groupby(pictures(), lambda picture: picture.login):
        context = browser.new_context(locale="fr-FR", viewport=PICTURE, device_scale_factor=1.5)
        shown = context.new_page()
        shown.goto(f"{demo.address}/login")
        shown.get_by_label("Identifiant").fill(login)
        shown.get_by_label("Mot de passe").fill(demo.said("Password"))
        shown.locator("main").get_by_role("button", name="Se connecter").click()
        for picture in wanted:
            shown.goto(f"{demo.address}{picture.path}")
            expect(shown.get_by_text(picture.proves).first).to_be_visible()
            shown.evaluate("document.querySelector('aside.demo')?.remove()")
            shown.screenshot(path=folder / f"{picture.file}.png")
        context.close()
    assert {f"{picture.file}.png" for picture in pictures()} == {file.name for file in folder.glob("*.png")}
    page.goto(f"{demo.address}/guides/gardiens")
    reads_well(page)


def test_it_works_without_javascript(demo: Demo, browser: Browser, team: StorageState) -> None:
    context = browser.new_context(java_script_enabled=False, storage_state=team, locale="fr-FR")
    plain = context.new_page()
    plain.goto(f"{demo.address}/bench")
    plain.get_by_role("button", name=f"Laisser {name_of(RESIDENT)}, Entrée").click()
    expect(plain.get_by_role("button", name=f"Reprendre {name_of(RESIDENT)}, Entrée")).to_be_visible()
    plain.get_by_role("button", name=f"Reprendre {name_of(RESIDENT)}, Entrée").click()
    expect(plain.get_by_role("button", name=f"Laisser {name_of(RESIDENT)}, Entrée")).to_be_visible()
    plain.set_viewport_size({"width": 390, "height": 844})
    for name in ("Menu", "Personnes", "Membres"):
        plain.locator("header").get_by_text(name, exact=True).click()
    expect(plain).to_have_url(f"{demo.address}/members")
    context.close()


def test_the_longest_menu_fits_the_narrowest_screen_that_shows_it_open(demo: Demo, browser: Browser) -> None:
    """The desk's: every part of the menu, and a name that is cut."""
    context = browser.new_context(locale="fr-FR", viewport={"width": 1200, "height": 844})
    desk = context.new_page()
    desk.goto(f"{demo.address}/login")
    desk.get_by_label("Identifiant").fill("accueil")
    desk.get_by_label("Mot de passe").fill(demo.said("Password"))
    desk.locator("main").get_by_role("button", name="Se connecter").click()
    expect(desk.get_by_role("button", name="Se déconnecter")).to_be_visible()
    assert desk.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    context.close()


def reads_well(page: Page) -> None:
    """Nothing stands in anybody's way, on a phone as at the desk."""
    for width in (390, 1200):
        page.set_viewport_size({"width": width, "height": 844})
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, "nobody scrolls sideways"


def test_a_badge_is_enrolled_opens_the_door_and_is_dead_once_lost(demo: Demo, page: Page, browser: Browser) -> None:
    """From the press to the badge that opens, through the chip, the edge's process and the broker."""
    context = browser.new_context(locale="fr-FR")
    desk = context.new_page()
    desk.goto(f"{demo.address}/login?next=/members/{RESIDENT.member}")
    desk.get_by_label("Identifiant").fill(demo.said("Login"))
    desk.get_by_label("Mot de passe").fill(demo.said("Password"))
    desk.locator("main").get_by_role("button", name="Se connecter").click()
    desk.goto(f"{demo.address}/members/{RESIDENT.member}")
    desk.get_by_role("link", name="Enrôler un badge…").click()
    reads_well(desk)
    desk.get_by_role("button", name="60 ×").click()
    desk.get_by_label("Sur quel lecteur").select_option(IN)
    desk.get_by_role("button", name="Attendre son badge").click()
    expect(desk.get_by_role("heading", name="Posez le badge sur le lecteur…")).to_be_visible()
    slow = desk.get_by_role("button", name="1 ×", exact=True)
    expect(slow).to_have_attribute("aria-pressed", "true")  # else half a minute would be over in half a second
    reader = page.locator(f'[data-reader="{IN}"]')
    expect(reader).to_contain_text("posez ici le badge à enrôler")
    tap(page, NOMAD_7, "un gardien est là")
    expect(desk.get_by_text(f"Ce badge est à {name_of(NOMAD_7)} : posez le nouveau.")).to_be_visible()
    reads_well(desk)
    away(page, NOMAD_7)
    no_tap = next_tap(page, STRANGER)
    press(page, f"b-{IN}-{STRANGER.uid}")
    expect(desk.get_by_role("heading", name="Badge lu : son numéro finit par ···B00C")).to_be_visible()
    expect(page.locator("#strike")).to_have_text("verrouillée")
    expect(no_tap).to_have_count(0)
    reads_well(desk)
    desk.get_by_role("button", name="Oui, c’est son badge").click()
    expect(desk.locator("#toast")).to_contain_text("Le badge ···B00C est bon. 2 portes sur 2 le savent.")
    expect(reader).to_contain_text("muette : posez un badge")  # away for long enough to be another tap
    decided = next_tap(page, RESIDENT)
    press(page, f"b-{IN}-{STRANGER.uid}")
    said(decided, "accordé")
    expect(page.locator("#strike")).to_have_text("libérée")
    expect(reader).to_contain_text("muette : posez un badge")
    badge = desk.locator("li", has_text="···B00C")
    badge.get_by_role("button", name="perdu").click()
    expect(desk.locator("#toast")).to_contain_text("Il n’ouvre plus rien : 2 portes sur 2 le savent.")
    decided = next_tap(page, RESIDENT)
    press(page, f"b-{IN}-{STRANGER.uid}")
    said(decided, "ce badge a été déclaré perdu")
    context.close()
