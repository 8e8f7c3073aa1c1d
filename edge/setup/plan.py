"""On which line of the header does each signal go? The installer's own choice first, then where it usually is."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from edge.config import CHIP_SELECTS
from edge.hardware.lines import is_on_at_boot
from edge.setup.answers import Answers, Place
from edge.setup.header import IN_USE, LINES, taken
from edge.tables import ConfigError

USUAL = {
    "door": {"strike": 17, "contact": 22, "rex": 23, "fire": 24},
    "machine": {"interlock": 17, "estop": 22, "green": 5, "red": 6, "buzzer": 13},
}
SIDES = {"in_": {"green": 5, "red": 6, "buzzer": 13}, "out_": {"green": 16, "red": 20, "buzzer": 21}}
"""Where a signal is while nobody else wants its line: firmware_config/edge-door.toml and edge-machine.toml."""


@dataclass(frozen=True, slots=True)
class Signal:
    """usual: its line if that is free. rests: it should be off before any software runs; a relay has to."""

    place: Place
    name: str
    usual: int
    active_high: bool = True
    relay: bool = False
    rests: bool = False

    @property
    def key(self) -> str:
        """Its name in the whole Pi."""
        return f"{self.place.where}.{self.name}"

    def suits(self, line: int) -> bool:
        """Whether it may be put on this line unasked."""
        return not self.rests or not is_on_at_boot(line, self.active_high)


def seats(answers: Answers) -> dict[str, tuple[int, int]]:
    """SPI bus and chip select of each reader."""
    free = [(bus, device) for bus, devices in CHIP_SELECTS.items() for device in range(devices)]
    return dict(zip((reader for place in answers.places for reader in place.readers), free, strict=False))


def signals(answers: Answers) -> list[Signal]:
    """All that wants a line."""
    return [signal for place in answers.places for signal in _signals(place)]


def _signals(place: Place) -> Iterator[Signal]:
    usual = USUAL[place.kind]
    yield Signal(place, place.relay, usual[place.relay], place.relay_active_high, relay=True, rests=True)
    yield from (Signal(place, name, usual[name]) for name in place.inputs)
    for prefix in place.readers.values():
        lamp = SIDES.get(prefix, usual)
        if place.lamp:
            yield from (Signal(place, f"{prefix}{colour}", lamp[colour]) for colour in ("green", "red"))
        if place.buzzer:
            yield Signal(place, f"{prefix}buzzer", lamp["buzzer"], rests=True)


def plan(answers: Answers) -> dict[str, int]:
    """The line of each signal by its key, in the order of `signals`. Raises ConfigError with all that cannot be."""
    wanted = signals(answers)
    held = taken((bus for bus, _ in seats(answers).values()), answers.in_use)
    faults = [f"{answers.file}: {fault}" for place in answers.places for fault in _unknown(place, wanted)]
    faults += [f"{answers.file}: {fault}" for fault in _faults(wanted, held)]
    if faults:
        raise ConfigError("\n".join(faults))
    found = {signal.key: line for signal, line in _chosen(wanted)}
    left = [signal for signal in wanted if signal.key not in found]
    free = [line for line in _by_worth() if line not in held and line not in found.values()]
    for group in ([each for each in left if each.relay], [each for each in left if not each.relay]):
        for signal, line in _put(group, free):
            if line is None:
                raise ConfigError(
                    f"{answers.file}: no line is left for {signal.key}: leave a buzzer, a lamp or an input out "
                    "(buzzer = false), or what else the header serves"
                )
            found[signal.key] = line
    return {signal.key: found[signal.key] for signal in wanted}


def _by_worth() -> list[int]:
    """Those that something else could want come last."""
    other = [line for _, lines in IN_USE.values() for line in lines]
    return [*(line for line in LINES if line not in other), *other]


def _chosen(wanted: Iterable[Signal]) -> Iterator[tuple[Signal, int]]:
    """The signals that the installer put on a line."""
    return ((signal, signal.place.lines[signal.name]) for signal in wanted if signal.name in signal.place.lines)


def _put(group: list[Signal], free: list[int]) -> Iterator[tuple[Signal, int | None]]:
    """Each signal with its line, which is free no more; None for none. Usual ones go before those that others took."""
    later = []
    for signal in group:
        if signal.usual in free and signal.suits(signal.usual):
            free.remove(signal.usual)
            yield signal, signal.usual
        else:
            later.append(signal)
    for signal in later:
        line = next((line for line in free if signal.suits(line)), None)
        if line is not None:
            free.remove(line)
        yield signal, line


def _unknown(place: Place, wanted: list[Signal]) -> Iterator[str]:
    known = [signal.name for signal in wanted if signal.place is place]
    for name, line in place.lines.items():
        if name not in known:
            yield f"{place.where}.lines.{name} = {line}: there is no such signal here; there are {', '.join(known)}"


def _faults(wanted: list[Signal], held: Mapping[int, str]) -> Iterator[str]:
    """What is wrong with the lines that the installer chose."""
    uses = dict(held)
    for signal, line in _chosen(wanted):
        said = f"{signal.place.where}.lines.{signal.name} = {line}"
        if line in uses:
            yield f"{said}: {uses[line]} has that line; use a free one"
        elif signal.relay and is_on_at_boot(line, signal.active_high):
            level, lines = ("high", "9 to 27") if signal.active_high else ("low", "2 to 8")
            yield (
                f"{said}: that line is {level} from power-on until the edge runs, and this relay pulls then: "
                f"use a line from {lines}"
            )
        uses.setdefault(line, signal.name)
