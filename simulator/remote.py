"""How does the demo reach into the simulated Pi of an edge? By lines of JSON on its standard input and output.

The edge's process holds the board; its parent lays badges on it, moves its contacts and pulls its plugs, and hears what
its outputs do and what was decided. When the parent is gone, so is the edge.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, TypeAlias

import msgspec
from msgspec import Struct

from edge.hardware.lines import InputSpec, OutputSpec
from policy.terms import Instant
from simulator.board import Board
from simulator.card import Card
from simulator.lines import Change
from simulator.mfrc522 import Fault
from simulator.pace import Anchor, Pace


class Follow(Struct, frozen=True, tag="follow"):
    """Time passes like this from now on. The first command of all."""

    anchor: Anchor


class Lay(Struct, frozen=True, tag="lay"):
    """Lay a badge on a reader. uid: hex."""

    reader: str
    uid: str


class Take(Struct, frozen=True, tag="take"):
    reader: str
    uid: str


class Move(Struct, frozen=True, tag="move"):
    """An input of the door moves: contact, rex or fire."""

    input: str
    active: bool


class Plug(Struct, frozen=True, tag="plug"):
    """Plug a reader's cable in, or pull it out."""

    reader: str
    plugged: bool


Command: TypeAlias = Follow | Lay | Take | Move | Plug


class Output(Struct, frozen=True, tag="output"):
    """An output of the edge moved. at: ms since 1970 UTC."""

    at: Instant
    name: str
    active: bool


class Stages(Struct, frozen=True, tag="stages", omit_defaults=True):
    """How far a tap has come, and how many seconds each stage took.

    at: of the sighting, RFC 3339. seq: its row in the journal, 0 when the journal takes no more. credential: its keyed
    hash. chip: time of the emulated chip, bus and radio; the others are measured on this machine, each from the stage
    before. None: not there yet.
    """

    at: str
    reader: str
    seq: int
    granted: bool
    reason: str
    member: str | None = None
    credential: str | None = None
    transfers: int = 0
    chip: float = 0.0
    decision: float = 0.0
    actuator: float = 0.0
    journal: float | None = None
    server: float | None = None


class Ready(Struct, frozen=True, tag="ready"):
    """The edge serves: whoever lays a badge on is answered."""


Event: TypeAlias = Output | Stages | Ready

_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_encoder = msgspec.json.Encoder()


def line(message: Command | Event) -> bytes:
    """One message as a line."""
    return _encoder.encode(message) + b"\n"


def command(written: bytes) -> Command:
    """Raises msgspec.MsgspecError."""
    return _commands.decode(written)


def event(written: bytes) -> Event:
    """Raises msgspec.MsgspecError."""
    return _events.decode(written)


class Remote:
    """The end inside the edge's process."""

    def __init__(
        self,
        board: Board,
        pace: Pace,
        readers: Mapping[str, tuple[int, int]],
        outputs: Sequence[OutputSpec],
        inputs: Sequence[InputSpec],
        tell: Callable[[Event], object],
    ) -> None:
        """readers: SPI bus and chip select by name; their chips are put on the board here. tell: takes every event."""
        self._board = board
        self._pace = pace
        self._tell = tell
        self._chips = {name: board.add_chip(*place) for name, place in readers.items()}
        self._cards: dict[tuple[str, str], Card] = {}
        self._outputs = {spec.line: spec for spec in outputs}
        self._levels = {spec.line: not spec.active_high for spec in outputs}
        self._inputs = {spec.name: spec for spec in inputs}
        for name in self._inputs:
            self._move(Move(name, False))
        board.subscribe(self._changed)

    def obey(self, commands: Iterable[bytes]) -> None:
        """Carry out commands until they end: then the parent is gone. Raises msgspec.MsgspecError for anything else."""
        for written in commands:
            self.do(command(written))

    def do(self, wish: Command) -> None:
        """Carry out one command. Raises KeyError for a reader or an input that this edge has not."""
        ACTS[type(wish)](self, wish)
        self._pace.stir()

    def _follow(self, wish: Follow) -> None:
        self._pace.follow(wish.anchor)

    def _lay(self, wish: Lay) -> None:
        key = (wish.reader, wish.uid)
        if key not in self._cards:
            self._cards[key] = Card(bytes.fromhex(wish.uid))
            self._chips[wish.reader].field.lay(self._cards[key])

    def _take(self, wish: Take) -> None:
        card = self._cards.pop((wish.reader, wish.uid), None)
        if card is not None:
            self._chips[wish.reader].field.take(card)

    def _move(self, wish: Move) -> None:
        spec = self._inputs[wish.input]
        self._board.drive(spec.line, int(wish.active != spec.active_low))

    def _plug(self, wish: Plug) -> None:
        self._chips[wish.reader].fault = Fault.NONE if wish.plugged else Fault.DEAD_LOW

    def _changed(self, change: Change) -> None:
        """A line of the board moved: tell it when it is an output that is now in another state."""
        spec = self._outputs.get(change.line)
        if spec is None or not change.output:
            return
        if self._levels[change.line] != bool(change.level):
            self._levels[change.line] = bool(change.level)
            self._tell(Output(self._pace.now(), spec.name, bool(change.level) == spec.active_high))


ACTS: dict[type[Command], Callable[[Remote, Command], None]] = {
    Follow: Remote._follow,  # type: ignore[dict-item]
    Lay: Remote._lay,  # type: ignore[dict-item]
    Take: Remote._take,  # type: ignore[dict-item]
    Move: Remote._move,  # type: ignore[dict-item]
    Plug: Remote._plug,  # type: ignore[dict-item]
}


def first_anchor(commands: IO[bytes]) -> Anchor:
    """The anchor with which the parent starts the conversation. Raises ValueError when it begins otherwise."""
    first = command(commands.readline())
    if not isinstance(first, Follow):
        raise ValueError(f"{type(first).__name__.lower()}: the first command must be follow, with the anchor of time")
    return first.anchor
