"""`loquet edge --simulated --remote`: the demo's edge, with hardware and time in the hands of its parent process."""

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from edge.start import Platform, claim_pins, open_readers, serve
from simulator.board import Board
from simulator.load import load
from simulator.pace import Pace, PacedClock
from simulator.remote import Event, Ready, Remote, first_anchor, line
from simulator.watch import Watch

if TYPE_CHECKING:
    from edge.config import Config
    from edge.runtime import Edge


def serve_remote(config: "Config") -> None:
    """Serve until the parent closes our standard input. As edge.start.serve; ValueError without an anchor."""
    pace = Pace(first_anchor(sys.stdin.buffer))
    clock = PacedClock(pace)
    board = Board(clock)
    places = {name: (place.bus, place.device) for name, place in config.readers.items()}
    remote = Remote(board, pace, places, config.outputs, config.inputs, _tell)
    load(board)
    readers = open_readers(config.readers, config.spi_hz, clock)
    clock.fall_silent()
    platform = Platform(
        clock, readers, lambda: claim_pins(config), observer=Watch(_tell), real_timeout=clock.real_timeout
    )
    serve(config, platform, lambda edge: _listen(edge, remote, pace))


def _listen(edge: "Edge", remote: Remote, pace: Pace) -> None:
    """Obey the parent, in a thread; when it is gone, end."""

    def obey() -> None:
        try:
            remote.obey(sys.stdin.buffer)
        finally:
            pace.stop()
            os.kill(os.getpid(), signal.SIGTERM)

    pace.on_change(edge.wake)
    threading.Thread(target=obey, name="remote", daemon=True).start()
    _tell(Ready())


_one_at_a_time = threading.Lock()


def _tell(event: Event) -> None:
    """A line to the parent; when it is gone, nobody listens."""
    with _one_at_a_time, suppress(OSError, ValueError):
        sys.stdout.buffer.write(line(event))
        sys.stdout.buffer.flush()
