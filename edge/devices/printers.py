"""What does a printer's program say? OctoPrint, Moonraker and PrusaLink, each as one request and one reading of it.

Nothing of a job is read but whether there is one and how long it takes: no file's name, no user. What is not
understood is unknown, never idle: the power of an unknown printer is not cut. A printer is idle only once its bed has
cooled, where its program tells the heat.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from wire.messages import PrinterState

COOL = 45.0
"""°C of the bed below which a printer that does nothing is idle."""
LONGEST = 30 * 86_400
"""Seconds. A program that speaks of more has no idea."""


class Reading(NamedTuple):
    """left: seconds of the job, as the program guesses; None where it does not."""

    state: PrinterState
    left: int | None = None


class PrinterKind(NamedTuple):
    """path: what to ask for. read: raises msgspec.MsgspecError for what is no answer of this program."""

    path: str
    read: Callable[[bytes], Reading]


class Progress(Struct, frozen=True):
    printTimeLeft: float | None = None  # noqa: N815


class OctoPrint(Struct, frozen=True):
    """Of /api/job, which answers 200 without a printer, too. Its words may be followed by more: "Error: ..."."""

    state: str
    progress: Progress = Progress()


OCTOPRINT = {
    "Operational": PrinterState.IDLE,
    "Printing": PrinterState.PRINTING,
    "Starting": PrinterState.PRINTING,
    "Finishing": PrinterState.PRINTING,
    "Resuming": PrinterState.PRINTING,
    "Pausing": PrinterState.PAUSED,
    "Paused": PrinterState.PAUSED,
    "Cancelling": PrinterState.BUSY,
    "Transferring": PrinterState.BUSY,
    "Sending": PrinterState.BUSY,
}
"""By how it begins. Offline, Error, Detecting, Connecting and what is new are left out: it is not known then."""


def octoprint(body: bytes) -> Reading:
    said = msgspec.json.decode(body, type=OctoPrint)
    state = next((state for word, state in OCTOPRINT.items() if said.state.startswith(word)), PrinterState.UNKNOWN)
    return _reading(state, said.progress.printTimeLeft)


class Webhooks(Struct, frozen=True):
    state: str


class PrintStats(Struct, frozen=True):
    state: str
    print_duration: float = 0.0


class Card(Struct, frozen=True):
    progress: float = 0.0


class Idleness(Struct, frozen=True):
    state: str


class Bed(Struct, frozen=True):
    temperature: float | None = None


class Objects(Struct, frozen=True):
    """print_stats stays at standby for a print that is streamed to Klipper: idle_timeout knows of it."""

    webhooks: Webhooks
    print_stats: PrintStats
    idle_timeout: Idleness
    virtual_sdcard: Card = Card()
    heater_bed: Bed = Bed()


class Status(Struct, frozen=True):
    status: Objects


class Moonraker(Struct, frozen=True):
    result: Status


MOONRAKER = {
    "standby": PrinterState.IDLE,
    "printing": PrinterState.PRINTING,
    "paused": PrinterState.PAUSED,
    "complete": PrinterState.IDLE,
    "cancelled": PrinterState.IDLE,
    "error": PrinterState.IDLE,
}
"""After a print its end stays there until the next: it is a state, no news."""


def moonraker(body: bytes) -> Reading:
    said = msgspec.json.decode(body, type=Moonraker).result.status
    state = MOONRAKER.get(said.print_stats.state, PrinterState.UNKNOWN)
    if said.webhooks.state != "ready":
        state = PrinterState.UNKNOWN
    elif state is PrinterState.IDLE and said.idle_timeout.state == "Printing":
        state = PrinterState.BUSY
    done, spent = said.virtual_sdcard.progress, said.print_stats.print_duration
    return _reading(state, spent / done - spent if 0 < done <= 1 else None, said.heater_bed.temperature)


class Head(Struct, frozen=True):
    state: str
    temp_bed: float | None = None


class Job(Struct, frozen=True):
    time_remaining: float | None = None


class PrusaLink(Struct, frozen=True):
    printer: Head
    job: Job = Job()


PRUSALINK = {
    "IDLE": PrinterState.IDLE,
    "READY": PrinterState.IDLE,
    "FINISHED": PrinterState.IDLE,
    "STOPPED": PrinterState.IDLE,
    "BUSY": PrinterState.BUSY,
    "PRINTING": PrinterState.PRINTING,
    "PAUSED": PrinterState.PAUSED,
    "ATTENTION": PrinterState.PAUSED,
}
"""ATTENTION waits for a hand in the middle of a print. ERROR is left out: of one that went wrong nothing is sure."""


def prusalink(body: bytes) -> Reading:
    said = msgspec.json.decode(body, type=PrusaLink)
    state = PRUSALINK.get(said.printer.state, PrinterState.UNKNOWN)
    return _reading(state, said.job.time_remaining, said.printer.temp_bed)


def _reading(state: PrinterState, left: float | None, bed: float | None = None) -> Reading:
    if state is PrinterState.IDLE and bed is not None and bed >= COOL:
        state = PrinterState.BUSY
    has_job = state in (PrinterState.PRINTING, PrinterState.PAUSED)
    return Reading(state, int(left) if has_job and left is not None and 0 <= left <= LONGEST else None)


ASKED = (
    "webhooks=state&print_stats=state,print_duration&idle_timeout=state&virtual_sdcard=progress&heater_bed=temperature"
)

KINDS: Mapping[str, PrinterKind] = {
    "octoprint": PrinterKind("/api/job", octoprint),
    "moonraker": PrinterKind(f"/printer/objects/query?{ASKED}", moonraker),
    "prusalink": PrinterKind("/api/v1/status", prusalink),
}


def read(kind: str, body: bytes) -> Reading:
    """What an answer says. Raises ValueError, in English and with nothing of the answer, for what is none."""
    try:
        return KINDS[kind].read(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ValueError(f"its answer is none of {kind}'s ({type(error).__name__}): {_shape(body)}") from None


def _shape(body: bytes) -> str:
    """What came instead, without quoting it."""
    start: Any = body[:200].lstrip().lower()
    if not start:
        return "nothing came"
    return "a web page came" if start.startswith((b"<!doctype", b"<html")) else f"{len(body)} bytes came"
