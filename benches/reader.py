"""What does reading a badge cost, and how soon does the strike move? On the emulated chip, in its virtual time.

SPI at 10 MHz, 20 µs a transfer, 80 µs to wake a thread, both readers of a door polled at 100 Hz: these are assumptions,
the same on every machine. Only the decision and the call that moves the pin are this machine's, and they are added.
"""

import random
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benches.figure import Figures, figure
from edge.observer import Nobody
from policy.ruleset import Credential, Ground, Member, Reader, RuleSet, Tier
from policy.terms import DAY, Direction
from simulator.board import Board
from simulator.card import Card
from simulator.chip.radio import FRAME_DELAY, GUARD, card_frame, ns, reader_frame
from simulator.clock import VirtualClock
from simulator.load import load
from wire.row import Row

if TYPE_CHECKING:
    from edge.runtime import Edge

UID4, UID7 = bytes.fromhex("5ea1c0de"), bytes.fromhex("04a1b2c3d4e5f6")
POLL_NS = 10_000_000
ENTRIES = 150
STRIKE_SECONDS = 5.0
"""As in the demo's edge.toml."""
POWER_UP_NS = (1_000_000, 5_000_000)
FRAMES = {"empty": 1, "uid4": 3, "uid7": 5}
"""Frames that must cross the air: the request, and for each cascade level an anticollision and a SELECT."""
TRANSFERS_A_FRAME = 2
"""No driver does it in fewer: one transfer to send a frame, one to fetch what came back."""


def figures() -> Figures:
    for name, transfers, seconds, radio in single_reads():
        yield f"spi_{name}", figure(transfers, "transfers", TRANSFERS_A_FRAME * FRAMES[name])
        if name != "empty":
            yield f"read_{name}", figure(seconds * 1000, "ms", radio * 1000)
    delays, floors = entries()
    for name, pick in (("mean", statistics.fmean), ("worst", max)):
        yield f"field_to_strike_{name}", figure(pick(delays) * 1000, "ms", pick(floors) * 1000)


def radio_seconds(levels: int) -> float:
    """Time in the air of REQA and, for each cascade level, anticollision and SELECT, with the least pauses between."""
    request = reader_frame(7) + FRAME_DELAY + card_frame(16)
    anticollision = reader_frame(16) + FRAME_DELAY + card_frame(40)
    select = reader_frame(72) + FRAME_DELAY + card_frame(24)
    return ns(request + levels * (anticollision + select + 2 * GUARD)) / 1e9


def single_reads() -> Iterator[tuple[str, int, float, float]]:
    """(name, SPI transfers, seconds, seconds in the air) of a poll that finds nothing, and of two badges."""
    clock = VirtualClock()
    board = Board(clock)
    chips = {device: board.add_chip(0, device) for device in (0, 1)}
    load(board)
    from edge.events import CardSeen
    from edge.hardware.chip import Chip
    from edge.hardware.reader import MfrcReader

    for device, (name, uid, levels) in enumerate((("uid4", UID4, 1), ("uid7", UID7, 2))):
        reader = MfrcReader("bench", Chip(clock, 0, device), clock)
        reader.poll()
        before, started = chips[device].transfers, clock.monotonic()
        reader.poll()
        if device == 0:
            yield "empty", chips[device].transfers - before, clock.monotonic() - started, 0.0
        card = Card(uid)
        chips[device].field.lay(card)
        clock.advance(card.power_up_ns)
        seen = reader.poll()
        if not isinstance(seen, CardSeen) or seen.uid != uid:
            raise RuntimeError(f"the reader saw {seen} instead of {uid.hex()}")
        yield name, seen.transfers, seen.seconds, radio_seconds(levels)


def entries() -> tuple[list[float], list[float]]:
    """Seconds from a 7-byte badge entering the field at any moment to the strike's pin; and the least possible.

    A badge needs 1 to 5 ms in the field before it can answer (ISO 14443-3 allows 5); that and its frames are the floor.
    """
    watch = Watch()
    with door(watch) as (edge, board, clock):
        draw, delays, floors = random.Random(7), [], []
        field, strike = board.chip(0, 0).field, next(spec for spec in edge.config.outputs if spec.name == "strike")
        moved: list[int] = []
        board.subscribe(lambda change: moved.append(clock.ns) if change.line == strike.line else None)
        for _ in range(ENTRIES):
            entered = clock.ns + draw.randrange(10 * POLL_NS)
            card = Card(UID7, power_up_ns=draw.randrange(*POWER_UP_NS))
            clock.at(entered, partial(field.lay, card))
            moved.clear()
            while not moved:
                turn(edge, clock)
            field.take(card)
            delays.append((moved[0] - entered) / 1e9 + watch.seconds)
            floors.append(card.power_up_ns / 1e9 + radio_seconds(2))
            pass_time(edge, clock, STRIKE_SECONDS + 0.2)
    return delays, floors


def turn(edge: "Edge", clock: VirtualClock) -> None:
    """One round at 100 Hz."""
    began = clock.ns
    edge.turn()
    clock.advance_to(began + POLL_NS)


def pass_time(edge: "Edge", clock: VirtualClock, seconds: float) -> None:
    """Let the strike fall back and the reader see that its field is empty, in few rounds."""
    for _ in range(10):
        turn(edge, clock)
    clock.advance(round(seconds * 1e9))
    turn(edge, clock)


class Watch(Nobody):
    """An observer that keeps what the controller and the pins took for the last tap, in real seconds."""

    seconds = 0.0

    def decided(
        self, row: Row, chip_seconds: float, chip_transfers: int, decision_seconds: float, actuator_seconds: float
    ) -> None:
        self.seconds = decision_seconds + actuator_seconds


@contextmanager
def door(watch: Watch) -> Iterator[tuple["Edge", Board, VirtualClock]]:
    """The demo's door on an emulated Pi, with rules that let the bench's badge in at any time."""
    from edge.config import load as load_config
    from edge.events import RulesSwapped
    from edge.held import HeldRules
    from edge.runtime import Edge
    from simulator.emulated_edge import emulated
    from wire.credential import pseudonym

    with tempfile.TemporaryDirectory(prefix="loquet-bench-") as folder:
        config = load_config(door_folder(Path(folder)))
        clock = VirtualClock()
        platform, board = emulated(config, clock)
        edge = Edge(config, clock=clock, readers=platform.readers, pins=platform.pins(), observer=watch)
        edge.turn()
        badge = pseudonym(config.keys.credential, UID7)
        held = HeldRules(1, "", clock.now() + 14 * DAY, open_rules(badge))
        edge.control.handle([RulesSwapped(clock.now(), clock.monotonic(), held)])
        try:
            yield edge, board, clock
        finally:
            edge.stop()


def door_folder(folder: Path) -> Path:
    """Keys and the edge.toml of the demo's door in a folder; the path of the latter."""
    from simulator.demo.folder import EDGE

    return edge_folder(folder, EDGE)


def edge_folder(folder: Path, edge: str) -> Path:
    """The same of one of the demo's edges."""
    from keys.keyring import Keyring
    from keys.secret_files import make_password
    from simulator.demo.folder import edge_toml

    Keyring.ensure(folder / "keys", "casaco", edge)
    make_password(folder / "keys" / f"{edge}.password")
    file = folder / "edge.toml"
    file.write_text(edge_toml(edge, 1883), "utf-8")
    return file


def open_rules(credential: str) -> RuleSet:
    """One member, who may come in at any time."""
    return RuleSet(
        site="casaco",
        dates=("1970-01-01",),
        days=(0,),
        splits=(DAY // 2,),
        staffed=(),
        tiers={"resident": Tier((Ground.ALWAYS,))},
        members={"member": Member("resident")},
        credentials={credential: Credential("member")},
        shifts={},
        readers={"front-in": Reader("front", Direction.IN, "front")},
        edges={},
    )
