"""The demo's world for tests: an edge that only remembers what it was told, a cable, and people on a Tuesday."""

import threading
from collections.abc import Callable, Mapping
from datetime import date

from simulator.demo import agreed, casaco
from simulator.demo.printer import DemoPrinter
from simulator.demo.world import World
from simulator.pace import SPEEDS, Anchor, Pace
from simulator.remote import Command, Event, Follow

TUESDAY = date(2026, 11, 24)
BUNDLE = agreed.story(casaco.bundle(TUESDAY), TUESDAY)
NIGHT = 1795490400000
"""04:20 in Paris that day: nobody comes before seven."""
NOON = 1795518000000 + 25 * 60_000


class FakeEdge:
    """Remembers what it was told; `says` is how it talks back."""

    def __init__(self) -> None:
        self.log: list[Command | str] = []

    def start(self, anchor: Anchor) -> None:
        self.log.append("on" if anchor.speed in SPEEDS else "nonsense")

    def send(self, command: Command) -> None:
        self.log.append(command)

    def cut(self) -> None:
        self.log.append("cut")

    def stop(self) -> None:
        self.log.append("stop")

    @property
    def told(self) -> list[Command]:
        return [entry for entry in self.log if not isinstance(entry, str | Follow)]


class FakeLink:
    plugged = True

    def plug(self) -> None:
        self.plugged = True

    def unplug(self) -> None:
        self.plugged = False


class Site:
    def __init__(self, at: int, printers: Mapping[str, DemoPrinter] | None = None, *, again: bool = False) -> None:
        self.pace = Pace.starting(at, 0)
        self.edge = FakeEdge()
        self.world = World(BUNDLE, 1, self.pace, FakeLink(), printers, again=again)
        self.workshop = FakeEdge()
        self.world.start(self.edge, self.workshop)

    def do(self, *acts: Callable[[World], object]) -> None:
        """Have these things done, and wait until they are."""
        for act in (*acts, lambda _: None):
            done = threading.Event()
            self.world.call(lambda act=act, done=done: (act(self.world), done.set()))
            assert done.wait(5.0), "the world is stuck"

    def says(self, *events: Event) -> None:
        """The edge says something, and the world has heard it."""
        for event in events:
            self.world.hear(event)
        self.do()
