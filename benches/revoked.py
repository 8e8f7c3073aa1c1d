"""How long from `loquet keys revoke` until a stolen edge is out? Real command, mosquitto over TLS and server process.

What the command tells its user to do follows at once, as if by a script: a broker that is restarted reads its folder,
the edge's lines leave server.toml, the server is restarted. The clock runs until an honest edge, whose link broke
meanwhile, goes by rules without the stolen edge's key; the stolen edge hears nothing from the broker's restart on.
Carrying files by hand is not in it. The floor is the broker's restart, until it listens.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from benches.bare_edge import BareEdge
from benches.disk import bench_folder
from benches.figure import Figures, figure
from benches.hop import PATIENCE, await_rules, edge_broker
from edge.config import Config, load
from edge.link import Link
from edge.work_items import LinkDown, LinkUp, Received, WorkItem
from policy.ruleset import RuleSet
from proofs.killed import Killed, Part
from proofs.mosquitto import program
from wire.topics import Topics

STOLEN = "garage"


def figures() -> Figures:
    program()  # else nothing is measured
    with bench_folder() as folder:
        ours, restart = revoked(folder / "site")
    yield "revoked_edge", figure(ours, "s", restart)


def revoked(folder: Path) -> tuple[float, float]:
    """Seconds until it is out, and of these for the broker's restart. Raises AssertionError when it still hears."""
    site = Killed(folder, lambda event: None, others=(STOLEN,))
    config = load(folder / "edge.toml")
    thief = _Thief(folder, config)
    honest = BareEdge(config, lambda event: None)
    try:
        site.start(Part.BROKER)
        site.start(Part.SERVER)
        honest.start()
        thief.link.start()
        _await(honest, lambda rules: STOLEN in rules.edges)
        thief.next(Received)
        seconds, restart = _revoke(site, thief, honest)
        thief.next(LinkUp, LinkDown)
        await_rules(config)  # whoever came before was served before
        thief.has_heard_nothing()
        return seconds, restart
    finally:
        thief.link.stop()
        honest.stop()
        for part in Part:
            site.kill(part)


def _revoke(site: Killed, thief: "_Thief", honest: BareEdge) -> tuple[float, float]:
    started = time.monotonic()
    command = [sys.executable, "-m", "loquet", "keys", "revoke", str(site.folder / "keys"), STOLEN]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    before = time.monotonic()
    site.kill(Part.BROKER)
    site.start(Part.BROKER)
    restart = time.monotonic() - before
    thief.next(LinkDown)
    site.kill(Part.SERVER)
    site.write_server_toml()
    site.start(Part.SERVER)
    _await(honest, lambda rules: STOLEN not in rules.edges)
    return time.monotonic() - started, restart


def _await(edge: BareEdge, wanted: Callable[[RuleSet], bool]) -> None:
    """Until such rules are in force there."""
    end = time.monotonic() + PATIENCE
    while (held := edge.controller.core.held) is None or not wanted(held.rules):
        if time.monotonic() > end:
            raise TimeoutError(f"rules that are expected do not come: {held and held.version} are in force")
        edge.turn()


class _Thief:
    """Whoever has a copy of the stolen edge's keys, and listens."""

    def __init__(self, folder: Path, config: Config) -> None:
        shutil.copytree(folder / "keys" / "edges" / STOLEN, folder / "copied")
        topics = Topics(config.site)
        self._items: SimpleQueue[WorkItem] = SimpleQueue()
        broker = edge_broker(folder / "copied", config.broker.port, STOLEN)
        self.link = Link(broker, STOLEN, (topics.rules,), lambda: (topics.status(STOLEN), b"gone"), self._items.put)

    def next(self, *kinds: type[WorkItem]) -> None:
        """Take what came up to one of these. Raises queue.Empty when none comes."""
        while not isinstance(self._items.get(timeout=PATIENCE), kinds):
            pass

    def has_heard_nothing(self) -> None:
        """Since then. Raises AssertionError."""
        while not self._items.empty():
            if isinstance(self._items.get(), Received):
                raise AssertionError("the revoked edge still hears what the server says: the figure would be false")
