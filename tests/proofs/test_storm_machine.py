"""The stormy site's machine: bookings, what comes of them, sessions that go on; and what it vows to notice of each."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace
from sqlmodel import select

import policy.bookings
import policy.machine
from edge.machine import MachineController
from policy.terms import HOUR, MINUTE, SECOND, Instant
from proofs.storm import comers
from proofs.storm.bookings import Bookings
from proofs.storm.hours import instant_of
from proofs.storm.record import BrokenWorldError
from proofs.storm.site import Site, storm
from proofs.storm.turns import Booked, Turns, Use
from server.changes import bookings as booking_changes
from server.models import MachineSession

SEED = 3
NOON = instant_of("2026-01-05T12:00")
HOLDER, OTHER = "resident-0", "resident-1"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The first morning; nothing comes of a booking by itself."""
    for chance in ("COMES", "DURING", "BEFORE", "GIVES_UP", "LEFT", "CUT_OFF"):
        monkeypatch.setattr(comers, chance, 0)
    with storm(SEED) as site:
        site.pass_until(instant_of("2026-01-05T09:00"))
        yield site


def broken(act: Callable[[], object]) -> str:
    with pytest.raises(BrokenWorldError) as caught:
        act()
    return str(caught.value)


def booked(site: Site, start: Instant = NOON, minutes: int = 60) -> str:
    """The holder books; the name of the booking."""
    site.bookings.press(site, Random(1), [(HOLDER, start, start + minutes * MINUTE)])
    return list(site.bookings.standing)[-1]


def lay(site: Site, who: str, at: Instant) -> None:
    """They are there at that moment."""
    site.pass_until(at - 20 * SECOND)
    comers._lay(site, who)
    site.pass_until(at + 5 * SECOND)


def told(site: Site) -> str:
    """What the machine said last."""
    edge = site.machine.edge
    assert edge is not None
    assert edge.storage.writer.journal is not None
    return next(str(row.reason) for row in reversed(edge.storage.writer.journal.rows()) if row.reason is not None)


def interlocked(site: Site) -> bool:
    return site.watch.sittings._closed


def compare(site: Site, after: Instant = 10 * SECOND) -> None:
    site.pass_until(site.clock.now() + after)
    site.quiet.compare(site.clock.now())


def test_the_machine_is_kept_for_its_holder_who_ends_it_by_the_badge(site: Site) -> None:
    which = booked(site)
    lay(site, OTHER, NOON + MINUTE)
    assert told(site) == "booked_by_other"
    lay(site, HOLDER, NOON + 5 * MINUTE)
    assert told(site) == "booking"
    lay(site, HOLDER, NOON + 20 * MINUTE)
    site.pass_until(NOON + 21 * MINUTE)
    assert site.bookings.standing[which].end == NOON + 20 * MINUTE
    lay(site, OTHER, NOON + 22 * MINUTE)
    assert told(site) == "walk_up"
    site.bookings.night()


@pytest.mark.parametrize("linked", [True, False])
def test_who_does_not_come_has_it_for_a_quarter_of_an_hour(site: Site, linked: bool) -> None:
    booked(site)
    lay(site, OTHER, NOON - 10 * MINUTE)  # and again: they are there, and stop
    lay(site, OTHER, NOON - 5 * MINUTE)
    site.network.cable("cnc", linked)
    lay(site, OTHER, NOON + 14 * MINUTE)
    assert told(site) == "booked_by_other"
    lay(site, OTHER, NOON + 15 * MINUTE)
    assert told(site) == "walk_up"
    site.network.cable("cnc", True)
    compare(site)


def test_an_edge_without_a_link_does_not_know_of_a_booking_and_is_right_by_what_it_knows(site: Site) -> None:
    lay(site, OTHER, NOON - HOUR)
    lay(site, OTHER, NOON - HOUR + MINUTE)
    site.network.cable("cnc", False)
    booked(site)
    lay(site, OTHER, NOON + MINUTE)
    assert told(site) == "walk_up"
    assert site.watch.counts["late: rules"] == 1


def test_a_session_ends_where_the_next_booking_begins(site: Site) -> None:
    booked(site)
    lay(site, OTHER, NOON - 10 * MINUTE)
    assert interlocked(site)
    site.pass_until(NOON + SECOND)
    assert not interlocked(site)
    compare(site)
    assert (site.watch.counts["sessions"], site.watch.counts["seconds of sessions"]) == (1, 600)


def test_one_that_nobody_comes_for_makes_way_for_a_press(site: Site) -> None:
    booked(site)
    rest = [(OTHER, NOON + 30 * MINUTE, NOON + HOUR)]
    site.pass_until(NOON + 14 * MINUTE)
    site.bookings.press(site, Random(1), rest)
    site.pass_until(NOON + 16 * MINUTE)
    site.bookings.press(site, Random(1), rest)
    counts = site.watch.counts
    assert (counts["bookings: taken"], counts["bookings that made way"]) == (1, 1)
    assert list(site.bookings.standing.values()) == [Booked(*rest[0])]
    site.bookings.night()


def test_who_tried_in_vain_keeps_it() -> None:
    one = Booked(HOLDER, 0, HOUR)
    assert Turns().is_released(one, 15 * MINUTE)
    assert not Turns().is_released(one, 15 * MINUTE - 1)
    assert not Turns(tried=frozenset({(HOLDER, 14 * MINUTE)})).is_released(one, 20 * MINUTE)
    assert Turns(tried=frozenset({(HOLDER, 15 * MINUTE)})).is_released(one, 20 * MINUTE)
    before, nothing = Use(HOLDER, -HOUR, 1), Use(HOLDER, MINUTE, MINUTE)
    assert not Turns((before,)).is_released(one, 20 * MINUTE)
    assert Turns((nothing,)).is_released(one, 20 * MINUTE)


def test_who_is_before_a_booking_goes_on_once_it_is_given_up(site: Site) -> None:
    which = booked(site)
    lay(site, OTHER, NOON - 10 * MINUTE)
    site.bookings.go_on(OTHER)
    site.pass_until(NOON - 5 * MINUTE)
    site.bookings.give_up(which)
    site.pass_until(NOON - 4 * MINUTE)
    site.bookings.go_on(OTHER)
    site.pass_until(NOON + MINUTE)
    counts = site.watch.counts
    assert (counts["extensions: no later"], counts["extensions: later"]) == (1, 1)
    assert interlocked(site)
    compare(site)
    site.pass_until(NOON + 50 * MINUTE + 10 * SECOND)  # the quota of the week
    assert not interlocked(site)
    compare(site)
    assert counts["seconds of sessions"] == 3600


def test_who_has_nothing_that_runs_is_not_asked_about(site: Site) -> None:
    site.bookings.go_on(OTHER)
    assert site.watch.counts["extensions: of nothing"] == 1


def test_nobody_is_asked_while_the_edge_is_away(site: Site) -> None:
    lay(site, OTHER, NOON)
    site.network.cable("cnc", False)
    site.pass_until(NOON + 10 * MINUTE)
    site.bookings.go_on(OTHER)
    assert site.watch.counts["extensions: nobody to ask"] == 1


def test_one_that_lasts_longer_than_it_may_is_noticed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = MachineController._extended

    def twice(controller: MachineController, session: Any, at: Instant) -> Any:
        found = honest(controller, session, at)
        return replace(found, until=found.until + 10 * MINUTE)

    monkeypatch.setattr(MachineController, "_extended", twice)
    lay(site, OTHER, NOON)

    def press() -> None:
        site.bookings.go_on(OTHER)
        site.pass_until(NOON + MINUTE)

    assert f"{OTHER} may go on until 2026-01-05T12:10:00.042Z, should until 2026-01-05T12:00" in broken(press)


def test_an_order_for_whom_may_not_be_near_it_is_noticed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(site, OTHER, NOON)
    site.workshop.withdraw(OTHER)
    monkeypatch.setattr("server.changes.machines.refused", lambda *_: None)
    assert "should be not_certified" in broken(lambda: site.bookings.go_on(OTHER))


def test_a_booking_that_an_edge_ignores(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    booked(site)
    monkeypatch.setattr(policy.machine, "booked_by_other", lambda case: None)
    lines = tuple(line for line in policy.machine.LINES if line.number != "16")
    monkeypatch.setattr(policy.machine, "LINES", lines)
    assert "should be (False, 'booked_by_other')" in broken(lambda: lay(site, OTHER, NOON + MINUTE))


def test_a_booking_that_is_never_released(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    booked(site)
    monkeypatch.setattr(policy.bookings, "released", lambda *_: False)
    assert "should be (True, 'walk_up')" in broken(lambda: lay(site, OTHER, NOON + 16 * MINUTE))


def test_a_session_that_outlasts_the_next_booking(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    booked(site)
    monkeypatch.setattr(policy.bookings, "next_of_others", lambda *_: None)
    said = broken(lambda: lay(site, OTHER, NOON - 10 * MINUTE))
    assert f"{OTHER} may have the machine until 2026-01-05T11:50" in said
    assert "should be 2026-01-05T11:00:00.000Z" in said


def test_a_booking_that_nobody_pressed_for(site: Site) -> None:
    site.bookings.standing["b-1"] = Booked(HOLDER, NOON, NOON + HOUR)
    assert "booked otherwise than was pressed" in broken(site.bookings.night)


def test_two_who_have_it_at_one_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    booked(site)
    monkeypatch.setattr(booking_changes, "_clear", lambda *_, **__: True)
    said = broken(lambda: site.bookings.press(site, Random(1), [(OTHER, NOON, NOON + HOUR)]))
    assert "is booked, and so is Booked(member='resident-0'" in said


def test_a_booking_that_ends_while_its_holder_is_there(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    booked(site)
    lay(site, HOLDER, NOON)
    lay(site, HOLDER, NOON + 10 * MINUTE)
    monkeypatch.setattr(Bookings, "_decided", lambda *_: 1)
    assert "its holder was done at 2026-01-05T11:10" in broken(lambda: site.pass_until(NOON + 11 * MINUTE))


def test_power_that_outlasts_its_session(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    booked(site)
    lay(site, OTHER, NOON - 10 * MINUTE)
    monkeypatch.setattr(MachineController, "_over", lambda *_: None)
    said = broken(lambda: site.pass_until(NOON + 10 * MINUTE))
    assert f"the machine has power, and the session of {OTHER} was over 2026-01-05T11:00" in said


def test_power_that_nobody_has(site: Site) -> None:
    site.watch.sittings.output("cnc.interlock", active=True)
    assert "the machine has power, and nobody's session runs" in broken(site.machine.turn)


def test_power_that_goes_before_its_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(site, OTHER, NOON)
    monkeypatch.setattr(MachineController, "_over", lambda controller, now, machine, session, at: at)
    said = broken(lambda: site.pass_until(NOON + HOUR))
    assert f"the machine lost its power, and the session of {OTHER} is not over" in said


@pytest.mark.parametrize(("minutes", "said"), [(3, "180 s long, is nobody's"), (None, "it knows no session of")])
def test_seconds_that_the_server_lost(site: Site, minutes: int | None, said: str) -> None:
    lay(site, OTHER, NOON)
    lay(site, OTHER, NOON + 10 * MINUTE)
    with site.office.database.transaction() as session:
        [use] = session.exec(select(MachineSession))
        if minutes is None:
            session.delete(use)
        else:
            use.ended = use.started + (use.ended - use.started) * minutes / 10  # type: ignore[operator]
    with site.office.database.reading() as session:
        assert said in broken(lambda: site.watch.sittings.compare(session))
