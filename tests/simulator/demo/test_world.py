"""Does the demo's world do what the bench page asks, and does an edge find it again after a power cut?"""

from collections.abc import Iterator

import pytest

from edge.patterns import Levels
from simulator.demo.cast import IN, OUT
from simulator.remote import Follow, Lay, Move, Output, Plug, Ready, Stages, Take
from tests.support_world import NIGHT, NOON, Site

UID = "04a1b2c3"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site(NIGHT)
    site.do(lambda world: None)
    yield site
    site.world.stop()


def test_a_badge_is_laid_and_taken(site: Site) -> None:
    site.do(lambda world: world.lay(IN, UID), lambda world: world.lay(IN, UID))
    assert site.world.picture().readers[0].badges == (UID,)
    site.do(lambda world: world.take(IN, UID))
    assert site.world.picture().readers[0].badges == ()
    assert site.edge.told == [Lay(IN, UID), Take(IN, UID)]


def test_the_strike_lets_the_door_open(site: Site) -> None:
    site.do(lambda world: world.push())
    assert (site.world.picture().open, site.world.picture().stuck) == (False, True)
    site.says(Output(NIGHT, "strike", True))
    site.do(lambda world: world.push())
    assert site.world.picture().released
    assert (site.world.picture().open, site.world.picture().stuck) == (True, False)
    assert site.edge.told == [Move("contact", True)]


def test_a_lamp_is_shown_with_its_signal(site: Site) -> None:
    site.says(Output(NIGHT, f"{IN}.green", True), Output(NIGHT, f"{IN}.buzzer", True))
    assert site.world.picture().readers[0].lamp == Levels(green=True, buzzer=True)
    site.says(Output(NIGHT + 150, f"{IN}.buzzer", False))
    assert site.world.picture().readers[0].signal == "granted"
    assert site.world.picture().readers[1].lamp == Levels()


def test_a_badge_that_was_enrolled_is_taken_away_and_is_in_nobodys_way(site: Site) -> None:
    site.do(lambda world: world.lay(IN, UID), lambda world: world.lay(OUT, UID))
    flashes = [(160 * number + after, on) for number in range(3) for after, on in ((0, True), (80, False))]
    site.says(*(Output(NIGHT + at, f"{IN}.{light}", on) for at, on in flashes for light in ("green", "buzzer")))
    assert [reader.badges for reader in site.world.picture().readers] == [(), (UID,)]
    assert site.edge.told[-1] == Take(IN, UID)


def test_an_edge_that_has_power_starts_until_it_says_that_it_reads(site: Site) -> None:
    site.do(lambda world: world.hear_door(Ready()), lambda world: None)
    assert not site.world.picture().starting
    site.do(lambda world: world.power(False), lambda world: world.power(True))
    assert site.world.picture().starting
    site.do(lambda world: world.hear(Ready()), lambda world: None)
    assert site.world.picture().starting, "the machines' edge is another"
    site.do(lambda world: world.hear_door(Ready()), lambda world: None)
    assert not site.world.picture().starting


def test_the_stages_of_a_tap_arrive_one_after_the_other(site: Site) -> None:
    first = Stages("2026-11-24T03:20:00.000Z", IN, 5, True, "always")
    second = Stages("2026-11-24T03:20:09.000Z", IN, 6, True, "always")
    later = Stages("2026-11-24T03:20:00.000Z", IN, 5, True, "always", journal=0.001)
    site.says(first, second, later)
    assert site.world.picture().taps == (second, later)


def test_a_power_cut_darkens_and_the_edge_then_finds_the_world_as_it_is(site: Site) -> None:
    site.says(Output(NIGHT, "strike", True), Output(NIGHT, f"{IN}.green", True))
    site.do(
        lambda world: world.push(),
        lambda world: world.power(False),
        lambda world: world.lay(OUT, UID),
        lambda world: world.plug(IN, False),
    )
    picture = site.world.picture()
    assert (picture.powered, picture.released, picture.open) == (False, False, True)
    assert picture.readers[0].lamp == Levels()
    site.edge.log.clear()
    site.do(lambda world: world.power(True))
    assert site.edge.log == ["on", Move("contact", True), Plug(IN, False), Lay(OUT, UID)]


def test_the_link_is_cut_and_mended(site: Site) -> None:
    site.do(lambda world: world.link(False))
    assert not site.world.picture().linked
    site.do(lambda world: world.link(True))
    assert site.world.picture().linked


def test_a_forced_door_is_seen_as_such_until_it_shuts(site: Site) -> None:
    site.do(lambda world: world.force())
    assert site.world.picture().forced
    site.do(lambda world: world.door.tick(NIGHT + 60_000))
    assert (site.world.picture().forced, site.world.picture().open) == (False, False)


def test_the_handle_the_wedge_and_the_fire_panel(site: Site) -> None:
    site.do(lambda world: world.leave(), lambda world: world.wedge(True), lambda world: world.fire(True))
    assert site.edge.told == [Move("rex", True), Move("contact", True), Move("fire", True)]
    assert (site.world.picture().wedged, site.world.picture().fire) == (True, True)


def test_a_change_of_speed_reaches_the_edge(site: Site) -> None:
    number = site.world.picture().number
    site.pace.change(10)
    site.world.wait(number, 5.0)
    sent = [entry for entry in site.edge.log if isinstance(entry, Follow)]
    assert [command.anchor.speed for command in sent] == [10]


def test_people_go_on_where_they_were() -> None:
    site = Site(NOON)
    site.do(lambda world: None)
    assert 30 < len(site.world.street.inside) < 60
    site.world.stop()
    assert site.edge.log[-1] == "stop"


def test_people_come_by_themselves_when_time_passes() -> None:
    site = Site(NOON)
    site.pace.change(60)
    for _ in range(200):
        picture = site.world.wait(site.world.picture().number, 1.0)
        if any(isinstance(entry, Lay | Move) for entry in site.edge.log):
            break
    assert picture.now > NOON
    assert [entry for entry in site.edge.log if isinstance(entry, Lay | Move)]
    site.world.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_ours_is_noticed(site: Site) -> None:
    assert not site.world.broken_down
    site.world.call(lambda: 1 / 0)
    site.world._thread.join(5.0)
    assert site.world.broken_down
