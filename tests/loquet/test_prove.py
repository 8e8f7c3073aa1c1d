"""`loquet prove`: the figure comes last, a broken promise fails and says how to see it again."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import pytest

from loquet.main import main
from loquet.prove import LAST_WORDS, _proved
from proofs import world
from proofs.proof import BrokenError, Proof, Rounds, Task
from proofs.storm.record import BrokenWorldError


def count(task: Task) -> Rounds:
    """A promise that breaks whenever a round draws less than 5 of 100."""
    for done, number in enumerate(task.numbers, 1):
        if (drawn := task.random(number).randrange(100)) < 5:
            raise BrokenError(number, f"drew {drawn}")
        yield done
    return f"{task.rounds} draws, 0 below 5"


def add(task: Task) -> Rounds:
    """A promise that breaks once the sum of what was drawn is beyond 1,000."""
    total = 0
    for done, number in enumerate(task.numbers, 1):
        total += task.random(number).randrange(100)
        if total > 1000:
            raise BrokenError(number, f"{total} in all", since=task.first)
        yield done
    return f"{total} in all"


PROOF = Proof("draws are high", "draws", ci=3, release=300, run=count)


@pytest.fixture
def _proof(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("proofs.forge")
    module.PROOF = PROOF  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "proofs.forge", module)


@pytest.mark.usefixtures("_proof")
class TestProve:
    def test_the_figure_is_the_last_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["prove", "forge", "--seed", "4"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("forge: draws are high: 3 draws, 0 below 5 (")
        assert json.loads(lines[-1]) == {
            "promise": "draws are high", "rounds": 3, "broken": 0, "seed": 4, "figure": "3 draws, 0 below 5",
        }  # fmt: skip

    def test_a_broken_promise_fails_with_the_line_that_replays_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["prove", "forge", "--release", "--json"]) == 1
        told = capsys.readouterr()
        again = told.err.splitlines()[-1].removeprefix("see it again with: loquet ").split()
        assert json.loads(told.out)["broken"] == 1
        assert main([*again, "--json"]) == 1
        replayed = json.loads(capsys.readouterr().out)
        assert replayed["figure"] == json.loads(told.out)["figure"]
        assert replayed["rounds"] == 1

    @pytest.mark.parametrize(("seed", "first"), [(1, 0), (1, 100), (2, 0)])
    def test_what_hangs_on_earlier_rounds_is_replayed_with_them(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, seed: int, first: int
    ) -> None:
        monkeypatch.setattr(sys.modules["proofs.forge"], "PROOF", replace(PROOF, run=add))
        assert main(["prove", "forge", "--release", "--seed", str(seed), "--first", str(first), "--json"]) == 1
        told = capsys.readouterr()
        again = told.err.splitlines()[-1].removeprefix("see it again with: loquet ").split()
        assert main([*again, "--json"]) == 1
        assert json.loads(capsys.readouterr().out) == json.loads(told.out)

    def test_what_runs_in_real_time_is_not_said_to_break_again(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys.modules["proofs.forge"], "PROOF", replace(PROOF, run=add, real_time=True))
        assert main(["prove", "forge", "--release", "--first", "100", "--json"]) == 1
        last = capsys.readouterr().err.splitlines()[-1]
        again = "in real time, so it may hold now; try again with: loquet prove forge --seed 1 --first 100 --rounds "
        assert last.startswith(again)

    def test_no_rounds_are_no_proof(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="2"):
            main(["prove", "forge", "--rounds", "0"])
        assert "at least 1" in capsys.readouterr().err

    def test_rounds_are_a_number(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="2"):
            main(["prove", "forge", "--rounds", "many"])
        assert "'many': write a whole number" in capsys.readouterr().err

    def test_only_what_counts_days_takes_days(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert main(["prove", "forge", "--days", "2"]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err == "loquet prove: forge --days 2: it counts draws, not days: say --rounds\n"
        module = ModuleType("proofs.world")
        module.PROOF = Proof("draws are high", "site-days", ci=3, release=300, run=count)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "proofs.world", module)
        assert main(["prove", "world", "--days", "2", "--seed", "4", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["rounds"] == 2
        with pytest.raises(SystemExit, match="2"):
            main(["prove", "world", "--days", "2", "--rounds", "2"])

    @pytest.mark.parametrize("many", ["--rounds", "--days", "--first"])
    def test_all_takes_no_rounds(self, capsys: pytest.CaptureFixture[str], many: str) -> None:
        assert main(["prove", "all", many, "5"]) == 2
        assert "name one proof" in capsys.readouterr().err

    def test_all_names_those_that_failed(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("loquet.prove.PROOFS", {"fryer": "no proof of that name", "toaster": "nor of this"})
        assert main(["prove", "all"]) == 1
        said = capsys.readouterr().err.splitlines()
        assert said[-1].startswith("all: broken: fryer (exit status 2), toaster (exit status 2)")
        assert any("'toaster'" in line for line in said[-1 - LAST_WORDS : -1])
        assert sum("'fryer'" in line for line in said) == 2  # when it failed, and at the end


def test_a_world_that_broke_is_lived_again_from_its_first_day(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def storm(_seed: int, _doors: int) -> Iterator[object]:
        days = iter(range(3))

        def live_a_day() -> None:
            if next(days) == 2:
                raise BrokenWorldError("two copies differ")

        yield SimpleNamespace(live_a_day=live_a_day)

    monkeypatch.setattr(world, "storm", storm)
    assert main(["prove", "world", "--days", "9", "--seed", "4", "--json"]) == 1
    assert capsys.readouterr().err.endswith("see it again with: loquet prove world --seed 4 --first 0 --rounds 3\n")


@pytest.mark.parametrize(("days", "taps"), [(365, 99_999), (730, 199_999)])
def test_a_world_that_shows_too_few_taps_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], days: int, taps: int
) -> None:
    @contextmanager
    def storm(_seed: int, _doors: int) -> Iterator[object]:
        watch = SimpleNamespace(counts={"taps hampered": taps})
        yield SimpleNamespace(live_a_day=lambda: None, watch=watch)

    monkeypatch.setattr(world, "storm", storm)
    assert main(["prove", "world", "--days", str(days), "--json"]) == 1
    assert f"only {taps} taps over a bad link, {taps + 1} are promised" in capsys.readouterr().out


def test_all_ends_with_the_words_of_what_failed_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("loquet.prove.PROOFS", {"forge": "", "fuzz": ""})
    monkeypatch.setattr(
        "loquet.prove._proved", lambda words: (int(words[-1] == "fuzz"), [f"{words[-1]}: its last words"])
    )
    assert main(["prove", "all"]) == 1
    assert capsys.readouterr().err == "fuzz: its last words\nall: broken: fuzz (exit status 1)\n"


def test_a_proof_may_say_more_than_a_pipe_holds(capsys: pytest.CaptureFixture[str]) -> None:
    says = "import signal, sys; signal.alarm(60); print('x' * 200_000); print('soon', file=sys.stderr)"
    assert _proved([sys.executable, "-c", says]) == (0, ["soon"])
    assert len(capsys.readouterr().out) == 200_001
