"""On which line of the header does each signal go? The installer's own choice first, then where it usually is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge.hardware.lines import is_on_at_boot
from edge.setup.answers import Answers
from edge.setup.header import LINES, taken
from edge.tables import ConfigError

LAMP = {"in": (5, 6, 13), "out": (16, 20, 21)}
"""Green, red and buzzer of the reader outside, and of the one inside."""
USUAL = {"strike": 17, "contact": 22, "rex": 23, "fire": 24}


@dataclass(frozen=True, slots=True)
class Signal:
    """usual: its line while nobody wants another. at_rest: it must be off before any software runs, always for a relay;
    best for a buzzer."""

    name: str
    usual: int
    active_high: bool = True
    relay: bool = False
    at_rest: bool = False

    def suits(self, line: int) -> bool:
        """Whether it may be put on this line unasked."""
        return not (self.relay or self.at_rest) or not is_on_at_boot(line, self.active_high)


def sides(answers: Answers) -> tuple[str, ...]:
    """Where the door's readers are."""
    return ("in", "out")[: answers.door.readers]


def signals(answers: Answers) -> list[Signal]:
    """All that wants a line."""
    door = answers.door
    found = [Signal("strike", USUAL["strike"], door.relay_active_high, relay=True)]
    found += [Signal(name, USUAL[name]) for name in door.inputs]
    for side in sides(answers):
        green, red, buzzer = LAMP[side]
        if door.lamp:
            found += [Signal(f"{side}_green", green), Signal(f"{side}_red", red)]
        if door.buzzer:
            found.append(Signal(f"{side}_buzzer", buzzer, at_rest=True))
    return found


def plan(answers: Answers) -> dict[str, int]:
    """The line of each signal, in the order of `signals`. Raises ConfigError with all that cannot be."""
    wanted, chosen = signals(answers), answers.door.lines
    faults = list(_faults(answers, wanted))
    if faults:
        raise ConfigError("\n".join(f"{answers.file}: {fault}" for fault in faults))
    found = dict(chosen)
    left = [signal for signal in wanted if signal.name not in chosen]
    free = [line for line in LINES if line not in taken((0,), answers.in_use) and line not in chosen.values()]
    for group in ([each for each in left if each.relay], [each for each in left if not each.relay]):
        for signal, line in _put(group, free):
            if line is None:
                raise ConfigError(f"{answers.file}: no line is left for {signal.name}: leave something out")
            found[signal.name] = line
    return {signal.name: found[signal.name] for signal in wanted}


def _put(group: list[Signal], free: list[int]) -> Iterator[tuple[Signal, int | None]]:
    """Each signal with its line, which is free no more; None for none. Usual ones go before those that others took."""
    usual = [signal for signal in group if signal.usual in free and signal.suits(signal.usual)]
    for signal in usual:
        free.remove(signal.usual)
        yield signal, signal.usual
    for signal in group:
        if signal not in usual:
            line = next((line for line in free if signal.suits(line)), None)
            if line is not None:
                free.remove(line)
            yield signal, line


def _faults(answers: Answers, wanted: list[Signal]) -> Iterator[str]:
    """What is wrong with the lines that the installer chose."""
    uses: dict[int, str] = dict(taken((0,), answers.in_use))
    known: Mapping[str, Signal] = {signal.name: signal for signal in wanted}
    for name, line in answers.door.lines.items():
        said = f"door.{answers.door.name}.lines.{name} = {line}"
        signal = known.get(name)
        if signal is None:
            yield f"{said}: there is no such signal here; there are {', '.join(known)}"
        elif line in uses:
            yield f"{said}: {uses[line]} has that line; use a free one"
        elif signal.relay and is_on_at_boot(line, signal.active_high):
            level, lines = ("high", "9 to 27") if signal.active_high else ("low", "2 to 8")
            yield (
                f"{said}: that line is {level} from power-on until the edge runs, and this relay pulls then: "
                f"use a line from {lines}"
            )
        uses.setdefault(line, name)
