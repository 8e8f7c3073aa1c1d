"""Which badges lie on a reader, and which of them hear it?"""

from dataclasses import dataclass

from simulator.card import Answer, Card, Frame, State
from simulator.chip.radio import FC, FRAME_DELAY, GUARD, Bits, Noise, bits_until, card_frame, merge, ns
from simulator.classic import ClassicCard
from simulator.clock import VirtualClock


@dataclass(slots=True, eq=False)
class _Stay:
    """A card in the field, from when it has power until it is taken away or the field goes off (ns of virtual time)."""

    card: Card
    awake_at: int | None = None
    left_at: int | None = None


@dataclass(frozen=True, slots=True)
class Voice:
    """One card's answer on its way. start: ns of virtual time of its first bit."""

    stay: _Stay
    answer: Answer
    start: int

    @property
    def end(self) -> int:
        """When the last bit is over, ns."""
        return self.start + ns(card_frame(len(self.answer.bits), self.answer.split))

    def until(self, at: int) -> Bits:
        """The bits that have come in at this instant (ns), torn off where the card was taken away."""
        heard = at if self.stay.left_at is None else min(at, self.stay.left_at)
        if heard >= self.end:
            return self.answer.bits
        return self.answer.bits[: bits_until((heard - self.start) * FC // 1_000_000_000)]


class Field:
    """The magnetic field of one antenna and the cards laid into it. A card can come and go at any moment.

    noise: turns over bits of either direction when set.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self.noise: Noise | None = None
        self._clock = clock
        self._on = False
        self._stays: list[_Stay] = []
        self._deaf_until = 0

    @property
    def on(self) -> bool:
        """Whether the antenna is driven."""
        return self._on

    @property
    def cards(self) -> tuple[Card, ...]:
        """The cards that lie here, in the order in which they were laid."""
        return tuple(stay.card for stay in self._stays)

    def lay(self, card: Card) -> None:
        """Put a card on the reader. Raises ValueError when it lies there already."""
        with self._clock.lock:
            if card in self.cards:
                raise ValueError(f"{card!r} lies on this reader already; take it away first")
            self._stays.append(self._begin(card))

    def take(self, card: Card) -> None:
        """Take a card away, in the middle of a frame if need be. Raises ValueError when it does not lie here."""
        with self._clock.lock:
            stay = next((stay for stay in self._stays if stay.card is card), None)
            if stay is None:
                raise ValueError(f"{card!r} does not lie on this reader; lay it there first")
            self._stays.remove(stay)
            self._end(stay)

    def clear(self) -> None:
        """Take all cards away."""
        for card in self.cards:
            self.take(card)

    def switch(self, on: bool) -> None:
        """Drive the antenna, or stop: without a field every card loses its state."""
        if on == self._on:
            return
        self._on = on
        for stay in self._stays:
            self._end(stay)
        self._stays = [self._begin(stay.card) for stay in self._stays]

    def hear(self, frame: Frame, started: int) -> list[Voice]:
        """Let the cards take a frame that began then (ns) and ends now; their answers begin after the frame delay.

        A reader that speaks before the guard time is over is heard by nobody.
        """
        spoilt = Frame(self.spoil(frame.bits), frame.encrypted)
        start = self._clock.ns + ns(FRAME_DELAY)
        voices = []
        for stay in self._listeners(started):
            answer = stay.card.hear(spoilt)
            if answer is not None:
                voices.append(Voice(stay, answer, start))
        for voice in voices:
            self._deaf_until = max(self._deaf_until, voice.end + ns(GUARD))
        return voices

    def received(self, voices: list[Voice]) -> tuple[Bits, int | None]:
        """What has come in of these answers by now, and the index of the first collision."""
        streams = [voice.until(self._clock.ns) for voice in voices]
        bits, collision = merge([stream for stream in streams if stream])
        return self.spoil(bits), collision

    def challenge(self, block: int, started: int) -> ClassicCard | None:
        """The card that answers the first frame of a MIFARE authentication, begun then (ns)."""
        answering = [
            stay.card
            for stay in self._listeners(started)
            if isinstance(stay.card, ClassicCard) and stay.card.challenge(block)
        ]
        return answering[0] if answering else None

    def spoil(self, bits: Bits) -> Bits:
        """Bits after their way through the air."""
        return self.noise.spoil(bits) if self.noise else bits

    def _listeners(self, started: int) -> list[_Stay]:
        """Who has power at the start of a frame, woken."""
        if started < self._deaf_until:
            return []
        awake = [stay for stay in self._stays if stay.awake_at is not None and stay.awake_at <= started]
        for stay in awake:
            if stay.card.state is State.POWER_OFF:
                stay.card.power_on()
        return awake

    def _begin(self, card: Card) -> _Stay:
        return _Stay(card, awake_at=self._clock.ns + card.power_up_ns if self._on else None)

    def _end(self, stay: _Stay) -> None:
        stay.left_at = self._clock.ns
        stay.card.power_off()
