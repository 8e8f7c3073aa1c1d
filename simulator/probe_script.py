"""What `loquet edge --probe` finds on the emulator, where nobody is there to lay badges on."""

from functools import partial

from simulator.card import Card
from simulator.clock import VirtualClock
from simulator.field import Field

SECOND_NS = 1_000_000_000

FOUR = (bytes.fromhex("5ea1c0de"), 0x08)
SEVEN = (bytes.fromhex("04a1b2c3d4e5f6"), 0x20)
TEN = (bytes.fromhex("04a1b2c3d4e5f60718c9"), 0x20)

TURNS = ((FOUR,), (SEVEN,), (TEN,), (FOUR, SEVEN))
"""Number and SAK of the badges laid on, turn by turn: one of each length, then two at once."""


def lay_by_itself(field: Field, clock: VirtualClock) -> float:
    """Have the badges laid on, each for a second, a second apart. Returns after how many seconds it is over."""
    start = clock.ns + SECOND_NS // 2
    for turn, badges in enumerate(TURNS):
        at = start + 2 * turn * SECOND_NS
        for uid, sak in badges:
            clock.at(at, partial(field.lay, Card(uid, sak)))
        clock.at(at + SECOND_NS, field.clear)
    return 0.5 + 2 * len(TURNS)
