"""`prove power-off`: what has power too long is noticed, and power is read from the trace of the line."""

import logging
import re
from random import Random
from types import ModuleType

import pytest

from edge.pulse import Pulses
from proofs import damage, power_off
from proofs.power_off import Ailment, End, Story
from proofs.powered import MONOSTABLE_NS, UNIT, relay
from proofs.proof import BrokenError, Task
from simulator.lines import Change

MS = 1_000_000


def test_some_rounds_hold() -> None:
    rounds = power_off.run(Task(3, seed=1))
    assert [next(rounds) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(StopIteration, match="3 sessions, how many ended by what"):
        next(rounds)


def test_a_monostable_that_is_told_while_the_edge_hangs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_off, "_drawn", lambda luck: Story(Ailment.NONE, End.STOP, pulse=True, strict=False))
    monkeypatch.setattr(Pulses, "set", lambda pulses, output, active: pulses._pins.set(output, True))
    with pytest.raises(BrokenError, match="with a monostable, suffering from nothing: "):
        list(power_off.run(Task(1, seed=1)))


def test_a_unit_without_its_drop_in_leaves_the_power_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_off, "_drawn", lambda luck: Story(Ailment.NONE, End.KILLED, pulse=False, strict=False))
    monkeypatch.setattr("proofs.powered.files", _without_drop_in)
    with pytest.raises(BrokenError, match="1 s later it still has power"):
        list(power_off.run(Task(1, seed=1)))


def _without_drop_in(answers: object) -> dict[str, str]:
    from edge.setup.render import files

    return files(answers) | {"outputs.conf": ""}  # type: ignore[arg-type]


def test_every_ailment_and_end_is_drawn() -> None:
    drawn = [power_off._drawn(Random(number)) for number in range(300)]
    assert {story.ailment for story in drawn} == set(Ailment)
    assert {(story.end, story.pulse, story.strict) for story in drawn} == {
        (end, pulse, strict) for end in End for pulse in (True, False) for strict in (True, False)
    }


def test_a_hung_edge_without_a_monostable_has_the_fifteen_seconds_of_the_unit() -> None:
    (silence,) = re.findall(r"^WatchdogSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert int(silence) < Story(Ailment.NONE, End.HANGS, pulse=False, strict=False).within == 15
    assert Story(Ailment.NONE, End.HANGS, pulse=True, strict=False).within == 1


def moved(*levels: tuple[int, int]) -> list[Change]:
    return [Change(at * MS, 17, "write", True, level) for at, level in levels]


def test_a_relay_pulls_while_its_line_is_high_or_for_a_while_after_each_rise() -> None:
    hold = MONOSTABLE_NS // MS
    trace = moved((0, 0), (100, 1), (150, 0), (200, 1))
    assert relay(trace, 900 * MS, pulse=False) == [(100 * MS, 150 * MS), (200 * MS, 900 * MS)]
    assert relay(trace, 900 * MS, pulse=True) == [(100 * MS, (200 + hold) * MS)]
    assert relay(moved((100, 1), (2000, 0), (2100, 1)), 9000 * MS, pulse=True) == [
        (100 * MS, (100 + hold) * MS),
        (2100 * MS, (2100 + hold) * MS),
    ]
    assert relay(moved((0, 0)), 9 * MS, pulse=True) == []


@pytest.mark.parametrize("proof", [power_off, damage])
def test_what_a_proof_silences_speaks_again_when_it_is_over(proof: ModuleType) -> None:
    logs = [logging.getLogger(name) for name in ("loquet", "loquet.edge")]
    before = [log.level for log in logs]
    list(proof.run(Task(1, seed=1)))
    assert [log.level for log in logs] == before
