"""Is each stage of a tap told when it is known, and only then?"""

import pytest

from policy.reasons import Reason
from policy.terms import ClockState
from simulator.remote import Stages
from simulator.watch import REMEMBERED, Watch
from wire.row import Kind, Row


class Told(list[Stages]):
    def __call__(self, stages: Stages) -> None:
        self.append(stages)


@pytest.fixture
def told() -> Told:
    return Told()


class Real:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def real() -> Real:
    return Real()


@pytest.fixture
def watch(told: Told, real: Real) -> Watch:
    return Watch(told, real)


def tap(watch: Watch, seq: int) -> None:
    at = "2026-11-24T09:00:00.000Z"
    row = Row(seq, at, 1000, "boot", ClockState.SYNCED, Kind.TAP, "front", "front-in", "ab" * 16, "m001")
    watch.decided(
        Row(
            **{name: getattr(row, name) for name in row.__struct_fields__} | {"granted": True, "reason": Reason.ALWAYS}
        ),
        0.0053,
        43,
        20e-6,
        400e-6,
    )


def test_a_tap_is_told_three_times(watch: Watch, told: Told, real: Real) -> None:
    tap(watch, 7)
    watch.journalled(7, 0.001)
    real.now += 0.25
    watch.acknowledged(7, 15.0)
    assert [(stages.journal, stages.server) for stages in told] == [(None, None), (0.001, None), (0.001, 0.25)]
    assert told[2] == Stages(
        at="2026-11-24T09:00:00.000Z",
        reader="front-in",
        seq=7,
        granted=True,
        reason="always",
        member="m001",
        credential="ab" * 16,
        transfers=43,
        chip=0.0053,
        decision=20e-6,
        actuator=400e-6,
        journal=0.001,
        server=0.25,
    )


def test_rows_that_are_no_taps_are_not_told(watch: Watch, told: Told) -> None:
    watch.journalled(1, 0.001)
    watch.acknowledged(1, 0.02)
    watch.output("strike", True)
    assert not told


def test_an_acknowledgement_is_for_all_rows_before_it_and_for_once(watch: Watch, told: Told, real: Real) -> None:
    for seq in (3, 5, 9):
        tap(watch, seq)
    watch.journalled(3, 0.001)
    real.now += 0.5
    told.clear()
    watch.acknowledged(6, 0.02)
    watch.acknowledged(6, 0.04)
    assert [(stages.seq, stages.server) for stages in told] == [(3, 0.5), (5, 0.0)], (
        "the second is not on the disk yet: nothing to measure from"
    )


def test_taps_of_a_long_outage_are_not_kept_for_ever(watch: Watch, told: Told) -> None:
    for seq in range(1, REMEMBERED + 11):
        tap(watch, seq)
    told.clear()
    watch.acknowledged(REMEMBERED + 10, 0.02)
    assert [stages.seq for stages in told] == list(range(11, REMEMBERED + 11))
