"""`loquet bench`: every figure has its floor; what no machine changes keeps within the promises."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benches.drain import carried, drained
from benches.enrolment import measured as enrolled
from benches.figure import Figure, Figures, Limit, figure, p99
from benches.gap import measured as taken
from benches.revoked import revoked
from console.errors import CommandError
from loquet.bench import PARTS, PROMISED, parts
from loquet.main import main

NAMES = {
    "decide_148", "decide_100000", "decide_growth", "spi_empty", "spi_uid4", "spi_uid7", "read_uid4", "read_uid7",
    "field_to_strike_mean", "field_to_strike_worst", "journal_row", "edge_start", "edge_memory",
    "ingest_row", "ingest_backlog", "bank_recount", "badge_to_power", "badge_to_power_p99",
}  # fmt: skip
BY_BROKER = ("drain", "change to edge", "enrolment", "gap to door", "revoked edge", "pages")
CHECKED = [title for title in PARTS if title not in BY_BROKER]
"""Messages of the others cross real time and a real broker: below, and in tests/flow/test_chip_to_page.py. The large
site of the pages takes minutes to fill: tests/benches/test_pages.py."""
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, object]]:
    command = [sys.executable, "-m", "loquet", "bench", "--json", *CHECKED]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    for title in CHECKED:
        assert f"measuring: {title}" in ended.stderr
    return dict(json.loads(ended.stdout))


def test_every_figure_stands_beside_its_floor(measured: dict[str, dict[str, object]]) -> None:
    assert set(measured) == NAMES
    for name, one in measured.items():
        assert set(one) == {"value", "unit", "floor", "ratio"}, name
        assert float(str(one["floor"])) > 0, name
        assert one["ratio"] == pytest.approx(float(str(one["value"])) / float(str(one["floor"])), rel=0.02), name


@pytest.mark.parametrize("name", ["spi_empty", "spi_uid4", "spi_uid7", "read_uid4", "read_uid7"])
def test_what_no_machine_changes_keeps_its_promise(measured: dict[str, dict[str, object]], name: str) -> None:
    assert PROMISED["reader"][name].kept(Figure(**measured[name]))  # type: ignore[arg-type]


def test_what_is_promised_is_measured(measured: dict[str, dict[str, object]]) -> None:
    assert set(PROMISED) == set(PARTS)
    for title in CHECKED:
        assert set(PROMISED[title]) <= set(measured)


@pytest.mark.parametrize(("value", "kept"), [(2.0, True), (2.5, False)])
@pytest.mark.parametrize("limit", [Limit(2), Limit(4, of_ratio=True)])
def test_a_promise_that_is_missed_is_said_and_fails_the_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], limit: Limit, value: float, kept: bool
) -> None:
    monkeypatch.setattr("loquet.bench.parts", lambda: {"reader": lambda: iter([("toast", figure(value, "ms", 0.5))])})
    monkeypatch.setattr("loquet.bench.PROMISED", {"reader": {"toast": limit}})
    assert main(["bench", "reader"]) == 0
    assert main(["bench", "reader", "--check"]) == (0 if kept else 1)
    told = capsys.readouterr()
    words = "promised: at most 4 x" if limit.of_ratio else "promised: at most 2 ms"
    assert all(line.endswith(words if kept else f"{words}: MISSED") for line in told.out.splitlines())
    assert ("bench: promises missed: toast" in told.err) is not kept


def test_what_cannot_be_measured_fails_the_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_broker() -> Figures:
        raise CommandError("no mosquitto here")
        yield

    for measure in (no_broker, lambda: iter([("another", figure(1.0, "s", 0.5))])):
        monkeypatch.setattr("loquet.bench.parts", lambda measure=measure: {"drain": measure})
        assert main(["bench", "drain"]) == 0
        assert main(["bench", "drain", "--check"]) == 1
        assert "bench: promises missed: drain\n" in capsys.readouterr().err


def test_a_figure_is_rounded_to_what_can_be_read() -> None:
    one = figure(1.23456789, "ms", 0.61728)
    assert (one.value, one.floor, one.ratio) == (1.235, 0.6173, 2.0)


def test_one_in_a_hundred_is_slower_than_the_p99() -> None:
    assert p99(range(1, 301)) == 297
    assert p99(range(1, 101)) == 99
    assert p99([5.0]) == 5.0


def test_the_parts_that_can_be_chosen_are_those_that_are_measured() -> None:
    assert tuple(parts()) == PARTS


def test_an_unknown_part_is_named() -> None:
    ended = subprocess.run([sys.executable, "-m", "loquet", "bench", "fryer"], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "'fryer'" in ended.stderr


def test_a_backlog_of_a_few_messages_reaches_the_server(tmp_path: Path) -> None:
    """It raises when the server does not hold what the edge sent, all of it once."""
    assert drained(tmp_path / "site", 1_010) > 0
    assert carried(tmp_path / "site") > 0


def test_every_edge_goes_by_each_change_lockdown_and_booking(tmp_path: Path) -> None:
    """It raises when an edge does not. In a process of its own, which has no threads yet when it makes its edges."""
    asked = f"from benches.travel import *; print(*map(len, measured(Path({str(tmp_path)!r}), 4, 2, 2)[1:]))"
    ended = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "4 2 16\n", "")


def test_a_badge_that_is_laid_is_on_the_desks_page(tmp_path: Path) -> None:
    """It raises when the page does not say whose it shall be, or when it is not theirs once it was confirmed."""
    hop, seconds = enrolled(tmp_path / "site", 2)
    assert min(seconds) > hop > 0


def test_a_stolen_edge_is_out_once_broker_and_server_were_restarted(tmp_path: Path) -> None:
    """It raises when the edge still hears, or when an honest one does not get rules without its key."""
    seconds, restart = revoked(tmp_path / "site")
    assert seconds > restart > 0


def test_an_evening_that_is_taken_on_the_page_is_the_gardiens_at_the_door(tmp_path: Path) -> None:
    """It raises when the door does not say so, or goes on saying so once it was undone."""
    hop, seconds = taken(tmp_path / "site", 1)
    assert min(seconds) > hop > 0
