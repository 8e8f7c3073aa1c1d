"""How long does an edge take to be ready to read, and how much memory? Beside a process that only imports its packages.

Both are whole processes, started in turns. The edge has the rules of 10,000 members on its disk.
"""

import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benches import decision
from benches.figure import Figures, figure
from benches.reader import door_folder
from policy.ruleset import Reader, RuleSet
from policy.terms import DAY, Direction

MEMBERS = 10_000
RUNS = 7
BARE = """
import sys
from simulator.board import Board
from simulator.load import load
load(Board())
import sqlite3, gpiozero, mfrc522, msgspec, paho.mqtt.client
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from benches.process import say_ready
say_ready()
"""
EDGE = """
import sys
from pathlib import Path
from benches.process import start_edge
start_edge(Path(sys.argv[1]))
"""


def figures() -> Figures:
    with tempfile.TemporaryDirectory(prefix="loquet-bench-") as folder:
        config = door_folder(Path(folder))
        put_rules(config)
        runs = [(started(EDGE, config), started(BARE, config)) for _ in range(RUNS)]
    (start, memory), (bare_start, bare_memory) = (
        [statistics.median(run[which][kind] for run in runs) for kind in (0, 1)] for which in (0, 1)
    )
    yield "edge_start", figure(start * 1000, "ms", bare_start * 1000)
    yield "edge_memory", figure(memory, "MB", bare_memory)


def started(script: str, config: Path) -> tuple[float, float]:
    """Seconds until a process says that it is ready, and the most memory that it had until then, MB."""
    began = time.perf_counter()
    command = [sys.executable, "-c", script, str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603
        said = process.stdout.readline() if process.stdout else ""
        seconds = time.perf_counter() - began
    if process.returncode != 0 or not said.strip():
        raise RuntimeError(f"the process to measure ended with {process.returncode} and said {said!r}")
    return seconds, int(said) / 1024


def say_ready() -> None:
    """Print the most memory that this process has had, kB."""
    status = Path("/proc/self/status").read_text()
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), flush=True)


def start_edge(file: Path) -> None:
    """In the process that is measured: everything that `loquet edge` does until its first look at the readers."""
    from edge.config import load
    from edge.start import compose
    from simulator.clock import VirtualClock
    from simulator.emulated_edge import emulated

    config = load(file)
    platform, _ = emulated(config, VirtualClock())
    edge = compose(config, platform)
    edge.turn()
    say_ready()
    edge.stop()


def put_rules(file: Path) -> None:
    """Give the edge its rules over the way that they take from the server."""
    from edge.config import load
    from edge.runtime import Edge
    from edge.work_items import Received
    from keys.keyring import Keyring
    from policy.instants import text
    from simulator.clock import VirtualClock
    from simulator.emulated_edge import emulated
    from wire.envelope import seal
    from wire.messages import Rules, encode
    from wire.ruleset import pack
    from wire.topics import Topics

    config, clock = load(file), VirtualClock()
    platform, _ = emulated(config, clock)
    edge = Edge(config, clock=clock, readers=platform.readers, pins=platform.pins())
    edge.turn()
    until = text(clock.now() + 14 * DAY)
    message = Rules(1, text(clock.now()), until, pack(many_members()))
    key = Keyring.open(file.parent / "keys").server_key
    topic = Topics(config.site).rules
    payload = seal(key, "server", topic, encode(message))
    edge.storage.handle([Received(topic, payload)])
    if edge.storage.rule_updates.held is None:
        raise RuntimeError("the edge refused the bench's rules")
    edge.stop()


def many_members() -> RuleSet:
    from msgspec.structs import replace

    rules, _ = decision.site(MEMBERS, random.Random(1))
    readers = {f"front-{way}": Reader("front", Direction(way), "front") for way in ("in", "out")}
    return replace(rules, site="casaco", readers=readers)
