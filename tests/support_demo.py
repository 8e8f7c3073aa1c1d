"""A running demo for tests: its process, what it printed, and how to end it."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from simulator.loopback import free_port

ROOT = Path(__file__).parent.parent
TUESDAY = date(2026, 11, 24)
PATIENCE = 60.0


@dataclass
class Demo:
    process: subprocess.Popen[str]
    folder: Path
    port: int
    printed: str

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def said(self, what: str) -> str:
        """What was printed beside a word: Login, Password, API token."""
        found = re.search(rf"^  {what}\s+(\S+)$", self.printed, re.MULTILINE)
        assert found is not None, self.printed
        return found[1]

    def end(self) -> str:
        """Ctrl-C; what it still printed."""
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=PATIENCE)[0]

    @property
    def state(self) -> dict[str, object]:
        state: dict[str, object] = json.loads((self.folder / "state.json").read_text())
        return state


def local(hour: int, minute: int = 0) -> int:
    """An instant of the Tuesday, ms since 1970 UTC; hours of Paris."""
    moment = datetime(TUESDAY.year, TUESDAY.month, TUESDAY.day, hour, minute, tzinfo=ZoneInfo("Europe/Paris"))
    return round(moment.timestamp() * 1000)


def set_time(folder: Path, now: int, speed: int = 1) -> None:
    """Have the demo begin at this instant."""
    folder.mkdir(mode=0o700, exist_ok=True)
    state = {"start": TUESDAY.isoformat(), "seed": 148, "now": now, "speed": speed}
    (folder / "state.json").write_text(json.dumps(state))


@contextmanager
def running_demo(folder: Path, *options: str, port: int = 0) -> Iterator[Demo]:
    """A demo that has printed its address; killed at the end unless it has ended before."""
    port = port or free_port()
    command = [sys.executable, "-m", "loquet", "demo", "--dir", str(folder), "--port", str(port), *options]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=subprocess.STDOUT, text=True)
    try:
        yield Demo(process, folder, port, _printed(process))
    finally:
        process.kill()
        process.communicate()


def _printed(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if "Ctrl-C ends the demo" in line:
            return printed
    raise AssertionError(f"the demo did not start:\n{printed}")
