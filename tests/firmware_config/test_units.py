"""Does systemd take our units, do they expose as little as promised, and may the edge still do what it has to?"""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).parents[2] / "firmware_config"
UNITS = sorted(FIRMWARE.glob("*.service"))
EXPOSURE = 2.5
"""`systemd-analyze security` says so much at most."""
NEEDED = {"ioctl", "poll", "futex", "fdatasync", "connect", "adjtimex", "clock_adjtime", "clock_adjtime64"}
"""Among what an edge calls: header and readers, its threads, its journal, its link, whether its clock is steered."""
REFUSED = {"clock_settime", "settimeofday", "reboot", "mount", "init_module", "setuid", "chroot", "bpf"}


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


def named(unit: Path) -> str:
    return unit.name


@cache
def members(group: str) -> frozenset[str]:
    """The system calls of a group, those of groups in it as well."""
    lines = [line.strip() for line in analyze("syscall-filter", group).stdout.splitlines()[1:]]
    calls = [line for line in lines if line and not line.startswith("#")]
    return frozenset().union(*(members(call) if call.startswith("@") else {call} for call in calls))


def allowed(unit: str) -> set[str]:
    """What the lines of a unit leave, in their order, as systemd.exec(5) says."""
    found: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.+)$", unit, re.MULTILINE):
        calls = frozenset().union(
            *(members(word) if word.startswith("@") else {word} for word in line.removeprefix("~").split())
        )
        found = found - calls if line.startswith("~") else found | calls
    return found


@pytest.mark.parametrize("unit", UNITS, ids=named)
def test_systemd_takes_the_unit(unit: Path, tmp_path: Path) -> None:
    """With programs that are there: /opt/loquet is not, nor is SQLite's shell on every machine."""
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text("utf-8"), flags=re.MULTILINE)
    (tmp_path / unit.name).write_text(text, "utf-8")
    ended = analyze("verify", str(tmp_path / unit.name))
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")
    (tmp_path / unit.name).write_text(text.replace("NoNewPrivileges", "NoNewPrivilege"), "utf-8")
    ended = analyze("verify", str(tmp_path / unit.name))
    assert "NoNewPrivilege" in ended.stdout + ended.stderr


@pytest.mark.parametrize("timer", sorted(FIRMWARE.glob("*.timer")), ids=named)
def test_systemd_takes_the_timer_and_what_it_starts_is_there(timer: Path, tmp_path: Path) -> None:
    assert timer.with_suffix(".service") in UNITS
    (when,) = re.findall(r"^OnCalendar=(.+)$", timer.read_text("utf-8"), re.MULTILINE)
    assert analyze("calendar", when).returncode == 0
    for unit in (timer, timer.with_suffix(".service")):
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text("utf-8"), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text, "utf-8")
    ended = analyze("verify", str(tmp_path / timer.name))
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=named)
def test_a_unit_exposes_little(unit: Path, tmp_path: Path) -> None:
    words = ("security", "--offline=true", f"--threshold={round(EXPOSURE * 10)}")
    ended = analyze(*words, str(unit))
    assert ended.returncode == 0, ended.stdout
    bare = tmp_path / unit.name
    bare.write_text(re.sub(r"^(Restrict|System|Protect|Capab).*\n", "", unit.read_text("utf-8"), flags=re.MULTILINE))
    assert analyze(*words, str(bare)).returncode != 0


def test_an_edge_may_ask_its_clock_and_reach_its_header_and_sets_no_clock() -> None:
    unit = (FIRMWARE / "loquet-edge.service").read_text("utf-8")
    calls = allowed(unit)
    assert calls >= NEEDED
    assert not REFUSED & calls
    settings = set(re.findall(r"^(\w+)=yes$", unit, re.MULTILINE))
    assert not settings & {"PrivateDevices", "ProtectClock", "MemoryDenyWriteExecute"}
    assert "ProcSubset" not in unit  # the kernel's id of a boot, and the model of the Pi
