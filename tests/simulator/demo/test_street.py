"""Do people at the door do what they meant to do, with a door that answers, refuses, or is dead?"""

from dataclasses import dataclass, field, replace

import pytest

from simulator.demo.cast import IN, OUT, Intent
from simulator.demo.street import AGAIN, LOOK, NEXT, ONCE_MORE, PATIENCE, TRIES, Street
from simulator.door import Door

BADGE = bytes.fromhex("04A1B2C3")
START = 1_000_000


@dataclass
class Site:
    """A street with an edge that grants, refuses or is dead, and a clock that jumps to what is due."""

    grants: bool | None = True
    strike_ms: int = 5000
    log: list[tuple[int, str, object]] = field(default_factory=list)
    now: int = START

    def __post_init__(self) -> None:
        self.door = Door(lambda name, active: self.note(name, active))
        self.street = Street(self, self.door)
        self.relock: int | None = None

    def note(self, what: str, value: object) -> None:
        self.log.append((self.now - START, what, value))

    def lay(self, reader: str, uid: bytes) -> None:
        self.note(f"lay {reader}", uid.hex())
        if self.grants is None:
            return
        if self.grants:
            self.street.notice("strike", True, self.now)
            self.relock = self.now + self.strike_ms
        self.street.notice(f"{reader}.{'green' if self.grants else 'red'}", True, self.now)

    def take(self, reader: str, uid: bytes) -> None:
        self.note(f"take {reader}", uid.hex())

    def run(self, *intents: Intent) -> None:
        self.street.send(intents)
        while True:
            moments = [moment for moment in (self.street.due(), self.relock) if moment is not None]
            if not moments:
                return
            self.now = max(self.now, min(moments))
            if self.relock is not None and self.now >= self.relock:
                self.relock = None
                self.street.notice("strike", False, self.now)
            self.street.step(self.now)

    def did(self, what: str) -> list[int]:
        return [at for at, name, _ in self.log if name == what]


def coming(**more: object) -> Intent:
    return Intent(at=START + 100, who="ana", reader=IN, uids=(BADGE,), **more)  # type: ignore[arg-type]


def test_somebody_badges_takes_the_badge_back_and_goes_in() -> None:
    site = Site()
    site.run(coming(lies=0.3, reach=1.2, open_for=4.0))
    assert [(at, what) for at, what, _ in site.log] == [
        (100, f"lay {IN}"),
        (400, f"take {IN}"),
        (1300, "contact"),
        (5300, "contact"),
    ]
    assert site.street.inside == {"ana"}


@pytest.mark.parametrize("reader", [IN, OUT])
def test_a_second_tap_follows_the_answer_to_the_first_and_then_one_goes_through(reader: str) -> None:
    site = Site(strike_ms=500)
    site.street.inside = {"ana"} if reader == OUT else set()
    first = Intent(START + 100, "ana", reader, (BADGE,), pushes=False)
    site.run(first, replace(first, at=START + 3100, pushes=True, second=True, reach=0.2))
    once_more = 400 + LOOK + ONCE_MORE[reader == IN]
    assert site.did(f"lay {reader}") == [100, once_more]
    assert site.did("contact") == [once_more + 200, once_more + 4200]
    assert site.street.inside == ({"ana"} if reader == IN else set())


def test_who_is_refused_at_the_second_tap_tries_again_and_gives_up() -> None:
    site = Site(grants=False)
    site.run(coming(pushes=False), replace(coming(), at=START + 3100, second=True))
    assert len(site.did(f"lay {IN}")) == 1 + TRIES
    assert not site.street.inside


def test_who_is_refused_takes_the_badge_back_and_leaves_the_door_alone() -> None:
    site = Site(grants=False)
    site.run(coming())
    assert [what for _, what, _ in site.log] == [f"lay {IN}", f"take {IN}"]
    assert not site.street.inside


def test_a_visitors_badge_stays_until_its_own_reader_answers_whoever_else_the_strike_lets_out() -> None:
    site = Site(grants=None)
    site.street.tap(IN, BADGE, site.now)
    site.street.notice("strike", True, site.now)
    site.street.step(site.now + 1000)
    assert site.did(f"take {IN}") == []
    site.street.notice(f"{IN}.green", True, site.now + 1000)
    site.street.step(site.now + 1000 + LOOK)
    site.street.step(site.now + 2000)
    assert len(site.did(f"take {IN}")) == 1


def test_who_comes_while_a_badge_lies_on_the_reader_waits_until_it_is_gone() -> None:
    site = Site()
    site.run(coming(lies=0.5), replace(coming(), at=START + 200, who="bea", uids=(b"\x04BEA",)))
    assert site.did(f"lay {IN}") == [100, 200 + 2 * NEXT]
    assert site.street.inside == {"ana", "bea"}


def test_a_dead_reader_is_tried_again_and_then_left() -> None:
    site = Site(grants=None)
    site.run(coming())
    tries = site.did(f"lay {IN}")
    assert len(tries) == TRIES
    assert tries[1] - tries[0] == PATIENCE + AGAIN
    assert site.did(f"take {IN}") == [at + PATIENCE for at in tries]
    assert not site.street.inside


def test_where_time_passes_faster_the_reader_has_longer_to_answer() -> None:
    site = Site(grants=None)
    site.street.patience = lambda: 60_000
    site.run(coming())
    assert site.did(f"take {IN}")[0] - site.did(f"lay {IN}")[0] == 60_000


def test_who_is_too_slow_for_the_strike_badges_again() -> None:
    site = Site(strike_ms=500)
    site.run(coming(reach=1.0))
    assert len(site.did(f"lay {IN}")) == TRIES
    assert not site.street.inside


def test_on_a_machine_that_lags_nobody_pushes_a_door_that_has_locked_again() -> None:
    """The push was due after a second; by then the strike has fallen back and the news is still on its way."""
    site = Site()
    site.street.send([coming(reach=1.0)])
    site.now += 100
    site.street.step(site.now)
    assert site.door.released
    site.now += 6000
    site.street.step(site.now)
    assert not site.did("contact")
    site.run()
    assert len(site.did(f"lay {IN}")) == 2
    assert site.street.inside == {"ana"}


def test_who_lets_the_grant_lapse_does_not_go_in() -> None:
    site = Site()
    site.run(coming(pushes=False))
    assert not site.did("contact")
    assert not site.street.inside


def test_a_badge_left_lying_is_taken_later() -> None:
    site = Site()
    site.run(coming(lies=45.0))
    assert site.did(f"take {IN}") == [45_100]


def test_amber_is_no_green() -> None:
    site = Site(grants=None)
    site.street.send([coming()])
    site.street.step(START + 100)
    site.street.notice(f"{IN}.green", True, START + 110)
    site.street.notice(f"{IN}.red", True, START + 110)
    site.now = START + 200
    site.street.step(START + 200)
    site.run()
    assert site.did(f"take {IN}")
    assert not site.did("contact")


def test_the_second_of_two_hears_no_strike_and_sees_green() -> None:
    site = Site(grants=None)
    site.street.notice("strike", True, START)
    site.street.send([coming()])
    site.street.step(START + 100)
    site.street.notice(f"{IN}.green", True, START + 110)
    site.run()
    assert site.street.inside == {"ana"}


@pytest.mark.parametrize("reader", [OUT, None])
def test_who_never_came_in_does_not_leave(reader: str | None) -> None:
    site = Site()
    site.run(Intent(at=START + 100, who="ana", reader=reader, uids=(BADGE,)))
    assert not site.log


def test_who_forgets_to_badge_leaves_by_the_handle() -> None:
    site = Site()
    site.street.inside = {"ana"}
    site.run(Intent(at=START + 100, who="ana", reader=None, open_for=3.0))
    assert [(what, value) for _, what, value in site.log] == [
        ("rex", True),
        ("contact", True),
        ("rex", False),
        ("contact", False),
    ]
    assert not site.street.inside


def test_a_dead_edge_keeps_nobody_in() -> None:
    site = Site(grants=None)
    site.street.inside = {"ana"}
    site.run(Intent(at=START + 100, who="ana", reader=OUT, uids=(BADGE,)))
    assert site.did("rex"), "the handle is mechanical"
    assert not site.street.inside


def test_who_passes_is_told() -> None:
    site = Site()
    passed: list[tuple[str, bool, int]] = []
    site.street.passed = lambda who, inward, at: passed.append((who, inward, at - START))
    leaving = Intent(at=START + 60_000, who="ana", reader=OUT, uids=(BADGE,), reach=1.0)
    site.run(coming(reach=1.0), leaving)
    assert passed == [("ana", True, 1100), ("ana", False, 61_000)]


@pytest.mark.parametrize("reader", [IN, OUT])
@pytest.mark.parametrize(("grants", "until"), [(True, LOOK + 300), (False, 300), (None, PATIENCE)])
def test_a_tap_is_taken_away_when_it_is_answered_or_after_a_while(reader: str, grants: bool | None, until: int) -> None:
    site = Site(grants=grants)
    site.street.tap(reader, BADGE, START)
    site.run()
    assert [(at, what) for at, what, _ in site.log] == [(0, f"lay {reader}"), (until, f"take {reader}")]
