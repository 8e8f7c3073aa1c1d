"""systemd hears of an edge only while its control loop goes round, and readers and inputs are looked at."""

import re
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from edge.events import Event
from edge.hardware.clock import SystemClock
from edge.observer import Nobody, Telling
from edge.runtime import LONGEST, Edge
from edge.watchdog import Watchdog
from loquet.versions.machine import HEARD
from simulator.pins import SimulatedPins
from tests.support_edge import SAMPLE, make_folder
from tests.support_machine import fab_config

UNIT = SAMPLE.with_name("loquet-edge.service").read_text()


@pytest.mark.parametrize("name", ["{folder}/notify", "@loquet-{folder}"])
def test_it_is_said_where_systemd_listens(tmp_path: Path, name: str) -> None:
    written = name.format(folder=tmp_path)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)) as systemd:
        systemd.bind(written.replace("@", "\0", 1))
        Watchdog({"NOTIFY_SOCKET": written}).feed()
        assert systemd.recv(100).split(b"\n") == [b"READY=1", b"WATCHDOG=1"], "as sd_notify(3) has them"
        Watchdog({}).feed()
        with pytest.raises(BlockingIOError):
            systemd.recv(100)


def test_what_the_server_has_is_said_as_well_as_it_is_passed_on(tmp_path: Path) -> None:
    """`loquet update` takes an edge for one that answers by that."""
    written, heard = str(tmp_path / "notify"), Heard()
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)) as systemd:
        systemd.bind(written)
        Telling(heard, Watchdog({"NOTIFY_SOCKET": written}).answered).acknowledged(7, 0.5)
        told = systemd.recv(100).decode().removeprefix("STATUS=")
    assert told == "the server has all up to row 7"
    assert told.startswith(HEARD)
    assert heard.rows == [(7, 0.5)]


class Heard(Nobody):
    """An observer that notes what the server has."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, float]] = []

    def acknowledged(self, seq: int, seconds: float) -> None:
        self.rows.append((seq, seconds))


def test_a_systemd_that_does_not_listen_holds_nobody_up(tmp_path: Path) -> None:
    Watchdog({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).feed()


def test_a_systemd_that_is_busy_holds_nobody_up(tmp_path: Path) -> None:
    written = str(tmp_path / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.bind(written)
        with suppress(BlockingIOError):
            while True:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as other:
                    other.sendto(b"more than it reads", written)
        loop = threading.Thread(target=Watchdog({"NOTIFY_SOCKET": written}).feed, daemon=True)
        loop.start()
        loop.join(10)
        assert not loop.is_alive(), "the control loop waits"


def falls_silent(fed: SimpleQueue[None]) -> bool:
    """Whether nothing comes any more: of a loop that goes round something would, each LONGEST."""
    with suppress(Empty):
        for _ in range(100):
            fed.get(timeout=2 * LONGEST)
        return False
    return True


@pytest.mark.parametrize("part", ["control loop", "readers or inputs"])
def test_an_edge_of_which_a_part_hangs_says_nothing_more_while_all_else_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Where the poller hangs an emergency stop would stay as it was read last, and nobody be told."""
    config, clock = fab_config(make_folder(tmp_path / "site")), SystemClock()
    fed: SimpleQueue[None] = SimpleQueue()
    hangs, goes_on = threading.Event(), threading.Event()
    pins = SimulatedPins(config.outputs, config.inputs, clock)
    edge = Edge(config, clock=clock, readers=(), pins=pins, feed=lambda: fed.put(None))
    handle, sample = edge.control.handle, pins.sample

    def hang() -> None:
        if hangs.is_set():
            goes_on.wait()

    def hanging_handle(events: Sequence[Event]) -> None:
        handle(events)
        hang()

    def hanging_sample() -> Mapping[str, bool]:
        hang()
        return sample()

    if part == "control loop":
        monkeypatch.setattr(edge.control, "handle", hanging_handle)
    else:
        monkeypatch.setattr(pins, "sample", hanging_sample)
    edge.start()
    try:
        for _ in range(3):
            fed.get(timeout=10)
        hangs.set()
        assert falls_silent(fed)
    finally:
        goes_on.set()
        edge.stop()


def test_the_service_ends_an_edge_that_hangs_within_fifteen_seconds_and_leaves_it_time_to_start() -> None:
    (kind,) = re.findall(r"^Type=(\w+)$", UNIT, re.MULTILINE)
    (seconds,) = re.findall(r"^WatchdogSec=(\d+)$", UNIT, re.MULTILINE)
    (start,) = re.findall(r"^TimeoutStartSec=(\d+)$", UNIT, re.MULTILINE)
    assert kind == "notify", "it is watched from its first word on, not while it reads its journal"
    assert "WatchdogSignal=SIGKILL\n" in UNIT, "whoever hangs cannot be asked: TimeoutStopSec would be waited for"
    assert LONGEST * 3 < int(seconds) <= 10
    assert int(start) >= 120
