"""Inputs that flutter, and inputs that do not: what the controller is told."""

import pytest

from edge.events import Event, InputChanged, InputSteady, InputUnsteady
from edge.unsteady import MANY, STILL, WITHIN, Steadiness


def told(changes: list[float], until: float, first: bool = True) -> list[Event]:
    """What comes of an input that changes at these seconds, looked at every 10 ms."""
    steadiness, events, active = Steadiness("contact"), list[Event](), first
    assert len(list(steadiness.changed(InputChanged(0, -1.0, "contact", not first)))) == 1
    left = list(changes)
    for look in range(round(until * 100) + 1):
        mono = look / 100
        while left and left[0] <= mono:
            events += steadiness.changed(InputChanged(0, left.pop(0), "contact", active))
            active = not active
        events += steadiness.passed(0, mono)
    return events


def test_an_input_that_flips_every_40_ms_is_one_row_when_it_begins_and_one_when_it_ends() -> None:
    events = told([place * 0.04 for place in range(250)], 30)
    kinds = [type(event) for event in events]
    assert kinds == [InputChanged] * (MANY - 1) + [InputUnsteady, InputChanged, InputSteady, InputChanged]
    began, ended, last = events[MANY - 1 + 1], events[-2], events[-1]
    assert isinstance(began, InputChanged)
    assert began.active
    assert isinstance(ended, InputSteady)
    assert ended.changes == 250
    assert isinstance(last, InputChanged)
    assert (last.active, last.mono) == (False, pytest.approx(249 * 0.04 + STILL, abs=0.02))


@pytest.mark.parametrize("first", [True, False])
def test_it_counts_as_active_while_it_flutters_and_then_as_what_it_is(first: bool) -> None:
    events = told([place * 0.1 for place in range(21)], 20, first)
    levels = [event.active for event in events if isinstance(event, InputChanged)]
    assert levels[-2:] == [True, first]


def test_a_door_that_opens_and_shuts_all_day_is_steady() -> None:
    changes = [place * WITHIN / (MANY - 2) for place in range(200)]
    assert all(isinstance(event, InputChanged) for event in told(changes, changes[-1] + 20))


def test_an_input_that_flutters_again_is_told_again() -> None:
    burst = [place * 0.05 for place in range(40)]
    events = told([*burst, *(at + 30 for at in burst)], 60)
    assert [type(event) for event in events].count(InputUnsteady) == 2
    assert [event.changes for event in events if isinstance(event, InputSteady)] == [40, 40]
