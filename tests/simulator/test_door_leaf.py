"""Does the simulated door leaf do what a door does?"""

import pytest

from simulator.door import REX_MS, Door


class Told(list[tuple[str, bool]]):
    def __call__(self, name: str, active: bool) -> None:
        self.append((name, active))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def door(told: Told) -> Door:
    return Door(told)


def test_a_locked_door_does_not_yield(door: Door, told: Told) -> None:
    assert not door.push(1000, 4)
    assert not told


def test_a_released_door_opens_and_falls_shut(door: Door, told: Told) -> None:
    door.released = True
    assert door.push(1000, 4)
    door.tick(4999)
    assert door.open
    assert door.due() == 5000
    door.tick(5000)
    assert told == [("contact", True), ("contact", False)]


def test_whoever_follows_keeps_it_open(door: Door, told: Told) -> None:
    door.released = True
    door.push(1000, 4)
    door.released = False
    assert door.push(4000, 4), "it stands open"
    door.tick(5000)
    assert door.open
    door.tick(8000)
    assert told == [("contact", True), ("contact", False)]


def test_the_handle_presses_the_switch_before_the_door_opens(door: Door, told: Told) -> None:
    door.leave(1000, 3)
    assert told == [("rex", True), ("contact", True)]
    assert door.due() == 1000 + REX_MS
    door.tick(1000 + REX_MS)
    door.tick(4000)
    assert told[2:] == [("rex", False), ("contact", False)]


def test_the_button_unlocks_by_wire(door: Door) -> None:
    door.press(1000)
    assert door.push(1200, 3)


def test_the_fire_panel_unlocks(door: Door, told: Told) -> None:
    door.alarm(True)
    assert door.push(1000, 3)
    door.alarm(False)
    assert told == [("fire", True), ("contact", True), ("fire", False)]


def test_a_crowbar_opens_a_locked_door(door: Door, told: Told) -> None:
    door.force(1000, 3)
    assert told == [("contact", True)]


def test_a_wedge_holds_it_open_until_it_is_taken_away(door: Door) -> None:
    door.released = True
    door.push(1000, 3)
    door.hold(True, 2000)
    door.tick(500_000)
    assert door.open
    assert door.due() is None
    door.hold(False, 500_000)
    door.tick(502_000)
    assert not door.open
