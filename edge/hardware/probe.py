"""What an installer runs first: does each reader answer, and what does it read of the badges laid on it?"""

from collections.abc import Sequence
from typing import TextIO

from edge.events import CardsCollided, CardSeen, CardUnreadable, ReaderFault, ReaderRecovered, Sighting
from edge.hardware.reader import MfrcReader
from edge.hardware.settings import VERSIONS
from edge.ports import Clock

POLL_SECONDS = 0.01


def probe(readers: Sequence[MfrcReader], clock: Clock, out: TextIO, seconds: float | None = None) -> bool:
    """Say what each reader's chip is, then what is laid on the readers, until Ctrl-C or for so many seconds.

    Returns whether every reader answered at the start. Closing the readers stays with the caller.
    """
    well = [introduce(reader, out) for reader in readers]
    print("Lay badges on, one after the other. Ctrl-C ends.", file=out, flush=True)
    end = None if seconds is None else clock.monotonic() + seconds
    try:
        while end is None or clock.monotonic() < end:
            _round(readers, out)
            clock.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        print("Ended.", file=out)
    return all(well)


def introduce(reader: MfrcReader, out: TextIO) -> bool:
    """Print the chip of one reader, or what is wrong with it and what to look at. Returns whether it is well."""
    why = reader.chip.health()
    if why:
        print(f"{reader.name}: FAULT: {why}", file=out)
        return False
    version = reader.chip.version()
    chip = VERSIONS.get(version, "a chip that is not known here, taken as it is")
    print(f"{reader.name}: {chip} (VersionReg {version:02X})", file=out)
    return True


def describe(sighting: Sighting) -> str | None:
    """One line about what happened at a reader; None for what an installer need not know."""
    match sighting:
        case CardSeen():
            number = f"UID {sighting.uid.hex(' ').upper()} ({len(sighting.uid)} bytes), SAK {sighting.sak:02X}"
            return f"{sighting.reader}: {number}, {sighting.transfers} transfers, {sighting.seconds * 1000:.2f} ms"
        case CardUnreadable():
            return f"{sighting.reader}: something answers and cannot be read: lay it flat on the reader, alone"
        case CardsCollided():
            return f"{sighting.reader}: two badges or more at once: none is read"
        case ReaderFault():
            return f"{sighting.reader}: FAULT: {sighting.why}"
        case ReaderRecovered():
            return f"{sighting.reader}: answers again"
    return None


def _round(readers: Sequence[MfrcReader], out: TextIO) -> None:
    for reader in readers:
        sighting = reader.poll()
        line = describe(sighting) if sighting else None
        if line:
            print(line, file=out, flush=True)
