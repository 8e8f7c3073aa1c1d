"""What a look at an edge finds, with its remedy; and that it finds nothing where nothing is wrong."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.finding import Finding, Level
from edge.doctor import certificate, disk, look
from policy.terms import DAY, ClockState
from simulator.clock import VirtualClock
from simulator.loopback import free_port
from tests.support_edge import Bench, Folder, make_folder
from tests.support_site import at


def devices(folder: Path, *names: str) -> Path:
    made = folder / "dev"
    made.mkdir()
    for name in names:
        (made / name).touch()
    return made


def found(folder: Folder, clock: VirtualClock, header: Path) -> dict[str, Finding]:
    return {each.about: each for each in look(folder.config, clock, header)}


def wrong(findings: dict[str, Finding]) -> set[str]:
    assert all(each.remedy or each.level in (Level.WELL, Level.NOTE) for each in findings.values())
    return {about for about, each in findings.items() if each.level not in (Level.WELL, Level.NOTE)}


def ready(tmp_path: Path) -> tuple[Folder, Bench]:
    """An edge that has its rules."""
    folder = make_folder(tmp_path / "site")
    bench = Bench(folder)
    bench.give_rules()
    bench.edge.storage.writer.close()
    return folder, bench


def test_an_edge_that_is_well(tmp_path: Path) -> None:
    folder, bench = ready(tmp_path)
    header = devices(tmp_path, "spidev0.0", "spidev0.1", "gpiochip0")
    with socket.create_server(("127.0.0.1", 0)) as broker:
        folder.replace("port = 1883", f"port = {broker.getsockname()[1]}")
        findings = found(folder, bench.clock, header)
    assert wrong(findings) == set()
    assert {"edge.toml", "reader front-in", "reader front-out", "lines", "clock", "broker", "disk", "rules"} <= set(
        findings
    )
    assert "14.0 more days" in findings["rules"].said


@pytest.mark.parametrize(
    ("line", "consoles", "is_wrong"),
    [(14, "tty0 ttyS0\n", True), (15, "ttyAMA0 tty0\n", True), (14, "tty0\n", False), (14, "ttyAMA10\n", False),
     (5, "ttyS0\n", False), (14, None, False)],
)  # fmt: skip
def test_a_relay_on_a_line_on_which_the_console_writes_is_told(
    tmp_path: Path, line: int, consoles: str | None, is_wrong: bool
) -> None:
    folder, bench = ready(tmp_path)
    strike = next(spec for spec in bench.config.outputs if spec.name == "strike")
    folder.replace(f"line = {strike.line}", f"line = {line}")
    active = tmp_path / "active"
    if consoles is not None:
        active.write_text(consoles)
    told = [one for one in look(folder.config, bench.clock, tmp_path, active) if one.about == "console"]
    assert bool(told) is is_wrong
    assert all(f"strike (GPIO{line})" in one.said and "cmdline.txt" in one.remedy for one in told)


def test_each_thing_that_is_wrong_is_named(tmp_path: Path) -> None:
    folder, _ = ready(tmp_path)
    folder.replace("port = 1883", f"port = {free_port()}")
    (folder.config.parent / "journal.db.aside-1").touch()
    clock = VirtualClock(start=at(10) + 12 * DAY)
    clock.set(state=ClockState.UNKNOWN)
    findings = found(folder, clock, devices(tmp_path, "spidev0.1"))
    assert wrong(findings) == {"reader front-in", "lines", "clock", "broker", "journal", "rules"}
    assert findings["rules"].level is Level.LOOK
    assert "mosquitto" in findings["broker"].remedy
    clock.set(now=at(10) + 15 * DAY)
    assert found(folder, clock, tmp_path / "dev")["rules"].level is Level.WRONG


def test_a_new_edge_has_no_rules_and_a_mistake_in_its_file_is_all_that_is_said(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "site")
    bench = Bench(folder)
    bench.edge.storage.writer.close()
    assert "nobody gets in" in found(folder, VirtualClock(start=at(10)), tmp_path)["rules"].said
    folder.replace('site = "casaco"', 'site = "ca saco"')
    (only,) = look(folder.config, VirtualClock(start=at(10)), tmp_path)
    assert (only.about, only.level) == ("edge.toml", Level.WRONG)
    assert "use 1 to 64 letters" in only.said


@pytest.mark.parametrize(
    ("days", "level"), [(31, Level.WELL), (29, Level.LOOK), (-1, Level.WRONG)], ids=["later", "soon", "over"]
)
def test_a_certificate_is_told_of_before_it_ends(days: int, level: Level) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert certificate(Path("tls.crt"), now + timedelta(days=days), now).level is level


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert disk(tmp_path / "none").level is Level.WRONG
