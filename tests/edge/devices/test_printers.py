"""What printers' programs say, asked over real sockets: understood, or unknown; never idle by mistake."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.devices import http
from edge.devices.http import NoAnswerError, get
from edge.devices.printers import KINDS, Reading, read
from edge.devices.watch import LONGEST, PERIOD, PrinterSetup, PrinterWatch
from edge.events import PrinterSaid
from simulator.clock import VirtualClock
from simulator.printer_program import KEY, PrinterProgram
from tests.support_site import at
from wire.messages import PrinterState


@pytest.fixture(params=tuple(KINDS))
def program(request: pytest.FixtureRequest) -> Iterator[PrinterProgram]:
    made = PrinterProgram(request.param)
    yield made
    made.close()


def watch(program: PrinterProgram) -> tuple[PrinterWatch, list[PrinterSaid], VirtualClock]:
    said: list[PrinterSaid] = []
    clock = VirtualClock(start=at(14))
    return PrinterWatch(PrinterSetup("mk4", program.kind, program.address), clock, said.append), said, clock


@pytest.mark.parametrize("state", tuple(PrinterState))
def test_every_program_says_each_state(program: PrinterProgram, state: PrinterState) -> None:
    has_job = state in (PrinterState.PRINTING, PrinterState.PAUSED)
    program.state, program.left = state, 3600 if has_job else None
    asked, said, _ = watch(program)
    assert asked.look() == PERIOD
    (word,) = said
    assert (word.name, word.program, word.state, word.why) == ("mk4.printer", program.kind, state, None)
    assert (word.left is not None and abs(word.left - 3600) <= 1) is has_job


def test_no_file_and_no_user_of_a_job_is_kept(program: PrinterProgram) -> None:
    program.state, program.left = PrinterState.PRINTING, 60
    asked, said, _ = watch(program)
    asked.look()
    assert "gcode" not in repr(said)
    assert "maker" not in repr(said)


OK = b"HTTP/1.0 200 OK\r\n\r\n"
NO_ANSWERS = {
    "409": (b"HTTP/1.0 409 Conflict\r\n\r\n", "answers 409"),
    "moved": (b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "answers 302"),
    "a page": (OK + b"<!DOCTYPE html><title>Log in</title>", "a web page came"),
    "nothing": (b"", ""),
    "no body": (OK, "nothing came"),
    "no HTTP": (b"ok T:21.3 /0.0\n\n", "not HTTP"),
    "another program": (OK + b'{"text": "OctoPrint 1.11.8"}', "28 bytes came"),
    "a list": (OK + b"[]", "2 bytes came"),
    "no number": (OK + b'{"state": "Printing", "progress": {"printTimeLeft": NaN}}', "bytes came"),
    "huge": (OK + b" " * (http.MOST + 1) + b'{"state": "Operational"}', "more than 65536 bytes"),
    "nested": (OK + b'{"state":' * 5000, "bytes came"),
}


@pytest.mark.parametrize("case", NO_ANSWERS)
def test_whatever_else_is_answered_is_unknown_and_says_why(program: PrinterProgram, case: str) -> None:
    program.raw, wanted = NO_ANSWERS[case]
    asked, said, _ = watch(program)
    asked.look()
    (word,) = said
    assert (word.state, word.left) == (PrinterState.UNKNOWN, None)
    assert wanted in (word.why or "")
    assert word.why
    assert KEY not in repr(said)


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.0 200 OK\r\n", OK + b'{"state": '])
def test_one_that_never_ends_its_answer_is_left_in_time(begun: bytes) -> None:
    program = PrinterProgram("octoprint")
    program.raw, program.hangs = begun, True
    try:
        with pytest.raises(NoAnswerError, match="no whole answer within"):
            get(program.address, "/api/job", answer=0.1)
    finally:
        program.close()


@pytest.mark.parametrize(
    "challenge", ["Digest realm=", 'Digest realm="", nonce=', "Digest", 'Digest realm="a", algorithm=X']
)
def test_a_challenge_that_nobody_can_read_is_no_answer(challenge: str) -> None:
    """Else the thread that asks would end with it, and nobody would know of the printer any more."""
    program = PrinterProgram("prusalink")
    program.raw = b"HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: " + challenge.encode() + b"\r\n\r\n"
    asked, said, _ = watch(program)
    try:
        asked.look()
    finally:
        program.close()
    assert [(word.state, bool(word.why)) for word in said] == [(PrinterState.UNKNOWN, True)]


def test_a_program_that_is_not_there_and_one_that_wants_another_key() -> None:
    program = PrinterProgram("moonraker")
    stranger = http.Address("127.0.0.1", program.address.port, key="another")
    with pytest.raises(NoAnswerError, match="answers 403: see that its key is right"):
        get(stranger, "/printer/objects/query")
    assert "another" not in repr(stranger)
    program.close()
    with pytest.raises(NoAnswerError, match="Connection refused"):
        get(stranger, "/printer/objects/query")


def test_silence_is_dated_by_the_last_answer_and_asked_after_less_often(program: PrinterProgram) -> None:
    asked, said, clock = watch(program)
    asked.look()
    program.raw = b""
    pauses = []
    for _ in range(6):
        clock.advance(10**9 * 60)
        pauses.append(asked.look())
    assert pauses == [10, 20, 40, LONGEST, LONGEST, LONGEST]
    assert {word.since for word in said[1:]} == {at(14)}
    program.raw = None
    clock.advance(10**9 * 60)
    assert asked.look() == PERIOD
    assert (said[-1].state, said[-1].since) == (PrinterState.IDLE, at(14, 7))


def test_it_is_asked_until_the_edge_stops(program: PrinterProgram) -> None:
    asked, said, _ = watch(program)
    stopping = threading.Event()
    stopping.set()
    asked.run(stopping, lambda _: 0.0)
    assert len(said) == 1


def test_it_is_asked_at_the_pace_of_the_edge_s_clock(program: PrinterProgram) -> None:
    """A demo's hour may take a minute: a word that is asked for in real seconds would be old before it comes."""
    asked, said, clock = watch(program)
    stopping = threading.Event()

    def a_second_later(_: float) -> float:
        clock.advance(10**9)
        if len(said) == 3:
            stopping.set()
        return 0.0

    asked.run(stopping, a_second_later)
    assert [word.mono for word in said] == [0, PERIOD, 2 * PERIOD]


@pytest.mark.parametrize("broken", [MemoryError(), RuntimeError(KEY), RecursionError()])
def test_a_mistake_of_ours_in_one_reading_is_no_answer_and_ends_no_watch(
    program: PrinterProgram, monkeypatch: pytest.MonkeyPatch, broken: Exception
) -> None:
    """It ended the thread, and the last word grew old with nobody to ask for another."""

    def stumble(*_: object) -> bytes:
        raise broken

    asked, said, _ = watch(program)
    with monkeypatch.context() as patched:
        patched.setattr(http, "get", stumble)
        assert asked.look() == 2 * PERIOD
    assert (said[0].state, KEY in repr(said)) == (PrinterState.UNKNOWN, False)
    assert f"{type(broken).__name__} in stumble" in (said[0].why or "")
    assert asked.look() == PERIOD
    assert said[1].state is PrinterState.IDLE


WORDS = {
    "octoprint": (
        ("Printing from SD", PrinterState.PRINTING),
        ("Transferring file to printer", PrinterState.BUSY),
        ("Error: Failed to autodetect serial port", PrinterState.UNKNOWN),
        ("Offline", PrinterState.UNKNOWN),
        ("Connecting", PrinterState.UNKNOWN),
        ("En ligne", PrinterState.UNKNOWN),
    ),
}


@pytest.mark.parametrize(("word", "state"), WORDS["octoprint"])
def test_words_of_octoprint_count_by_how_they_begin(word: str, state: PrinterState) -> None:
    assert read("octoprint", b'{"state": "%s"}' % word.encode()) == Reading(state)


def test_klipper_that_prints_what_is_streamed_to_it_is_not_idle() -> None:
    body = (
        b'{"result": {"status": {"webhooks": {"state": "ready"}, "print_stats": {"state": "standby"},'
        b' "idle_timeout": {"state": "Printing"}}}}'
    )
    assert read("moonraker", body) == Reading(PrinterState.BUSY)


def test_a_bed_that_is_hot_is_not_idle_yet() -> None:
    assert read("prusalink", b'{"printer": {"state": "FINISHED", "temp_bed": 45.0}}') == Reading(PrinterState.BUSY)
    assert read("prusalink", b'{"printer": {"state": "FINISHED", "temp_bed": 44.9}}') == Reading(PrinterState.IDLE)


RECORDED = json.loads(Path(__file__).with_name("octoprint.json").read_text())["said"]
"""What the real OctoPrint answered with its virtual printer: tools/octoprint, which `make proof` runs."""


@pytest.mark.parametrize("moment", RECORDED)
def test_what_the_real_octoprint_answered_is_read_right(moment: str) -> None:
    recorded = RECORDED[moment]
    assert read("octoprint", json.dumps(recorded["answer"]).encode()).state is PrinterState(recorded["state"])


def test_the_real_one_s_guess_of_the_time_left_is_read() -> None:
    answer = RECORDED["printing"]["answer"]
    assert read("octoprint", json.dumps(answer).encode()).left == answer["progress"]["printTimeLeft"]


def test_the_double_answers_in_the_shape_of_the_real_one() -> None:
    program = PrinterProgram("octoprint", PrinterState.PRINTING, left=60)
    double = json.loads(get(program.address, KINDS["octoprint"].path))
    program.close()
    real = RECORDED["printing"]["answer"]
    assert double.keys() <= real.keys()
    assert all(double[part].keys() <= real[part].keys() for part in ("job", "progress"))
    assert double["job"]["file"].keys() <= real["job"]["file"].keys()
