"""The demo's edge: `loquet edge --simulated --remote` as a process of its own, whose power can be cut for real."""

import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from simulator import remote
from simulator.pace import Anchor

PATIENCE = 10.0
"""Seconds for an edge to end by itself."""


class EdgeProcess:
    """Starts, kills and starts again. hear: takes every event, in a thread of this object's own."""

    def __init__(self, config: Path, log: Path, hear: Callable[[remote.Event], object]) -> None:
        """config: its edge.toml. log: where its standard error goes, appended."""
        self._config = config
        self._log = log
        self._hear = hear
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._listener: threading.Thread | None = None

    @property
    def broken_down(self) -> bool:
        """Whether it has ended though nobody cut its power."""
        process = self._process
        return process is not None and process.poll() is not None

    def start(self, anchor: Anchor) -> None:
        """Power on. The terminal's Ctrl-C does not reach it: its parent ends it."""
        command = [sys.executable, "-m", "loquet", "edge", "--config", str(self._config), "--simulated", "--remote"]
        with self._log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 (our own module, a path of our own)
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        self._process = process
        self._listener = threading.Thread(target=self._listen, args=(process,), name="edge events", daemon=True)
        self._listener.start()
        self.send(remote.Follow(anchor))

    def send(self, command: remote.Command) -> None:
        """Give it a command; nothing happens when it has no power."""
        process = self._process
        if process is None or process.stdin is None:
            return
        with self._lock, suppress(OSError, ValueError):
            process.stdin.write(remote.line(command))
            process.stdin.flush()

    def cut(self) -> None:
        """Cut its power: SIGKILL, nothing is said to it before. What it had told by then is heard."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if self._listener is not None:
                self._listener.join(PATIENCE)
            _close(process)

    def stop(self) -> None:
        """Let it end by itself, as systemd would; cut its power when it does not."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _close(process)

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(ValueError):  # closed under our hands
            for written in process.stdout or ():
                with suppress(msgspec.MsgspecError):
                    self._hear(remote.event(written))


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
