"""The page of a screen at the door: what the edge knows, without names, whole or not at all, with the server down."""

from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from edge.config import load
from edge.screen import SILENT, Screen, Shown, page, write
from edge.tables import ConfigError
from policy.degrees import Known
from policy.presence import Move, Presence
from policy.state import SiteState
from policy.terms import DAY, Instant
from simulator.clock import VirtualClock
from tests.support_edge import Bench, Folder, make_folder
from tests.support_site import GREGOIRE, at, small_rules

SCREEN = '[screen]\npath = "porte.html"\nname = "Casaco & Cie"\ntimezone = "Europe/Paris"\n\n[journal]'
PARIS = Screen(Path("unused"), "Casaco", ZoneInfo("Europe/Paris"))


class Words(HTMLParser):
    """What a reader of the page sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = False
        self.feed(html)

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self._hidden = tag in ("script", "style")

    def handle_endtag(self, _: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words += data.split()


def said(html: str) -> str:
    return " ".join(Words(html).words)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = make_folder(tmp_path / "site")
    made.replace("[journal]", SCREEN)
    return made


def evening(now: Instant, *inside: str, lockdown: bool = False) -> str:
    rules = small_rules()
    presence = Presence((who, Move(at(18), inside=True)) for who in inside)
    state = SiteState(presence, not_after=now + DAY, lockdown=lockdown)
    return said(page(PARIS, Shown(now, Known(rules, rules.planned_shifts, state, now))))


def test_the_page_follows_the_evening_by_the_degrees_of_the_server() -> None:
    assert "Ouvert jusqu’à 18 h Open until 18 h 17 h – 18 h 18 h – 22 h probable / likely" in evening(at(17))
    assert "Fermé Closed 18 h 05 – 22 h probable / likely" in evening(at(18, 5))
    assert "Pas sûr pour l’instant Not sure for now 18 h 15 – 22 h pas sûr / not sure" in evening(at(18, 15))
    assert "Ouvert jusqu’à 22 h Open until 22 h 18 h 15 – 22 h Regardez" in evening(at(18, 15), "gregoire")
    assert "Ouvert, pour quelques minutes encore" in evening(at(22, 5), "gregoire")
    assert "D’après les règles de Casaco, à jour à 23 h, sans le serveur." in evening(at(23), "gregoire")
    assert "Fermé Closed Regardez" in evening(at(23), "gregoire")
    assert "Lieu confiné" in evening(at(19), "gregoire", lockdown=True)


def test_an_edge_that_cannot_know_sends_to_the_lamp(folder: Folder) -> None:
    """Without rules, with rules that nobody has confirmed for too long, without a clock."""
    bench = Bench(folder, VirtualClock(start=at(10)))
    file = folder.config.parent / "porte.html"
    bench.turn(3)
    assert said(file.read_text()).startswith("Regardez la lampe de la porte Casaco & Cie")
    bench.give_rules(folder.rules(7, not_after=at(12)))
    bench.turn(3)
    assert "Ouvert jusqu’à 18 h" in said(file.read_text())
    bench.clock.advance((at(12) + 1 - bench.clock.now()) * 1_000_000)
    bench.turn(3)
    assert "Ouvert" not in said(file.read_text())


def test_the_edge_writes_it_when_somebody_comes_and_each_minute_without_names(folder: Folder) -> None:
    rules = folder.set()
    bench = Bench(folder, VirtualClock(start=at(18, 5)))
    file = folder.config.parent / "porte.html"
    bench.give_rules(folder.rules(7, replace(rules, members=rules.members)))
    bench.turn(3)
    assert "Fermé" in said(file.read_text())
    bench.tap(GREGOIRE)
    bench.turn(3)
    written = file.read_text()
    assert "Fermé" in said(written), "a door with a contact has to open first"
    assert str(SILENT) in written
    assert not [name for name in ("gregoire", "brigitte", GREGOIRE.hex()) if name in written.lower()]
    bench.clock.advance(60 * 1_000_000_000)
    bench.turn(3)
    assert file.read_text() != written
    assert [one.name for one in file.parent.glob("*porte*")] == ["porte.html"]


def test_a_shift_that_its_gardien_offers_is_in_doubt_there_and_whose_it_is_stays_unsaid(folder: Folder) -> None:
    rules = folder.set()
    bench = Bench(folder, VirtualClock(start=at(17)))
    bench.give_rules(folder.rules(7, rules))
    bench.turn(3)
    file = folder.config.parent / "porte.html"
    assert "18 h – 22 h probable" in said(file.read_text())
    bench.give_rules(folder.rules(8, replace(rules, offered={"gregoire": (at(18), at(22))})))
    bench.turn(3)
    assert "18 h – 22 h pas sûr / not sure" in said(file.read_text())
    assert "gregoire" not in file.read_text()


def test_a_folder_that_is_not_there_keeps_no_door_shut(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    folder.replace('"porte.html"', '"nowhere/porte.html"')
    bench = Bench(folder, VirtualClock(start=at(10)))
    bench.give_rules()
    assert bench.tap(GREGOIRE).granted
    assert [one.message.count("not written") for one in caplog.records if "screen" in one.message] == [1]


def test_half_a_page_is_never_read(tmp_path: Path) -> None:
    file = tmp_path / "porte.html"
    file.write_text("as before")
    file.with_name(".porte.html.new").mkdir()
    assert "porte.html" in write(Screen(file, "Casaco", PARIS.zone), Shown(at(10), None))
    assert file.read_text() == "as before"


@pytest.mark.parametrize("wrong", ["Europe/Nowhere", "../etc/passwd", "/etc/localtime"])
def test_a_zone_that_is_none_is_refused(folder: Folder, wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"screen\.timezone"):
        load(folder.replace("Europe/Paris", wrong))


def test_it_is_off_unless_edge_toml_names_it(tmp_path: Path) -> None:
    assert load(make_folder(tmp_path / "site").config).screen is None
