"""Is a reader on bad wires ever deaf without saying so? A round is half a minute of badges.

One badge after the other is laid on, each until it is read. A fault that was told counts as said until the reader
answers again.
"""

import logging
from collections import Counter
from random import Random
from typing import Any

from edge.events import CardSeen, ReaderFault, ReaderRecovered
from proofs.proof import BrokenError, Proof, Rounds, Task
from simulator.board import Board
from simulator.card import Card
from simulator.clock import VirtualClock
from simulator.load import load

ERRORS = 1e-3
"""Of all transfers so many have one wrong bit, in what is sent or in what comes back."""
SECONDS = 30.0
POLL_NS = 10_000_000
DEAF_FOR = 5.0
"""Seconds for which a reader may read nothing that lies on it, and say nothing of a fault (docs/operations.md)."""
PAUSE = (0.1, 1.5)
"""Seconds from one badge to the next."""


class NoisyBus:
    """As spidev, over bad wires. wrong: the bits turned over so far."""

    def __init__(self, inner: Any, luck: Random) -> None:
        self.wrong = 0
        self._inner = inner
        self._luck = luck

    def xfer2(self, sent: list[int]) -> list[int]:
        """A bit that is turned over in what is sent may name another register, or make a read of a write."""
        if self._luck.random() >= ERRORS:
            return list(self._inner.xfer2(sent))
        self.wrong += 1
        if self._luck.random() < 0.5:
            return list(self._inner.xfer2(self._turned(sent)))
        return self._turned(self._inner.xfer2(sent))

    def close(self) -> None:
        self._inner.close()

    def _turned(self, data: list[int]) -> list[int]:
        place = self._luck.randrange(len(data))
        return [*data[:place], data[place] ^ 1 << self._luck.randrange(8), *data[place + 1 :]]


class Bench:
    """A reader on bad wires and the hand that lays badges on. counted: what happened."""

    def __init__(self, luck: Random) -> None:
        self.counted: Counter[str] = Counter()
        self._luck = luck
        self._clock = VirtualClock()
        board = Board(self._clock)
        self._emulated = board.add_chip(0, 0)
        load(board)
        from edge.hardware.chip import Chip
        from edge.hardware.reader import MfrcReader

        chip: Any = Chip(self._clock)
        self._bus = chip.spi = NoisyBus(chip.spi, luck)
        self._reader = MfrcReader("in", chip, self._clock)
        self._card: Card | None = None
        self._next_at = self._silent_since = self._clock.monotonic()
        self._faulty = False

    def live(self) -> str | None:
        """What went wrong in half a minute; None for nothing."""
        end = self._clock.monotonic() + SECONDS
        wrong = None
        while wrong is None and (self._clock.monotonic() < end or self._card is not None):
            wrong = self._round()
            self._clock.advance(POLL_NS)
        self.counted["wrong bits"] = self._bus.wrong
        return wrong

    def _round(self) -> str | None:
        now = self._clock.monotonic()
        if self._card is None and now >= self._next_at:
            self._card, self._silent_since = Card(self._luck.randbytes(self._luck.choice((4, 7, 10)))), now
            self._emulated.field.lay(self._card)
        seen = self._reader.poll()
        if isinstance(seen, CardSeen):
            return self._seen(seen.uid)
        if isinstance(seen, ReaderFault | ReaderRecovered):
            self._faulty, self._silent_since = isinstance(seen, ReaderFault), now
            self.counted["faults"] += self._faulty
        if self._card is not None and not self._faulty and now - self._silent_since > DEAF_FOR:
            return f"badge {self._card.uid.hex()} lay there for {DEAF_FOR:.0f} s, was not read, and nothing was told"
        return None

    def _seen(self, uid: bytes) -> str | None:
        card, self._card = self._card, None
        if card is None or uid != card.uid:
            return f"badge {uid.hex()} was read and lay nowhere"
        self._emulated.field.take(card)
        self._next_at = self._clock.monotonic() + self._luck.uniform(*PAUSE)
        self.counted["badges"] += 1
        return None


def run(task: Task) -> Rounds:
    logging.disable(logging.WARNING)  # that the hardware is simulated is said at each start
    counted: Counter[str] = Counter()
    try:
        for done, number in enumerate(task.numbers, 1):
            bench = Bench(task.random(number))
            if wrong := bench.live():
                raise BrokenError(number, wrong)
            counted += bench.counted
            yield done
    finally:
        logging.disable(logging.NOTSET)
    told = f"{counted['wrong bits']} wrong bits, {counted['badges']} badges read, {counted['faults']} faults told"
    return f"{task.rounds} half minutes with {told}: 0 times deaf for {DEAF_FOR:.0f} s unreported"


PROOF = Proof("a reader on bad wires is never deaf unreported", "half minutes", ci=12, release=1200, run=run)
