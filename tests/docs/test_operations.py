"""Does the lamp do what docs/operations.md says? Each refusal stands in its family's row, each signal has a row."""

import re
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

import pytest

from edge import patterns
from edge.patterns import AMBER, DARK, GREEN, OF_FAMILY, RED, Signal
from loquet.server import CHECKS, EXPORT, ORDERS
from policy.reasons import Family, Reason, family
from tests.docs.test_docs import read
from wire.facts import DOOR_GRANTS

PAGE = read("docs/operations.md")
GRANTS = DOOR_GRANTS | {Reason.SESSION_ENDED, Reason.MACHINE_RESET, Reason.BOOKING, Reason.WALK_UP}

WORDS = {
    Reason.LOCKDOWN: "lockdown",
    Reason.UNKNOWN_CREDENTIAL: "Unknown badge",
    Reason.CREDENTIAL_BLOCKED: "blocked badge",
    Reason.MEMBER_SUSPENDED: "suspended member",
    Reason.MEMBERSHIP_NOT_VALID: "no membership on this day",
    Reason.NOT_ALLOWED_HERE: "not this door",
    Reason.RULES_STALE: "rules too old or none yet",
    Reason.CLOCK_UNTRUSTED: "clock lost",
    Reason.ALREADY_INSIDE: "inside already",
    Reason.OUTSIDE_HOURS: "Closed for this plan",
    Reason.PASS_EXHAUSTED: "carnet used up",
    Reason.SITE_FULL: "place full",
    Reason.MACHINE_LOCKED_OUT: "out of service",
    Reason.MACHINE_BUSY: "in use by another",
    Reason.NOT_CERTIFIED: "no training",
    Reason.CERTIFICATION_EXPIRED: "training out of date",
    Reason.NOT_INSIDE: "not checked in at the door",
    Reason.OUTSIDE_MACHINE_HOURS: "outside the machine’s hours",
    Reason.COMPANION_REQUIRED: "company needed",
    Reason.BOOKED_BY_OTHER: "booked by another",
    Reason.QUOTA_EXHAUSTED: "quota used up",
}
"""What the table calls each reason that refuses."""

LIGHTS = {
    "granted": "green, two and a half seconds",
    "see_desk": "red, two seconds",
    "not_now": "red twice, then red",
    "call_gardien": "amber four times, then amber",
    "CARNET_LOW": "green, then one short amber",
    "PEOPLE_INSIDE": "green, then a short amber for each who is left",
    "CLOSING_SOON": "amber three times, slowly",
    "CLOSED": "two long greens, then green",
    "TWO_CARDS": "red three times, then green three times",
    "TRY_AGAIN": "red twice, then green twice, slowly",
    "LAY_HERE": "amber and green by turns, over and over",
    "ENROLLED": "green three times, quickly",
    "SOUND": "green eight times, then red eight times",
    "READER_FAULT": "red blinks twice, over and over",
    "NO_RULES": "amber flash every two seconds",
    "DOOR_HELD": "amber, steadily, at a door",
    "DOOR_FORCED": "amber blinks for ten seconds, at the outside reader only",
    "MACHINE_ON": "green, steadily, at a machine",
    "MACHINE_ENDS_SOON": "green and amber by turns, at a machine",
    "MACHINE_OVERRUN": "amber, steadily, at a machine",
    "MACHINE_STOPPED": "red, half a second on and off, at a machine",
    "MACHINE_LOCKED_OUT": "red with a short gap, at a machine",
}
"""How the table describes each signal of edge/patterns.py."""

OFTEN = {"twice": 2, "three times": 3, "four times": 4, "eight times": 8}
COLOURS = {"green": GREEN, "red": RED, "amber": AMBER}
TIMES = {1: "one", 2: "two", 3: "three", 4: "four", 16: "sixteen", 20: "twenty"}
EVERY = {1: "second", 2: "two seconds", 5: "five seconds"}
LASTS = {"two and a half seconds": 2.5, "two seconds": 2.0, "ten seconds": 10.0}
LONG = 0.5
"""Seconds from which a beep is a long one."""


class Row(NamedTuple):
    lamp: str
    sound: str
    means: str
    remedy: str


def rows() -> dict[str, Row]:
    """The rows of the table, by what the lamp does."""
    head = "| lamp | sound | means | who does what |\n| --- | --- | --- | --- |\n"
    table = PAGE.partition(head)[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    return {lamp: Row(lamp, *others) for lamp, *others in cells}


def signals() -> dict[str, Signal]:
    """Every signal that a lamp can give."""
    named = {name: value for name, value in vars(patterns).items() if isinstance(value, Signal)}
    return named | {str(which): signal for which, signal in OF_FAMILY.items()}


def sound(signal: Signal) -> str:
    """A signal's sound as the table puts it."""
    beeps = [seconds for seconds, levels in signal.frames if levels.buzzer]
    if not beeps:
        return "silent"
    if signal.repeats:
        return f"a beep every {EVERY[round(signal.seconds / len(beeps))]}"
    if len(beeps) == 1:
        return f"one {'long' if beeps[0] > LONG else 'short'} beep"
    return f"{TIMES[len(beeps)]} beeps"


def test_each_refusal_stands_in_the_row_of_its_family_and_in_no_other() -> None:
    assert set(WORDS) == set(Reason) - GRANTS, "each reason that refuses has its words"
    of_family = {which: rows()[LIGHTS[which]].means for which in Family}
    found = {reason: [f for f, means in of_family.items() if words in means] for reason, words in WORDS.items()}
    assert found == {reason: [family(False, reason)] for reason in WORDS}


def test_each_signal_has_its_row_and_each_row_its_signal() -> None:
    assert set(LIGHTS) == set(signals())
    assert set(rows()) == {*LIGHTS.values(), "dark"}


@pytest.mark.parametrize("name", LIGHTS)
def test_a_row_says_the_colours_the_seconds_and_the_sound_of_its_signal(name: str) -> None:
    signal, row = signals()[name], rows()[LIGHTS[name]]
    shown = {levels._replace(buzzer=False) for _, levels in signal.frames} - {DARK}
    assert {COLOURS[word] for word in COLOURS if re.search(rf"\b{word}\b", row.lamp)} == shown
    assert [round(signal.seconds, 3)] * sum(words in row.lamp for words in LASTS) == [
        seconds for words, seconds in LASTS.items() if words in row.lamp
    ]
    assert row.sound == sound(signal)


def blinks(signal: Signal) -> dict[str, int]:
    """How often each colour comes up out of the dark."""
    return Counter(
        colour
        for colour, levels in COLOURS.items()
        for (_, before), (_, shown) in pairwise(((0.0, DARK), *signal.frames))
        if shown._replace(buzzer=False) == levels and before == DARK
    )


@pytest.mark.parametrize("name", [name for name in LIGHTS if re.search(r"\b(twice|times)\b", LIGHTS[name])])
def test_a_row_says_how_often_it_blinks(name: str) -> None:
    said = re.findall(
        r"(green|red|amber) (?:blinks )?(twice|\w+ times)(, then (?:red|amber)$)?", rows()[LIGHTS[name]].lamp
    )
    steady = {colour for colour, _, then in said if then.endswith(colour)}
    assert {colour: OFTEN[often] + (colour in steady) for colour, often, _ in said} == blinks(signals()[name])


def test_rows_say_how_a_machine_blinks() -> None:
    (on, lit), (off, dark) = patterns.MACHINE_STOPPED.frames
    assert (on, lit, off, dark) == (0.5, RED, 0.5, DARK), "red, half a second on and off"
    (on, lit), (off, dark) = patterns.MACHINE_LOCKED_OUT.frames
    assert (lit, dark, off < on / 10) == (RED, DARK, True), "red with a short gap"
    (_, lit), (off, dark) = patterns.NO_RULES.frames
    assert (lit, dark, patterns.NO_RULES.seconds, off > 1.5) == (AMBER, DARK, 2, True), "amber flash every two seconds"


def test_every_order_is_told() -> None:
    told = re.findall(r"^    sudo loquet server (\S+)", PAGE, re.MULTILINE)
    assert set(told) == {*ORDERS, *(check.split()[0] for check in CHECKS), EXPORT}
