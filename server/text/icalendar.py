"""What does a calendar program read? A file of RFC 5545, for whatever has a start and an end; times in UTC."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policy.terms import Instant
from server.database.types import moment

TYPE = "text/calendar; charset=utf-8"
LONGEST_LINE = 75
"""Bytes; a longer line goes on in the next one, after a blank."""
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


@dataclass(frozen=True, slots=True)
class Entry:
    """uid: the same for the same thing each time, of this site alone. sure: else it is tentative. cancelled: it
    was told before and is no more: a program takes it away by that, seldom by its absence."""

    uid: str
    start: Instant
    end: Instant
    title: str
    more: str = ""
    sure: bool = True
    cancelled: bool = False


def calendar(name: str, entries: Iterable[Entry], as_of: Instant, said: str) -> str:
    """name: as the program shows it. as_of: when this was so; said: the same in words."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Loquet//Loquet//FR",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
        f"X-WR-CALDESC:{_text(said)}",
        f"LAST-MODIFIED:{_time(as_of)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
        "X-PUBLISHED-TTL:PT15M",
        *(line for one in entries for line in _entry(one, as_of, said)),
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _entry(one: Entry, as_of: Instant, said: str) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(one.uid)}"
    yield f"DTSTAMP:{_time(as_of)}"
    yield f"DTSTART:{_time(one.start)}"
    yield f"DTEND:{_time(one.end)}"
    yield f"SUMMARY:{_text(one.title)}"
    yield f"DESCRIPTION:{_text(f'{one.more}{chr(10) if one.more else str()}{said}')}"
    yield f"SEQUENCE:{int(one.cancelled)}"
    yield f"STATUS:{'CANCELLED' if one.cancelled else 'CONFIRMED' if one.sure else 'TENTATIVE'}"
    yield "END:VEVENT"


def _time(at: Instant) -> str:
    return f"{moment(at):%Y%m%dT%H%M%SZ}"


def _text(said: str) -> str:
    return said.translate(_ESCAPED)


def _folded(line: str) -> Iterator[str]:
    """Never within a letter of several bytes."""
    part, length = "", 0
    for letter in line:
        size = len(letter.encode())
        if length + size > LONGEST_LINE:
            yield part
            part, length = " ", 1
        part, length = part + letter, length + size
    yield part
