"""Is a machine's power gone in time? Its edge dies, hangs, loses its clock, a sensor or its disk while somebody works.

A round is one session on an edge that may ail already, and one reason for its end. Power is read from the trace of the
interlock's own line.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from random import Random

from console.errors import CommandError
from edge.machine import SAME_TAP_MS
from policy.terms import DAY, ClockState
from proofs.folders import passing_folder
from proofs.powered import Files, Part, Powered, quick_collections
from proofs.proof import BrokenError, LossError, Proof, Rounds, Task, quietly
from simulator.disk import Disk
from simulator.vfs import StaticSqliteError, installed

SOON, HANGS = 1.0, 15.0
"""Seconds in which the power must be gone; HANGS where an edge hangs that has no monostable."""
OF_ITSELF = 3.0
"""Seconds by which a session's end may be late: a clock that is set by two is not noticed (edge/core.py)."""
AFTERWARDS = 2.0
"""Seconds for which it must stay off, and again after a new start."""


class Ailment(Enum):
    """What the edge suffers from before the session has to end."""

    NONE = "nothing"
    CLOCK = "its clock"
    SENSOR = "a sensor"
    DISK = "its disk"


class End(Enum):
    """Why the session has to end."""

    KILLED = "killed"
    HANGS = "hung"
    STOP = "stopped"
    BADGE = "badge"
    UNTIL = "until"
    LOCKED_OUT = "locked out"


@dataclass(frozen=True, slots=True)
class Story:
    """One round as it was drawn. post: whether outputs.conf is there, without which only a monostable helps."""

    ailment: Ailment
    end: End
    pulse: bool
    strict: bool

    @property
    def within(self) -> float:
        if self.end is End.UNTIL:
            return OF_ITSELF
        return HANGS if self.end is End.HANGS and not self.pulse else SOON

    def __str__(self) -> str:
        monostable = "with" if self.pulse else "without"
        return f"{self.end.value}, {monostable} a monostable, suffering from {self.ailment.value}"


def run(task: Task) -> Rounds:
    slowest: dict[str, float] = {}
    ends: Counter[str] = Counter()
    with quietly(), passing_folder("power-off") as folder, quick_collections():
        made = Files(Path(folder))
        for done, number in enumerate(task.numbers, 1):
            luck = task.random(number)
            story = _drawn(luck)
            try:
                took = play(made, story, luck)
            except LossError as loss:
                raise BrokenError(number, f"{story}: {loss}") from None
            except StaticSqliteError as error:
                raise CommandError(str(error)) from None
            kind = f"{story.end.value}{' with a monostable' if story.pulse and story.end is End.HANGS else ''}"
            slowest[kind] = max(slowest.get(kind, 0.0), took)
            ends[kind] += 1
            yield done
    told = ", ".join(f"{kind} {ends[kind]} ({slowest[kind]:.1f} s)" for kind in sorted(ends))
    return f"{task.rounds} sessions, how many ended by what, and after how long the power was gone at most: {told}"


def _drawn(luck: Random) -> Story:
    ailment, end = luck.choice(list(Ailment)), luck.choice(list(End))
    return Story(ailment, end, pulse=luck.random() < 0.5, strict=luck.random() < 0.5)


def play(made: Files, story: Story, luck: Random) -> float:
    """How many seconds the power was there after the end. Raises LossError."""
    disk = Disk()
    with (
        installed(disk, luck) as mount,
        closing(Powered(made, disk, mount, pulse=story.pulse, strict=story.strict)) as machine,
    ):
        ahead = luck.uniform(5.0, 8.0) if story.end is End.UNTIL else DAY / 1000
        machine.book(ahead)
        until = machine.clock.monotonic() + ahead
        machine.start()
        machine.live(0.1)
        _begin(machine)
        machine.live(luck.uniform(0.1, 1.5))
        AILMENTS[story.ailment](machine, luck, story.end)
        machine.live(luck.uniform(0.1, 1.0))
        _must(machine.has_power, "the session ended by that alone")
        at = _ended(machine, story, until, luck)
        took = _off_after(machine, at, story.within)
        _stays_off(machine)
        return took


def _begin(machine: Powered) -> None:
    _must(not machine.spans(), "it had power before anybody came")
    machine.tap()
    machine.live(0.2)
    _must(machine.has_power, "a session begins and gives no power: nothing would be shown")


def _ended(machine: Powered, story: Story, until: float, luck: Random) -> float:
    """Bring the end about; when it came, monotonic seconds."""
    if story.end is End.KILLED:
        machine.live(0.01, dies_after=luck.choice(list(Part)))
    elif story.end is End.HANGS:
        machine.hung |= luck.choice([{Part.POLLER}, {Part.CONTROL}, {Part.POLLER, Part.CONTROL}])
    elif story.end is End.STOP:
        machine.press(True)
    elif story.end is End.BADGE:
        machine.live(SAME_TAP_MS / 1000)
        at = machine.clock.monotonic()
        machine.tap()
        return at
    elif story.end is End.LOCKED_OUT:
        machine.lock_out()
    else:
        return until
    return machine.clock.monotonic()


def _off_after(machine: Powered, at: float, within: float) -> float:
    while machine.has_power:
        machine.live(0.05)
        _must(machine.clock.monotonic() <= at + within + 0.05, f"{within:g} s later it still has power")
    took = machine.spans()[-1][1] / 1e9 - at
    _must(took <= within, f"its power was gone after {took:.2f} s only, not within {within:g} s")
    return took


def _stays_off(machine: Powered) -> None:
    """Neither what is left of the edge, nor a new start, nor the stop's button raised, gives it power again."""
    known = machine.spans()
    machine.live(AFTERWARDS)
    machine.kill()
    machine.disk.full.clear()
    machine.clock.set(state=ClockState.SYNCED)
    machine.live(0.5)
    machine.press(False)
    machine.start()
    machine.live(AFTERWARDS)
    _must(machine.spans() == known, "its power came back by itself")


def _must(holds: bool, said: str) -> None:
    if not holds:
        raise LossError(said)


# What ails the edge


def _clock_fails(machine: Powered, luck: Random, _: End) -> None:
    """It is set, or nobody can believe it any more."""
    if luck.random() < 0.3:
        machine.clock.set(state=ClockState.UNKNOWN)
        return
    far = luck.choice((3_000, 60_000, 3_600_000))
    machine.clock.set(now=machine.clock.now() + luck.choice((-1, 1)) * round(far * luck.uniform(1, 20)))


def _sensor_fails(machine: Powered, luck: Random, end: End) -> None:
    """The reader is silent (then no badge can end it), or the stop's contact flutters."""
    if end is not End.BADGE and luck.random() < 0.5:
        machine.reader.fault("silent")
        return
    for _ in range(luck.randint(10, 60)):
        machine.press(True)
        machine.live(0.01)
        machine.press(False)
        machine.live(0.01)


def _disk_fails(machine: Powered, luck: Random, _: End) -> None:
    """It is full, or answers no more."""
    if luck.random() < 0.5:
        machine.fill_disk()
    else:
        machine.hung.add(Part.DISK)


AILMENTS: dict[Ailment, Callable[[Powered, Random, End], None]] = {
    Ailment.NONE: lambda machine, luck, end: None,
    Ailment.CLOCK: _clock_fails,
    Ailment.SENSOR: _sensor_fails,
    Ailment.DISK: _disk_fails,
}

PROOF = Proof(
    "whatever becomes of its edge, a machine's power is gone in time and stays away",
    "sessions that had to end",
    ci=200,
    release=10_000,
    run=run,
)
